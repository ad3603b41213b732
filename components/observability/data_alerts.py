"""Alerts on where data is: PostgreSQL, its backups and replicas, Redis, the queues and their dead letters.

Pure: values in, alerts out. What an environment does not have (replicas, a standby) has no alert there, and
an instance that is stopped off-hours on purpose has none on being down or without a backup. Windows fit the
metrics' delays (Cloud SQL 60 s and 165 s, Redis 60 s and 240 s, Pub/Sub 60 s and 240 s).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from components.observability.alert_policy import Alert, LogMatch, Query, Severity

__all__ = [
    "BACKUPS_METRIC",
    "DATABASE_ERRORS_METRIC",
    "DataTargets",
    "QueueTargets",
    "data_alerts",
    "queue_alerts",
]

BACKUPS_METRIC = "database_backups"
DATABASE_ERRORS_METRIC = "database_errors"

_GIB = 1024**3
_FORECAST_SECONDS = 3 * 86_400


@dataclass(frozen=True, kw_only=True, slots=True)
class DataTargets:
    """What is watched."""

    owner: str
    connection_limit: int
    """The database's max_connections; 80 % of it raises an alert."""
    disk_limit_gb: int
    """Where the database's disks stop growing; a forecast that reaches it raises an alert."""
    always_on: bool
    """False where the database is stopped off-hours."""
    has_replicas: bool
    cache_has_standby: bool
    migration_job: str
    """Name of the job that migrates the schema."""
    clone_prefix: str | None = None
    """Begins the names of instances that come and go on purpose, so that none of them wakes anybody."""


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueTargets:
    """One queue: its worker's subscription, its dead letters, how old a message may get and is kept."""

    owner: str
    subscription: str
    dead_letter_subscription: str
    maximum_age_seconds: int = 300
    maximum_backlog: int = 1_000
    retention_days: int = 7
    dead_letter_retention_days: int = 31
    pulled: bool = True
    """False where Pub/Sub pushes: then there are no leases to lose."""


def data_alerts(targets: DataTargets) -> dict[str, Alert]:
    """Alerts on the database and the cache, by id."""
    return {
        **_database_alerts(targets),
        **_backup_alerts(targets),
        **(_replica_alerts(targets) if targets.has_replicas else {}),
        **_cache_alerts(targets),
        **_migration_alerts(targets.owner, targets.migration_job),
    }


def queue_alerts(queues: Mapping[str, QueueTargets]) -> dict[str, Alert]:
    """Alerts on every queue, by id."""
    alerts: dict[str, Alert] = {}
    for key, queue in queues.items():
        alerts |= _queue(key, queue)
    return alerts


def _database_alerts(targets: DataTargets) -> dict[str, Alert]:
    lasting = "" if targets.clone_prefix is None else f'database_id!~".*:{targets.clone_prefix}.*"'
    of_lasting = f"{{{lasting}}}" if lasting else ""
    owner, cpu = targets.owner, f"cloudsql_googleapis_com:database_cpu_utilization{of_lasting}"
    memory, disk = (
        f"cloudsql_googleapis_com:database_memory_utilization{of_lasting}",
        f"cloudsql_googleapis_com:database_disk_utilization{of_lasting}",
    )
    # A clone that is filled within minutes has the steepest line of all, for a day after its deletion.
    disk_bytes = f"cloudsql_googleapis_com:database_disk_bytes_used{of_lasting}"
    backends = f"cloudsql_googleapis_com:database_postgresql_num_backends{of_lasting}"
    # Whoever waits for a clone to start is an error in its log each time.
    errors = f"logging_googleapis_com:user_{DATABASE_ERRORS_METRIC}{of_lasting}"
    state = "cloudsql_googleapis_com:database_instance_state"
    failed = ",".join(one for one in ('state="FAILED"', lasting) if one)
    alerts = {
        "database-failed": _gauge(
            "Database failed",
            "CRITICAL",
            owner,
            "Google reports a database instance in the state FAILED.",
            "database-down",
            f"max by (database_id) (max_over_time({state}{{{failed}}}[10m])) == 1",
        ),
        "database-cpu": _gauge(
            "Database is short of CPU",
            "WARNING",
            owner,
            "A database instance has used more than 80 % of its CPU for fifteen minutes.",
            "database-load",
            f"avg by (database_id) (avg_over_time({cpu}[10m])) > 0.8",
            for_seconds=900,
        ),
        "database-memory": _gauge(
            "Database is short of memory",
            "WARNING",
            owner,
            "A database instance has used more than 90 % of its memory for fifteen minutes.",
            "database-load",
            f"avg by (database_id) (avg_over_time({memory}[10m])) > 0.9",
            for_seconds=900,
        ),
        "database-disk": _gauge(
            "Database disk is filling up",
            "ERROR",
            owner,
            "A database disk is more than 85 % full although it grows by itself: its limit is near.",
            "database-disk",
            f"max by (database_id) (max_over_time({disk}[10m])) > 0.85",
            for_seconds=300,
        ),
        "database-disk-forecast": _gauge(
            "Database disk reaches its limit within three days",
            "WARNING",
            owner,
            (
                f"At the pace of the last day a database fills the {targets.disk_limit_gb} GB at which its "
                "disk stops growing within three days."
            ),
            "database-disk",
            (
                f"max by (database_id) (predict_linear({disk_bytes}[24h], {_FORECAST_SECONDS})) "
                f">= {targets.disk_limit_gb * _GIB}"
            ),
            for_seconds=3600,
        ),
        "database-connections": _gauge(
            "Database connections run out",
            "ERROR",
            owner,
            f"More than 80 % of the {targets.connection_limit} connections of an instance are in use.",
            "database-connections",
            f"sum by (database_id) (max_over_time({backends}[5m])) > {0.8 * targets.connection_limit:g}",
            for_seconds=300,
        ),
        "database-errors": _gauge(
            "Database reports errors",
            "ERROR",
            owner,
            "More than five errors in the database's log within five minutes.",
            "database-errors",
            f"sum by (database_id) (increase({errors}[5m])) > 5",
        ),
    }
    if targets.always_on:
        alerts["database-down"] = _gauge(
            "Database is down",
            "CRITICAL",
            owner,
            "A database instance does not answer Google's own check.",
            "database-down",
            f"max by (database_id) (max_over_time(cloudsql_googleapis_com:database_up{of_lasting}[5m])) < 1",
            for_seconds=60,
        )
    return alerts


def _backup_alerts(targets: DataTargets) -> dict[str, Alert]:
    clone = targets.clone_prefix
    lasting = "" if clone is None else f' AND NOT resource.labels.database_id=~":{clone}"'
    failed = Alert(
        title="Database backup failed",
        severity="ERROR",
        owner=targets.owner,
        summary="An automated backup failed, was refused or was skipped. The entry itself says INFO.",
        runbook="database-backup",
        condition=LogMatch(
            filter=(
                'log_id("cloudaudit.googleapis.com/system_event") AND resource.type="cloudsql_database" AND '
                'protoPayload.methodName="cloudsql.instances.automatedBackup" AND '
                "protoPayload.metadata.windowStatus="
                '("STATUS_FAILED" OR "STATUS_ATTEMPT_FAILED" OR "STATUS_SKIPPED")' + lasting
            ),
            extractors={"database": "EXTRACT(resource.labels.database_id)"},
            quiet_seconds=3600,
        ),
    )
    if not targets.always_on:
        return {"database-backup-failed": failed}
    missing = _gauge(
        "No database backup for a day",
        "ERROR",
        targets.owner,
        "No automated backup has succeeded for 26 hours. On the first day of a new instance that is normal.",
        "database-backup",
        f"absent_over_time(logging_googleapis_com:user_{BACKUPS_METRIC}[26h])",
        for_seconds=3600,
    )
    return {"database-backup-failed": failed, "database-backup-missing": missing}


def _replica_alerts(targets: DataTargets) -> dict[str, Alert]:
    lag = "cloudsql_googleapis_com:database_replication_replica_lag"
    state = "cloudsql_googleapis_com:database_replication_state"
    return {
        "replica-lag": _gauge(
            "Replica lags behind",
            "WARNING",
            targets.owner,
            "A read replica has been more than 10 seconds behind the primary for five minutes.",
            "replica-lag",
            f"max by (database_id) (min_over_time({lag}[5m])) > 10",
        ),
        "replica-broken": _gauge(
            "Replication is broken",
            "ERROR",
            targets.owner,
            "Replication of a read replica stopped with an error; what it answers gets older and older.",
            "replica-lag",
            f'max by (database_id) (max_over_time({state}{{state="Error"}}[10m])) == 1',
            for_seconds=300,
        ),
    }


def _cache_alerts(targets: DataTargets) -> dict[str, Alert]:
    owner, prefix = targets.owner, "redis_googleapis_com:"
    alerts = {
        "cache-memory": _gauge(
            "Cache memory is filling up",
            "WARNING",
            owner,
            "The cache has used more than 80 % of its memory for ten minutes.",
            "cache-memory",
            f"max by (instance_id) (avg_over_time({prefix}stats_memory_usage_ratio[10m])) > 0.8",
            for_seconds=600,
        ),
        "cache-evictions": _gauge(
            "Cache evicts keys",
            "WARNING",
            owner,
            "The cache drops keys that had not expired, because it is full.",
            "cache-memory",
            f"sum by (instance_id) (increase({prefix}stats_evicted_keys[10m])) > 0",
            for_seconds=900,
        ),
        "cache-hit-ratio": _gauge(
            "Cache hits less than 60 %",
            "WARNING",
            owner,
            "Less than 60 % of the look-ups find something in the cache; the database carries the rest.",
            "cache-hit-ratio",
            (
                f'avg by (instance_id) (avg_over_time({prefix}stats_cache_hit_ratio{{role="primary"}}[30m]))'
                " < 0.6"
            ),
            for_seconds=1800,
        ),
        "cache-rejects": _gauge(
            "Cache rejects connections",
            "ERROR",
            owner,
            "The cache refuses clients, because it has as many as it may have.",
            "cache-connections",
            f"sum by (instance_id) (increase({prefix}stats_reject_connections_count[10m])) > 0",
        ),
    }
    if targets.cache_has_standby:
        alerts["cache-failover"] = _gauge(
            "Cache failed over",
            "WARNING",
            owner,
            "The cache's standby took over; the newest writes may be lost.",
            "cache-failover",
            f"max by (instance_id) (changes({prefix}replication_role[15m])) > 0",
        )
    return alerts


def _migration_alerts(owner: str, job: str) -> dict[str, Alert]:
    metric = "run_googleapis_com:job_completed_execution_count"
    which = f'monitored_resource="cloud_run_job", job_name="{job}", result="failed"'
    return {
        "migration-failed": Alert(
            title="Migration of the schema failed",
            severity="ERROR",
            owner=owner,
            summary="The job that migrates the schema failed; its release does not serve.",
            runbook="database-migration",
            condition=Query(promql=f"sum by (job_name) (increase({metric}{{{which}}}[10m])) > 0"),
        )
    }


def _queue(key: str, queue: QueueTargets) -> dict[str, Alert]:
    age = "pubsub_googleapis_com:subscription_oldest_unacked_message_age"
    backlog = "pubsub_googleapis_com:subscription_num_undelivered_messages"
    expired = "pubsub_googleapis_com:subscription_expired_ack_deadlines_count"
    here = f'{{subscription_id="{queue.subscription}"}}'
    dead = f'{{subscription_id="{queue.dead_letter_subscription}"}}'
    alerts = {
        f"queue-{key}-age": _gauge(
            f"Queue {key}: messages wait too long",
            "ERROR",
            queue.owner,
            f"The oldest message of {queue.subscription} is older than {queue.maximum_age_seconds} seconds.",
            "queue-backlog",
            f"max by (subscription_id) (min_over_time({age}{here}[5m])) > {queue.maximum_age_seconds}",
        ),
        f"queue-{key}-backlog": _gauge(
            f"Queue {key}: backlog",
            "WARNING",
            queue.owner,
            f"More than {queue.maximum_backlog} messages of {queue.subscription} are not acknowledged.",
            "queue-backlog",
            f"max by (subscription_id) (min_over_time({backlog}{here}[5m])) > {queue.maximum_backlog}",
            for_seconds=300,
        ),
        f"queue-{key}-dead-letters": _gauge(
            f"Queue {key}: dead letters",
            "ERROR",
            queue.owner,
            f"Messages of {queue.subscription} failed every attempt and wait as dead letters.",
            "dead-letters",
            f"max by (subscription_id) (max_over_time({backlog}{dead}[5m])) > 0",
            for_seconds=60,
        ),
    }
    alerts[f"queue-{key}-expiry"] = _gauge(
        f"Queue {key}: messages are about to be deleted",
        "ERROR",
        queue.owner,
        f"Messages of {queue.subscription} or its dead letters have waited three quarters of their time.",
        "dead-letters",
        f"max by (subscription_id) (min_over_time({age}{here}[5m])) > {_expiring(queue.retention_days)} or "
        f"max by (subscription_id) (min_over_time({age}{dead}[5m])) > "
        f"{_expiring(queue.dead_letter_retention_days)}",
    )
    if queue.pulled:
        alerts[f"queue-{key}-leases"] = _gauge(
            f"Queue {key}: workers lose their leases",
            "WARNING",
            queue.owner,
            f"Workers of {queue.subscription} do not acknowledge in time; work is done twice.",
            "queue-leases",
            f"sum by (subscription_id) (increase({expired}{here}[15m])) > 10",
            for_seconds=300,
        )
    return alerts


def _expiring(days: int) -> int:
    """Seconds after which little time is left: three quarters."""
    return days * 86_400 * 3 // 4


def _gauge(
    title: str,
    severity: Severity,
    owner: str,
    summary: str,
    runbook: str,
    promql: str,
    for_seconds: int = 0,
) -> Alert:
    return Alert(
        title=title,
        severity=severity,
        owner=owner,
        summary=summary,
        runbook=runbook,
        condition=Query(promql=promql, for_seconds=for_seconds),
    )

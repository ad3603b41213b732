"""What is counted in the logs: crashes, database errors, good backups, runs of the watches and the scaler."""

from __future__ import annotations

from components.observability.data_alerts import BACKUPS_METRIC, DATABASE_ERRORS_METRIC
from components.observability.drill_alerts import DRILL_METRIC
from components.observability.log_metric import LogMetricArgs
from components.observability.scaler_alerts import SCALER_CEILING_METRIC, SCALER_RUNS_METRIC
from components.observability.security_alerts import AGE_WATCH_METRIC
from components.observability.service_alerts import CRASHES_METRIC

__all__ = ["log_counters"]


def log_counters(*, drilled: bool) -> dict[str, LogMetricArgs]:
    """The counters by the name of their child; `drilled` where a restore is rehearsed."""
    rehearsal = {
        "restore-drills-fresh": LogMetricArgs(
            metric_name=DRILL_METRIC,
            description="Days on which the last good restore drill was recent enough",
            filter=(
                'resource.type="workflows.googleapis.com/Workflow" AND jsonPayload.restoreDrill.kind="fresh"'
            ),
        )
    }
    backup = (
        'log_id("cloudaudit.googleapis.com/system_event") AND resource.type="cloudsql_database" '
        'AND protoPayload.methodName="cloudsql.instances.automatedBackup" '
        'AND protoPayload.metadata.windowStatus="STATUS_SUCCEEDED"'
    )
    crash = "(Memory limit of|Out-of-memory event|called exit|Uncaught signal|probe failed)"
    return (rehearsal if drilled else {}) | {
        "container-crashes": LogMetricArgs(
            metric_name=CRASHES_METRIC,
            description="Containers that ended by themselves, were killed for memory or failed a probe",
            filter=(
                'resource.type=("cloud_run_revision" OR "cloud_run_worker_pool" OR "cloud_run_job") '
                f'AND severity>=WARNING AND textPayload=~"{crash}"'
            ),
            extractors={"reason": f'REGEXP_EXTRACT(textPayload, "{crash}")'},
        ),
        "database-errors": LogMetricArgs(
            metric_name=DATABASE_ERRORS_METRIC,
            description="Errors in the log of PostgreSQL",
            filter=(
                'resource.type="cloudsql_database" AND log_id("cloudsql.googleapis.com/postgres.log") '
                "AND severity>=ERROR"
            ),
        ),
        "database-backups": LogMetricArgs(
            metric_name=BACKUPS_METRIC,
            description="Automated database backups that succeeded",
            filter=backup,
        ),
        "age-watch-runs": LogMetricArgs(
            metric_name=AGE_WATCH_METRIC,
            description="Runs of the age watch that looked at every secret",
            filter='resource.type="cloud_run_revision" AND jsonPayload.ageWatch.kind="done"',
        ),
        "scaler-runs": LogMetricArgs(
            metric_name=SCALER_RUNS_METRIC,
            description="Runs of the scaler that looked at every worker pool",
            filter='resource.type="cloud_run_revision" AND jsonPayload.scaler.kind="done"',
        ),
        "scaler-ceiling": LogMetricArgs(
            metric_name=SCALER_CEILING_METRIC,
            description="Times that a queue asked for more workers than its pool may have",
            filter='resource.type="cloud_run_revision" AND jsonPayload.scaler.kind="ceiling"',
        ),
    }

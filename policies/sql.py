"""Cloud SQL for PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.model import (
    UNKNOWN,
    Resource,
    below,
    contains_unknown,
    is_false,
    is_missing,
    is_true,
    outside,
    rule,
    say,
    text,
)
from policies.places import environment, in_eu
from policies.sql_instances import INSTANCE, follows

__all__ = ["RULES"]

USER: Final = "gcp:sql/user:User"
_INSTANCES: Final = (INSTANCE,)

# Backups that an environment keeps at least.
_BACKUPS: Final = {"dev": 7, "staging": 14, "prod": 30}
# What Google keeps when nothing is said.
_DEFAULT_BACKUPS: Final = 7
_SUPPORTED: Final = ("POSTGRES_17", "POSTGRES_18")
_AUDIT_FLAGS: Final = {
    "log_connections": ("on",),
    "log_disconnections": ("on",),
    "log_lock_waits": ("on",),
    "cloudsql.enable_pgaudit": ("on",),
}


def _inherits(resource: Resource) -> bool:
    """Whether the settings come from another instance or a backup and are not stated here."""
    origins = ("clone", "pointInTimeRestoreContext", "restoreBackupContext", "backupdrBackup")
    return resource.get("settings") is None and any(resource.get(origin) is not None for origin in origins)


def _is_primary(resource: Resource) -> bool:
    return follows(resource) == "no" and not _inherits(resource)


def _flag(resource: Resource, name: str) -> object:
    for flag in resource.each("settings.databaseFlags"):
        if flag.get("name") == name:
            return flag.get("value")
    return UNKNOWN if contains_unknown(resource.get("settings.databaseFlags")) else None


@rule(
    "sql-no-public-address",
    "Cloud SQL has no public address",
    controls=("SQL-01",),
    source="CIS 6.6/6.7, checkov CKV_GCP_60, org policy sql.restrictPublicIp",
    types=_INSTANCES,
)
def no_public_address(resource: Resource) -> Iterator[str]:
    path = "settings.ipConfiguration.ipv4Enabled"
    if not _inherits(resource) and is_true(resource.get(path, default=True)):
        yield say(
            resource,
            path,
            "be false (absent means true)",
            resource.get(path),
            "set it to false and use privateNetwork",
        )


@rule(
    "sql-private-network",
    "Cloud SQL is reached through a private network",
    controls=("SQL-03",),
    source="prowler cloudsql_instance_private_ip_assignment",
    types=_INSTANCES,
)
def private_network(resource: Resource) -> Iterator[str]:
    path = "settings.ipConfiguration"
    service_connect = resource.get(f"{path}.pscConfigs")
    connected = contains_unknown(service_connect) or any(
        is_true(block.get("pscEnabled")) for block in resource.each(f"{path}.pscConfigs")
    )
    if not _inherits(resource) and not connected and is_missing(resource.get(f"{path}.privateNetwork")):
        yield say(
            resource,
            f"{path}.privateNetwork",
            "name a network",
            None,
            "set it and depend on the private connection",
        )


@rule(
    "sql-no-open-authorized-network",
    "Cloud SQL authorises no network of the whole internet",
    controls=("SQL-02",),
    source="CIS 6.5, checkov CKV_GCP_11, org policy sql.restrictAuthorizedNetworks",
    types=_INSTANCES,
)
def no_open_network(resource: Resource) -> Iterator[str]:
    for block in resource.each("settings.ipConfiguration.authorizedNetworks"):
        value = text(block.get("value"))
        if value is not None and value.endswith("/0"):
            yield say(resource, block.within("value"), "not end in /0", value, "remove the network")


@rule(
    "sql-tls",
    "Cloud SQL refuses connections without TLS",
    controls=("SQL-04",),
    source="CIS 6.4, trivy GCP-0015, prowler cloudsql_instance_ssl_connections",
    types=_INSTANCES,
)
def tls(resource: Resource) -> Iterator[str]:
    path = "settings.ipConfiguration.sslMode"
    if not _inherits(resource) and outside(
        resource.get(path), ("ENCRYPTED_ONLY", "TRUSTED_CLIENT_CERTIFICATE_REQUIRED")
    ):
        yield say(
            resource,
            path,
            "be ENCRYPTED_ONLY or TRUSTED_CLIENT_CERTIFICATE_REQUIRED",
            resource.get(path),
            "set ENCRYPTED_ONLY",
        )


@rule(
    "sql-customer-key",
    "Cloud SQL is encrypted with a key of the house",
    controls=("SQL-07",),
    source="prowler cloudsql_instance_cmek_encryption_enabled",
    types=_INSTANCES,
)
def customer_key(resource: Resource) -> Iterator[str]:
    if _is_primary(resource) and is_missing(resource.get("encryptionKeyName")):
        yield say(
            resource,
            "encryptionKeyName",
            "name a key",
            None,
            "set the database key of the instance's region now, it cannot be added later",
        )


@rule(
    "sql-backups",
    "Each Cloud SQL primary is backed up every day",
    controls=("SQL-08",),
    source="CIS 6.7/6.8, checkov CKV_GCP_14, trivy GCP-0024",
    types=_INSTANCES,
)
def backups(resource: Resource) -> Iterator[str]:
    path = "settings.backupConfiguration.enabled"
    if _is_primary(resource) and is_false(resource.get(path, default=False)):
        yield say(resource, path, "be true", resource.get(path), "set it to true")


@rule(
    "sql-point-in-time-recovery",
    "Cloud SQL can be restored to any minute",
    controls=("SQL-09",),
    source="Google custom.cloudsqlRequirePointInTimeRecovery",
    types=_INSTANCES,
)
def point_in_time_recovery(resource: Resource) -> Iterator[str]:
    path = "settings.backupConfiguration.pointInTimeRecoveryEnabled"
    demanded = environment(resource) == "prod" and _is_primary(resource)
    if demanded and is_false(resource.get(path, default=False)):
        yield say(resource, path, "be true in prod", resource.get(path), "set it to true")


@rule(
    "sql-log-retention",
    "Cloud SQL keeps seven days of write-ahead log in production",
    controls=("SQL-10",),
    source="DB-3.5",
    types=_INSTANCES,
)
def log_retention(resource: Resource) -> Iterator[str]:
    path = "settings.backupConfiguration.transactionLogRetentionDays"
    demanded = environment(resource) == "prod" and _is_primary(resource)
    if demanded and below(resource.get(path, 7), 7):
        yield say(resource, path, "be at least 7 days in prod", resource.get(path), "set it to 7")


@rule(
    "sql-backups-kept",
    "Cloud SQL keeps as many backups as its environment asks for",
    controls=("SQL-11",),
    source="DB-3.5: 7 in dev, 14 in staging, 30 in prod",
    types=_INSTANCES,
)
def backups_kept(resource: Resource) -> Iterator[str]:
    path = "settings.backupConfiguration.backupRetentionSettings.retainedBackups"
    where = environment(resource)
    if where is None or not _is_primary(resource):
        return
    value = resource.get(path)
    if below(_DEFAULT_BACKUPS if value is None else value, _BACKUPS[where]):
        least = _BACKUPS[where]
        yield say(resource, path, f"be at least {least} backups in {where}", value, f"set it to {least}")


@rule(
    "sql-backups-in-eu",
    "Cloud SQL backups stay in the European Union",
    controls=("SQL-12",),
    source="org policy gcp.resourceLocations",
    types=_INSTANCES,
)
def backups_in_eu(resource: Resource) -> Iterator[str]:
    path = "settings.backupConfiguration.location"
    value = text(resource.get(path))
    if value is not None and not in_eu(value):
        yield say(resource, path, "be eu or a region of the European Union", value, "set it to eu")


@rule(
    "sql-final-backup",
    "Cloud SQL leaves a last backup behind in production",
    controls=("SQL-13",),
    source="DB-3.5",
    types=_INSTANCES,
)
def final_backup(resource: Resource) -> Iterator[str]:
    path = "settings.finalBackupConfig.enabled"
    demanded = environment(resource) == "prod" and _is_primary(resource)
    if demanded and is_false(resource.get(path, default=False)):
        yield say(resource, path, "be true in prod", resource.get(path), "set it to true with retentionDays")


@rule(
    "sql-deletion-protection",
    "Cloud SQL is protected against deletion outside dev",
    controls=("SQL-15", "SQL-16"),
    source="CIS 6.9 (v5)",
    types=_INSTANCES,
)
def deletion_protection(resource: Resource) -> Iterator[str]:
    where = environment(resource)
    if where in (None, "dev") or _inherits(resource):
        return
    for path, default in (("deletionProtection", True), ("settings.deletionProtectionEnabled", False)):
        if is_false(resource.get(path, default)):
            yield say(resource, path, f"be true in {where}", resource.get(path), "set it to true")


@rule(
    "sql-regional",
    "The Cloud SQL primary spans two zones in production",
    controls=("SQL-14",),
    source="prowler cloudsql_instance_high_availability_enabled, DB-3.3",
    types=_INSTANCES,
)
def regional(resource: Resource) -> Iterator[str]:
    path = "settings.availabilityType"
    demanded = environment(resource) == "prod" and _is_primary(resource)
    if demanded and outside(resource.get(path), ("REGIONAL",)):
        yield say(resource, path, "be REGIONAL in prod", resource.get(path), "set it to REGIONAL")


@rule(
    "sql-supported-version",
    "PostgreSQL runs on a major version of the house",
    controls=("SQL-17",),
    source="DB-3.3: PostgreSQL 17 or 18; checkov CKV_GCP_79",
    types=_INSTANCES,
)
def supported_version(resource: Resource) -> Iterator[str]:
    value = text(resource.get("databaseVersion"))
    if value is not None and value.startswith("POSTGRES_") and value not in _SUPPORTED:
        yield say(
            resource,
            "databaseVersion",
            "be POSTGRES_17 or POSTGRES_18",
            value,
            "upgrade by a new instance or in place",
        )


@rule(
    "sql-iam-login",
    "Cloud SQL accepts IAM logins",
    controls=("SQL-22",),
    source="CIS 6.6 (v5)",
    types=_INSTANCES,
)
def iam_login(resource: Resource) -> Iterator[str]:
    value = _flag(resource, "cloudsql.iam_authentication")
    if _is_primary(resource) and outside(value, ("on",)):
        yield say(
            resource,
            "settings.databaseFlags cloudsql.iam_authentication",
            "be on",
            value,
            "add the flag, so that no workload needs a password",
        )


@rule(
    "sql-audit-flags",
    "PostgreSQL logs connections, lock waits and audited statements",
    controls=("SQL-23", "SQL-24", "SQL-26", "SQL-33"),
    source="CIS 6.2.2, 6.2.3 and 6.2.8; checkov CKV_GCP_52, 53, 54 and 110",
    types=_INSTANCES,
    level="advisory",
)
def audit_flags(resource: Resource) -> Iterator[str]:
    if not _is_primary(resource):
        return
    for name, allowed in _AUDIT_FLAGS.items():
        value = _flag(resource, name)
        if outside(value, allowed):
            yield say(resource, f"settings.databaseFlags {name}", "be on", value, "add the flag")


@rule(
    "sql-query-insights",
    "Slow statements show in Query Insights",
    controls=("SQL-21",),
    source="DB-3.4",
    types=_INSTANCES,
    level="advisory",
)
def query_insights(resource: Resource) -> Iterator[str]:
    path = "settings.insightsConfig.queryInsightsEnabled"
    if _is_primary(resource) and is_false(resource.get(path, default=False)):
        yield say(resource, path, "be true", resource.get(path), "set it to true")


@rule(
    "sql-disk-limit",
    "The Cloud SQL disk grows by itself, up to a stated limit",
    controls=("SQL-19",),
    source="OPT-4.1",
    types=_INSTANCES,
    level="advisory",
)
def disk_limit(resource: Resource) -> Iterator[str]:
    path = "settings.diskAutoresizeLimit"
    if _is_primary(resource) and below(resource.get(path, 0), 1):
        yield say(
            resource, path, "be a number of gigabytes (0 means none)", resource.get(path), "set a limit"
        )


RULES = (
    no_public_address,
    private_network,
    no_open_network,
    tls,
    customer_key,
    backups,
    point_in_time_recovery,
    log_retention,
    backups_kept,
    backups_in_eu,
    final_backup,
    deletion_protection,
    regional,
    supported_version,
    iam_login,
    audit_flags,
    query_insights,
    disk_limit,
)

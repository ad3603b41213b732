"""What Cloud SQL is told about an instance: pure functions from our types to the provider's `settings`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, assert_never

import pulumi
import pulumi_gcp as gcp

from components._checks import require_between
from facts.refusal import RefusedError
from facts.sizes import check_data_cache, check_plus_tier, check_tier

__all__ = [
    "BASE_FLAGS",
    "Availability",
    "Backups",
    "DenyPeriod",
    "Edition",
    "Enterprise",
    "EnterprisePlus",
    "MaintenanceWindow",
    "SettingsInputs",
    "edition_name",
    "primary_settings",
    "replica_settings",
]

Availability = Literal["ZONAL", "REGIONAL"]

# CIS Google Cloud benchmark 6.2, with one recorded exception: statements slower than 500 ms are logged, so
# whoever may read the log may read their literals. pgaudit.log follows once the extension exists (migration).
BASE_FLAGS: Mapping[str, str] = {
    "cloudsql.enable_pgaudit": "on",
    "cloudsql.iam_authentication": "on",
    "log_checkpoints": "on",
    "log_connections": "on",
    "log_disconnections": "on",
    "log_error_verbosity": "default",
    "log_executor_stats": "off",
    "log_hostname": "off",
    "log_lock_waits": "on",
    "log_min_duration_statement": "500",
    "log_min_error_statement": "error",
    "log_min_messages": "warning",
    "log_statement": "ddl",
    "log_temp_files": "0",
    "pg_stat_statements.track": "top",
    "track_io_timing": "on",
}
# A publication that another instance subscribes to; changing it restarts the instance.
CUT_OVER_FLAGS: Mapping[str, str] = {"cloudsql.logical_decoding": "on"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Enterprise:
    """Edition with 99.95 % availability when regional, 1 to 7 days of point-in-time recovery."""

    tier: str
    """db-custom-CPUS-MB: 1 or an even number up to 96; 3840 MB or more, steps of 256, 0.9 to 6.5 GB a CPU."""

    def __post_init__(self) -> None:
        check_tier("tier", self.tier)


@dataclass(frozen=True, kw_only=True, slots=True)
class EnterprisePlus:
    """An operator's step up: 99.99 % availability, maintenance included, 1 to 35 days of recovery."""

    tier: str
    """db-perf-optimized-N-CPUS or db-c4a-highmem-CPUS."""
    data_cache: bool = False
    """Whether hot pages are cached on local disks; N2 tiers and those that end in -lssd have them."""
    managed_pooling: bool = False
    """Whether Google pools connections on port 6432, by transaction (old drivers break)."""

    def __post_init__(self) -> None:
        check_plus_tier("tier", self.tier)
        if self.data_cache:
            check_data_cache("data_cache", self.tier)


Edition = Enterprise | EnterprisePlus


@dataclass(frozen=True, kw_only=True, slots=True)
class Backups:
    """Daily backups and the write-ahead log that recovery to a point in time needs."""

    kept: int
    """Number of backups kept, 1 to 365."""
    point_in_time_days: int
    """Days of log kept, 1 to 7 in edition ENTERPRISE, 1 to 35 in ENTERPRISE_PLUS, at most `kept`."""
    start_time: str
    """HH:MM in UTC, the start of a window of four hours."""
    location: str
    """Multi-region or region of the backups."""

    def __post_init__(self) -> None:
        require_between("kept", self.kept, 1, 365, "backups")
        if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", self.start_time) is None:
            message = f"start_time must be HH:MM (24 hours, UTC), got {self.start_time!r}"
            raise RefusedError(message)


@dataclass(frozen=True, kw_only=True, slots=True)
class MaintenanceWindow:
    """The hour of the week in which Google may restart the primary and its replicas."""

    day: int
    """Day of the week, 1 (Monday) to 7 (Sunday)."""
    hour: int
    """Start hour in UTC, 0 to 23."""
    track: Literal["canary", "stable", "week5"]
    """How early updates come: canary first, week5 five weeks later."""

    def __post_init__(self) -> None:
        require_between("day", self.day, 1, 7, "(Monday is 1)")
        require_between("hour", self.hour, 0, 23, "hours (UTC)")


@dataclass(frozen=True, kw_only=True, slots=True)
class DenyPeriod:
    """Days on which Google leaves the instances alone, such as a launch; 1 to 90 of them."""

    start: date
    """First day."""
    end: date
    """Last day."""

    def __post_init__(self) -> None:
        require_between("deny_period", (self.end - self.start).days, 1, 90, "days from start to end")


@dataclass(frozen=True, kw_only=True, slots=True)
class SettingsInputs:
    """What primary and replicas share."""

    edition: Edition
    disk_size_gb: int
    disk_autoresize_limit_gb: int
    network: pulumi.Input[str]
    allocated_ip_range: pulumi.Input[str]
    flags: Mapping[str, str]
    labels: Mapping[str, str]
    deletion_protection: bool


def primary_settings(
    shared: SettingsInputs,
    availability: Availability,
    backups: Backups,
    maintenance: MaintenanceWindow,
    final_backup_days: int,
    deny_period: DenyPeriod | None = None,
    *,
    cut_over: bool = False,
) -> gcp.sql.DatabaseInstanceSettingsArgsDict:
    """Settings of a primary."""
    settings = _common(replace(shared, flags={**shared.flags, **CUT_OVER_FLAGS}) if cut_over else shared)
    if cut_over:
        # A subscription of another instance comes in by the private address; REQUIRED rejects that.
        settings["connector_enforcement"] = "NOT_REQUIRED"
    settings["availability_type"] = availability
    settings["activation_policy"] = "ALWAYS"
    settings["backup_configuration"] = {
        "enabled": True,
        "start_time": backups.start_time,
        "location": backups.location,
        "point_in_time_recovery_enabled": True,
        "transaction_log_retention_days": backups.point_in_time_days,
        "backup_retention_settings": {"retained_backups": backups.kept, "retention_unit": "COUNT"},
    }
    settings["final_backup_config"] = {"enabled": True, "retention_days": final_backup_days}
    settings["retain_backups_on_delete"] = True
    settings["maintenance_window"] = {
        "day": maintenance.day,
        "hour": maintenance.hour,
        "update_track": maintenance.track,
    }
    if deny_period is not None:
        settings["deny_maintenance_period"] = {
            "start_date": deny_period.start.isoformat(),
            "end_date": deny_period.end.isoformat(),
            "time": "00:00:00",
        }
    settings["password_validation_policy"] = {
        "enable_password_policy": True,
        "min_length": 16,
        "complexity": "COMPLEXITY_DEFAULT",
        "disallow_username_substring": True,
    }
    return settings


def replica_settings(
    shared: SettingsInputs, availability: Availability = "ZONAL"
) -> gcp.sql.DatabaseInstanceSettingsArgsDict:
    """Settings of a replica: no backups (refused), no window (the primary's counts), one zone by default."""
    settings = _common(shared)
    settings["availability_type"] = availability
    return settings


def _common(shared: SettingsInputs) -> gcp.sql.DatabaseInstanceSettingsArgsDict:
    flags = {**BASE_FLAGS, **shared.flags}
    settings: gcp.sql.DatabaseInstanceSettingsArgsDict = {
        "tier": shared.edition.tier,
        "edition": edition_name(shared.edition),
        "disk_type": "PD_SSD",
        "disk_size": shared.disk_size_gb,
        "disk_autoresize": True,
        "disk_autoresize_limit": shared.disk_autoresize_limit_gb,
        "connector_enforcement": "REQUIRED",
        "ip_configuration": {
            "ipv4_enabled": False,
            "private_network": shared.network,
            "allocated_ip_range": shared.allocated_ip_range,
            "ssl_mode": "ENCRYPTED_ONLY",
        },
        "database_flags": [{"name": name, "value": flags[name]} for name in sorted(flags)],
        "insights_config": {
            "query_insights_enabled": True,
            "query_plans_per_minute": 5,
            "query_string_length": 1024,
            "record_application_tags": True,
            "record_client_address": False,
        },
        "deletion_protection_enabled": shared.deletion_protection,
        "user_labels": shared.labels,
    }
    if isinstance(shared.edition, EnterprisePlus):
        if shared.edition.data_cache:
            settings["data_cache_config"] = {"data_cache_enabled": True}
        if shared.edition.managed_pooling:
            settings["connection_pool_configs"] = [{"connection_pooling_enabled": True}]
    return settings


def edition_name(edition: Edition) -> str:
    """Google's word for an edition."""
    match edition:
        case Enterprise():
            return "ENTERPRISE"
        case EnterprisePlus():
            return "ENTERPRISE_PLUS"
        case _:
            assert_never(edition)

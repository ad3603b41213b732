"""The database: a private, encrypted primary, replicas like it, users, and what Cloud SQL would refuse."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.data.postgres import (
    Backups,
    Enterprise,
    EnterprisePlus,
    MaintenanceWindow,
    PasswordUser,
    Postgres,
    PostgresArgs,
    Replica,
)
from tests.recording import Build, Recorder

INSTANCE = "sql/databaseInstance:DatabaseInstance"
BACKUPS = Backups(kept=30, point_in_time_days=7, start_time="03:00", location="eu")
REPLICA = Replica(
    instance_name="db-replica-1", region="europe-west4", kms_key="key-west4", allocated_ip_range="range-4"
)


def example_args(**changes: Any) -> PostgresArgs:
    """The smallest legal arguments, with one replica in another region."""
    values: dict[str, Any] = {
        "project": "p-example",
        "instance_name": "db",
        "database": "aiprod",
        "region": "europe-west1",
        "version": "POSTGRES_17",
        "edition": Enterprise(tier="db-custom-2-7680"),
        "availability": "REGIONAL",
        "disk_size_gb": 100,
        "disk_autoresize_limit_gb": 500,
        "backups": BACKUPS,
        "maintenance": MaintenanceWindow(day=7, hour=1, track="stable"),
        "network": "projects/p-example/global/networks/n",
        "allocated_ip_range": "range-1",
        "kms_key": "key-west1",
        "labels": {"system": "aiprod"},
        "replicas": {"replica-1": REPLICA},
    }
    return PostgresArgs(**{**values, **changes})


def make(build: Build, **changes: Any) -> Postgres:
    return build(lambda: Postgres("postgres", example_args(**changes)))


def flags(settings: Any) -> dict[str, str]:
    return {flag["name"]: flag["value"] for flag in settings["databaseFlags"]}


def test_primary_is_private_encrypted_and_regional(build: Build, recorder: Recorder) -> None:
    make(build)
    inputs = recorder.one(INSTANCE, "postgres").inputs
    settings = inputs["settings"]
    assert inputs["name"] == "db"
    assert inputs["databaseVersion"] == "POSTGRES_17"
    assert inputs["encryptionKeyName"] == "key-west1"
    assert settings["edition"] == "ENTERPRISE"
    assert settings["tier"] == "db-custom-2-7680"
    assert settings["availabilityType"] == "REGIONAL"
    assert settings["connectorEnforcement"] == "REQUIRED"
    assert settings["ipConfiguration"] == {
        "ipv4Enabled": False,
        "privateNetwork": "projects/p-example/global/networks/n",
        "allocatedIpRange": "range-1",
        "sslMode": "ENCRYPTED_ONLY",
    }
    assert settings["userLabels"] == {"system": "aiprod"}
    assert "masterInstanceName" not in inputs


def test_primary_keeps_backups_log_and_a_last_backup(build: Build, recorder: Recorder) -> None:
    make(build)
    settings = recorder.one(INSTANCE, "postgres").inputs["settings"]
    assert settings["backupConfiguration"] == {
        "enabled": True,
        "startTime": "03:00",
        "location": "eu",
        "pointInTimeRecoveryEnabled": True,
        "transactionLogRetentionDays": 7,
        "backupRetentionSettings": {"retainedBackups": 30, "retentionUnit": "COUNT"},
    }
    assert settings["finalBackupConfig"] == {"enabled": True, "retentionDays": 30}
    assert settings["retainBackupsOnDelete"] is True
    assert settings["maintenanceWindow"] == {"day": 7, "hour": 1, "updateTrack": "stable"}


def test_disk_grows_by_itself_and_its_size_is_left_alone(build: Build, recorder: Recorder) -> None:
    make(build)
    for instance in recorder.of_type(INSTANCE):
        settings = instance.inputs["settings"]
        assert (settings["diskSize"], settings["diskAutoresize"], settings["diskAutoresizeLimit"]) == (
            100,
            True,
            500,
        )
        assert instance.ignore_changes == ("settings.diskSize",)


def test_a_cut_over_opens_the_primary_alone_to_another_instance(build: Build, recorder: Recorder) -> None:
    make(build, cut_over=True)
    primary = recorder.one(INSTANCE, "postgres").inputs["settings"]
    assert primary["connectorEnforcement"] == "NOT_REQUIRED"
    assert primary["ipConfiguration"]["sslMode"] == "ENCRYPTED_ONLY"
    assert flags(primary)["cloudsql.logical_decoding"] == "on"
    replica = recorder.one(INSTANCE, "postgres-replica-1").inputs["settings"]
    assert replica["connectorEnforcement"] == "REQUIRED"
    assert "cloudsql.logical_decoding" not in flags(replica)


def test_replica_is_like_its_primary_with_its_own_key_and_range(build: Build, recorder: Recorder) -> None:
    make(build)
    replica = recorder.one(INSTANCE, "postgres-replica-1").inputs
    primary = recorder.one(INSTANCE, "postgres").inputs["settings"]
    settings = replica["settings"]
    assert replica["name"] == "db-replica-1"
    assert replica["region"] == "europe-west4"
    assert replica["masterInstanceName"] == "db"
    assert replica["instanceType"] == "READ_REPLICA_INSTANCE"
    assert replica["encryptionKeyName"] == "key-west4"
    assert replica["databaseVersion"] == "POSTGRES_17"
    assert settings["ipConfiguration"]["allocatedIpRange"] == "range-4"
    for shared in ("edition", "tier", "databaseFlags", "insightsConfig", "diskSize", "connectorEnforcement"):
        assert settings[shared] == primary[shared]


def test_replica_has_no_settings_that_google_refuses_on_one(build: Build, recorder: Recorder) -> None:
    make(build)
    settings = recorder.one(INSTANCE, "postgres-replica-1").inputs["settings"]
    refused = {
        "backupConfiguration",
        "finalBackupConfig",
        "retainBackupsOnDelete",
        "maintenanceWindow",
        "passwordValidationPolicy",
    }
    assert refused.isdisjoint(settings)
    assert settings["availabilityType"] == "ZONAL"


def test_flags_log_slow_statements_and_given_ones_win(build: Build, recorder: Recorder) -> None:
    make(build, flags={"max_connections": "300", "log_temp_files": "1024"})
    for instance in recorder.of_type(INSTANCE):
        found = flags(instance.inputs["settings"])
        assert found["log_min_duration_statement"] == "500"
        assert found["log_statement"] == "ddl"
        assert found["cloudsql.iam_authentication"] == "on"
        assert found["max_connections"] == "300"
        assert found["log_temp_files"] == "1024"
        assert len(found) == len(instance.inputs["settings"]["databaseFlags"])


def test_insights_hide_client_addresses(build: Build, recorder: Recorder) -> None:
    make(build)
    assert recorder.one(INSTANCE, "postgres").inputs["settings"]["insightsConfig"] == {
        "queryInsightsEnabled": True,
        "queryPlansPerMinute": 5,
        "queryStringLength": 1024,
        "recordApplicationTags": True,
        "recordClientAddress": False,
    }


def test_passwords_must_be_long_and_mixed(build: Build, recorder: Recorder) -> None:
    make(build)
    settings = recorder.one(INSTANCE, "postgres").inputs["settings"]
    assert settings["passwordValidationPolicy"] == {
        "enablePasswordPolicy": True,
        "minLength": 16,
        "complexity": "COMPLEXITY_DEFAULT",
        "disallowUsernameSubstring": True,
    }
    assert settings["diskType"] == "PD_SSD"


def test_flags_are_those_of_the_benchmark(build: Build, recorder: Recorder) -> None:
    make(build)
    assert flags(recorder.one(INSTANCE, "postgres").inputs["settings"]) == {
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


def test_protection_is_on_unless_switched_off() -> None:
    assert example_args().deletion_protection is True


@pytest.mark.parametrize("protection", [True, False])
def test_every_instance_is_protected_three_ways_from_one_field(
    build: Build, recorder: Recorder, protection: bool
) -> None:
    make(build, deletion_protection=protection)
    for instance in recorder.of_type(INSTANCE):
        assert instance.protect is protection
        assert instance.inputs["deletionProtection"] is protection
        assert instance.inputs["settings"]["deletionProtectionEnabled"] is protection


def test_service_accounts_log_in_under_the_short_form_of_their_address(
    build: Build, recorder: Recorder
) -> None:
    postgres = make(build, iam_users={"api": "api@p-example.iam.gserviceaccount.com"})
    assert build.resolve(postgres.iam_logins["api"]) == "api@p-example.iam"
    assert recorder.one("sql/user:User", "postgres-user-api").inputs == {
        "project": "p-example",
        "instance": "db",
        "name": "api@p-example.iam",
        "type": "CLOUD_IAM_SERVICE_ACCOUNT",
        "deletionPolicy": "ABANDON",
    }


def test_password_user_gets_a_write_only_secret(build: Build, recorder: Recorder) -> None:
    def factory() -> Postgres:
        user = PasswordUser(password=pulumi.Output.secret("word"), password_version=2)
        return Postgres("postgres", example_args(password_users={"app_a": user}))

    build(factory)
    found = recorder.one("sql/user:User", "postgres-user-app_a")
    assert found.inputs == {
        "project": "p-example",
        "instance": "db",
        "name": "app_a",
        "type": "BUILT_IN",
        "passwordWo": "word",
        "passwordWoVersion": 2,
        "deletionPolicy": "ABANDON",
    }
    assert "passwordWo" in found.secrets


def test_database_survives_its_declaration(build: Build, recorder: Recorder) -> None:
    make(build)
    assert recorder.one("sql/database:Database").inputs == {
        "project": "p-example",
        "name": "aiprod",
        "instance": "db",
        "charset": "UTF8",
        "deletionPolicy": "ABANDON",
    }


def test_outputs_name_primary_and_replicas(build: Build) -> None:
    postgres = make(build)
    assert build.resolve(postgres.connection_name) == "project:region:db"
    assert build.resolve(postgres.private_ip) == "10.0.0.2"
    assert build.resolve(postgres.replica_names["replica-1"]) == "db-replica-1"
    assert build.resolve(postgres.replica_connection_names["replica-1"]) == "project:region:db-replica-1"


def test_without_replicas_and_users_there_is_one_instance_and_no_user(
    build: Build, recorder: Recorder
) -> None:
    make(build, replicas={})
    assert recorder.names(INSTANCE) == ["postgres"]
    assert recorder.of_type("sql/user:User") == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"instance_name": "Db"}, "database instance name"),
        ({"disk_size_gb": 9}, "disk_size_gb must be between 10 and 65536 GB, got 9"),
        ({"disk_autoresize_limit_gb": 99}, "disk_autoresize_limit_gb must be between 100 and 65536 GB"),
        ({"final_backup_days": 366}, "final_backup_days must be between 1 and 365 days, got 366"),
        ({"flags": {"cloudsql.iam_authentication": "off"}}, "iam_authentication must stay on, got 'off'"),
        ({"flags": {"max_conections": "9"}}, "got 'max_conections'; did you mean 'max_connections'"),
        ({"flags": {"max_connections": "0"}}, "flags.max_connections must be between 1 and 262143, got 0"),
        ({"flags": {"cloudsql.enable_pgaudit": "off"}}, "enable_pgaudit must stay on, got 'off'"),
        (
            {"backups": Backups(kept=30, point_in_time_days=8, start_time="03:00", location="eu")},
            r"backups.point_in_time_days must be between 1 and 7 days \(by edition and backups kept\), got 8",
        ),
        (
            {"backups": Backups(kept=3, point_in_time_days=4, start_time="03:00", location="eu")},
            "backups.point_in_time_days must be between 1 and 3 days",
        ),
    ],
)
def test_fails_when_a_field_is_what_cloud_sql_refuses(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        example_args(**changes)


def test_enterprise_plus_keeps_the_log_for_35_days(build: Build, recorder: Recorder) -> None:
    backups = Backups(kept=40, point_in_time_days=35, start_time="03:00", location="eu")
    make(build, edition=EnterprisePlus(tier="db-perf-optimized-N-2"), backups=backups)
    settings = recorder.one(INSTANCE, "postgres").inputs["settings"]
    assert (settings["edition"], settings["tier"]) == ("ENTERPRISE_PLUS", "db-perf-optimized-N-2")


@pytest.mark.parametrize(
    ("tier", "message"),
    [
        ("db-f1-micro", "db-custom-CPUS-MEMORY in edition ENTERPRISE, got 'db-f1-micro'"),
        ("db-perf-optimized-N-2", "in edition ENTERPRISE"),
        ("db-custom-3-11520", "1 processor or an even number"),
        ("db-custom-98-638976", "1 processor or an even number"),
        ("db-custom-2-3072", "3840 MB or more in steps of 256 MB"),
        ("db-custom-2-7700", "3840 MB or more in steps of 256 MB"),
        ("db-custom-2-16384", "0.9 to 6.5 GB for each processor"),
        ("db-custom-8-4096", "0.9 to 6.5 GB for each processor"),
    ],
)
def test_fails_when_enterprise_does_not_know_the_tier(tier: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Enterprise(tier=tier)


@pytest.mark.parametrize(
    "tier", ["db-custom-1-3840", "db-custom-2-13312", "db-custom-4-15360", "db-custom-96-638976"]
)
def test_enterprise_takes_every_tier_that_cloud_sql_lists(tier: str) -> None:
    assert Enterprise(tier=tier).tier == tier


def test_fails_when_enterprise_plus_gets_a_custom_tier() -> None:
    with pytest.raises(ValueError, match="db-c4a-highmem-CPUS in edition ENTERPRISE_PLUS"):
        EnterprisePlus(tier="db-custom-2-7680")


@pytest.mark.parametrize(
    ("make_value", "message"),
    [
        (
            lambda: Backups(kept=0, point_in_time_days=1, start_time="03:00", location="eu"),
            "kept must be between 1 and 365 backups, got 0",
        ),
        (
            lambda: Backups(kept=7, point_in_time_days=1, start_time="3:00", location="eu"),
            "start_time must be HH:MM",
        ),
        (
            lambda: Backups(kept=7, point_in_time_days=1, start_time="24:00", location="eu"),
            "got '24:00'",
        ),
        (lambda: MaintenanceWindow(day=0, hour=1, track="stable"), "day must be between 1 and 7"),
        (lambda: MaintenanceWindow(day=1, hour=24, track="stable"), "hour must be between 0 and 23"),
    ],
)
def test_fails_when_a_part_is_out_of_range(make_value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_value()


def test_fails_when_password_version_is_not_counted_from_one(build: Build) -> None:
    def factory() -> PasswordUser:
        return PasswordUser(password=pulumi.Output.secret("word"), password_version=0)

    with pytest.raises(ValueError, match="password_version must be 1 or more, got 0"):
        build(factory)


def test_primary_always_runs_unless_a_schedule_owns_that(build: Build, recorder: Recorder) -> None:
    build(lambda: Postgres("postgres", example_args(scheduled=True)))
    primary = recorder.one("sql/databaseInstance:DatabaseInstance", "postgres")
    assert primary.inputs["settings"]["activationPolicy"] == "ALWAYS"
    assert primary.ignore_changes == ("settings.diskSize", "settings.activationPolicy")

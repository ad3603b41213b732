"""The stack file's options of database, cache and buckets reach the resources."""

from __future__ import annotations

from typing import Any

import pytest

from config import parse
from stacks.platform import platform
from tests.recording import Build, Recorded, Recorder
from tests.stack_files import STACKS, lookups, settings, values

DATABASE = "sql/databaseInstance:DatabaseInstance"


def record(made: dict[str, Any] | None = None, stack: str = "dev") -> Recorder:
    """The whole platform."""
    recorder = Recorder()
    recorder.invokes = lookups()
    given = settings(stack) if made is None else parse(made)
    build = Build(recorder)
    build(lambda: platform(given))
    build.close()
    return recorder


def optioned() -> dict[str, Any]:
    """dev with every option."""
    made = values("dev")
    made["postgres"].update(
        edition="ENTERPRISE_PLUS",
        tier="db-perf-optimized-N-2",
        data_cache=True,
        managed_pooling=True,
        point_in_time_recovery_days=14,
        backups_kept=14,
        backup_plan="projects/p/locations/europe-west1/backupPlans/daily",
        deny_maintenance={"start": "2027-11-20", "end": "2027-12-02"},
        flags={"work_mem": "8192"},
        iam_groups={"analysts": "Analysts@aiprod.ai"},
        replicas={
            "aiprod-postgres-dr": {
                "region": "europe-west4",
                "tier": "db-perf-optimized-N-4",
                "disk_size_gb": 20,
                "flags": {"work_mem": "16384"},
            }
        },
        dr_replica="aiprod-postgres-dr",
        read_pools={
            "aiprod-postgres-reads": {"nodes": 2},
            "aiprod-postgres-peaks": {"autoscale": {"minimum": 1, "maximum": 4, "cpu_percent": 70}},
        },
        schedule={"kind": "always"},
    )
    made["redis"] = {"tier": "STANDARD_HA", "memory_size_gb": 5, "read_replicas": 2}
    made["buckets"] = {
        "uploads": {"data_class": "confidential", "versioning": False, "retention_days": 7},
        "results": {"data_class": "confidential", "autoclass": "NEARLINE"},
    }
    return made


@pytest.fixture(scope="module")
def made() -> Recorder:
    return record(optioned())


def flags(instance: Recorded) -> dict[str, str]:
    return {row["name"]: row["value"] for row in instance.inputs["settings"]["databaseFlags"]}


def test_the_primary_is_of_its_edition_with_cache_pool_and_quiet_days(made: Recorder) -> None:
    primary = made.one(DATABASE, "postgres")
    found = primary.inputs["settings"]
    assert (found["edition"], found["tier"]) == ("ENTERPRISE_PLUS", "db-perf-optimized-N-2")
    assert found["dataCacheConfig"] == {"dataCacheEnabled": True}
    assert found["connectionPoolConfigs"] == [{"connectionPoolingEnabled": True}]
    assert found["backupConfiguration"]["transactionLogRetentionDays"] == 14
    quiet = {"startDate": "2027-11-20", "endDate": "2027-12-02", "time": "00:00:00"}
    assert found["denyMaintenancePeriod"] == quiet
    assert flags(primary)["work_mem"] == "8192"
    pair = primary.inputs["replicationCluster"]
    assert pair == {"failoverDrReplicaName": "aiprod-example:aiprod-postgres-dr"}


def test_a_replica_says_its_own_tier_disk_and_flags(made: Recorder) -> None:
    replica = made.one(DATABASE, "postgres-dr")
    found = replica.inputs["settings"]
    assert (found["tier"], found["diskSize"]) == ("db-perf-optimized-N-4", 20)
    assert flags(replica)["work_mem"] == "16384"


def test_read_pools_have_nodes_or_a_scale(made: Recorder) -> None:
    fixed, scaled = made.one(DATABASE, "postgres-reads"), made.one(DATABASE, "postgres-peaks")
    assert (fixed.inputs["instanceType"], fixed.inputs["nodeCount"]) == ("READ_POOL_INSTANCE", 2)
    scale = scaled.inputs["settings"]["readPoolAutoScaleConfig"]
    assert (scale["minNodeCount"], scale["maxNodeCount"]) == (1, 4)
    assert scale["targetMetrics"] == [{"metric": "AVERAGE_CPU_UTILIZATION", "targetValue": 0.7}]


def test_vault_groups_cache_and_buckets_are_as_written(made: Recorder) -> None:
    vault = made.one("backupdisasterrecovery/backupPlanAssociation:BackupPlanAssociation")
    assert vault.inputs["backupPlan"] == "projects/p/locations/europe-west1/backupPlans/daily"
    group = made.one("sql/user:User", "postgres-user-analysts")
    assert (group.inputs["name"], group.inputs["type"]) == ("analysts@aiprod.ai", "CLOUD_IAM_GROUP")
    cache = made.one("redis/instance:Instance")
    assert (cache.inputs["replicaCount"], cache.inputs["readReplicasMode"]) == (2, "READ_REPLICAS_ENABLED")
    uploads = made.one("storage/bucket:Bucket", "bucket-uploads")
    assert uploads.inputs["retentionPolicy"] == {"retentionPeriod": "604800"}
    results = made.one("storage/bucket:Bucket", "bucket-results")
    assert results.inputs["autoclass"] == {"enabled": True, "terminalStorageClass": "NEARLINE"}


@pytest.mark.parametrize("stack", STACKS)
def test_without_the_options_nothing_of_them_is_declared(stack: str) -> None:
    recorder = record(stack=stack)
    for instance in recorder.of_type(DATABASE):
        found = instance.inputs["settings"]
        assert found["edition"] == "ENTERPRISE"
        for absent in ("dataCacheConfig", "connectionPoolConfigs", "denyMaintenancePeriod"):
            assert absent not in found
        assert "replicationCluster" not in instance.inputs
    assert not recorder.of_type("backupdisasterrecovery/backupPlanAssociation:BackupPlanAssociation")
    for bucket in recorder.of_type("storage/bucket:Bucket"):
        assert not {"autoclass", "retentionPolicy"} & set(bucket.inputs)


def test_the_primary_can_be_opened_to_a_cut_over() -> None:
    made = values("dev")
    made["postgres"]["cut_over"] = True
    primary = record(made).one(DATABASE, "postgres")
    assert flags(primary)["cloudsql.logical_decoding"] == "on"
    assert primary.inputs["settings"]["connectorEnforcement"] == "NOT_REQUIRED"

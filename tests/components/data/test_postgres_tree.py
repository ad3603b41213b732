"""The tree below a database: replicas of replicas, pools, overrides, promotion, and what cannot stand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from components.data.postgres import (
    Autoscale,
    DenyPeriod,
    EnterprisePlus,
    Postgres,
    ReadPool,
    Replica,
)
from tests.components.data.test_postgres import INSTANCE, REPLICA, example_args, flags
from tests.recording import Build, Recorder

PLUS = EnterprisePlus(tier="db-perf-optimized-N-4")


def replica(name: str, **changes: Any) -> Replica:
    """A replica in the second region."""
    return replace(REPLICA, instance_name=name, **changes)


def make(build: Build, **changes: Any) -> Postgres:
    """A database of the example with changes."""
    return build(lambda: Postgres("postgres", example_args(**changes)))


def settings_of(recorder: Recorder, name: str) -> Any:
    """What Cloud SQL is told about an instance."""
    return recorder.one(INSTANCE, name).inputs["settings"]


def test_a_replica_follows_the_one_it_stands_below(build: Build, recorder: Recorder) -> None:
    tree = {"b": replica("db-b", replicas={"c": replica("db-c", replicas={"d": replica("db-d")})})}
    postgres = make(build, replicas=tree)
    follows = {found.name: found.inputs.get("masterInstanceName") for found in recorder.of_type(INSTANCE)}
    assert follows == {
        "postgres": None,
        "postgres-b": "db",
        "postgres-b-c": "db-b",
        "postgres-b-c-d": "db-c",
    }
    assert set(postgres.replica_names) == {"b", "b-c", "b-c-d"}


def test_overrides_reach_the_replica_and_those_below_it(build: Build, recorder: Recorder) -> None:
    low = replica("db-c")
    high = replica(
        "db-b",
        tier="db-custom-4-15360",
        disk_size_gb=200,
        availability="REGIONAL",
        flags={"work_mem": "9000"},
        replicas={"c": low},
    )
    make(build, replicas={"b": high}, flags={"work_mem": "8000"})
    assert flags(settings_of(recorder, "postgres"))["work_mem"] == "8000"
    for name in ("postgres-b", "postgres-b-c"):
        settings = settings_of(recorder, name)
        assert (settings["tier"], settings["diskSize"]) == ("db-custom-4-15360", 200)
        assert flags(settings)["work_mem"] == "9000"
    assert settings_of(recorder, "postgres-b")["availabilityType"] == "REGIONAL"
    assert settings_of(recorder, "postgres-b-c")["availabilityType"] == "ZONAL"


def test_a_promoted_replica_is_a_primary_with_backups(build: Build, recorder: Recorder) -> None:
    make(build, replicas={"b": replica("db-b", promoted=True, availability="REGIONAL")})
    found = recorder.one(INSTANCE, "postgres-b").inputs
    assert found["instanceType"] == "CLOUD_SQL_INSTANCE"
    assert "masterInstanceName" not in found
    assert found["settings"]["backupConfiguration"]["pointInTimeRecoveryEnabled"] is True


@pytest.mark.parametrize("nodes", [3, Autoscale(minimum=2, maximum=5)])
def test_a_read_pool_has_nodes_or_bounds(build: Build, recorder: Recorder, nodes: int | Autoscale) -> None:
    make(
        build, edition=PLUS, replicas={}, read_pools={"pool": ReadPool(instance_name="db-pool", nodes=nodes)}
    )
    found = recorder.one(INSTANCE, "postgres-pool").inputs
    assert (found["instanceType"], found["masterInstanceName"]) == ("READ_POOL_INSTANCE", "db")
    assert found.get("nodeCount") == (3 if nodes == 3 else None)
    scale = found["settings"].get("readPoolAutoScaleConfig")
    assert (scale is None) == (nodes == 3)
    assert scale is None or (scale["minNodeCount"], scale["maxNodeCount"]) == (2, 5)


def test_pooling_cache_and_deny_period_are_told(build: Build, recorder: Recorder) -> None:
    period = DenyPeriod(start=date(2026, 12, 1), end=date(2027, 1, 10))
    make(build, edition=replace(PLUS, data_cache=True, managed_pooling=True), deny_period=period)
    settings = settings_of(recorder, "postgres")
    assert settings["connectionPoolConfigs"] == [{"connectionPoolingEnabled": True}]
    assert settings["dataCacheConfig"] == {"dataCacheEnabled": True}
    assert settings["denyMaintenancePeriod"] == {
        "startDate": "2026-12-01",
        "endDate": "2027-01-10",
        "time": "00:00:00",
    }


def test_switchover_has_a_named_target(build: Build, recorder: Recorder) -> None:
    make(build, edition=PLUS, dr_replica="replica-1")
    assert recorder.one(INSTANCE, "postgres").inputs["replicationCluster"] == {
        "failoverDrReplicaName": "p-example:db-replica-1"
    }


def test_groups_log_in_and_roles_are_granted(build: Build, recorder: Recorder) -> None:
    make(build, iam_groups={"readers": "Readers@example.com"}, iam_roles={"readers": ("app_read",)})
    found = recorder.one("sql/user:User", "postgres-user-readers").inputs
    assert (found["type"], found["name"]) == ("CLOUD_IAM_GROUP", "readers@example.com")
    assert found["databaseRoles"] == ["app_read"]


def test_a_vault_takes_the_primary(build: Build, recorder: Recorder) -> None:
    make(build, backup_plan="projects/p-example/locations/europe-west1/backupPlans/daily")
    found = recorder.one("backupdisasterrecovery/backupPlanAssociation:BackupPlanAssociation").inputs
    assert found["resource"] == "projects/p-example/instances/db"
    assert found["resourceType"] == "sqladmin.googleapis.com/Instance"


def deep(levels: int) -> dict[str, Replica]:
    """A chain of so many replicas."""
    return {"x": replica(f"db-{levels}", replicas=deep(levels - 1))} if levels else {}


POOL = {"pool": ReadPool(instance_name="db-pool", nodes=2)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"region": "us-central1"}, "region must be a region of the European Union, got 'us-central1'"),
        ({"replicas": deep(4)}, "must end at level 4 with the primary as the first, got level 5"),
        (
            {"replicas": {f"r{i}": replica(f"db-{i}") for i in range(21)}},
            "replicas must be at most 20 of one primary, got 21",
        ),
        ({"replicas": {"a": replica("a", disk_size_gb=99)}}, r"replicas.a.disk_size_gb must be between 100"),
        ({"replicas": {"a": replica("a", tier="db-perf-optimized-N-2")}}, "in edition ENTERPRISE"),
        (
            {"edition": PLUS, "replicas": {"a": replica("a", tier="db-custom-2-7680")}},
            "in edition ENTERPRISE_PLUS",
        ),
        (
            {
                "flags": {"max_connections": "200"},
                "replicas": {"a": replica("a", flags={"max_connections": "199"})},
            },
            "replicas.a.flags.max_connections must be at least the 200 of the instance it follows, got 199",
        ),
        (
            {
                "replicas": {
                    "a": replica(
                        "a",
                        flags={"max_wal_senders": "30"},
                        replicas={"b": replica("b", flags={"max_wal_senders": "20"})},
                    )
                }
            },
            "replicas.a.replicas.b.flags.max_wal_senders must be at least the 30",
        ),
        ({"read_pools": POOL}, "read_pools must be left out in edition ENTERPRISE"),
        ({"dr_replica": "replica-1"}, "dr_replica must be left out in edition ENTERPRISE"),
        ({"edition": PLUS, "dr_replica": "no"}, "dr_replica must be a key of replicas, got 'no'"),
        ({"iam_roles": {"who": ("app",)}}, "iam_roles must name a key of iam_users or iam_groups"),
        (
            {"iam_users": {"a": "a@x"}, "iam_groups": {"a": "b@x"}},
            "users must have keys of their own, got \\['a'\\]",
        ),
    ],
)
def test_fails_when_the_tree_does_not_fit(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        example_args(**changes)


@pytest.mark.parametrize(
    ("make_value", "message"),
    [
        (lambda: replica("a", region="europe-west2"), "European Union, got 'europe-west2'"),
        (lambda: replica("a", flags={"work_men": "64"}), "did you mean 'work_mem'"),
        (lambda: replica("a", flags={"cloudsql.enable_pgaudit": "off"}), "must stay on"),
        (lambda: ReadPool(instance_name="p", nodes=21), "nodes must be between 1 and 20 nodes, got 21"),
        (lambda: Autoscale(minimum=3, maximum=2), "Autoscale.maximum must be between 3 and 20 nodes, got 2"),
        (lambda: Autoscale(minimum=1, maximum=2, cpu_percent=95), "cpu_percent must be between 10 and 90"),
        (
            lambda: DenyPeriod(start=date(2027, 1, 1), end=date(2027, 4, 2)),
            "deny_period must be between 1 and 90 days from start to end, got 91",
        ),
        (
            lambda: EnterprisePlus(tier="db-c4a-highmem-4", data_cache=True),
            "data_cache must be off for a tier without local disks",
        ),
    ],
)
def test_fails_when_a_branch_is_out_of_range(make_value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_value()

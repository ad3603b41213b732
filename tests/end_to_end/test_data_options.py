"""Stacks with the options of database, cache and buckets: `up`, nothing to do, one change of each, `down`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.end_to_end.conftest import Platform, Result

DATABASE = "gcp:sql/databaseInstance:DatabaseInstance"
CACHE = "gcp:redis/instance:Instance"
BUCKET = "gcp:storage/bucket:Bucket"


def optioned(config: dict[str, Any]) -> None:
    """Every option of the database, the cache's read replicas, and a bucket of each kind."""
    config["aiprod:postgres"].update(
        edition="ENTERPRISE_PLUS",
        tier="db-perf-optimized-N-2",
        data_cache=True,
        managed_pooling=True,
        backup_plan="projects/aiprod-example/locations/europe-west1/backupPlans/daily",
        deny_maintenance={"start": "2027-11-20", "end": "2027-12-02"},
        flags={"work_mem": "8192"},
        iam_groups={"analysts": "analysts@aiprod.ai"},
        replicas={"aiprod-postgres-dr": {"region": "europe-west4"}},
        dr_replica="aiprod-postgres-dr",
        read_pools={
            "aiprod-postgres-reads": {"nodes": 2},
            "aiprod-postgres-peaks": {"autoscale": {"minimum": 1, "maximum": 4}},
        },
        schedule={"kind": "always"},
    )
    config["aiprod:redis"] = {"tier": "STANDARD_HA", "memory_size_gb": 5, "read_replicas": 2}
    config["aiprod:buckets"] = {
        "uploads": {"data_class": "confidential", "versioning": False, "retention_days": 7},
        "results": {"data_class": "confidential", "autoclass": "NEARLINE"},
    }


def changed(config: dict[str, Any]) -> None:
    """One change of each."""
    config["aiprod:postgres"].update(
        managed_pooling=False,
        data_cache=False,
        deny_maintenance={"start": "2027-11-20", "end": "2027-12-05"},
        flags={"work_mem": "16384"},
        iam_groups={"analysts": "analysts@aiprod.ai", "support": "support@aiprod.ai"},
    )
    config["aiprod:postgres"]["read_pools"]["aiprod-postgres-reads"] = {"nodes": 3}
    config["aiprod:postgres"]["read_pools"]["aiprod-postgres-peaks"]["autoscale"]["maximum"] = 5
    config["aiprod:redis"].update(memory_size_gb=6, read_replicas=3)
    config["aiprod:buckets"]["uploads"]["retention_days"] = 9
    config["aiprod:buckets"]["results"]["autoclass"] = "ARCHIVE"


def changes(result: Result) -> dict[str, set[str]]:
    """The names of what changes, by operation."""
    found: dict[str, set[str]] = {}
    for step in result.report["steps"]:
        if step["op"] != "same":
            found.setdefault(step["op"], set()).add(step["name"])
    return found


def test_every_option_comes_changes_and_goes(platform: Platform) -> None:
    platform.edit("dev", optioned)
    first = platform.run("up")
    assert first.code == 0, first.report["errors"]
    names = {row["name"] for row in first.report["resources"] if row["type"] == DATABASE}
    assert names == {"postgres", "postgres-dr", "postgres-reads", "postgres-peaks"}
    assert "gcp:backupdisasterrecovery/backupPlanAssociation:BackupPlanAssociation" in first.types
    assert changes(platform.run("up")) == {}

    platform.edit("dev", changed)
    second = platform.run("up")
    assert second.code == 0, second.report["errors"]
    assert changes(second) == {
        "create": {"postgres-user-support"},
        "update": names | {"cache", "bucket-uploads", "bucket-results"},
    }
    assert changes(platform.run("up")) == {}
    assert platform.run("down").code == 0


@pytest.mark.parametrize(
    ("section", "change", "type"),
    [
        ("aiprod:postgres", {"tier": "db-perf-optimized-N-4"}, DATABASE),
        ("aiprod:postgres", {"flags": {"max_connections": "600"}}, DATABASE),
        ("aiprod:redis", {"memory_size_gb": 8}, CACHE),
    ],
)
def test_a_change_that_restarts_says_so(
    platform: Platform, section: str, change: dict[str, Any], type: str
) -> None:
    platform.edit("dev", optioned)
    assert platform.run("up").code == 0
    platform.edit("dev", lambda config: config[section].update(change))
    report = platform.run("preview", "--steps-only").report
    steps = [step for step in report["steps"] if step["type"] == type and step["op"] == "update"]
    assert steps
    assert all(step["effects"] for step in steps), steps

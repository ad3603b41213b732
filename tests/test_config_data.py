"""The options of database, cache and buckets: what Google would refuse, the configuration refuses first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config import ConfigError, parse
from facts.sizes import connection_limit
from tests.stack_files import values

PLUS = {"edition": "ENTERPRISE_PLUS", "tier": "db-perf-optimized-N-2"}
FIRST, SECOND = {"region": "europe-west1"}, {"region": "europe-west4"}
R, BELOW = "aiprod-postgres-replica-1", "aiprod-postgres-below"

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("postgres", {"edition": "ENTERPRISE_PLUS"}, "postgres.tier must be db-perf-optimized-N-CPUS or db-c4a"),
    (
        "postgres",
        {"tier": PLUS["tier"]},
        "postgres.tier must be db-custom-CPUS-MEMORY in edition ENTERPRISE,",
    ),
    (
        "postgres",
        {"edition": "FREE"},
        "postgres.edition must be 'ENTERPRISE' or 'ENTERPRISE_PLUS', got 'FREE'",
    ),
    (
        "postgres",
        {"data_cache": True},
        "postgres.data_cache must be left out in edition ENTERPRISE, got True",
    ),
    (
        "postgres",
        {"managed_pooling": True},
        "postgres.managed_pooling must be left out in edition ENTERPRISE",
    ),
    ("postgres", {"read_pools": {"pool": {"nodes": 1}}}, "postgres.read_pools must be left out in edition"),
    ("postgres", {"dr_replica": R}, "postgres.dr_replica must be left out in edition ENTERPRISE, got"),
    (
        "postgres",
        {**PLUS, "tier": "db-c4a-highmem-4", "data_cache": True},
        "postgres.data_cache must be off for a tier without local disks, got 'db-c4a-highmem-4'; choose",
    ),
    (
        "postgres",
        {"point_in_time_recovery_days": 8, "backups_kept": 30},
        "postgres.point_in_time_recovery_days must be at most 7 in edition ENTERPRISE, got 8",
    ),
    (
        "postgres",
        {**PLUS, "point_in_time_recovery_days": 36, "backups_kept": 60},
        "postgres.point_in_time_recovery_days must be less than or equal to 35, got 36",
    ),
    # High availability needs the log, so there is no way to leave it out.
    (
        "postgres",
        {"availability": "REGIONAL", "point_in_time_recovery_days": 0},
        "postgres.point_in_time_recovery_days must be greater than or equal to 1, got 0",
    ),
    (
        "postgres",
        {"flags": {"max_conections": "9"}},
        "postgres.flags must name flags of Cloud SQL for Postgre",
    ),
    ("postgres", {"flags": {"work_mem": "9MB"}}, "postgres.flags.work_mem must be a plain whole number"),
    ("postgres", {"flags": {"autovacuum_naptime": "0"}}, "postgres.flags.autovacuum_naptime must be between"),
    (
        "postgres",
        {"flags": {"cloudsql.iam_authentication": "off"}},
        "iam_authentication must stay on, got 'off'",
    ),
    (
        "postgres",
        {"deny_maintenance": {"start": "2027-01-01", "end": "2027-05-01"}},
        "end must be 1 to 90 days",
    ),
    (
        "postgres",
        {"deny_maintenance": {"start": "2027-01-01", "end": "2026-12-31"}},
        "end must be 1 to 90 days",
    ),
    ("postgres", {"deny_maintenance": {"start": "1 May", "end": "2027-05-01"}}, "must be a day such as"),
    ("postgres", {"backup_plan": "plan"}, "postgres.backup_plan must be the full name of a plan"),
    (
        "postgres",
        {"iam_groups": {"data": "data"}},
        "postgres.iam_groups.data must be a mail address, got 'data'",
    ),
    ("postgres", {"replicas": {R: {**FIRST, "version": "POSTGRES_18"}}}, "version is not a known key"),
    (
        "postgres",
        {"replicas": {R: {**FIRST, "tier": PLUS["tier"]}}},
        f"postgres.replicas.{R}.tier must be db-custom-CPUS-MEMORY in edition ENTERPRISE",
    ),
    (
        "postgres",
        {"disk_size_gb": 20, "replicas": {R: {**FIRST, "disk_size_gb": 10}}},
        f"postgres.replicas.{R}.disk_size_gb must be at least 20, that of what it follows, got 10",
    ),
    (
        "postgres",
        {
            "flags": {"max_connections": "300"},
            "replicas": {R: {**FIRST, "flags": {"max_connections": "200"}}},
        },
        f"replicas.{R}.flags.max_connections must be at least the 300 of the instance it follows, got 200",
    ),
    ("postgres", {"replicas": {R: {"region": "us-east1"}}}, f"postgres.replicas.{R}.region must be 'europe"),
    ("second_region", {}, "second_region must be 'europe"),
    (
        "postgres",
        {**PLUS, "read_pools": {"pool": {}}},
        "nodes must be given or autoscale, one of them, got neither",
    ),
    (
        "postgres",
        {**PLUS, "read_pools": {"pool": {"nodes": 1, "autoscale": {"minimum": 1, "maximum": 2}}}},
        "nodes must be given or autoscale, one of them, got both",
    ),
    ("postgres", {**PLUS, "read_pools": {"pool": {"nodes": 21}}}, "nodes must be less than or equal to 20"),
    (
        "postgres",
        {**PLUS, "read_pools": {"pool": {"autoscale": {"minimum": 3, "maximum": 2}}}},
        "autoscale.minimum must be at most maximum 2, got 3; lower it",
    ),
    (
        "postgres",
        {**PLUS, "replicas": {R: FIRST}, "read_pools": {R: {"nodes": 1}}},
        f"postgres.read_pools must have names of their own, got '{R}', an instance's; rename the pool",
    ),
    (
        "postgres",
        {"switchover": "begun"},
        "switchover must be left out without dr_replica, got 'begun'",
    ),
    ("postgres", {**PLUS, "dr_replica": "nobody"}, "postgres.dr_replica must name a replica that follows"),
    (
        "postgres",
        {**PLUS, "replicas": {R: SECOND, BELOW: {**SECOND, "follows": R}}, "dr_replica": BELOW},
        "postgres.dr_replica must name a replica that follows the primary",
    ),
    (
        "postgres",
        {**PLUS, "replicas": {R: FIRST}, "dr_replica": R},
        f"postgres.dr_replica must name a replica in europe-west4, got '{R}' in europe-west1",
    ),
    (
        "redis",
        {"tier": "STANDARD_HA", "memory_size_gb": 2, "read_replicas": 1},
        "redis.read_replicas must be 0 below 5 GB, got 1 with memory_size_gb 2; raise memory_size_gb",
    ),
    (
        "redis",
        {"tier": "STANDARD_HA", "memory_size_gb": 5, "read_replicas": 6},
        "less than or equal to 5, got 6",
    ),
    ("redis", {"read_replicas": 1}, "redis.read_replicas is not a known key"),
    (
        "buckets.uploads",
        {"autoclass": "COLDLINE"},
        "uploads.autoclass must be 'NEARLINE' or 'ARCHIVE', got 'CO",
    ),
    (
        "buckets.uploads",
        {"retention_days": 5},
        "retention_days must be left out beside versioning, got 5; switch",
    ),
    (
        "buckets.uploads",
        {"versioning": False, "retention_days": 9},
        "delete_after_days must be at least retention_days 9, got 7; Google deletes nothing that it retains",
    ),
]

ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ("postgres", {**PLUS, "data_cache": True, "managed_pooling": True}),
    ("postgres", {**PLUS, "tier": "db-c4a-highmem-4-lssd", "data_cache": True}),
    ("postgres", {**PLUS, "point_in_time_recovery_days": 35, "backups_kept": 35}),
    (
        "postgres",
        {**PLUS, "read_pools": {"p": {"nodes": 20}, "q": {"autoscale": {"minimum": 1, "maximum": 1}}}},
    ),
    ("postgres", {**PLUS, "replicas": {R: SECOND}, "dr_replica": R}),
    ("postgres", {**PLUS, "replicas": {R: SECOND}, "dr_replica": R, "switchover": "begun"}),
    ("postgres", {"deny_maintenance": {"start": "2027-01-01", "end": "2027-04-01"}}),
    ("postgres", {"backup_plan": "projects/p/locations/europe-west1/backupPlans/daily"}),
    ("postgres", {"flags": {"work_mem": "8192"}, "iam_groups": {"data": "data@aiprod.ai"}}),
    ("postgres", {"replicas": {R: {**FIRST, "tier": "db-custom-4-15360", "disk_size_gb": 20}}}),
    ("redis", {"tier": "STANDARD_HA", "memory_size_gb": 5, "read_replicas": 5}),
    ("buckets.uploads", {"autoclass": "ARCHIVE"}),
    ("buckets.uploads", {"versioning": False, "retention_days": 7}),
]


def dev(path: str, change: Mapping[str, Any]) -> dict[str, Any]:
    """dev with these keys of one section, or with a second region in another part of the world."""
    made = values("dev")
    if path == "second_region":
        return {**made, path: "us-east1"}
    made.setdefault(
        "buckets", {key: {"data_class": "internal", "delete_after_days": 7} for key in ("uploads", "results")}
    )
    section = made
    for part in path.split("."):
        section = section[part]
    section.update(change)
    return made


@pytest.mark.parametrize(("path", "change", "sentence"), REFUSED)
def test_fails_when_google_would_refuse_it(path: str, change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(dev(path, change))
    text = str(caught.value)
    assert sentence in text
    assert text.startswith("aiprod:")
    assert ("\n" in text, "; " in text) == (False, True)


@pytest.mark.parametrize(("path", "change"), ACCEPTED)
def test_takes_what_stands_just_inside(path: str, change: dict[str, Any]) -> None:
    parse(dev(path, change))


@settings(max_examples=40, deadline=None)
@given(st.integers(min_value=-5, max_value=45), st.sampled_from(["ENTERPRISE", "ENTERPRISE_PLUS"]))
def test_days_of_recovery_are_taken_exactly_up_to_the_editions_limit(days: int, edition: str) -> None:
    change: dict[str, Any] = {"point_in_time_recovery_days": days, "backups_kept": 60}
    made = dev("postgres", change | (PLUS if edition == "ENTERPRISE_PLUS" else {}))
    if 1 <= days <= (35 if edition == "ENTERPRISE_PLUS" else 7):
        parse(made)
    else:
        with pytest.raises(ConfigError, match="point_in_time_recovery_days must be"):
            parse(made)


def test_connections_follow_the_tier_or_the_flag() -> None:
    assert connection_limit("db-perf-optimized-N-2") == connection_limit("db-custom-4-16384") == 500
    assert parse(dev("postgres", PLUS)).postgres.connection_limit == 500
    assert parse(dev("postgres", {"flags": {"max_connections": "333"}})).postgres.connection_limit == 333

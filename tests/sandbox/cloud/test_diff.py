"""The diff: paths in Pulumi's spelling, kinds, what replaces, what is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.cloud import Cloud, DiffResult, World
from sandbox.values import UNKNOWN, DiffKind, Opaque, Secret

TOPIC = "gcp:pubsub/topic:Topic"
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"
SECRET = "gcp:secretmanager/secret:Secret"
SQL = "gcp:sql/databaseInstance:DatabaseInstance"
SUBNET = "gcp:compute/subnetwork:Subnetwork"
_NARROWER = {"ipCidrRange": "update-replace"}
FIREWALL = "gcp:compute/firewall:Firewall"


def _diff(
    type: str,
    old: dict[str, Any],
    new: dict[str, Any],
    outputs: dict[str, Any] | None = None,
    ignored: tuple[str, ...] = (),
) -> DiffResult:
    return Cloud(World()).diff(type, "urn", "id", old, outputs or {}, new, ignored)


@pytest.mark.parametrize(
    ("type", "old", "new", "detailed"),
    [
        (TOPIC, {"labels": {"a": "1"}}, {"labels": {"a": "2"}}, {"labels.a": "update"}),
        (TOPIC, {"labels": {"a.b": "1"}}, {"labels": {}}, {'labels["a.b"]': "delete"}),
        (TOPIC, {}, {"kmsKeyName": "k"}, {"kmsKeyName": "add"}),
        (TOPIC, {"name": "a"}, {"name": "b"}, {"name": "update-replace"}),
        (TOPIC, {"name": "a"}, {"name": UNKNOWN}, {"name": "update-replace"}),
        (TOPIC, {"kmsKeyName": "a"}, {"kmsKeyName": UNKNOWN}, {"kmsKeyName": "update"}),
        (SUBSCRIPTION, {"filter": "a"}, {"filter": "b"}, {"filter": "update-replace"}),
        (
            SQL,
            {"settings": {"databaseFlags": [{"name": "a", "value": "1"}]}},
            {"settings": {"databaseFlags": [{"name": "a", "value": "2"}]}},
            {"settings.databaseFlags[0].value": "update"},
        ),
        (
            SQL,
            {"settings": {"diskSize": 20}},
            {"settings": {"diskSize": 30}},
            {"settings.diskSize": "update"},
        ),
        (
            SQL,
            {"settings": {"diskSize": 30, "diskAutoresize": False}},
            {"settings": {"diskSize": 20, "diskAutoresize": False}},
            {"settings.diskSize": "update-replace"},
        ),
        (SUBNET, {"ipCidrRange": "10.0.0.0/24"}, {"ipCidrRange": "10.0.0.0/23"}, {"ipCidrRange": "update"}),
        (
            SUBNET,
            {"ipCidrRange": "10.0.0.0/24"},
            {"ipCidrRange": "10.0.0.0/25"},
            {"ipCidrRange": "update-replace"},
        ),
        (
            SECRET,
            {"replication": {"userManaged": {"replicas": [{"location": "a"}]}}},
            {"replication": {"userManaged": {"replicas": [{"location": "a"}, {"location": "b"}]}}},
            {"replication.userManaged.replicas[1]": "add-replace"},
        ),
        (FIREWALL, {"sourceRanges": ["a", "b"]}, {"sourceRanges": ["b", "c"]}, {"sourceRanges[1]": "update"}),
    ],
)
def test_finds(type: str, old: dict[str, Any], new: dict[str, Any], detailed: dict[str, str]) -> None:
    assert _diff(type, old, new).detailed == {path: DiffKind(kind) for path, kind in detailed.items()}


@pytest.mark.parametrize(
    ("type", "old", "new"),
    [
        (FIREWALL, {"sourceRanges": ["a", "b"]}, {"sourceRanges": ["b", "a"]}),
        (TOPIC, {"name": "a", "__defaults": ["name"]}, {}),
        (TOPIC, {"labels": {"a": "1", "__defaults": []}}, {"labels": {"a": "1"}}),
        (TOPIC, {"kmsKeyName": Secret("a")}, {"kmsKeyName": "a"}),
        (TOPIC, {}, {"labels": {}}),
        (TOPIC, {}, {"labels": None}),
        (SECRET, {}, {"deletionProtection": False}),
        (SECRET, {"deletionProtection": False}, {}),
        (
            SUBNET,
            {"network": "projects/p/global/networks/n"},
            {"network": "https://www.googleapis.com/compute/v1/projects/p/global/networks/n"},
        ),
    ],
)
def test_leaves_alone(type: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    assert not _diff(type, old, new).changes


def test_an_input_that_repeats_what_google_chose_is_no_change() -> None:
    assert not _diff(TOPIC, {}, {"project": "p"}, {"project": "p"}).changes
    assert _diff(TOPIC, {}, {"project": "q"}, {"project": "p"}).replaces == ("project",)


def test_what_google_computes_may_be_left_out_again() -> None:
    assert not _diff(TOPIC, {"project": "p"}, {}, {"project": "p"}).changes


def test_a_secret_that_cannot_be_read_is_not_compared() -> None:
    result = _diff(SQL, {"rootPassword": Secret(Opaque("c"))}, {"rootPassword": Secret("new")})
    assert not result.changes
    assert result.not_compared == ("rootPassword",)
    same = _diff(SQL, {"rootPassword": Secret(Opaque("c"))}, {"rootPassword": Secret(Opaque("c"))})
    assert same.not_compared == ()


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ("settings", {"name"}),
        ("settings.tier", {"settings.databaseFlags[0].value", "name"}),
        ("settings.databaseFlags[*].value", {"settings.tier", "name"}),
        ("settings.ti", {"settings.tier", "settings.databaseFlags[0].value", "name"}),
        ("name", {"settings.tier", "settings.databaseFlags[0].value"}),
    ],
)
def test_ignored_paths_are_left_out(path: str, left: set[str]) -> None:
    old = {"name": "a", "settings": {"tier": "a", "databaseFlags": [{"name": "x", "value": "1"}]}}
    new = {"name": "b", "settings": {"tier": "b", "databaseFlags": [{"name": "x", "value": "2"}]}}
    assert set(_diff(SQL, old, new, ignored=(path,)).detailed) == left


def test_a_given_name_must_be_free_before_it_is_taken_again() -> None:
    old, new = {"name": "a", "filter": "x"}, {"name": "a", "filter": "y"}
    assert _diff(SUBSCRIPTION, old, new).delete_before_replace
    assert not _diff(SUBSCRIPTION, old, {**new, "name": "b"}).delete_before_replace
    made = {"__defaults": ["name"]}
    assert not _diff(SUBSCRIPTION, {**old, **made}, {**new, **made}).delete_before_replace
    assert not _diff(SUBSCRIPTION, old, {**old, "labels": {"a": "b"}}).delete_before_replace


def test_a_shrinking_disk_under_a_given_name_is_deleted_first() -> None:
    old, new = ({"name": "a", "settings": {"diskSize": size, "diskAutoresize": False}} for size in (30, 20))
    result = _diff(SQL, old, new)
    assert result.delete_before_replace


def test_another_project_is_another_provider() -> None:
    type = "pulumi:providers:gcp"
    assert _diff(type, {"project": "a"}, {"project": "b"}).replaces == ("project",)
    assert _diff(type, {"region": "a"}, {"region": "b"}).detailed == {"region": DiffKind.UPDATE}
    assert not _diff(type, {"version": "1"}, {"version": "2"}).changes


def test_every_input_of_a_random_value_replaces_it() -> None:
    type = "random:index/randomPassword:RandomPassword"
    assert _diff(type, {"length": 20}, {"length": 20, "keepers": {"a": "1"}}).replaces == ("keepers",)

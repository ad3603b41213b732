"""The check: each thing wrong in one sentence with field, rule, value and remedy; names made up."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.cloud import Cloud, World
from sandbox.values import UNKNOWN, Secret

TOPIC = "gcp:pubsub/topic:Topic"
SECRET = "gcp:secretmanager/secret:Secret"
SQL = "gcp:sql/databaseInstance:DatabaseInstance"


def _check(type: str, inputs: dict[str, Any], olds: dict[str, Any] | None = None, name: str = "it") -> Any:
    urn = f"urn:pulumi:dev::aiprod::{type}::{name}"
    return Cloud(World()).check(type, urn, olds, inputs, b"seed")


@pytest.mark.parametrize(
    ("type", "inputs", "property", "words"),
    [
        (TOPIC, {"nam": "x"}, "nam", "did you mean `name`?"),
        (TOPIC, {"labels": 3}, "labels", "must be a map, not the number 3"),
        (TOPIC, {"labels": {"a": 3}}, "labels.a", "must be a text"),
        (TOPIC, {"schemaSettings": {}}, "schemaSettings.schema", "is required"),
        (
            TOPIC,
            {"schemaSettings": {"schema": "s", "encodin": "JSON"}},
            "schemaSettings.encodin",
            "`encoding`?",
        ),
        (TOPIC, {"effectiveLabels": {}}, "effectiveLabels", "set by Google"),
        (SQL, {"settings": {"tier": "x"}}, "databaseVersion", "is required"),
        (
            SQL,
            {"databaseVersion": "POSTGRES_17", "settings": {"tier": "x", "diskAutoresize": "yes"}},
            "settings.diskAutoresize",
            "true or false",
        ),
        (
            SQL,
            {"databaseVersion": "POSTGRES_17", "settings": {"tier": "x", "maintenanceWindow": {"day": 8}}},
            "settings.maintenanceWindow.day",
            "from 1 to 7, not 8",
        ),
        (
            SQL,
            {"databaseVersion": "POSTGRES_17", "settings": {"tier": "x", "connectorEnforcement": "NO"}},
            "settings.connectorEnforcement",
            "must be one of",
        ),
        (SECRET, {"secretId": "s", "replication": {}}, "replication.auto", "exactly one of"),
        (
            SECRET,
            {"secretId": "s", "replication": {"auto": {}, "userManaged": {"replicas": [{"location": "x"}]}}},
            "replication.auto",
            "only one of",
        ),
        (
            SECRET,
            {"secretId": "s", "replication": {"userManaged": {"replicas": []}}},
            "replication.userManaged.replicas",
            "at least 1 items",
        ),
        (
            SECRET,
            {"secretId": "s", "replication": {"auto": {}}, "rotation": {"rotationPeriod": "3600s"}},
            "rotation",
            "needs `topics`",
        ),
        ("aws:s3/bucket:Bucket", {}, "", "no provider for aws"),
        ("gcp:pubsub/topic:Topics", {}, "", "no resource type"),
        ("random:index/randomThing:RandomThing", {}, "", "no random type"),
        ("pulumi:providers:aws", {}, "", "no provider `aws`"),
        ("pulumi:providers:gcp", {"projekt": "x"}, "projekt", "`project`?"),
    ],
)
def test_refuses_in_one_sentence(type: str, inputs: dict[str, Any], property: str, words: str) -> None:
    _, failures = _check(type, inputs)
    found = [failure for failure in failures if failure.property == property]
    assert found, failures
    assert words in found[0].reason
    assert found[0].reason.endswith(".")


def test_what_is_not_known_yet_is_not_judged() -> None:
    inputs = {"databaseVersion": UNKNOWN, "settings": {"tier": UNKNOWN, "databaseFlags": UNKNOWN}}
    assert _check(SQL, inputs)[1] == []
    secret = {"secretId": "s", "replication": {"auto": UNKNOWN}}
    assert _check(SECRET, secret)[1] == []


def test_looks_through_secrets() -> None:
    _, failures = _check(TOPIC, {"labels": Secret({"a": 3})})
    assert [failure.property for failure in failures] == ["labels.a"]


def test_fields_newer_than_the_facts_are_taken_from_the_package() -> None:
    inputs: dict[str, Any] = {"secretId": "s", "replication": {"auto": {}}, "secretType": "x"}
    assert _check(SECRET, inputs)[1] == []


def test_types_without_facts_are_checked_at_every_level() -> None:
    type = "gcp:dataproc/autoscalingPolicy:AutoscalingPolicy"
    cloud = Cloud(World())
    yarn: dict[str, Any] = {"gracefulDecommissionTimeout": "1s", "scaleDownFactor": 1, "scaleUpFactor": 1}
    fine = {"policyId": "a", "basicAlgorithm": {"yarnConfig": yarn}}
    assert cloud.check(type, "urn", None, fine, b"")[1] == []
    bad = {"basicAlgorithm": {"yarnConfig": {**yarn, "scaleUpFactr": 1, "scaleUpFactor": None}}}
    assert [failure.property for failure in cloud.check(type, "urn", None, bad, b"")[1]] == [
        "basicAlgorithm.yarnConfig.scaleUpFactr",
        "basicAlgorithm.yarnConfig.scaleUpFactor",
        "policyId",
    ]


def test_types_without_facts_are_checked_lightly() -> None:
    cloud = Cloud(World())
    type = "gcp:compute/instance:Instance"
    _, failures = cloud.check(type, f"urn:pulumi:dev::p::{type}::vm", None, {"machineTyp": "x"}, b"s")
    missing = ["bootDisk", "machineType", "networkInterfaces"]
    assert [failure.property for failure in failures] == ["machineTyp", *missing]
    assert cloud.lightly_checked == {type}


class TestNames:
    def test_a_missing_name_is_made_from_the_seed(self) -> None:
        first, _ = _check(TOPIC, {})
        again, _ = _check(TOPIC, {})
        assert first == again
        assert first["name"].startswith("it-")
        assert len(first["name"]) == len("it-") + 7
        assert first["__defaults"] == ["name"]

    def test_a_made_name_is_kept(self) -> None:
        olds = {"name": "it-1234567", "__defaults": ["name"]}
        assert _check(TOPIC, {}, olds)[0]["name"] == "it-1234567"

    def test_a_given_name_does_not_come_back_once_it_is_gone(self) -> None:
        assert _check(TOPIC, {}, {"name": "mine"})[0]["name"] != "mine"

    def test_a_given_name_stands(self) -> None:
        assert _check(TOPIC, {"name": "mine"}, {"name": "it-1", "__defaults": ["name"]})[0] == {
            "name": "mine"
        }

    def test_compute_names_are_lower_case(self) -> None:
        type = "gcp:compute/network:Network"
        assert _check(type, {}, name="MyNet")[0]["name"].startswith("mynet-")

    def test_a_logical_name_that_leaves_no_room_is_refused(self) -> None:
        _, failures = _check(
            "gcp:cloudrunv2/service:Service", {"template": {}, "location": "x"}, name="a" * 45
        )
        assert any("longer than 50" in failure.reason for failure in failures)

    def test_account_ids_are_made_too(self) -> None:
        made, failures = _check("gcp:serviceaccount/account:Account", {}, name="runtime")
        assert failures == []
        assert made["accountId"].startswith("runtime-")

    def test_record_sets_are_never_named(self) -> None:
        made, _ = _check("gcp:dns/recordSet:RecordSet", {"managedZone": "z", "type": "A"})
        assert "name" not in made


def test_a_set_of_one_is_given_as_its_item() -> None:
    type = "gcp:compute/backendService:BackendService"
    assert _check(type, {"healthChecks": "projects/p/global/healthChecks/h"})[1] == []
    assert (
        _check(type, {"healthChecks": 3})[1][0].reason == "`healthChecks` must be a text, not the number 3."
    )

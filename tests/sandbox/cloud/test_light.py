"""Types without facts: the kinds of their values and the words of their documentation."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from facts.provider import facts_for
from sandbox.cloud import Cloud, World
from sandbox.cloud.documented import documented_words
from sandbox.values import UNKNOWN, Secret

NETWORK = {"network": "default"}


class Case(NamedTuple):
    """A legal program, a change that is refused, where, and what its sentence holds."""

    fine: dict[str, Any]
    bad: dict[str, Any]
    path: str
    says: str


CASES: dict[str, Case] = {
    "container/cluster:Cluster": Case(
        {"location": "europe-west1", "initialNodeCount": 1, "releaseChannel": {"channel": "REGULAR"}},
        {"releaseChannel": {"channel": "REGULA"}},
        "releaseChannel.channel",
        "did you mean REGULAR?",
    ),
    "container/nodePool:NodePool": Case(
        {"cluster": "c", "nodeCount": 2, "nodeConfig": {"spot": True, "labels": {"a": "b"}}},
        {"nodeConfig": {"spot": "yes"}},
        "nodeConfig.spot",
        "must be true or false, not the text 'yes'",
    ),
    "firestore/database:Database": Case(
        {"locationId": "eur3", "type": "FIRESTORE_NATIVE", "concurrencyMode": "OPTIMISTIC"},
        {"type": "FIRESTORE_NATIV"},
        "type",
        "did you mean FIRESTORE_NATIVE?",
    ),
    "firestore/index:Index": Case(
        {"collection": "c", "fields": [{"fieldPath": "a", "order": "ASCENDING"}]},
        {"fields": [{"fieldPath": "a", "order": "UPWARDS"}]},
        "fields[0].order",
        "must be one of ASCENDING, DESCENDING",
    ),
    "cloudfunctions/function:Function": Case(
        {"runtime": "python312", "ingressSettings": "ALLOW_INTERNAL_ONLY", "availableMemoryMb": 256},
        {"ingressSettings": "ALLOW_INTERNAL"},
        "ingressSettings",
        "did you mean ALLOW_INTERNAL_ONLY?",
    ),
    "dataflow/job:Job": Case(
        {"templateGcsPath": "gs://b/t", "tempGcsLocation": "gs://b/x", "maxWorkers": 3},
        {"maxWorkers": [3]},
        "maxWorkers",
        "must be a whole number, not a list",
    ),
    "spanner/instance:Instance": Case(
        {"config": "regional-europe-west1", "displayName": "main", "edition": "STANDARD", "numNodes": 1},
        {"edition": "STANDART"},
        "edition",
        "did you mean STANDARD?",
    ),
    "spanner/database:Database": Case(
        {"instance": "main", "databaseDialect": "POSTGRESQL", "ddls": ["CREATE TABLE t (a INT64)"]},
        {"databaseDialect": "MYSQL"},
        "databaseDialect",
        "must be one of GOOGLE_STANDARD_SQL, POSTGRESQL",
    ),
    "bigquery/reservation:Reservation": Case(
        {"location": "EU", "slotCapacity": 100, "edition": "ENTERPRISE"},
        {"slotCapacity": "many"},
        "slotCapacity",
        "must be a whole number",
    ),
    "alloydb/instance:Instance": Case(
        {"cluster": "c", "instanceId": "i", "instanceType": "PRIMARY", "availabilityType": "ZONAL"},
        {"instanceType": "PRIMRY"},
        "instanceType",
        "did you mean PRIMARY?",
    ),
    "alloydb/backup:Backup": Case(
        {"backupId": "b", "clusterName": "c", "location": "europe-west1", "type": "ON_DEMAND"},
        {"type": "on_demand"},
        "type",
        "did you mean ON_DEMAND?",
    ),
    "dataproc/autoscalingPolicy:AutoscalingPolicy": Case(
        {"policyId": "a", "workerConfig": {"maxInstances": 3}},
        {"workerConfig": [{"maxInstances": 3}]},
        "workerConfig",
        "must be a block, not a list",
    ),
    "compute/image:Image": Case(
        {"sourceDisk": "d", "guestOsFeatures": [{"type": "SECURE_BOOT"}]},
        {"guestOsFeatures": [{"type": "SECURE_BOTT"}]},
        "guestOsFeatures[0].type",
        "did you mean SECURE_BOOT?",
    ),
    "compute/disk:Disk": Case(
        {"zone": "europe-west1-b", "size": 10, "labels": {"a": "b"}},
        {"labels": ["a"]},
        "labels",
        "must be a map, not a list",
    ),
    "bigtable/instance:Instance": Case(
        {"clusters": [{"clusterId": "c", "numNodes": 1, "storageType": "SSD"}], "deletionProtection": False},
        {"deletionProtection": 0},
        "deletionProtection",
        "must be true or false, not the number 0",
    ),
    "memcache/instance:Instance": Case(
        {
            "nodeConfig": {"cpuCount": 1, "memorySizeMb": 1024},
            "nodeCount": 1,
            "memcacheVersion": "MEMCACHE_1_5",
        },
        {"nodeConfig": {"cpuCount": 1.5, "memorySizeMb": 1024}},
        "nodeConfig.cpuCount",
        "must be a whole number, not the number 1.5",
    ),
    "certificateauthority/caPool:CaPool": Case(
        {"location": "europe-west1", "tier": "DEVOPS"},
        {"tier": "DEVELOPERS"},
        "tier",
        "must be one of ENTERPRISE, DEVOPS",
    ),
    "filestore/instance:Instance": Case(
        {
            "tier": "BASIC_HDD",
            "fileShares": {"name": "s", "capacityGb": 1024},
            "networks": [{**NETWORK, "modes": ["MODE_IPV4"]}],
        },
        {"networks": [{**NETWORK, "modes": ["MODE_IP4"]}]},
        "networks[0].modes[0]",
        "did you mean MODE_IPV4?",
    ),
}


def _check(short: str, inputs: dict[str, Any]) -> tuple[Cloud, list[tuple[str, str]]]:
    cloud = Cloud(World())
    type = f"gcp:{short}"
    failures = cloud.check(type, f"urn:pulumi:dev::p::{type}::it", None, inputs, b"seed")[1]
    return cloud, [(failure.property, failure.reason) for failure in failures]


@pytest.mark.parametrize("short", CASES)
def test_a_legal_program_passes_and_is_listed(short: str) -> None:
    assert facts_for(f"gcp:{short}") is None
    cloud, failures = _check(short, CASES[short].fine)
    assert failures == []
    assert cloud.lightly_checked == {f"gcp:{short}"}


@pytest.mark.parametrize("short", CASES)
def test_fails_when_a_value_is_not_what_the_package_says(short: str) -> None:
    case = CASES[short]
    ((path, sentence),) = _check(short, {**case.fine, **case.bad})[1]
    assert path == case.path
    assert case.says in sentence


@pytest.mark.parametrize("value", [UNKNOWN, Secret(UNKNOWN), Secret("OPTIMISTIC"), None, ""])
def test_what_is_unknown_or_empty_is_not_held_against_the_words(value: Any) -> None:
    inputs = {"locationId": "eur3", "type": "FIRESTORE_NATIVE", "concurrencyMode": value}
    assert _check("firestore/database:Database", inputs)[1] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Mode.\nPossible values are: `A`, `B_C`.", ("A", "B_C")),
        ("Each value may be one of: `MONDAY`, `TUESDAY`.", ("MONDAY", "TUESDAY")),
        ("Possible values: DISABLED, ENFORCE", ("DISABLED", "ENFORCE")),
        ("Valid values are `GVNIC` and `VIRTIO_NET`.", ("GVNIC", "VIRTIO_NET")),
        ('Accepted values are: "on", "off", or "auto".', ("on", "off", "auto")),
        ("Must be one of `A` or `B`. Defaults to `A`.", ("A", "B")),
        ("Possible values are:\n* ALL: everything. More.\n* IP: by address.", ("ALL", "IP")),
        ("Supported values:\n- `X`\n- `Y` (preview)\n", ("X", "Y")),
        ("Valid values include DEFAULT and MAX_THROUGHPUT.", ()),
        ("Possible values are: `A`, `B`, and others.", ()),
        ("Possible values are: `A`, `B`. Defaults to `C`.", ()),
        ("Valid values are any region, such as `EU`.", ()),
        ("Valid values are `A`, `B` for one tier. Possible values are: `C`, `D`.", ()),
        ("Possible values are:\n* ALL: everything.\n* a number of seconds.", ()),
        ("Possible value: `nic0`.", ()),
        ("Valid values are `DISABLED`.", ()),
        ("Valid values are 1-100.", ()),
        ("One of BLUE_GREEN or SURGE.", ()),
    ],
)
def test_words_are_taken_only_from_what_says_them_whole(text: str, words: tuple[str, ...]) -> None:
    assert documented_words(text) == words


def _documents() -> list[str]:
    found = importlib.util.find_spec("pulumi_gcp")
    assert found is not None
    assert found.origin is not None
    return [
        text
        for file in Path(found.origin).parent.glob("*/_inputs.py")
        for group in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(group, ast.ClassDef) and group.name.endswith("Args")
        for getter in group.body
        if isinstance(getter, ast.FunctionDef) and len(getter.args.args) == 1
        if (text := ast.get_docstring(getter))
    ]


def test_no_documentation_of_the_package_gives_prose_for_words() -> None:
    sets = [words for text in _documents() if (words := documented_words(text))]
    assert len(sets) > 500
    for words in sets:
        assert len(words) == len(set(words)) > 1
        for word in words:
            assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_+./-]*", word), words
            assert word not in {"a", "and", "or", "the", "The", "if", "If", "See", "Note", "NOTE"}, words

"""What the provider's facts refuse or replace: each row with an accepted and a refused case."""

from __future__ import annotations

from typing import Any, Final

import pytest

from sandbox.cloud import cloud as cloud_module
from sandbox.cloud.behaviours.by_facts import REFUSED, REPLACED
from tests.sandbox.cloud.stage import BAN, GOOD, KEY, NETWORK, RULE, RUN, SUBNET, TOPIC, Stage, T, patched

_BUDGET: Final[dict[str, Any]] = {
    "billingAccount": "012345-567890-ABCDEF",
    "amount": {"specifiedAmount": {"units": "100"}},
    "allUpdatesRule": {"monitoringNotificationChannels": ["c"]},
}
_SLO: Final[dict[str, Any]] = {
    "service": "api",
    "goal": 0.9,
    "rollingPeriodDays": 28,
    "basicSli": {"latency": {"threshold": "1s"}},
}
_ROTATION: Final[dict[str, Any]] = {"rotationPeriod": "7776000s", "nextRotationTime": "2030-01-01T00:00:00Z"}
_BASE: Final[dict[str, dict[str, Any]]] = {
    **GOOD,
    "BucketObject": {"name": "a", "bucket": "aiprod-test-files"},
    "Budget": _BUDGET,
    "IAMCustomRole": {"roleId": "reader", "title": "reader", "permissions": ["run.jobs.get"]},
    "Slo": _SLO,
}


def _limits(**changes: Any) -> dict[str, Any]:
    return {"rules": [{**BAN, "rateLimitOptions": {**BAN["rateLimitOptions"], **changes}}, RULE]}


def _ranges(count: int) -> dict[str, Any]:
    ranges = [f"10.0.{index}.0/24" for index in range(count)]
    match = {"versionedExpr": "SRC_IPS_V1", "config": {"srcIpRanges": ranges}}
    return {"rules": [{**BAN, "match": match}, RULE]}


_WINDOW: Final = "maintenancePolicy"


def _window(hours: int) -> dict[str, Any]:
    start = {"hours": hours, "minutes": 0, "seconds": 0, "nanos": 0}
    return {_WINDOW: {"weeklyMaintenanceWindows": [{"day": "SUNDAY", "startTime": start}]}}


_REDIRECT: Final = {"defaultService": None, "defaultUrlRedirect": {"httpsRedirect": True}}
_INTERFACE: Final = {"networkInterfaces": [{"network": NETWORK, "subnetwork": SUBNET}]}
# id: class, what is refused, the nearest that is accepted.
_CASES: Final[dict[str, tuple[str, dict[str, Any], dict[str, Any]]]] = {
    "ARM-009": ("SecurityPolicy", _limits(conformAction="deny(403)"), _limits()),
    "ARM-010": ("SecurityPolicy", _limits(exceedAction="deny(400)"), _limits(exceedAction="deny(404)")),
    "ARM-020": ("SecurityPolicy", _ranges(11), _ranges(10)),
    "ARM-046": (
        "SecurityPolicy",
        {"advancedOptionsConfig": {"jsonParsing": "ON"}},
        {"advancedOptionsConfig": {"jsonParsing": "STANDARD"}},
    ),
    "BUD-005": (
        "Budget",
        {"amount": {"specifiedAmount": {"units": "1"}, "lastPeriodAmount": True}},
        {"amount": {"lastPeriodAmount": True}},
    ),
    "BUD-010": (
        "Budget",
        {"allUpdatesRule": {"monitoringNotificationChannels": list("abcdef")}},
        {"allUpdatesRule": {"monitoringNotificationChannels": list("abcde")}},
    ),
    "CRT-008": (
        "CertificateMapEntry",
        {"matcher": "PRIMARY"},
        {"hostname": None, "matcher": "PRIMARY"},
    ),
    "IAM-030": ("IAMCustomRole", {"permissions": []}, {}),
    "LB-022": (
        "RegionNetworkEndpointGroup",
        {"cloudFunction": {"function": "f"}},
        {"cloudRun": None, "cloudFunction": {"function": "f"}},
    ),
    "GCS-022": (
        "BucketObject",
        {},
        {"content": "a"},
    ),
    "LOG-031": (
        "Metric",
        {"metricDescriptor": {"labels": [{"key": "a"}]}},
        {"metricDescriptor.labels": [{"key": "a"}]},
    ),
    "LB-027": (
        "URLMap",
        _REDIRECT,
        {**_REDIRECT, "defaultUrlRedirect": {"httpsRedirect": True, "stripQuery": False}},
    ),
    "LB-028": (
        "URLMap",
        {"defaultUrlRedirect": {"httpsRedirect": True, "stripQuery": False}},
        {"defaultService": f"{RUN}/global/backendServices/api"},
    ),
    "LB-036": (
        "TargetHttpsProxy",
        {"sslCertificates": ["a"], "certificateManagerCertificates": ["b"], "certificateMap": None},
        {"sslCertificates": ["a"], "certificateMap": None},
    ),
    "LB-057": ("BackendService", {"iap": {"oauth2ClientId": "x"}}, {"iap": {"enabled": True}}),
    "MON-032": ("UptimeCheckConfig", {"monitoredResource": None}, {}),
    "MON-039": ("Slo", {"rollingPeriodDays": 31}, {"rollingPeriodDays": 30}),
    "NET-030": (
        "Firewall",
        {"sourceTags": ["a"], "targetServiceAccounts": ["b"]},
        {"sourceTags": ["a"], "targetTags": ["b"]},
    ),
    "NET-032": ("Firewall", {"allows": [{"protocol": "tcp"}]}, {"denies": [{"protocol": "tcp"}]}),
    "NET-033": ("Firewall", {"priority": 65536}, {"priority": 65535}),
    "PUB-017": (
        "Subscription",
        {"pushConfig": {"pushEndpoint": "https://a"}, "bigqueryConfig": {"table": "p.d.t"}},
        {"bigqueryConfig": {"table": "p.d.t"}},
    ),
    "RED-018": ("Instance", _window(24), _window(23)),
    "RUN-034": (
        "Service",
        {"template.vpcAccess": {**_INTERFACE, "connector": "c"}},
        {"template.vpcAccess": _INTERFACE},
    ),
    "SEC-001": ("Secret", {"rotation": _ROTATION}, {"rotation": _ROTATION, "topics": [{"name": TOPIC}]}),
    "SEC-008": ("Secret", {"replication": {}}, {"replication": {"auto": {}}}),
    "SEC-023": ("SecretVersion", {"secretData": None}, {"secretData": "x"}),
    "SEC-030": (
        "Secret",
        {"rotation": {"nextRotationTime": "2030-01-01T00:00:00Z"}, "topics": [{"name": TOPIC}]},
        {"rotation": _ROTATION, "topics": [{"name": TOPIC}]},
    ),
    "SQL-055": (
        "DatabaseInstance",
        {"settings.maintenanceWindow": {"day": 8}},
        {"settings.maintenanceWindow": {"day": 7}},
    ),
    "SQL-071": (
        "DatabaseInstance",
        {"settings.ipConfiguration.requireSsl": True},
        {"settings.ipConfiguration.sslMode": "ENCRYPTED_ONLY"},
    ),
}
# id: class, a change that replaces, one that does not.
_CHANGES: Final[dict[str, tuple[str, dict[str, Any], dict[str, Any]]]] = {
    "ART-007": ("Repository", {"format": "NPM"}, {"description": "x"}),
    "CRT-004": ("Certificate", {"managed.domains": ["b.example.com"]}, {"description": "x"}),
    "GCS-004": ("Bucket", {"location": "EUROPE-WEST4"}, {"labels": {"a": "b"}}),
    "KMS-029": ("DatabaseInstance", {"encryptionKeyName": KEY}, {"settings.userLabels": {"a": "b"}}),
    "LOG-013": ("ProjectBucketConfig", {"location": "global"}, {"retentionDays": 31}),
    "PUB-015": ("Subscription", {"filter": 'attributes.a="b"'}, {"ackDeadlineSeconds": 61}),
    "RED-013": ("Instance", {"transitEncryptionMode": "SERVER_AUTHENTICATION"}, {"memorySizeGb": 6}),
    "SEC-009": (
        "Secret",
        {"replication": {"userManaged": {"replicas": [{"location": "europe-west4"}]}}},
        {"labels": {"a": "b"}},
    ),
    "SQL-046": ("DatabaseInstance", {"settings.diskSize": 10}, {"settings.diskSize": 30}),
    "SQL-052": ("DatabaseInstance", {"masterInstanceName": "other"}, {"settings.userLabels": {"a": "b"}}),
    "SQL-053": (
        "DatabaseInstance",
        {"settings.autoUpgradeEnabled": False},
        {"settings.userLabels": {"a": "b"}},
    ),
}
# How the resource stands before, where that matters.
_STANDS: Final[dict[str, dict[str, Any]]] = {
    "SQL-046": {"settings.diskSize": 20, "settings.diskAutoresize": False},
    "SQL-052": {"masterInstanceName": "primary"},
    "SQL-053": {"settings.autoUpgradeEnabled": True},
}


_PRIMARY: Final[dict[str, Any]] = {"instanceType": "CLOUD_SQL_INSTANCE", "replicaNames": ["second"]}
_TURNED: Final[dict[str, Any]] = {
    "instanceType": "READ_REPLICA_INSTANCE",
    "masterInstanceName": "second",
    "replicaConfiguration": {"cascadableReplica": False},
    "replicaNames": [],
}


def _nothing(*_: Any) -> list[Any]:
    return []


def _failures(name: str, changes: dict[str, Any]) -> dict[str, str]:
    stage = Stage.again()
    inputs = patched(_BASE[name], changes)
    _, failures = stage.cloud.check(T[name], stage.urn(name), None, inputs, b"seed")
    return {failure.property: failure.reason for failure in failures}


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.id)
def test_refused_by_the_facts_only(row: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    name, refused, accepted = _CASES[row.id]
    assert T[name] == row.type
    found = _failures(name, refused)
    assert row.property in found, found
    assert found[row.property].endswith(".")
    assert _failures(name, accepted) == {}
    monkeypatch.setattr(cloud_module, "check_inputs", _nothing)
    assert row.property not in _failures(name, refused), "another mechanism refuses it as well"


@pytest.mark.parametrize("row", REPLACED, ids=lambda row: row.id)
def test_replaced(row: Any) -> None:
    name, replaced, updated = _CHANGES[row.id]
    assert T[name] == row.type
    stage = Stage.again()
    old = patched(GOOD[name], _STANDS.get(row.id, {}))
    record = stage.record(name)
    outputs = {**record.outputs, **{key: old[key] for key in old if row.id in _STANDS}}
    for changes, forced in ((replaced, True), (updated, False)):
        diff = stage.cloud.diff(T[name], stage.urn(name), record.id, old, outputs, patched(old, changes))
        assert diff.changes
        assert bool(diff.replaces) is forced, diff


def test_each_row_has_its_cases() -> None:
    assert set(_CASES) == {row.id for row in REFUSED}
    assert set(_CHANGES) == {row.id for row in REPLACED}


@pytest.mark.parametrize(
    ("stands", "changes", "replaced"),
    [
        # A disk that grows by itself may be smaller in the program; removing a switch turns it off.
        ({"settings.diskSize": 20}, {"settings.diskSize": 10}, None),
        ({"settings.autoUpgradeEnabled": True}, {"settings.autoUpgradeEnabled": None}, True),
        # A switchover turns the old primary into a replica of its own; anything less makes it anew.
        (_PRIMARY, {**_TURNED, "replicaNames": []}, False),
        (_PRIMARY, {**_TURNED, "replicaConfiguration": None}, True),
        (_PRIMARY, {**_TURNED, "replicaNames": ["second"]}, True),
        # Promotion only takes the primary's name away.
        ({"masterInstanceName": "other"}, {"masterInstanceName": None}, None),
    ],
)
def test_what_the_provider_decides_by_comparing(
    stands: dict[str, Any], changes: dict[str, Any], replaced: bool | None
) -> None:
    stage = Stage.again()
    record = stage.record("DatabaseInstance")
    old = patched(GOOD["DatabaseInstance"], stands)
    diff = stage.cloud.diff(
        T["DatabaseInstance"], "", record.id, old, {**record.outputs, **old}, patched(old, changes)
    )
    assert diff.changes is (replaced is not None), diff
    assert bool(diff.replaces) is bool(replaced), diff
    assert diff.delete_before_replace is bool(replaced)

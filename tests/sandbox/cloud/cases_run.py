"""Ways to meet what the documentation of Cloud Run, Pub/Sub and Secret Manager refuses."""

from __future__ import annotations

from typing import Any, Final

from tests.sandbox.cloud.case import Case
from tests.sandbox.cloud.stage import ACCOUNT, CONTAINER, SECRET

_GEN1: Final = {"template.executionEnvironment": "EXECUTION_ENVIRONMENT_GEN1"}
_GEN2: Final = {"template.executionEnvironment": "EXECUTION_ENVIRONMENT_GEN2"}
_PORT: Final = {"ports": {"containerPort": 8080}}
_POOL: Final[dict[str, Any]] = {
    "name": "workers",
    "location": "europe-west1",
    "template": {"serviceAccount": ACCOUNT, "containers": [CONTAINER]},
}
_LATEST: Final = {"type": "INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST", "percent": 100}
_TRAFFIC: Final = {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"}
_FUNCTION: Final = {"functionName": "keep", "code": "function keep(message, metadata) { return message; }"}
_OTHER: Final = {"functionName": "drop", "code": "function drop(message, metadata) { return null; }"}
_LABELS: Final = {f"key-{number}": "x" for number in range(65)}


def _container(*changes: dict[str, Any]) -> dict[str, Any]:
    return {"template.containers": [{**CONTAINER, **change} for change in changes]}


def _size(cpu: str, memory: str, **resources: Any) -> dict[str, Any]:
    return _container({"resources": {"limits": {"cpu": cpu, "memory": memory}, **resources}})


def _tagged(*tags: str) -> dict[str, Any]:
    shares = [100, *[0] * (len(tags) - 1)]
    return {
        "traffics": [
            {**_TRAFFIC, "percent": share, "tag": tag} for share, tag in zip(shares, tags, strict=True)
        ]
    }


def _mounted(volume: dict[str, Any], path: str) -> dict[str, Any]:
    return {
        **_container({"volumeMounts": [{"name": "it", "mountPath": path}]}),
        "template.volumes": [{"name": "it", **volume}],
    }


def _transforms(*functions: dict[str, str]) -> dict[str, Any]:
    return {"messageTransforms": [{"javascriptUdf": function} for function in functions]}


def _rows(**schema: bool) -> dict[str, Any]:
    return {"bigqueryConfig": {"table": "project.dataset.table", **schema}}


def _pushed(email: str) -> dict[str, Any]:
    return {
        "pushConfig": {
            "pushEndpoint": "https://push.example.com/",
            "oidcToken": {"serviceAccountEmail": email},
        }
    }


RUN_DOCUMENTED: Final = (
    Case("RUN-005", "create", "Service", {**_size("1", "256Mi"), **_GEN2}, fine=_size("1", "256Mi")),
    Case("RUN-005", "update", "Service", _size("1", "511Mi", cpuIdle=False), fine=_size("1", "512Mi")),
    Case(
        "RUN-005",
        "create",
        "WorkerPool",
        {**_POOL, **_size("1", "268435456")},
        fine={**_POOL, **_size("1", "536870912")},
    ),
    Case("RUN-008", "create", "Service", {**_size("0.5", "512Mi"), **_GEN2}, fine=_size("0.5", "512Mi")),
    Case(
        "RUN-008",
        "update",
        "Service",
        _size("500m", "512Mi", cpuIdle=False),
        fine=_size("500m", "512Mi", cpuIdle=True),
    ),
    Case(
        "RUN-021",
        "create",
        "Service",
        _container({"name": "one", **_PORT}, {"name": "one"}),
        fine=_container({"name": "one", **_PORT}, {"name": "two"}),
    ),
    Case("RUN-021", "update", "Service", _container(_PORT, {"name": "one"}), fine=_container(_PORT)),
    Case("RUN-025", "create", "Service", _tagged("blue", "blue"), fine=_tagged("blue", "green")),
    Case("RUN-025", "update", "Service", _tagged("Blue"), fine=_tagged("b-1")),
    Case("RUN-025", "create", "Service", _tagged("x" * 58), fine=_tagged("x" * 50)),
    Case(
        "RUN-039",
        "create",
        "Service",
        {**_mounted({"gcs": {"bucket": "files"}}, "/files"), **_GEN1},
        fine={**_mounted({"gcs": {"bucket": "files"}}, "/files"), **_GEN2},
    ),
    Case(
        "RUN-041",
        "create",
        "Service",
        _mounted({"cloudSqlInstance": {"instances": ["aiprod-test:europe-west1:primary"]}}, "/sql"),
        fine=_mounted({"cloudSqlInstance": {"instances": ["aiprod-test:europe-west1:primary"]}}, "/cloudsql"),
    ),
    Case(
        "RUN-041",
        "update",
        "Service",
        _mounted({"emptyDir": {"medium": "MEMORY"}}, "/a:b"),
        fine=_mounted({"emptyDir": {"medium": "MEMORY"}}, "/a-b"),
    ),
    Case(
        "RUN-043",
        "create",
        "Service",
        _mounted({"emptyDir": {"sizeLimit": "1Gi"}}, "/scratch"),
        fine=_mounted({"emptyDir": {"sizeLimit": "512Mi"}}, "/scratch"),
    ),
    Case(
        "RUN-044",
        "create",
        "Service",
        _mounted({"emptyDir": {"medium": "DISK", "sizeLimit": "10Gi"}}, "/scratch"),
        fine={
            **_mounted({"emptyDir": {"medium": "DISK", "sizeLimit": "10Gi"}}, "/scratch"),
            "launchStage": "BETA",
        },
    ),
    Case(
        "RUN-057",
        "create",
        "WorkerPool",
        {**_POOL, "instanceSplits": [{**_LATEST, "percent": 90}]},
        fine={**_POOL, "instanceSplits": [_LATEST]},
    ),
    Case(
        "RUN-057",
        "create",
        "WorkerPool",
        {
            **_POOL,
            "instanceSplits": [
                {"type": "INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION", "percent": 10},
                {**_LATEST, "percent": 90},
            ],
        },
        fine={
            **_POOL,
            "template": {**_POOL["template"], "revision": "workers-00001-abc"},
            "instanceSplits": [
                {
                    "type": "INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION",
                    "revision": "workers-00001-abc",
                    "percent": 10,
                },
                {**_LATEST, "percent": 90},
            ],
        },
    ),
    Case(
        "RUN-058",
        "create",
        "WorkerPool",
        {**_POOL, "scaling": {"scalingMode": "MANUAL", "manualInstanceCount": 2, "maxInstanceCount": 4}},
        fine={**_POOL, "scaling": {"scalingMode": "MANUAL", "manualInstanceCount": 2}},
    ),
    Case("PUB-019", "create", "Subscription", _pushed("the push account"), fine=_pushed(ACCOUNT)),
    Case("PUB-019", "create", "Subscription", _pushed(f"serviceAccount:{ACCOUNT}"), fine=_pushed(ACCOUNT)),
    Case(
        "PUB-025",
        "create",
        "Subscription",
        _rows(useTopicSchema=True, useTableSchema=True),
        (("point", "Topic", {"schemaSettings": {"schema": "projects/aiprod-test/schemas/job"}}),),
        _rows(useTopicSchema=True),
    ),
    Case(
        "PUB-026",
        "create",
        "Subscription",
        _rows(useTopicSchema=True),
        fine=_rows(useTableSchema=True),
    ),
    Case(
        "PUB-037", "create", "Topic", _transforms(_FUNCTION, _FUNCTION), fine=_transforms(_FUNCTION, _OTHER)
    ),
    Case(
        "PUB-037",
        "create",
        "Subscription",
        _transforms({**_FUNCTION, "functionName": "other"}),
        fine=_transforms(_FUNCTION),
    ),
    Case("SEC-014", "create", "Secret", {"labels": {"Team": "x"}}, fine={"labels": {"team_1-a": "été"}}),
    Case("SEC-014", "update", "Secret", {"labels": _LABELS}, fine={"labels": {"team": "x" * 63}}),
    Case(
        "SEC-024",
        "create",
        "SecretVersion",
        {"secret": "secrets/vendor", "secretData": "x"},
        fine={"secret": SECRET, "secretData": "x"},
    ),
)

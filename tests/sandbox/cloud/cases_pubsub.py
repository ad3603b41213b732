"""What Pub/Sub refuses of filters, schemas, and subscriptions that write rows or files."""

from __future__ import annotations

import json
from typing import Any, Final

from tests.sandbox.cloud.case import Case
from tests.sandbox.cloud.stage import ACCOUNT, PROJECT

__all__ = ["PUBSUB"]

Step = tuple[str, str, dict[str, Any]]
_ELSEWHERE: Final = {"bucket": "files-of-somebody-else"}
_OURS: Final = {"bucket": "aiprod-test-files", "serviceAccountEmail": ACCOUNT}
_MEMBER: Final = f"serviceAccount:{ACCOUNT}"
_TABLE: Final = {
    "table": f"{PROJECT}.events.jobs",
    "serviceAccountEmail": ACCOUNT,
    "useTableSchema": True,
}
_RECORD: Final = json.dumps({"type": "record", "name": "Job", "fields": [{"name": "id", "type": "string"}]})
_MESSAGE: Final = 'syntax = "proto3"; message Job { string id = 1; }'


def _standing(columns: str | None = None) -> tuple[Step, ...]:
    """A dataset with one table."""
    table = {"project": PROJECT, "datasetId": "events", "tableId": "jobs"}
    return (
        ("make", "Dataset", {"datasetId": "events"}),
        ("make", "Table", {**table, **({} if columns is None else {"schema": columns})}),
    )


def _may_write_rows() -> Step:
    grant = {"datasetId": "events", "tableId": "jobs", "role": "roles/bigquery.dataEditor", "member": _MEMBER}
    return ("make", "IamMember", {"project": PROJECT, **grant})


def _may(role: str) -> Step:
    return ("make", "BucketIAMMember", {"bucket": "aiprod-test-files", "role": role, "member": _MEMBER})


def _files(**changes: Any) -> dict[str, Any]:
    return {"ackDeadlineSeconds": 600, "cloudStorageConfig": {**_ELSEWHERE, **changes}}


def _file_limit(refused: dict[str, Any], fine: dict[str, Any]) -> Case:
    return Case("PUB-028", "create", "Subscription", _files(**refused), fine=_files(**fine))


def _filter(refused: str, fine: str) -> Case:
    return Case("PUB-014", "create", "Subscription", {"filter": refused}, fine={"filter": fine})


def _definition(kind: str, refused: str, fine: str) -> Case:
    schema = {"name": "other", "type": kind}
    return Case(
        "PUB-030",
        "create",
        "Schema",
        {**schema, "definition": refused},
        fine={**schema, "definition": fine},
    )


PUBSUB: Final[tuple[Case, ...]] = (
    _filter('message.data = "x"', 'attributes.kind = "it\'s" AND hasPrefix(attributes.a, "b")'),
    _filter(
        "attributes:a AND attributes:b OR attributes:c", "attributes:a AND (attributes:b OR attributes:c)"
    ),
    _filter('attributes.a == "b"', 'attributes.a = "b"'),
    _filter('hasprefix(attributes.a, "b")', 'NOT hasPrefix(attributes.a, "b")'),
    _file_limit({"maxDuration": "601s"}, {"maxDuration": "600s"}),
    _file_limit({"maxBytes": 1023}, {"maxBytes": 1024}),
    _file_limit({"maxMessages": 999}, {"maxMessages": 1000}),
    _file_limit({"filenameSuffix": "jobs/"}, {"filenameSuffix": ".avro"}),
    Case(
        "PUB-028",
        "create",
        "Subscription",
        {"ackDeadlineSeconds": 60, "cloudStorageConfig": {**_ELSEWHERE, "maxDuration": "61s"}},
        fine={"ackDeadlineSeconds": 60, "cloudStorageConfig": {**_ELSEWHERE, "maxDuration": "60s"}},
    ),
    _definition("AVRO", '{"type": "string"}', _RECORD),
    _definition("PROTOCOL_BUFFER", "message Job { string id = 1; }", _MESSAGE),
    Case(
        "PUB-038",
        "create",
        "Subscription",
        {"bigqueryConfig": {"table": "jobs", "useTableSchema": True}},
        fine={"bigqueryConfig": {"table": "other-project.events.jobs", "useTableSchema": True}},
    ),
    Case(
        "PUB-023",
        "create",
        "Subscription",
        {"bigqueryConfig": {**_TABLE, "table": f"{PROJECT}.events.none"}},
        (*_standing(), _may_write_rows()),
        {"bigqueryConfig": _TABLE},
    ),
    Case(
        "PUB-022",
        "create",
        "Subscription",
        {"bigqueryConfig": {"table": _TABLE["table"], "useTableSchema": True}},
        (*_standing(), _may_write_rows()),
        {"bigqueryConfig": _TABLE},
    ),
    Case(
        "PUB-024",
        "create",
        "Subscription",
        {"bigqueryConfig": {**_TABLE, "useTableSchema": False}},
        (*_standing('[{"name": "id", "type": "STRING"}]'), _may_write_rows()),
        {"bigqueryConfig": _TABLE},
    ),
    Case(
        "PUB-027",
        "create",
        "Subscription",
        {"cloudStorageConfig": {"bucket": _OURS["bucket"]}},
        (_may("roles/storage.objectCreator"), _may("roles/storage.legacyBucketReader")),
        {"cloudStorageConfig": _OURS},
    ),
    Case(
        "PUB-027",
        "create",
        "Subscription",
        {"cloudStorageConfig": _OURS},
        (_may("roles/storage.objectCreator"),),
    ),
)

"""Pub/Sub: filters and schemas, and subscriptions that write rows or files.

What a table or bucket outside of the deployment grants is unknown and not asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from facts.filter_languages import check_message_filter
from facts.google.service_agents import agent_email
from facts.message_schemas import check_avro, check_protobuf
from facts.refusal import RefusedError
from sandbox.cloud.behaviours.durations import outside, seconds
from sandbox.cloud.behaviours.grants import granted
from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour

_SUBSCRIPTION: Final = "gcp:pubsub/subscription:Subscription"
_SCHEMA: Final = "gcp:pubsub/schema:Schema"
_TABLE_TYPE: Final = "gcp:bigquery/table:Table"
_DATASET_TYPE: Final = "gcp:bigquery/dataset:Dataset"
_BUCKET_TYPE: Final = "gcp:storage/bucket:Bucket"
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_INVALID: Final = "INVALID_ARGUMENT"
_PAGE: Final = "terraform-provider-google-beta website/docs/r/pubsub_subscription"
_TABLE: Final = re.compile(r"([a-z0-9.:-]+)[.:]([A-Za-z0-9_]+)\.([\w\- ]+)")
_ROWS: Final = frozenset({"roles/bigquery.dataEditor", "roles/bigquery.dataOwner", "roles/bigquery.admin"})
_CREATE: Final = frozenset(
    {
        "roles/storage.objectCreator",
        "roles/storage.objectUser",
        "roles/storage.objectAdmin",
        "roles/storage.admin",
    }
)
_READ_BUCKET: Final = frozenset(
    {
        "roles/storage.legacyBucketReader",
        "roles/storage.legacyBucketWriter",
        "roles/storage.legacyBucketOwner",
        "roles/storage.admin",
    }
)
# What is written without columns of its own goes here.
_DATA: Final = "data"


@behaviour("PUB-014", _SUBSCRIPTION, _BOTH, 400, _INVALID, "Google Cloud documentation: filter messages")
def message_filter(call: Call) -> Iterator[Problem]:
    """A filter that is not about attributes, or does not parse."""
    text = call.text("filter")
    try:
        if text:
            check_message_filter(text)
    except RefusedError as error:
        yield Problem("filter", f'`filter` {error}; write it such as attributes.kind = "x".')


@behaviour(
    "PUB-030", _SCHEMA, _BOTH, 400, _INVALID, "terraform-provider-google-beta website/docs/r/pubsub_schema"
)
def definition(call: Call) -> Iterator[Problem]:
    """A definition that is no Avro record, or not one top-level message."""
    check = {"AVRO": check_avro, "PROTOCOL_BUFFER": check_protobuf}.get(call.text("type"))
    text = call.get("definition")
    if check is None or not isinstance(text, str):
        return
    try:
        check(text)
    except RefusedError as error:
        yield Problem("definition", f"`definition` {error}; correct it.")


@behaviour("PUB-038", _SUBSCRIPTION, _BOTH, 400, _INVALID, "hashicorp/terraform-provider-google#16479")
def table_name(call: Call) -> Iterator[Problem]:
    """Rows go to a table named by project, dataset and table."""
    path = "bigqueryConfig.table"
    text = call.text(path)
    if text and _TABLE.fullmatch(text) is None:
        yield Problem(path, f"`{path}` must be PROJECT.DATASET.TABLE, not {text!r}.")


@behaviour("PUB-023", _SUBSCRIPTION, _BOTH, 404, "NOT_FOUND", "hashicorp/terraform-provider-google#16479")
def table_missing(call: Call) -> Iterator[Problem]:
    """Rows go to a table that its dataset does not have."""
    dataset, table = _target(call)
    if call.world.get(_DATASET_TYPE, dataset) is not None and call.world.get(_TABLE_TYPE, table) is None:
        path = "bigqueryConfig.table"
        yield Problem(
            path, f"`{path}` names {table}, which does not exist; create it first and depend on it."
        )


@behaviour(
    "PUB-022",
    _SUBSCRIPTION,
    _BOTH,
    403,
    "PERMISSION_DENIED",
    "googleapis/google-cloud-cpp#13558, hashicorp/terraform-provider-google#17397",
)
def rows_granted(call: Call) -> Iterator[Problem]:
    """Whoever writes rows must be let into the table first."""
    dataset, table = _target(call)
    writer = _writer(call, "bigqueryConfig")
    if call.world.get(_TABLE_TYPE, table) is None or not writer:
        return
    project = table.split("/")[1]
    if not any(granted(call.world, place, _ROWS, writer, project) for place in (table, dataset)):
        yield Problem(
            "bigqueryConfig",
            f"`bigqueryConfig`: {writer} may not write to {table}; grant it roles/bigquery.dataEditor and "
            "roles/bigquery.metadataViewer there and depend on the grants.",
        )


@behaviour("PUB-024", _SUBSCRIPTION, _BOTH, 400, _INVALID, "googleapis/google-cloud-cpp#13558")
def data_column(call: Call) -> Iterator[Problem]:
    """Whole messages go to a table with a column named data."""
    block = "bigqueryConfig"
    if call.get(f"{block}.useTopicSchema") or call.get(f"{block}.useTableSchema"):
        return
    record = call.world.get(_TABLE_TYPE, _target(call)[1])
    columns = record.inputs.get("schema") if record is not None else None
    if isinstance(columns, str) and not re.search(rf'"name"\s*:\s*"{_DATA}"', columns):
        yield Problem(
            f"{block}.table",
            f"`{block}.table` must have a column {_DATA}; add it, or set useTopicSchema or useTableSchema.",
        )


@behaviour("PUB-027", _SUBSCRIPTION, _BOTH, 403, "PERMISSION_DENIED", _PAGE)
def files_granted(call: Call) -> Iterator[Problem]:
    """Whoever writes files must be let into the bucket first."""
    bucket = call.text("cloudStorageConfig.bucket")
    writer = _writer(call, "cloudStorageConfig")
    if not bucket or not writer or call.world.get(_BUCKET_TYPE, bucket) is None:
        return
    for roles, role in (
        (_CREATE, "roles/storage.objectCreator"),
        (_READ_BUCKET, "roles/storage.legacyBucketReader"),
    ):
        if not granted(call.world, f"b/{bucket}", roles, writer, call.project):
            yield Problem(
                "cloudStorageConfig",
                f"`cloudStorageConfig`: {writer} lacks {role} on bucket {bucket}; grant it and depend on it.",
            )


@behaviour("PUB-028", _SUBSCRIPTION, _BOTH, 400, _INVALID, _PAGE)
def file_limits(call: Call) -> Iterator[Problem]:
    """A file is closed after 1 to 10 minutes and its lease, by 1 KiB to 10 GiB or 1000 messages."""
    block = "cloudStorageConfig"
    yield from outside(call, f"{block}.maxDuration", 60, 600)
    wait, lease = seconds(call.text(f"{block}.maxDuration")), call.get("ackDeadlineSeconds")
    if wait is not None and isinstance(lease, int) and 10 <= lease < wait:
        yield Problem(
            f"{block}.maxDuration",
            f"`{block}.maxDuration` must be at most `ackDeadlineSeconds`, {lease}s, not {wait:g}s; lower it.",
        )
    size, count = call.get(f"{block}.maxBytes"), call.get(f"{block}.maxMessages")
    if isinstance(size, int) and not 1024 <= size <= 10 * 1024**3:
        yield Problem(f"{block}.maxBytes", f"`{block}.maxBytes` must be from 1 KiB to 10 GiB, not {size}.")
    if isinstance(count, int) and count < 1000:
        yield Problem(f"{block}.maxMessages", f"`{block}.maxMessages` must be 1000 or more, not {count}.")
    if call.text(f"{block}.filenameSuffix").endswith("/"):
        yield Problem(
            f"{block}.filenameSuffix", f"`{block}.filenameSuffix` must not end with a slash; remove it."
        )


def _target(call: Call) -> tuple[str, str]:
    """The relative names of the dataset and the table that rows go to; empty when there is none."""
    found = _TABLE.fullmatch(call.text("bigqueryConfig.table"))
    if found is None:
        return "", ""
    dataset = f"projects/{found[1]}/datasets/{found[2]}"
    return dataset, f"{dataset}/tables/{found[3]}"


def _writer(call: Call, block: str) -> str:
    """The email of whoever writes, or an empty text where it is not known yet."""
    if call.get(block) is None or not call.absent(f"{block}.serviceAccountEmail"):
        return call.text(f"{block}.serviceAccountEmail")
    return agent_email("pubsub", call.number) or ""

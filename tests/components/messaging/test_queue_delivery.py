"""How a work queue delivers, what it validates, and the combinations that it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.messaging.work_queue import (
    Avro,
    AvroFiles,
    BigQuery,
    MessageColumns,
    Protobuf,
    Pull,
    Push,
    RetryPolicy,
    Schema,
    Storage,
    TableColumns,
    TextFiles,
    TopicColumns,
    Unwrapped,
    WorkQueue,
)
from facts.refusal import RefusedError
from tests.components.messaging.test_work_queue import AGENT, WORKER, example_args, grants, make
from tests.recording import Build, Recorder

RECORD = json.dumps({"type": "record", "name": "Job", "fields": [{"name": "id", "type": "string"}]})
PROTO = 'syntax = "proto3";\n// import nothing\nmessage Job { string id = 1; message Part { int32 n = 1; } }'
WRITER = "writer@p-example.iam.gserviceaccount.com"
ROWS = BigQuery(project="p-example", dataset="events", table="jobs")
FILES = Storage(bucket="p-example-jobs")
PUSH = Push(endpoint="https://push.example/jobs", service_account="p@x.iam.gserviceaccount.com")
JSON_SCHEMA = Schema(definition=Avro(definition=RECORD), encoding="JSON")


def subscription(build: Build, recorder: Recorder, **changes: Any) -> dict[str, Any]:
    make(build, **changes)
    return dict(recorder.one("pubsub/subscription:Subscription", "queue").inputs)


@pytest.mark.parametrize(
    ("delivery", "block", "wanted"),
    [
        (ROWS, "bigqueryConfig", {"table": "p-example.events.jobs", "writeMetadata": False}),
        (
            BigQuery(project="p-example", dataset="d", table="t", columns=TableColumns(), metadata=True),
            "bigqueryConfig",
            {
                "table": "p-example.d.t",
                "writeMetadata": True,
                "useTableSchema": True,
                "dropUnknownFields": False,
            },
        ),
        (
            BigQuery(project="p-example", dataset="d", table="t", account=WRITER),
            "bigqueryConfig",
            {"table": "p-example.d.t", "writeMetadata": False, "serviceAccountEmail": WRITER},
        ),
        (
            FILES,
            "cloudStorageConfig",
            {"bucket": "p-example-jobs", "maxDuration": "300s", "textConfig": {}},
        ),
        (
            Storage(
                bucket="p-example-jobs",
                format=AvroFiles(metadata=True),
                prefix="jobs/",
                suffix=".avro",
                maximum_seconds=60,
                maximum_bytes=1024,
                maximum_messages=1000,
                account=WRITER,
            ),
            "cloudStorageConfig",
            {
                "bucket": "p-example-jobs",
                "maxDuration": "60s",
                "avroConfig": {"useTopicSchema": False, "writeMetadata": True},
                "filenamePrefix": "jobs/",
                "filenameSuffix": ".avro",
                "maxBytes": 1024,
                "maxMessages": 1000,
                "serviceAccountEmail": WRITER,
            },
        ),
        (
            Push(endpoint="https://a.example", service_account="p@x", unwrapped=Unwrapped()),
            "pushConfig",
            {
                "pushEndpoint": "https://a.example",
                "oidcToken": {"serviceAccountEmail": "p@x"},
                "noWrapper": {"writeMetadata": True},
            },
        ),
    ],
)
def test_one_block_says_how_messages_are_delivered(
    build: Build, recorder: Recorder, delivery: Any, block: str, wanted: dict[str, Any]
) -> None:
    inputs = subscription(build, recorder, delivery=delivery)
    assert inputs[block] == wanted
    others = {"pushConfig", "bigqueryConfig", "cloudStorageConfig", "enableExactlyOnceDelivery"} - {block}
    assert not others & inputs.keys()


@pytest.mark.parametrize(
    ("delivery", "member"),
    [
        (ROWS, AGENT),
        (
            BigQuery(project="p-example", dataset="events", table="jobs", account=WRITER),
            f"serviceAccount:{WRITER}",
        ),
    ],
)
def test_writer_of_rows_gets_two_roles_on_the_one_table_before_the_subscription(
    build: Build, recorder: Recorder, delivery: BigQuery, member: str
) -> None:
    make(build, delivery=delivery)
    made = recorder.of_type("bigquery/iamMember:IamMember")
    assert {(g.name, g.inputs["role"], g.inputs["member"]) for g in made} == {
        ("queue-writer-rows", "roles/bigquery.dataEditor", member),
        ("queue-writer-metadata", "roles/bigquery.metadataViewer", member),
    }
    assert {(g.inputs["project"], g.inputs["datasetId"], g.inputs["tableId"]) for g in made} == {
        ("p-example", "events", "jobs")
    }
    waits = recorder.one("pubsub/subscription:Subscription", "queue").dependencies
    assert {grant.urn for grant in made} <= set(waits)


def test_writer_of_files_gets_two_roles_on_the_one_bucket_before_the_subscription(
    build: Build, recorder: Recorder
) -> None:
    make(build, delivery=FILES)
    made = recorder.of_type("storage/bucketIAMMember:BucketIAMMember")
    assert {(g.name, g.inputs["bucket"], g.inputs["role"], g.inputs["member"]) for g in made} == {
        ("queue-writer-files", "p-example-jobs", "roles/storage.objectCreator", AGENT),
        ("queue-writer-metadata", "p-example-jobs", "roles/storage.legacyBucketReader", AGENT),
    }
    waits = recorder.one("pubsub/subscription:Subscription", "queue").dependencies
    assert {grant.urn for grant in made} <= set(waits)


@pytest.mark.parametrize("delivery", [Pull(), PUSH])
def test_who_writes_nothing_is_granted_nothing_elsewhere(
    build: Build, recorder: Recorder, delivery: Any
) -> None:
    make(build, delivery=delivery)
    assert {grant[3] for grant in grants(recorder)} == {AGENT}
    assert not recorder.of_type("bigquery/iamMember:IamMember")


@pytest.mark.parametrize("delivery", [Pull(), PUSH, ROWS, FILES])
def test_dead_letters_are_kept_however_messages_are_delivered(
    build: Build, recorder: Recorder, delivery: Any
) -> None:
    inputs = subscription(build, recorder, delivery=delivery)
    assert inputs["deadLetterPolicy"] == {
        "deadLetterTopic": "queue-dead-letter-id",
        "maxDeliveryAttempts": 10,
    }
    kept = recorder.one("pubsub/subscription:Subscription", "queue-dead-letter").inputs
    assert (kept["topic"], kept["expirationPolicy"]) == ("queue-dead-letter-id", {"ttl": ""})
    assert {grant[:2] for grant in grants(recorder)} >= {
        ("queue-dead-letter-agent", "roles/pubsub.publisher"),
        ("queue-agent", "roles/pubsub.subscriber"),
    }


@pytest.mark.parametrize("delivery", [Pull(ordered=True), Pull(ordered=True, exactly_once=True)])
def test_order_is_kept_up_to_the_dead_letters(build: Build, recorder: Recorder, delivery: Pull) -> None:
    assert subscription(build, recorder, delivery=delivery)["enableMessageOrdering"] is True
    kept = recorder.one("pubsub/subscription:Subscription", "queue-dead-letter").inputs
    assert kept["enableMessageOrdering"] is True


@pytest.mark.parametrize(
    ("definition", "kind"),
    [(Avro(definition=RECORD), "AVRO"), (Protobuf(definition=PROTO), "PROTOCOL_BUFFER")],
)
def test_schema_guards_the_topic_and_not_its_dead_letters(
    build: Build, recorder: Recorder, definition: Avro | Protobuf, kind: str
) -> None:
    schema = Schema(
        definition=definition, encoding="BINARY", first_revision="0a1b2c3d", last_revision="0a1b2c3e"
    )
    make(build, schema=schema)
    made = recorder.one("pubsub/schema:Schema", "queue-schema")
    assert (made.inputs["type"], made.inputs["definition"]) == (kind, definition.definition)
    topics = {topic.name: topic.inputs for topic in recorder.of_type("pubsub/topic:Topic")}
    assert topics["queue"]["schemaSettings"] == {
        "schema": "queue-schema-id",
        "encoding": "BINARY",
        "firstRevisionId": "0a1b2c3d",
        "lastRevisionId": "0a1b2c3e",
    }
    assert "schemaSettings" not in topics["queue-dead-letter"]


def test_what_is_kept_and_what_is_left_out_is_as_given(build: Build, recorder: Recorder) -> None:
    inputs = subscription(
        build, recorder, filter='attributes.kind = "video"', keep_acknowledged=True, topic_retention_days=31
    )
    assert (inputs["filter"], inputs["retainAckedMessages"]) == ('attributes.kind = "video"', True)
    topics = {topic.name: topic.inputs for topic in recorder.of_type("pubsub/topic:Topic")}
    assert topics["queue"]["messageRetentionDuration"] == "2678400s"
    assert "messageRetentionDuration" not in topics["queue-dead-letter"]


def test_who_brings_dead_letters_back_takes_from_there_and_publishes_here(
    build: Build, recorder: Recorder
) -> None:
    make(build, replayers={"people": "group:people@example.com"})
    assert grants(recorder) >= {
        ("queue-replayer-people", "roles/pubsub.publisher", "jobs", "group:people@example.com"),
        (
            "queue-dead-letter-replayer-people",
            "roles/pubsub.subscriber",
            "job-processor-dlq",
            "group:people@example.com",
        ),
    }
    assert len(grants(recorder)) == 4


def test_topic_columns_go_with_a_schema() -> None:
    rows = BigQuery(project="p-example", dataset="d", table="t", columns=TopicColumns())
    assert example_args(delivery=rows, schema=JSON_SCHEMA).schema is JSON_SCHEMA
    files = Storage(bucket="p-example-jobs", format=AvroFiles(topic_schema=True))
    assert example_args(delivery=files, schema=JSON_SCHEMA).schema is JSON_SCHEMA


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"filter": 'message.data = "x"'}, "filter does not parse: unexpected 'message' at character 1"),
        ({"filter": f'attributes.a = "{"x" * 256}"'}, "filter must be at most 256 bytes, not 273"),
        (
            {"delivery": PUSH, "consumers": {"worker": WORKER}},
            "consumers must be none where Push delivers, got worker; let Pull deliver or remove them",
        ),
        ({"delivery": ROWS, "consumers": {"w": WORKER}}, "consumers must be none where BigQuery delivers"),
        ({"delivery": FILES, "consumers": {"w": WORKER}}, "consumers must be none where Storage delivers"),
        (
            {"delivery": BigQuery(project="p-example", dataset="d", table="t", columns=TopicColumns())},
            "columns must not be those of the topic's schema where schema is none",
        ),
        (
            {"delivery": Storage(bucket="p-example-jobs", format=AvroFiles(topic_schema=True))},
            "format must not be those of the topic's schema where schema is none",
        ),
        (
            {"delivery": FILES, "ack_deadline_seconds": 299},
            "maximum_seconds must be at most ack_deadline_seconds 299, got 300; lower it",
        ),
        (
            {"retention_days": 1, "max_delivery_attempts": 72},
            "retention_days must outlast 72 attempts of 1200 seconds, or messages vanish before they are",
        ),
        (
            {"dead_letter_retention_days": 6},
            "dead_letter_retention_days must be at least retention_days 7, got 6; raise it",
        ),
        ({"topic_retention_days": 0}, "topic_retention_days must be between 1 and 31 days, got 0"),
        ({"topic_retention_days": 32}, "topic_retention_days must be between 1 and 31 days, got 32"),
        ({"publishers": {"a": "api@x.example"}}, "publishers.a must be written as serviceAccount:"),
        ({"replayers": {"a": "me"}}, "replayers.a must be written as serviceAccount:"),
    ],
)
def test_fails_when_two_choices_exclude_each_other(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RefusedError) as refused:
        example_args(**changes)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_retention_may_be_short_where_attempts_are_quick() -> None:
    quick = RetryPolicy(minimum_seconds=0, maximum_seconds=0)
    assert example_args(retention_days=1, max_delivery_attempts=100, retry=quick).retention_days == 1
    assert example_args(retention_days=1, max_delivery_attempts=71).max_delivery_attempts == 71


@pytest.mark.parametrize(
    ("make_it", "message"),
    [
        (
            lambda: BigQuery(project="p-example", dataset="a.b", table="t"),
            "dataset must be the dataset's own name",
        ),
        (
            lambda: BigQuery(project="p-example", dataset="d", table="d.t"),
            "table must be the table's own name",
        ),
        (lambda: BigQuery(project="p", dataset="d", table="t"), "project id name must have 6 to 30"),
        (
            lambda: BigQuery(project="p-example", dataset="d", table="t", account="me@example.com"),
            "account must be the email of a service account, got 'me@example.com'",
        ),
        (lambda: Storage(bucket="B"), "bucket name must have 3 to 63 characters"),
        (
            lambda: Storage(bucket="abc", maximum_seconds=59),
            "maximum_seconds must be between 60 and 600 seconds",
        ),
        (lambda: Storage(bucket="abc", maximum_seconds=601), "maximum_seconds must be between 60 and 600"),
        (lambda: Storage(bucket="abc", maximum_bytes=1023), "maximum_bytes must be between 1024 and"),
        (lambda: Storage(bucket="abc", maximum_bytes=10 * 2**30 + 1), "maximum_bytes must be between 1024"),
        (
            lambda: Storage(bucket="abc", maximum_messages=999),
            "maximum_messages must be 1000 messages or more",
        ),
        (lambda: Storage(bucket="abc", suffix="/"), "suffix must not end with a slash"),
        (lambda: Avro(definition="{"), "definition must be JSON, and is none from line 1 on; correct it"),
        (lambda: Protobuf(definition="message A {}"), 'definition must begin with syntax = "proto3";'),
        (
            lambda: Schema(definition=Avro(definition=RECORD), encoding="JSON", last_revision="latest"),
            "last_revision must be the 8 hexadecimal digits of a revision, got 'latest'; copy its id",
        ),
    ],
)
def test_fails_when_a_target_or_a_schema_is_none(make_it: Any, message: str) -> None:
    with pytest.raises(RefusedError) as refused:
        make_it()
    assert message in str(refused.value)


@pytest.mark.parametrize("delivery", [Push, BigQuery, Storage])
def test_exactly_once_can_be_written_for_pull_alone(delivery: Any) -> None:
    with pytest.raises(TypeError, match="exactly_once"):
        delivery(exactly_once=True)


@pytest.mark.parametrize("delivery", [BigQuery, Storage])
def test_order_cannot_be_asked_of_what_has_none(delivery: Any) -> None:
    with pytest.raises(TypeError, match="ordered"):
        delivery(ordered=True)


@given(
    days=st.integers(-2, 40),
    dead=st.integers(-2, 40),
    attempts=st.integers(0, 110),
    deadline=st.integers(0, 700),
)
def test_a_message_is_a_dead_letter_before_it_vanishes(
    days: int, dead: int, attempts: int, deadline: int
) -> None:
    legal = (
        1 <= days <= dead <= 31
        and 5 <= attempts <= 100
        and 10 <= deadline <= 600
        and days * 86_400 > attempts * (deadline + 600)
    )
    values = {
        "retention_days": days,
        "dead_letter_retention_days": dead,
        "max_delivery_attempts": attempts,
        "ack_deadline_seconds": deadline,
    }
    if legal:
        example_args(**values)
    else:
        with pytest.raises(RefusedError):
            example_args(**values)


def test_defaults_are_whole_messages_and_text() -> None:
    assert (ROWS.columns, FILES.format, FILES.maximum_seconds) == (MessageColumns(), TextFiles(), 300)
    assert WorkQueue.__doc__

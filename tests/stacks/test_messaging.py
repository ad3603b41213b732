"""What Pub/Sub asks of a message: nothing, unless a stack file turns a schema on."""

from __future__ import annotations

from typing import Any

import pytest

from config import ConfigError, parse
from config_messaging import Messaging
from stacks.platform import platform
from tests.recording import Build, Recorder
from tests.stack_files import STACKS, lookups, settings, values

PROTOBUF = 'syntax = "proto3"; message Job { string job_id = 1; }'
AVRO = '{"type": "record", "name": "Job", "fields": [{"name": "job_id", "type": "string"}]}'


def with_schema(**schema: Any) -> dict[str, Any]:
    queues = Messaging().model_dump(mode="json", exclude_none=True)["queues"]
    queues["jobs"]["message_schema"] = schema
    made = values("dev")
    made["messaging"]["queues"] = queues
    return made


@pytest.mark.parametrize("stack", STACKS)
def test_no_environment_refuses_a_message_at_publishing(build: Build, recorder: Recorder, stack: str) -> None:
    recorder.invokes = lookups()
    found = settings(stack)
    build(lambda: platform(found))
    assert recorder.of_type("pubsub/schema:Schema") == []
    assert all("schemaSettings" not in topic.inputs for topic in recorder.of_type("pubsub/topic:Topic"))


@pytest.mark.parametrize(
    ("language", "definition", "kind"),
    [("protobuf", PROTOBUF, "PROTOCOL_BUFFER"), ("avro", AVRO, "AVRO")],
)
def test_a_queue_that_is_given_a_schema_takes_json_of_it_and_its_dead_letters_take_anything(
    build: Build, recorder: Recorder, language: str, definition: str, kind: str
) -> None:
    recorder.invokes = lookups()
    found = parse(with_schema(language=language, definition=definition, first_revision="0123abcd"))
    build(lambda: platform(found))
    schema = recorder.one("pubsub/schema:Schema").inputs
    assert (schema["type"], schema["definition"]) == (kind, definition)
    given = {
        topic.name: topic.inputs["schemaSettings"]
        for topic in recorder.of_type("pubsub/topic:Topic")
        if "schemaSettings" in topic.inputs
    }
    assert given == {
        "queue-jobs": {"schema": "queue-jobs-schema-id", "encoding": "JSON", "firstRevisionId": "0123abcd"}
    }


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        ({"language": "avro", "definition": "{"}, "definition must be JSON, and is none from line 1 on"),
        ({"language": "protobuf", "definition": AVRO}, "definition must"),
        ({"language": "json", "definition": "{}"}, "language must be 'avro' or 'protobuf', got 'json'"),
        (
            {"language": "avro", "definition": AVRO, "last_revision": "v2"},
            "last_revision must be the 8 hexadecimal digits of a revision of a schema, got 'v2'",
        ),
    ],
)
def test_fails_when_a_schema_is_none_that_pubsub_takes(schema: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(with_schema(**schema))
    assert f"aiprod:messaging.queues.jobs.message_schema.{sentence}" in str(caught.value)

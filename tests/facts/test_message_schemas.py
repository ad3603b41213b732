"""Which definitions of Pub/Sub schemas are refused, and with which words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from facts.message_schemas import SCHEMA_BYTES, check_avro, check_protobuf
from facts.refusal import RefusedError


def record(*fields: dict[str, Any], **more: Any) -> str:
    return json.dumps({"type": "record", "name": "Job", "fields": list(fields), **more})


@pytest.mark.parametrize(
    "definition",
    [
        record({"name": "id", "type": "string"}),
        record({"name": "id", "type": ["null", "long"], "default": None}),
        record({"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}}),
        record({"name": "parts", "type": {"type": "array", "items": "bytes"}}),
        record({"name": "tags", "type": {"type": "map", "values": "string"}}),
        record({"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A"]}}),
        record({"name": "hash", "type": {"type": "fixed", "name": "Hash", "size": 32}}),
        record(
            {"name": "a", "type": {"type": "enum", "name": "Kind", "symbols": ["A"]}},
            {"name": "b", "type": "Kind"},
        ),
        record({"name": "next", "type": ["null", "ai.prod.Job"]}, namespace="ai.prod"),
    ],
)
def test_avro_records_are_taken(definition: str) -> None:
    check_avro(definition)


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ("", "must have 1 to 300000 bytes, not 0"),
        ("x" * (SCHEMA_BYTES + 1), "must have 1 to 300000 bytes, not 300001"),
        ('{\n"type":', "must be JSON, and is none from line 2 on"),
        ('"string"', "must be one Avro record"),
        ('[{"type": "record"}]', "must be one Avro record"),
        ('{"type": "enum", "name": "A", "symbols": ["A"]}', "must be one Avro record"),
        ('{"type": "record", "fields": []}', "has a type without a name such as Job in the record"),
        (record(), "must give record 'Job' a list of fields, and it has none"),
        (record({"type": "string"}), "has a field of record 'Job' without a name"),
        (record({"name": "a.b", "type": "string"}), "has a field of record 'Job' without a name"),
        (
            record({"name": "a", "type": "int"}, {"name": "a", "type": "int"}),
            "names field 'a' of record 'Job' twice",
        ),
        (record({"name": "a"}), "has no type in field 'a'"),
        (
            record({"name": "a", "type": "text"}),
            "names type 'text' in field 'a', which it does not define before",
        ),
        (record({"name": "a", "type": {"type": "array"}}), "has no type in field 'a'"),
        (
            record({"name": "a", "type": {"type": "enum", "name": "E", "symbols": []}}),
            "an enum without symbols",
        ),
        (record({"name": "a", "type": {"type": "fixed", "name": "F"}}), "a fixed type without a size"),
    ],
)
def test_fails_when_avro_is_no_record_of_known_types(definition: str, said: str) -> None:
    with pytest.raises(RefusedError) as refused:
        check_avro(definition)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "definition",
    [
        'syntax = "proto3"; message Job { string id = 1; }',
        "// a comment\nsyntax = 'proto2';\nmessage Job { message Part { } required string id = 1; }",
        'syntax = "proto3"; enum Kind { A = 0; } message Job { Kind kind = 1; } // import "x";',
    ],
)
def test_one_message_is_taken(definition: str) -> None:
    check_protobuf(definition)


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ("message Job { string id = 1; }", 'must begin with syntax = "proto3"'),
        ('syntax = "proto4"; message Job { }', 'must begin with syntax = "proto3"'),
        ('syntax = "proto3"; import "a.proto"; message Job { }', "must not import"),
        ('syntax = "proto3";', "must have one top-level message, not 0"),
        ('syntax = "proto3"; message A { } message B { }', "must have one top-level message, not 2"),
        ('syntax = "proto3"; message A {', "leaves 1 braces open"),
        ('syntax = "proto3"; message A { } }', "closes a brace that nothing opened"),
    ],
)
def test_fails_when_a_protocol_buffer_is_not_one_message(definition: str, said: str) -> None:
    with pytest.raises(RefusedError) as refused:
        check_protobuf(definition)
    assert said in str(refused.value)

"""Which definitions of Pub/Sub schemas are refused, and with which words."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        """syntax = "proto3";
        package ai.jobs;
        option java_package = "x";
        message Job {
          option deprecated = false;
          reserved 9, 100 to 200, 536870911 to max; reserved "old";
          string job_id = 1 [json_name = "id", (x.y) = {a: [1, 2]}];
          optional int64 at = 0x2;
          repeated Part parts = 3;
          map<string, Job.Part> by_name = 4;
          .ai.jobs.Kind kind = 5;
          oneof what { option (z) = 1; Job whole = 6; bytes raw = 7; }
          message Part { enum Size { SMALL = 0; NEGATIVE = -1; } Size size = 1; };
        }
        enum Kind { option allow_alias = true; A = 0; B = 0 [deprecated = true]; reserved 5; }""",
        """syntax = "proto2"; message Job { extensions 100 to 199; required string id = 1 [default = "}"];
        extend Job { optional int32 more = 100; } map<int32, string> m = 2; oneof o { string a = 3; } }""",
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
        (
            'syntax = "proto3"; message Job { } strng x = 1;',
            "has 'strng' where a message, an enum or an option",
        ),
        (
            'syntax = "proto2"; message Job { string a = 1; }',
            "where proto2 says optional, required or repeated",
        ),
        *(
            (f'syntax = "proto3"; message Job {{ {fields} }}', sentence)
            for fields, sentence in (
                ("strng job_id;", "has ';' in field 'job_id' of message 'Job' where '=' must stand"),
                (
                    "strng job_id = 1;",
                    "has field 'job_id' of message 'Job' with type 'strng', which is neither",
                ),
                (
                    "google.protobuf.Timestamp at = 1;",
                    "has field 'at' of message 'Job' with type 'google.protobuf.Timestamp'",
                ),
                ("oneof x { Prt a = 1; }", "has field 'a' of message 'Job' with type 'Prt'"),
                ("map<string, Prt> m = 1;", "has field 'm' of message 'Job' with type 'Prt'"),
                ("map<float, string> m = 1;", "with keys of type 'float'"),
                ("string = 1;", "has '=' where the name of a field of message 'Job' must stand"),
                ("string a = 1", "has '}' in field 'a' of message 'Job' where ';' must stand"),
                (
                    "string a = one;",
                    "has 'one' in field 'a' of message 'Job' where a whole number must stand",
                ),
                (
                    "string a = 1.5;",
                    "has '1.5' in field 'a' of message 'Job' where a whole number must stand",
                ),
                ("string a = -1;", "has '-' in field 'a' of message 'Job' where a whole number must stand"),
                (
                    "string a = 0;",
                    "gives field 'a' of message 'Job' number 0, which must be 1 to 536870911 without",
                ),
                ("string a = 19000;", "gives field 'a' of message 'Job' number 19000, which"),
                ("string a = 536870912;", "gives field 'a' of message 'Job' number 536870912, which"),
                ("string a = 1; string b = 1;", "gives field 'b' of message 'Job' number 1, which 'a' has"),
                (
                    "string a = 1; oneof x { string b = 1; }",
                    "gives field 'b' of message 'Job' number 1, which 'a' has",
                ),
                ("string a = 1; string a = 2;", "names field 'a' of message 'Job' twice"),
                (
                    "string a = 5; reserved 2 to 7;",
                    "gives field 'a' of message 'Job' number 5, which is reserved",
                ),
                ("required string a = 1;", "has a required field in message 'Job', which proto3 has not"),
                ("optional group A = 1 { }", "has a group in message 'Job'"),
                ("enum Kind { }", "must give enum 'Kind' a value"),
                ("enum Kind { A = 0; A = 1; }", "names value 'A' of enum 'Kind' twice"),
                ("enum Kind { A; }", "has ';' in value 'A' of enum 'Kind' where '=' must stand"),
                ("5 a = 1;", "has '5' where a field of message 'Job' may begin"),
            )
        ),
    ],
)
def test_fails_when_a_protocol_buffer_is_not_one_message(definition: str, said: str) -> None:
    with pytest.raises(RefusedError) as refused:
        check_protobuf(definition)
    assert said in str(refused.value)


WORDS = "message enum oneof map reserved option extend optional string Job a 1 0 { } [ ] < > = ; , - to max"


@given(st.lists(st.sampled_from(WORDS.split()), max_size=20))
def test_whatever_stands_in_a_message_is_taken_or_refused(tokens: list[str]) -> None:
    with suppress(RefusedError):
        check_protobuf('syntax = "proto3"; message Job { ' + " ".join(tokens) + " }")


@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.integers(1, 40), max_size=8))
def test_a_message_is_taken_where_its_numbers_differ(fields: dict[str, int]) -> None:
    text = "".join(f" string {name} = {number};" for name, number in fields.items())
    definition = f'syntax = "proto3"; message Job {{{text} }}'
    if len(set(fields.values())) == len(fields):
        check_protobuf(definition)
    else:
        with pytest.raises(RefusedError, match="gives field"):
            check_protobuf(definition)

"""Examples of messages, good and bad, and what a change of a schema may be."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from review.contract.messages import FOLDER, breaks, errors_of, load_messages

MESSAGES = load_messages()
GOOD = [(name, example) for name, one in MESSAGES.items() for example in one.valid]
BAD = [(name, example) for name, one in MESSAGES.items() for example in one.invalid]
JOB = MESSAGES["job"].schema


@pytest.mark.parametrize(("name", "example"), GOOD)
def test_examples_are_messages(name: str, example: dict[str, Any]) -> None:
    assert errors_of(MESSAGES[name].schema, example) == []


@pytest.mark.parametrize(("name", "example"), BAD, ids=[f"{name}: {one.why}" for name, one in BAD])
def test_schema_refuses_counterexamples_for_one_reason(name: str, example: Any) -> None:
    assert len(errors_of(MESSAGES[name].schema, example.message)) >= 1


def test_every_kind_has_both_sorts_of_examples() -> None:
    assert set(MESSAGES) == {"job", "batch", "result", "notification"}
    assert all(one.valid and len(one.invalid) >= 6 for one in MESSAGES.values())
    assert set(json.loads((FOLDER / "examples.json").read_text(encoding="utf-8"))) == set(MESSAGES)


@pytest.mark.parametrize("name", MESSAGES)
def test_schema_is_of_the_draft_it_names(name: str) -> None:
    schema = MESSAGES[name].schema
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"{name}.schema.json"
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("length", [4, 10_001])
def test_voice_text_is_bounded_at_both_ends(length: int) -> None:
    example = {**MESSAGES["job"].valid[0], "voice_text": "a" * length}
    assert errors_of(JOB, example) != []


@pytest.mark.parametrize("length", [5, 10_000])
def test_voice_text_may_be_as_long_as_the_bounds(length: int) -> None:
    assert errors_of(JOB, {**MESSAGES["job"].valid[0], "voice_text": "a" * length}) == []


def _fields(schema: dict[str, Any]) -> dict[str, Any]:
    return schema["properties"]


GROWTH: dict[str, Callable[[dict[str, Any]], object]] = {
    "nothing": lambda schema: None,
    "another field": lambda schema: _fields(schema).update(more={"type": "string"}),
    "another value": lambda schema: _fields(schema)["voice_language"]["enum"].append("nl"),
    "a longer text": lambda schema: _fields(schema)["voice_text"].update(maxLength=20_000),
    "a shorter text": lambda schema: _fields(schema)["voice_text"].update(minLength=1),
    "no upper bound": lambda schema: _fields(schema)["voice_text"].pop("maxLength"),
    "other words": lambda schema: _fields(schema)["job_id"].update(description="The key."),
}
BREAKS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a field gone": (lambda schema: _fields(schema).pop("callback_url"), "$.callback_url is gone"),
    "a field renamed": (
        lambda schema: _fields(schema).update(clip_url=_fields(schema).pop("video_url")),
        "$.video_url is gone",
    ),
    "a field required": (
        lambda schema: schema["required"].append("music_style"),
        "$.music_style became required",
    ),
    "a field optional": (lambda schema: schema["required"].remove("user_id"), "$.user_id may now be absent"),
    "another type": (
        lambda schema: _fields(schema)["job_id"].update(type="integer"),
        "$.job_id changed its type",
    ),
    "another pattern": (
        lambda schema: _fields(schema)["job_id"].update(pattern="x"),
        "$.job_id changed pattern",
    ),
    "a value gone": (lambda schema: _fields(schema)["tier"]["enum"].remove("free"), "$.tier lost values"),
    "values only": (
        lambda schema: _fields(schema)["user_id"].update(enum=["a"]),
        "$.user_id is limited to values",
    ),
    "a shorter most": (lambda schema: _fields(schema)["voice_text"].update(maxLength=9), "lowered maxLength"),
    "a longer least": (lambda schema: _fields(schema)["voice_text"].update(minLength=9), "raised minLength"),
    "a first bound": (lambda schema: _fields(schema)["job_id"].update(maxLength=36), "lowered maxLength"),
    "no unknown fields": (lambda schema: schema.update(additionalProperties=False), "refuses fields"),
    "another condition": (lambda schema: schema.update(anyOf=[{"required": ["tier"]}]), "$ changed anyOf"),
    "an older version": (
        lambda schema: _fields(schema)["schema_version"].update(const=0),
        "schema_version went from 1 back to 0",
    ),
}


@pytest.mark.parametrize("case", GROWTH)
def test_growth_breaks_nothing(case: str) -> None:
    changed = deepcopy(dict(JOB))
    GROWTH[case](changed)
    assert breaks(JOB, changed) == []
    # What was a message before is one still.
    assert all(errors_of(changed, example) == [] for example in MESSAGES["job"].valid)


@pytest.mark.parametrize("case", BREAKS)
def test_what_consumers_do_not_expect_breaks(case: str) -> None:
    change, said = BREAKS[case]
    changed = deepcopy(dict(JOB))
    change(changed)
    assert any(said in one for one in breaks(JOB, changed)), breaks(JOB, changed)


def test_a_new_version_may_be_anything() -> None:
    changed: dict[str, Any] = {"type": "object", "properties": {"schema_version": {"const": 2}}}
    assert breaks(JOB, changed) == []

"""The schema of each topic's messages, its examples, and what a change of it may be."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

from jsonschema import Draft202012Validator

__all__ = ["FOLDER", "Counterexample", "Message", "breaks", "errors_of", "load_messages"]

FOLDER: Final = Path(__file__).with_name("messages")
_ENDING: Final = ".schema.json"
# A smaller number, or a larger one, admits less than before.
_LOWER_BOUNDS: Final = ("minimum", "minLength", "minItems", "minProperties")
_UPPER_BOUNDS: Final = ("maximum", "maxLength", "maxItems", "maxProperties")
# Where these differ in any way nobody can say what they admit.
_EXACT: Final = ("const", "pattern", "not", "if", "then", "else", "allOf", "anyOf", "oneOf", "format")

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterexample:
    """A message that the schema refuses, and what is wrong with it."""

    why: str
    message: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One kind of message."""

    name: str
    version: int
    schema: Schema
    valid: tuple[Mapping[str, Any], ...]
    invalid: tuple[Counterexample, ...]


@cache
def load_messages(folder: Path = FOLDER) -> Mapping[str, Message]:
    """Every schema of a folder with its examples, by name."""
    examples = json.loads((folder / "examples.json").read_text(encoding="utf-8"))
    found: dict[str, Message] = {}
    for path in sorted(folder.glob(f"*{_ENDING}")):
        name = path.name.removesuffix(_ENDING)
        schema = json.loads(path.read_text(encoding="utf-8"))
        Draft202012Validator.check_schema(schema)
        found[name] = Message(
            name=name,
            version=version_of(schema),
            schema=schema,
            valid=tuple(examples[name]["valid"]),
            invalid=tuple(Counterexample(**one) for one in examples[name]["invalid"]),
        )
    return found


def version_of(schema: Schema) -> int:
    """The one `schema_version` that a schema admits."""
    return int(schema["properties"]["schema_version"]["const"])


def errors_of(schema: Schema, message: Any) -> list[str]:
    """What is wrong with a message; nothing when it is one."""
    validator: Any = Draft202012Validator(cast("dict[str, Any]", schema))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(message)]


def breaks(old: Schema, new: Schema) -> list[str]:
    """How `new` refuses or loses what `old` promised within one version; nothing when it only grew.

    A new version may do anything. Fields that may be absent and further values of an enum are growth; what
    cannot be judged, such as another pattern, counts as a break.
    """
    if version_of(new) != version_of(old):
        if version_of(new) < version_of(old):
            return [f"schema_version went from {version_of(old)} back to {version_of(new)}"]
        return []
    return list(_breaks(old, new, "$"))


def _breaks(old: Any, new: Any, at: str) -> Iterator[str]:
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        if old != new:
            yield f"{at} changed"
        return
    before, after = cast("Schema", old), cast("Schema", new)
    yield from _fields(before, after, at)
    if before.get("type") != after.get("type"):
        yield f"{at} changed its type"
    yield from (f"{at} changed {key}" for key in _EXACT if before.get(key) != after.get(key))
    if "enum" in after and not set(before.get("enum", ())) <= set(after["enum"]):
        yield f"{at} lost values"
    if "enum" in after and "enum" not in before:
        yield f"{at} is limited to values"
    for key in _LOWER_BOUNDS:
        if key in after and (key not in before or after[key] > before[key]):
            yield f"{at} raised {key}"
    for key in _UPPER_BOUNDS:
        if key in after and (key not in before or after[key] < before[key]):
            yield f"{at} lowered {key}"
    if after.get("additionalProperties", True) is not True:
        yield f"{at} refuses fields that it does not know"
    if "items" in before or "items" in after:
        yield from _breaks(before.get("items", {}), after.get("items", {}), f"{at}[]")


def _fields(old: Schema, new: Schema, at: str) -> Iterator[str]:
    before: Schema = old.get("properties", {})
    after: Schema = new.get("properties", {})
    for name, schema in before.items():
        if name not in after:
            yield f"{at}.{name} is gone"
        else:
            yield from _breaks(schema, after[name], f"{at}.{name}")
    yield from (
        f"{at}.{name} became required"
        for name in new.get("required", ())
        if name not in old.get("required", ())
    )
    yield from (
        f"{at}.{name} may now be absent"
        for name in old.get("required", ())
        if name not in new.get("required", ())
    )

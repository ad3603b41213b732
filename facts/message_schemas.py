"""Schemas of Pub/Sub messages: whether a definition is one that Pub/Sub takes.

Avro 1.11 specification, "Schema Declaration"; Google Cloud documentation, "Create a schema for a topic": an
Avro definition is one record, a protocol buffer definition one top-level message without imports.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, cast

from facts.proto_text import check_fields
from facts.refusal import RefusedError

__all__ = ["SCHEMA_BYTES", "check_avro", "check_protobuf"]

SCHEMA_BYTES: Final = 300_000
_PRIMITIVES: Final = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_NO_CODE: Final = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
_SYNTAX: Final = re.compile(r"\s*syntax\s*=\s*[\"']proto[23][\"']\s*;")
_MESSAGE: Final = re.compile(r"\bmessage\s+[A-Za-z_]\w*\s*\{")


def check_avro(definition: str) -> None:
    """Raises RefusedError with what is wrong, in words that go on from a field's name."""
    _check_size(definition)
    try:
        found: Any = json.loads(definition)
    except json.JSONDecodeError as error:
        raise RefusedError(f"must be JSON, and is none from line {error.lineno} on") from None
    if not isinstance(found, dict) or cast("Mapping[str, Any]", found).get("type") != "record":
        raise RefusedError("must be one Avro record, which other types are fields of")
    _avro_type(found, set(), "the record")


def check_protobuf(definition: str) -> None:
    """Raises RefusedError as above."""
    _check_size(definition)
    bare = _NO_CODE.sub(lambda found: '""' if found[0][0] in "\"'" else " ", definition)
    syntax = _SYNTAX.match(re.sub(r"//[^\n]*|/\*.*?\*/", " ", definition, flags=re.DOTALL))
    if syntax is None:
        raise RefusedError('must begin with syntax = "proto3"; or "proto2"')
    if re.search(r"\bimport\b", bare):
        raise RefusedError("must not import, since Pub/Sub knows no other file")
    top = _outside_braces(bare)
    if (messages := len(_MESSAGE.findall(top))) != 1:
        raise RefusedError(f"must have one top-level message, not {messages}")
    check_fields(bare, labelled="proto2" in syntax[0])


def _check_size(definition: str) -> None:
    size = len(definition.encode())
    if not 1 <= size <= SCHEMA_BYTES:
        raise RefusedError(f"must have 1 to {SCHEMA_BYTES} bytes, not {size}")


def _outside_braces(text: str) -> str:
    """What stands in no block, with the brackets of the outermost ones."""
    kept: list[str] = []
    depth = 0
    for character in text:
        depth -= character == "}"
        if depth < 0:
            raise RefusedError("closes a brace that nothing opened")
        if depth == 0:
            kept.append(character)
        depth += character == "{"
    if depth:
        raise RefusedError(f"leaves {depth} braces open")
    return "".join(kept)


def _avro_type(found: Any, named: set[str], where: str) -> None:
    match found:
        case str():
            if found not in _PRIMITIVES and found not in named:
                raise RefusedError(f"names type {found!r} in {where}, which it does not define before")
        case list():
            for branch in cast("list[Any]", found):
                _avro_type(branch, named, where)
        case dict():
            _avro_block(cast("Mapping[str, Any]", found), named, where)
        case _:
            raise RefusedError(f"has no type in {where}")


def _avro_block(found: Mapping[str, Any], named: set[str], where: str) -> None:
    match found.get("type"):
        case "record":
            _named(found, named, where)
            _fields(found, named)
        case "enum":
            _named(found, named, where)
            symbols = found.get("symbols")
            if not isinstance(symbols, list) or not symbols:
                raise RefusedError(f"has an enum without symbols in {where}")
        case "fixed":
            _named(found, named, where)
            if not isinstance(found.get("size"), int):
                raise RefusedError(f"has a fixed type without a size in {where}")
        case "array":
            _avro_type(found.get("items"), named, where)
        case "map":
            _avro_type(found.get("values"), named, where)
        case inner:
            _avro_type(inner, named, where)


def _fields(record: Mapping[str, Any], named: set[str]) -> None:
    fields = record.get("fields")
    name = str(record["name"])
    if not isinstance(fields, list) or not fields:
        raise RefusedError(f"must give record {name!r} a list of fields, and it has none")
    seen: set[str] = set()
    for one in cast("list[Any]", fields):
        field: Mapping[str, Any] = cast("Mapping[str, Any]", one) if isinstance(one, dict) else {}
        own: Any = field.get("name")
        if not isinstance(own, str) or _NAME.fullmatch(own) is None or "." in own:
            raise RefusedError(f"has a field of record {name!r} without a name such as job_id")
        if own in seen:
            raise RefusedError(f"names field {own!r} of record {name!r} twice")
        seen.add(own)
        _avro_type(field.get("type"), named, f"field {own!r}")


def _named(found: Mapping[str, Any], named: set[str], where: str) -> None:
    name = found.get("name")
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        raise RefusedError(f"has a type without a name such as Job in {where}")
    space = found.get("namespace")
    named.update({name, f"{space}.{name}"} if isinstance(space, str) else {name})

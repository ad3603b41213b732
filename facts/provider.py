"""What the Google provider says about its resource types: properties, kinds, limits, immutability.

The data file is read once, on first use; one type's facts are built when they are first asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, cast

__all__ = ["PropertyFacts", "TypeFacts", "all_types", "data_file", "facts_for", "find_property", "origin"]

Kind = Literal["string", "integer", "number", "boolean", "map", "list", "set", "object"]

_DATA: Final = Path(__file__).parent / "data" / "provider.json"


def data_file(name: str) -> Path:
    """A data file of this room."""
    return _DATA.with_name(name)


@dataclass(frozen=True, slots=True)
class PropertyFacts:
    """One property; ``of`` is the kind of the items of a list, set or map."""

    name: str
    type: Kind = "string"
    of: Kind | None = None
    required: bool = False
    optional: bool = False
    computed: bool = False
    immutable: bool = False
    sensitive: bool = False
    write_only: bool = False
    deprecated: bool = False
    default: Any = None
    enum: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    min_items: int | None = None
    max_items: int | None = None
    conflicts_with: tuple[str, ...] = ()
    exactly_one_of: tuple[str, ...] = ()
    at_least_one_of: tuple[str, ...] = ()
    required_with: tuple[str, ...] = ()
    properties: Mapping[str, PropertyFacts] = field(default_factory=lambda: _NONE)

    @property
    def is_input(self) -> bool:
        """Whether a program may set it."""
        return self.required or self.optional

    @property
    def related(self) -> bool:
        """Whether it is tied to other properties."""
        return bool(self.conflicts_with or self.exactly_one_of or self.at_least_one_of or self.required_with)


_NONE: Final[Mapping[str, PropertyFacts]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class TypeFacts:
    """One resource type under its Pulumi token."""

    type: str
    terraform: str
    properties: Mapping[str, PropertyFacts]
    timeout_minutes: Mapping[str, int] = field(default_factory=dict[str, int])
    updatable: bool = True
    cross_field_checks: bool = False


def facts_for(type: str) -> TypeFacts | None:
    """The facts of a type, or None when the data file has none."""
    return _facts_for(type)


def all_types() -> tuple[str, ...]:
    """Every type token that has facts, sorted."""
    return tuple(token for token in _raw() if token)


def origin() -> str:
    """Where the facts come from, as the data file says."""
    return str(_raw()[""]["origin"])


def find_property(facts: TypeFacts, path: str) -> PropertyFacts | None:
    """The property at a path such as ``settings.databaseFlags[0].value``; indexes are ignored."""
    found: PropertyFacts | None = None
    properties = facts.properties
    for name in _names(path):
        found = properties.get(name)
        if found is None:
            return None
        properties = found.properties
    return found


def _names(path: str) -> Iterator[str]:
    for part in path.split("."):
        name = part.split("[", 1)[0]
        if name:
            yield name


@cache
def _raw() -> dict[str, dict[str, Any]]:
    return json.loads(_DATA.read_text(encoding="utf-8"))


@cache
def _facts_for(type: str) -> TypeFacts | None:
    raw = _raw().get(type) if type else None
    if raw is None:
        return None
    return TypeFacts(
        type=type,
        terraform=raw["terraform"],
        properties=_properties(raw["properties"]),
        timeout_minutes=MappingProxyType(raw.get("timeoutMinutes", {})),
        updatable=raw.get("updatable", True),
        cross_field_checks=raw.get("crossFieldChecks", False),
    )


def _properties(raw: Mapping[str, Any]) -> Mapping[str, PropertyFacts]:
    return MappingProxyType({name: _property(name, item) for name, item in raw.items()})


def _property(name: str, raw: Mapping[str, Any]) -> PropertyFacts:
    flags: str = raw.get("is", "")
    kind = cast("Kind", raw.get("type", "string"))
    minimum, maximum = raw.get("range", (None, None))
    return PropertyFacts(
        name=name,
        type=kind,
        of=cast("Kind | None", raw.get("of", "string" if kind in {"list", "set", "map"} else None)),
        required="r" in flags,
        optional="o" in flags,
        computed="c" in flags,
        immutable="i" in flags,
        sensitive="s" in flags,
        write_only="w" in flags,
        deprecated="d" in flags,
        default=raw.get("default"),
        enum=tuple(raw.get("enum", ())),
        minimum=None if minimum is None else float(minimum),
        maximum=None if maximum is None else float(maximum),
        min_items=raw.get("minItems"),
        max_items=raw.get("maxItems"),
        conflicts_with=tuple(raw.get("conflictsWith", ())),
        exactly_one_of=tuple(raw.get("exactlyOneOf", ())),
        at_least_one_of=tuple(raw.get("atLeastOneOf", ())),
        required_with=tuple(raw.get("requiredWith", ())),
        properties=_properties(raw["properties"]) if "properties" in raw else _NONE,
    )

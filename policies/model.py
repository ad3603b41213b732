"""What a rule is and what it judges: a resource as plain data, with unknown values marked.

A rule reads a resource through `get` and `each` and decides with the tests below (`is_true`, `is_missing`,
`below`, ...). Every test answers "no" for an unknown value, so a rule never fails on what is not known yet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, Literal, cast

__all__ = [
    "PRODUCTION",
    "SECRET",
    "UNKNOWN",
    "Block",
    "Finding",
    "Level",
    "Resource",
    "Rule",
    "Unknown",
    "below",
    "contains_unknown",
    "is_false",
    "is_given",
    "is_missing",
    "is_true",
    "kind",
    "number",
    "outside",
    "relation",
    "rule",
    "say",
    "seconds",
    "shown",
    "stack_rule",
    "text",
]

Level = Literal["mandatory", "advisory"]
Relation = Literal["yes", "no", "maybe"]

# How a secret value arrives; it is present, and it is never compared or shown.
SECRET: Final = "[secret]"
PRODUCTION: Final = "prod"


class Unknown:
    """The type of `UNKNOWN`: a value that exists only after a deployment."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __bool__(self) -> bool:
        raise TypeError("an unknown value has no truth value: use the tests of policies.model")

    def __copy__(self) -> Unknown:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Unknown:
        return self


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class Block:
    """A mapping somewhere inside a resource's properties, with the path that leads to it."""

    path: str
    values: Mapping[str, Any]

    def get(self, path: str, default: Any = None) -> Any:
        """The value at a dotted path; `default` when it is absent, UNKNOWN when it or a part above it is."""
        value: Any = self.values
        for part in path.split("."):
            if value is UNKNOWN or value == SECRET:
                return UNKNOWN
            if not isinstance(value, Mapping):
                return default
            value = cast("Mapping[str, Any]", value).get(part)
        return default if value is None else value

    def each(self, path: str) -> Iterator[Block]:
        """The known mappings of the list at `path`; none when the list is absent or unknown."""
        value = self.get(path)
        if isinstance(value, Mapping):
            yield Block(self.within(path), cast("Mapping[str, Any]", value))
            return
        if not isinstance(value, list):
            return
        for index, item in enumerate(cast("list[Any]", value)):
            if isinstance(item, Mapping):
                yield Block(f"{self.within(path)}[{index}]", cast("Mapping[str, Any]", item))

    def strings(self, path: str) -> list[str]:
        """The known, readable strings of the list (or single string) at `path`."""
        value = self.get(path)
        items = cast("list[Any]", value) if isinstance(value, list) else [value]
        return [item for item in items if isinstance(item, str) and item != SECRET]

    def within(self, path: str) -> str:
        """`path` as a person reads it from the resource."""
        return f"{self.path}.{path}" if self.path else path


@dataclass(frozen=True)
class Resource:
    """One resource as a rule sees it: its inputs in Pulumi's camelCase, unknown values as UNKNOWN."""

    urn: str
    type: str
    name: str
    props: Mapping[str, Any]
    parent: str | None = None
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    protect: bool = False
    provider: str = ""

    @property
    def block(self) -> Block:
        """All properties."""
        return Block("", self.props)

    def get(self, path: str, default: Any = None) -> Any:
        """See `Block.get`."""
        return self.block.get(path, default)

    def each(self, path: str) -> Iterator[Block]:
        """See `Block.each`."""
        return self.block.each(path)

    def strings(self, path: str) -> list[str]:
        """See `Block.strings`."""
        return self.block.strings(path)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule over the whole stack found: the resource to blame and the sentence."""

    urn: str
    message: str


@dataclass(frozen=True)
class Rule:
    """One thing that must hold. Exactly one of `check` and `check_stack` is set.

    `controls` are ids of the control catalogue, `source` names who else demands the same, `types` the
    resource types that `check` is called for (None: all).
    """

    id: str
    title: str
    level: Level
    controls: tuple[str, ...]
    source: str
    types: frozenset[str] | None = None
    check: Callable[[Resource], Iterable[str]] | None = None
    check_stack: Callable[[Sequence[Resource]], Iterable[Finding]] | None = None


def rule(
    id: str,
    title: str,
    *,
    controls: Sequence[str],
    source: str,
    types: Collection[str] | None = None,
    level: Level = "mandatory",
) -> Callable[[Callable[[Resource], Iterable[str]]], Rule]:
    """Turn a function over one resource into a rule."""

    def wrap(check: Callable[[Resource], Iterable[str]]) -> Rule:
        chosen = None if types is None else frozenset(types)
        return Rule(id, title, level, tuple(controls), source, chosen, check=check)

    return wrap


def stack_rule(
    id: str, title: str, *, controls: Sequence[str], source: str, level: Level = "mandatory"
) -> Callable[[Callable[[Sequence[Resource]], Iterable[Finding]]], Rule]:
    """Turn a function over all resources into a rule."""

    def wrap(check_stack: Callable[[Sequence[Resource]], Iterable[Finding]]) -> Rule:
        return Rule(id, title, level, tuple(controls), source, check_stack=check_stack)

    return wrap


def is_true(value: Any) -> bool:
    """Known to be true."""
    return value is True or value == "true"


def is_false(value: Any) -> bool:
    """Known to be false."""
    return value is False or value == "false"


def is_missing(value: Any) -> bool:
    """Known to be absent or empty; an unknown value counts as present."""
    if value is UNKNOWN:
        return False
    return value is None or value in ("", [], {})


def is_given(value: Any) -> bool:
    """Known to be present and not empty; a secret is present."""
    return value is not UNKNOWN and not is_missing(value)


def text(value: Any) -> str | None:
    """A known, readable string, else None."""
    return value if isinstance(value, str) and value != SECRET else None


def number(value: Any) -> float | None:
    """A known number, also one written as a string, else None."""
    if isinstance(value, bool) or value is UNKNOWN or value is None:
        return None
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return float(value)
    return None


def seconds(value: Any) -> float | None:
    """A known duration in Google's notation (`7776000s`), else None."""
    if isinstance(value, str) and value.endswith("s"):
        return number(value.removesuffix("s"))
    return number(value)


def below(value: Any, least: float) -> bool:
    """Known to be a number smaller than `least`."""
    found = number(value)
    return found is not None and found < least


def outside(value: Any, allowed: Collection[str], *, absent: str = "") -> bool:
    """Known to be none of `allowed`; an absent value counts as `absent`, Google's default."""
    if value is UNKNOWN or value == SECRET:
        return False
    return (absent if value is None else str(value)) not in allowed


def contains_unknown(value: Any) -> bool:
    """Whether any part of `value` is unknown or secret, so that its absence proves nothing."""
    if value is UNKNOWN or value == SECRET:
        return True
    if isinstance(value, Mapping):
        return any(contains_unknown(item) for item in cast("Mapping[str, Any]", value).values())
    if isinstance(value, list):
        return any(contains_unknown(item) for item in cast("list[Any]", value))
    return False


def relation(source: Resource, path: str, target: Resource, *, name: str = "name") -> Relation:
    """Whether the property of `source` at `path` points at `target`.

    The dependencies of the property decide where they are recorded, else the last segment of both names.
    """
    value = source.get(path)
    if is_missing(value):
        return "no"
    recorded = source.property_dependencies.get(path.split(".", maxsplit=1)[0], ())
    if target.urn in recorded:
        return "yes"
    if value is UNKNOWN or value == SECRET:
        return "no" if recorded else "maybe"
    own = target.get(name)
    if own is UNKNOWN or own is None or own == SECRET:
        return "no" if recorded else "maybe"
    return "yes" if str(value).rsplit("/", 1)[-1] == str(own).rsplit("/", 1)[-1] else "no"


@cache
def kind(type: str) -> str:
    """`gcp:sql/databaseInstance:DatabaseInstance` as a person says it: `sql.DatabaseInstance`."""
    parts = type.split(":")
    module = parts[1].split("/")[0] if len(parts) == 3 else ""
    return f"{module}.{parts[-1]}" if module else type


def shown(value: Any) -> str:
    """A value as a message may hold it: short, and never a secret."""
    if value is None:
        return "no value"
    if isinstance(value, bool):
        return str(value).lower()
    if value == SECRET or value is UNKNOWN:
        return "a hidden value"
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 80 else f'"{value[:77]}..."'
    if isinstance(value, list):
        items = cast("list[Any]", value)
        return ", ".join(shown(item) for item in items[:5]) if items else "an empty list"
    if isinstance(value, Mapping):
        return "a block"
    return f"{value:g}" if isinstance(value, float) else str(value)


def say(resource: Resource, path: str, must: str, value: Any, remedy: str) -> str:
    """The one sentence of a violation: resource, property, rule, value, remedy."""
    return f'{kind(resource.type)} "{resource.name}": {path} must {must}, got {shown(value)}; {remedy}.'

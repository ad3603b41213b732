"""The provider's check: inputs against the facts of their type, one sentence for each thing wrong."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from facts.provider import PropertyFacts, TypeFacts
from sandbox.cloud.data import DEFAULTS, as_list, as_map, bare, join
from sandbox.cloud.naming import name_property
from sandbox.cloud.package import nested_names
from sandbox.cloud.relations import check_relations
from sandbox.cloud.results import CheckFailure
from sandbox.values import UNKNOWN, Archive, Asset, Opaque, ResourceReference

__all__ = ["KINDS", "check_inputs", "described", "fits", "unknown_name"]

KINDS: Final[dict[str, str]] = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "map": "a map",
    "object": "a block",
    "list": "a list",
    "set": "a list",
}
_INDEX: Final = re.compile(r"\[[^\]]*\]")


def check_inputs(facts: TypeFacts, news: Mapping[str, Any]) -> list[CheckFailure]:
    """Everything that the facts refuse in these inputs."""
    failures: list[CheckFailure] = []
    given_by_provider = {"project", "region", "zone", name_property(facts.type, facts) or ""}
    _check_block(facts, facts.properties, news, "", failures, given_by_provider)
    failures.extend(check_relations(facts, news))
    return failures


def unknown_name(name: str, path: str, allowed: Iterable[str]) -> CheckFailure:
    """The failure for a property that does not exist there."""
    names = sorted(allowed)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" did you mean `{near[0]}`?" if near else ""
    place = f" in `{path}`" if path else ""
    return CheckFailure(
        join(path, name),
        f"`{join(path, name)}` is not a property here:{hint or ' nothing is near it.'} "
        f"Allowed{place}: {', '.join(names)}.",
    )


def _check_block(
    facts: TypeFacts,
    properties: Mapping[str, PropertyFacts],
    values: Mapping[str, Any],
    path: str,
    failures: list[CheckFailure],
    given: Iterable[str] = (),
) -> None:
    for name, value in values.items():
        if name == DEFAULTS:
            continue
        found = properties.get(name)
        if found is None:
            if name not in nested_names(facts.type, _INDEX.sub("", path)):
                allowed = [item for item, its in properties.items() if its.is_input]
                failures.append(unknown_name(name, path, allowed))
            continue
        plain = bare(value)
        if plain is None:
            continue
        if not found.is_input:
            where = join(path, name)
            failures.append(
                CheckFailure(where, f"`{where}` is set by Google and cannot be given; remove it.")
            )
            continue
        _check_value(facts, found, found.type, plain, join(path, name), failures)
    for name, found in properties.items():
        if found.required and name not in given and bare(values.get(name)) is None:
            where = join(path, name)
            failures.append(CheckFailure(where, f"`{where}` is required and missing; set it."))


def _check_value(
    facts: TypeFacts,
    found: PropertyFacts,
    kind: str,
    value: Any,
    path: str,
    failures: list[CheckFailure],
) -> None:
    if value is UNKNOWN or isinstance(value, Opaque | ResourceReference):
        return
    if kind in {"list", "set"} and found.max_items == 1 and not isinstance(value, list):
        # The bridge turns a list of at most one item into the item.
        kind = found.of or "string"
    if not fits(kind, value):
        failures.append(CheckFailure(path, f"`{path}` must be {KINDS[kind]}, not {described(value)}."))
        return
    if kind in {"list", "set"}:
        _check_items(facts, found, as_list(value) or [], path, failures)
    elif kind == "map":
        for key, item in (as_map(value) or {}).items():
            if key != DEFAULTS and bare(item) is not None:
                _check_value(facts, found, found.of or "string", bare(item), join(path, key), failures)
    elif kind == "object":
        _check_block(facts, found.properties, as_map(value) or {}, path, failures)
    else:
        reason = _refusal(found, value)
        if reason:
            failures.append(CheckFailure(path, f"`{path}` {reason}, not {value!r}."))


def _check_items(
    facts: TypeFacts, found: PropertyFacts, items: list[Any], path: str, failures: list[CheckFailure]
) -> None:
    count = len(items)
    if found.min_items is not None and count < found.min_items:
        failures.append(CheckFailure(path, f"`{path}` needs at least {found.min_items} items, not {count}."))
    if found.max_items is not None and count > found.max_items:
        failures.append(CheckFailure(path, f"`{path}` takes at most {found.max_items} items, not {count}."))
    for index, item in enumerate(items):
        plain = bare(item)
        where = join(path, index)
        if plain is None:
            failures.append(CheckFailure(where, f"`{where}` is empty; remove the item or give it a value."))
        else:
            _check_value(facts, found, found.of or "string", plain, where, failures)


def fits(kind: str, value: Any) -> bool:
    """Whether a known value is of a kind of ``KINDS``."""
    match kind:
        case "string":
            return isinstance(value, str | Asset | Archive)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "list" | "set":
            return isinstance(value, list)
        case _:
            return isinstance(value, dict)


def described(value: Any) -> str:
    """A value as the end of a sentence."""
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    if isinstance(value, str):
        return f"the text {value!r}" if len(value) <= 80 else "a text"
    if isinstance(value, int | float):
        return f"the number {value}"
    return "a list" if isinstance(value, list) else "a map" if isinstance(value, dict) else "a file"


def _refusal(found: PropertyFacts, value: Any) -> str:
    """Why a leaf is refused, as the middle of a sentence; empty when it is fine."""
    if found.enum and value != "" and str(value) not in found.enum:
        near = difflib.get_close_matches(str(value), found.enum, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        return f"must be one of {', '.join(found.enum)}{hint}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = found.minimum, found.maximum
        if low is not None and high is not None and not low <= value <= high:
            return f"must be from {low:g} to {high:g}"
        if low is not None and value < low:
            return f"must be at least {low:g}"
        if high is not None and value > high:
            return f"must be at most {high:g}"
    return ""

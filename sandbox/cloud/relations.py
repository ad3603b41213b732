"""Properties that exclude or need each other, as the provider declares them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from facts.provider import PropertyFacts, TypeFacts, facts_for
from sandbox.cloud.data import as_list, as_map, bare, join
from sandbox.cloud.results import CheckFailure
from sandbox.values import UNKNOWN

__all__ = ["check_relations"]


@cache
def _related(type: str) -> tuple[tuple[str, ...], ...]:
    """The paths (as names) of the properties of a type that are tied to others."""
    facts = facts_for(type)
    found: list[tuple[str, ...]] = []

    def collect(properties: Mapping[str, PropertyFacts], way: tuple[str, ...]) -> None:
        for name, item in properties.items():
            if item.related:
                found.append((*way, name))
            collect(item.properties, (*way, name))

    if facts is not None:
        collect(facts.properties, ())
    return tuple(found)


def check_relations(facts: TypeFacts, values: Mapping[str, Any]) -> list[CheckFailure]:
    """Every broken tie, each group once."""
    failures: dict[tuple[str, str], CheckFailure] = {}
    for way in _related(facts.type):
        for root, path, present in _places(values, way):
            item = _item(facts, way)
            for kind, failure in _broken(item, way, root, path, present):
                single = kind in {"conflict", "with"}
                group = failure.property if single else f"{path.rpartition('.')[0]} {failure.reason}"
                failures.setdefault((kind, group), failure)
    return list(failures.values())


def _item(facts: TypeFacts, way: tuple[str, ...]) -> PropertyFacts:
    item = facts.properties[way[0]]
    for name in way[1:]:
        item = item.properties[name]
    return item


class _Place:
    """One place where a tied property could stand: the value at each step of the way."""

    __slots__ = ("steps", "top")

    def __init__(self, top: Mapping[str, Any], steps: dict[str, tuple[str, Any]]) -> None:
        self.top = top
        self.steps = steps

    def find(self, dotted: str) -> bool | None:
        """Whether the property with this dotted path is given here; None when that is not known yet."""
        names = dotted.split(".")
        for length in range(len(names) - 1, 0, -1):
            step = self.steps.get(".".join(names[:length]))
            if step is not None:
                return _given(step[1], names[length:])
        return _given(self.top, names)


def _given(value: Any, names: list[str]) -> bool | None:
    value = bare(value)
    if value is UNKNOWN:
        return None if names else True
    if not names:
        return value is not None and value not in ([], "")
    items = as_list(value)
    if items is not None:
        return _given(items[0], names) if items else False
    mapping = as_map(value)
    return _given(mapping.get(names[0]), names[1:]) if mapping is not None else False


def _places(values: Mapping[str, Any], way: tuple[str, ...]) -> list[tuple[_Place, str, bool | None]]:
    """Each existing block on the way that could hold the last name, with its path and whether it holds it."""
    found: list[tuple[_Place, str, bool | None]] = []

    def descend(
        value: Any, left: tuple[str, ...], path: str, dotted: str, steps: dict[str, tuple[str, Any]]
    ) -> None:
        mapping = as_map(value)
        if mapping is None:
            for index, item in enumerate(as_list(value) or ()):
                if as_map(item) is not None:
                    descend(item, left, join(path, index), dotted, {**steps, dotted: (path, item)})
            return
        name = left[0]
        here = f"{dotted}.{name}" if dotted else name
        if len(left) == 1:
            found.append((_Place(values, steps), join(path, name), _given(mapping.get(name), [])))
        elif name in mapping:
            child = bare(mapping[name])
            descend(child, left[1:], join(path, name), here, {**steps, here: (path, child)})

    descend(values, way, "", "", {})
    return found


def _broken(
    item: PropertyFacts, way: tuple[str, ...], place: _Place, path: str, present: bool | None
) -> list[tuple[str, CheckFailure]]:
    own = ".".join(way)
    result: list[tuple[str, CheckFailure]] = []
    if present:
        result.extend(
            ("conflict", CheckFailure(path, f"`{path}` excludes `{other}`; remove one of the two."))
            for other in item.conflicts_with
            if other != own and place.find(other)
        )
        result.extend(
            ("with", CheckFailure(path, f"`{path}` needs `{other}` beside it; set `{other}` too."))
            for other in item.required_with
            if place.find(other) is False
        )
    for kind, others in (("exactly", item.exactly_one_of), ("least", item.at_least_one_of)):
        if not others:
            continue
        # The provider counts the property itself too, whether or not it names itself.
        group = tuple(dict.fromkeys((*others, own)))
        answers = [place.find(other) for other in group]
        given = sum(1 for answer in answers if answer)
        names = ", ".join(f"`{other}`" for other in group)
        if given == 0 and None not in answers:
            word = "exactly" if kind == "exactly" else "at least"
            result.append(
                (kind, CheckFailure(path, f"{word} one of {names} is needed and none is set; set one."))
            )
        elif given > 1 and kind == "exactly" and present:
            result.append(
                (kind, CheckFailure(path, f"only one of {names} may be set, not {given}; remove the others."))
            )
    return result

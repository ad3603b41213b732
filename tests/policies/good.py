"""A small production platform that violates nothing, and the tools to spoil it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any, cast

from policies.model import Resource
from tests.policies.builders import resource
from tests.policies.good_access import ACCESS
from tests.policies.good_data import DATA
from tests.policies.good_serving import SERVING

__all__ = ["GOOD", "absent", "add", "bad", "by_name", "spoil"]

GOOD: tuple[Resource, ...] = (*DATA, *SERVING, *ACCESS)

# What marks a property that a spoiled resource must not have.
absent = object()


def by_name(name: str, resources: Sequence[Resource] = GOOD) -> Resource:
    """The resource of that name."""
    return next(one for one in resources if one.name == name)


def bad(name: str, changes: Mapping[str, Any] | None = None, *, protect: bool | None = None) -> Resource:
    """The good resource of that name with some properties changed; `absent` removes one."""
    original = by_name(name)
    props = deepcopy(dict(original.props))
    for path, value in (changes or {}).items():
        _set(props, path.split("."), value)
    return replace(original, props=props, protect=original.protect if protect is None else protect)


def spoil(*resources: Resource) -> list[Resource]:
    """The good platform with these resources in place of those of the same URN."""
    changed = {one.urn: one for one in resources}
    known = {one.urn for one in GOOD}
    return [changed.get(one.urn, one) for one in GOOD] + [one for one in resources if one.urn not in known]


def add(token: str, props: Mapping[str, Any], **options: Any) -> Resource:
    """One more resource, which the good platform does not have."""
    return resource(token, "added", props, **options)


def _set(props: Any, path: list[str], value: Any) -> None:
    for part in path[:-1]:
        props = cast("list[Any]", props)[int(part)] if isinstance(props, list) else props.setdefault(part, {})
    last: Any = int(path[-1]) if isinstance(props, list) else path[-1]
    if value is absent:
        del props[last]
    else:
        props[last] = value

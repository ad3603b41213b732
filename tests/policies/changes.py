"""How a change to the good platform is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from policies.model import Resource
from tests.policies.good import add, bad

__all__ = ["Case", "each", "more", "one", "without"]

# The resources that replace good ones or come on top, and the names of those that must go.
Case = tuple[Sequence[Resource], frozenset[str]]


def one(name: str, changes: Mapping[str, Any] | None = None, *, protect: bool | None = None) -> Case:
    return [bad(name, changes, protect=protect)], frozenset()


def more(token: str, props: Mapping[str, Any], **options: Any) -> Case:
    return [add(token, props, **options)], frozenset()


def without(*names: str) -> Case:
    return [], frozenset(names)


def each(name: str, path: str, *values: Any) -> list[Case]:
    return [one(name, {path: value}) for value in values]

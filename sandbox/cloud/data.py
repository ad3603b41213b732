"""Small helpers over plain property values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

from sandbox.values import UNKNOWN, Secret

__all__ = [
    "DEFAULTS",
    "Values",
    "as_list",
    "as_map",
    "at",
    "bare",
    "is_known",
    "join",
    "names_by_default",
    "plain",
    "strings",
    "transform",
]

Values = dict[str, Any]

DEFAULTS: Final = "__defaults"
"""The key under which the provider lists, at each level, the properties that it filled in itself."""

_IDENTIFIER: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_STEP: Final = re.compile(r"([^.\[\]]+)|\[(\d+)\]|\[\"((?:[^\"\\]|\\.)*)\"\]")


def as_map(value: Any) -> Values | None:
    """``value`` when it is a map, looked through a secret mark; else None."""
    value = bare(value)
    return cast("Values", value) if isinstance(value, dict) else None


def as_list(value: Any) -> list[Any] | None:
    """``value`` when it is a list, looked through a secret mark; else None."""
    value = bare(value)
    return cast("list[Any]", value) if isinstance(value, list) else None


def bare(value: Any) -> Any:
    """``value`` without secret marks around it (those inside stay)."""
    while isinstance(value, Secret):
        value = value.value
    return value


def is_known(value: Any) -> bool:
    """Whether the value itself (not its parts) is known."""
    return bare(value) is not UNKNOWN


def transform(value: Any, change: Callable[[Any], Any]) -> Any:
    """A copy of ``value`` in which ``change`` replaced every leaf and every secret mark."""
    if isinstance(value, dict):
        return {key: transform(item, change) for key, item in cast("Values", value).items()}
    if isinstance(value, list):
        return [transform(item, change) for item in cast("list[Any]", value)]
    return change(value)


def plain(value: Any) -> Any:
    """``value`` without secret marks and without ``__defaults``, deep; unknowns stay."""
    value = bare(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in cast("Values", value).items() if key != DEFAULTS}
    if isinstance(value, list):
        return [plain(item) for item in cast("list[Any]", value)]
    return value


def names_by_default(values: Mapping[str, Any]) -> frozenset[str]:
    """The properties that the provider filled in, as ``__defaults`` lists them."""
    return frozenset(str(name) for name in as_list(values.get(DEFAULTS)) or ())


def at(value: Any, path: str) -> Any:
    """The part of ``value`` at a property path, or None; an unknown on the way gives UNKNOWN."""
    for name, index, quoted in _STEP.findall(path):
        value = bare(value)
        if value is UNKNOWN:
            return UNKNOWN
        if index:
            items = as_list(value)
            value = items[int(index)] if items is not None and int(index) < len(items) else None
        else:
            value = (as_map(value) or {}).get(name or quoted)
    return bare(value)


def join(path: str, name: str | int) -> str:
    """``path`` extended by a property name or an index, in Pulumi's spelling."""
    if isinstance(name, int):
        return f"{path}[{name}]"
    if not _IDENTIFIER.fullmatch(name):
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'{path}["{quoted}"]'
    return f"{path}.{name}" if path else name


def strings(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every known string in a value, with its path; secrets are left out."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in cast("Values", value).items():
            if key != DEFAULTS:
                yield from strings(item, join(path, key))
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from strings(item, join(path, index))

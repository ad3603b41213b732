"""What Google computes for a type without facts, as far as the package's output classes tell its shape.

A getter that is not Optional always holds something after creation: it is filled with a value of its type.
An Optional one stays absent, for nothing says whether Google sets it. A list of blocks gets one block, which
programs index (``statuses[0].url``). The values themselves are made up and stay the same for the same id.
"""

from __future__ import annotations

import importlib
import sys
import typing
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, cast

from sandbox.cloud.computed import Making
from sandbox.cloud.data import Values

__all__ = ["light_outputs"]

_DEEPEST: Final = 6


def light_outputs(making: Making, given: Mapping[str, Any]) -> Values:
    """The computed outputs that ``given`` does not hold."""
    cls = _resource(making.type)
    if cls is None:
        return {}
    return {
        name: _value(making, name, hint, 0)
        for name, hint in _hints(cls).items()
        if given.get(name) is None and not _optional(hint)
    }


@cache
def _resource(token: str) -> type[Any] | None:
    _, module, name = token.split(":")
    imported = importlib.import_module(f"pulumi_gcp.{module.split('/')[0]}")
    found = getattr(imported, name[:1].upper() + name[1:], None)
    return found if isinstance(found, type) else None


@cache
def _hints(cls: type[Any]) -> dict[str, Any]:
    """The properties of a generated class in Pulumi's spelling with their types, out of their Output."""
    scope = vars(sys.modules[cls.__module__])
    found: dict[str, Any] = {}
    for value in cast("dict[str, Any]", vars(cls)).values():
        getter: Any = value.fget if isinstance(value, property) else None
        name = getattr(getter, "_pulumi_name", None)
        if isinstance(name, str):
            hint = typing.get_type_hints(getter, scope).get("return")
            arguments = typing.get_args(hint)
            is_output = getattr(typing.get_origin(hint), "__name__", "") == "Output"
            found[name] = arguments[0] if is_output and arguments else hint
    return found


def _optional(hint: Any) -> bool:
    return type(None) in typing.get_args(hint)


def _value(making: Making, name: str, hint: Any, depth: int) -> Any:
    """A value of a type; of an Optional one a plain value only, so that no block comes out of nothing."""
    inner = next((item for item in typing.get_args(hint) if item is not type(None)), hint)
    kind = inner if _optional(hint) else hint
    origin = typing.get_origin(kind)
    if kind is str:
        return making.text(name)
    if kind is bool:
        return False
    if kind is int:
        return 0
    if kind is float:
        return 0.0
    if origin is not None and issubclass(origin, Mapping):
        return {}
    if origin is not None and issubclass(origin, Sequence):
        item = typing.get_args(kind)[0]
        return [_block(making, item, depth)] if _is_block(item) and depth < _DEEPEST else []
    return _block(making, kind, depth) if _is_block(kind) and depth < _DEEPEST else None


def _is_block(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, dict)


def _block(making: Making, kind: Any, depth: int) -> Values:
    found = ((name, _inside(making, name, hint, depth + 1)) for name, hint in _hints(kind).items())
    return {name: value for name, value in found if value is not None}


def _inside(making: Making, name: str, hint: Any, depth: int) -> Any:
    plain = not _optional(hint) or any(kind in typing.get_args(hint) for kind in (str, bool, int, float))
    return _value(making, name, hint, depth) if plain else None

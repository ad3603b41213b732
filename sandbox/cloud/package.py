"""What the installed pulumi-gcp package itself says about a type: whether it exists, its input names.

Only asked when the facts do not answer: a module of the package takes a while to import.
"""

from __future__ import annotations

import collections.abc
import importlib
import importlib.util
import inspect
from functools import cache
from typing import Any, Final, NamedTuple, Union, cast

__all__ = ["Leaf", "PackageType", "getters", "nested_names", "package_type", "result_types"]


_PLAIN: Final[dict[type, tuple[str, ...]]] = {
    str: ("string",),
    bool: ("boolean",),
    int: ("integer",),
    float: ("number",),
}


class Leaf(NamedTuple):
    """A property: its kind, and that of what it holds, in the words of the facts; empty where any will do."""

    kinds: tuple[str, ...]
    document: str


class PackageType:
    """A resource class of the package and the names of its inputs and outputs in Pulumi's spelling."""

    def __init__(self, arguments: type[Any], resource: Any) -> None:
        self._arguments = arguments
        self.outputs: frozenset[str] = frozenset(getters(resource))
        self.inputs: frozenset[str] = _names(arguments)

    def required(self, path: list[str]) -> frozenset[str]:
        """The names without which the block at a path is not complete."""
        found: type[Any] | None = self._arguments
        for name in path:
            found = None if found is None else _block(found, name)
        return frozenset() if found is None else _required(found)

    def leaf(self, path: list[str]) -> Leaf:
        """What kind of value the property at a path takes, and its documentation."""
        *outer, name = path
        found: type[Any] | None = self._arguments
        for block in outer:
            found = None if found is None else _block(found, block)
        if found is None:
            return Leaf((), "")
        return Leaf(
            _kinds(_types_module().input_type_types(found).get(name)), _documents(found).get(name, "")
        )

    def nested(self, path: list[str]) -> frozenset[str] | None:
        """The names inside the block at a path of property names, or None when there is no such block."""
        found: type[Any] | None = self._arguments
        for name in path:
            found = _block(found, name)
            if found is None:
                return None
        return _names(found)


def _types_module() -> Any:
    return importlib.import_module("pulumi._types")


def getters(cls: Any) -> dict[str, str]:
    """The properties of a generated class in Pulumi's spelling, each with the annotation of its type."""
    found: dict[str, str] = {}
    for value in cast("dict[str, Any]", vars(cls)).values():
        getter: Any = value.fget if isinstance(value, property) else None
        name = getattr(getter, "_pulumi_name", None)
        if isinstance(name, str):
            annotation: Any = getter.__annotations__.get("return", "")
            text = annotation.__name__ if isinstance(annotation, type) else str(annotation)
            for prefix in ("typing.", "Optional[", "typing.", "_builtins."):
                text = text.removeprefix(prefix)
            found[name] = text
    return found


def result_types(area: str, function: str) -> dict[str, str]:
    """What the package's class for the answer of ``getName`` holds, as ``getters`` says it."""
    capital = function[:1].upper() + function[1:]
    result = getattr(importlib.import_module(f"pulumi_gcp.{area}"), f"{capital}Result", None)
    return {} if result is None else getters(result)


def _kinds(annotation: Any) -> tuple[str, ...]:
    """The kind of an annotation less ``Input`` and ``Optional``; for a list or map also that of its items."""
    if isinstance(annotation, type):
        return _PLAIN.get(annotation, ("object",) if _types_module().is_input_type(annotation) else ())
    origin = getattr(annotation, "__origin__", None)
    inner = [item for item in getattr(annotation, "__args__", ()) if item is not type(None)]
    if origin is collections.abc.Sequence:
        return ("list", *_kinds(inner[0]))
    if origin is collections.abc.Mapping:
        return ("map", *_kinds(inner[-1]))
    # An input is the value, or a promise or output of it.
    return _kinds(inner[0]) if origin is Union and inner else ()


@cache
def _documents(arguments: type[Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for value in cast("dict[str, Any]", vars(arguments)).values():
        getter: Any = value.fget if isinstance(value, property) else None
        name = getattr(getter, "_pulumi_name", None)
        if isinstance(name, str):
            found[name] = inspect.getdoc(getter) or ""
    return found


def _required(arguments: type[Any]) -> frozenset[str]:
    names = cast("dict[str, str]", _types_module().input_type_py_to_pulumi_names(arguments))
    parameters = inspect.signature(arguments).parameters
    return frozenset(
        pulumi
        for python, pulumi in names.items()
        if python in parameters and parameters[python].default is inspect.Parameter.empty
    )


def _names(arguments: type[Any]) -> frozenset[str]:
    return frozenset(
        cast("dict[str, str]", _types_module().input_type_py_to_pulumi_names(arguments)).values()
    )


def _block(arguments: type[Any], name: str) -> type[Any] | None:
    types = _types_module()
    found = types.input_type_types(arguments).get(name)
    while found is not None and not isinstance(found, type):
        inner = [item for item in getattr(found, "__args__", ()) if item is not type(None)]
        classes = [item for item in inner if isinstance(item, type) and types.is_input_type(item)]
        found = classes[0] if classes else (inner[-1] if inner else None)
    return cast("type[Any] | None", found) if found is not None and types.is_input_type(found) else None


@cache
def package_type(type_token: str) -> PackageType | None:
    """The class behind a ``gcp:`` token, or None when the installed package has none."""
    try:
        package, module, name = type_token.split(":")
        area, _ = module.split("/")
    except ValueError:
        return None
    if package != "gcp" or importlib.util.find_spec("pulumi_gcp") is None:
        return None
    try:
        imported = importlib.import_module(f"pulumi_gcp.{area}")
    except ModuleNotFoundError:
        return None
    capital = name[:1].upper() + name[1:]
    resource = getattr(imported, capital, None)
    if getattr(resource, "pulumi_type", None) != type_token:
        return None
    arguments = getattr(imported, f"{capital}Args", None) or getattr(imported, f"{capital}InitArgs", None)
    return PackageType(arguments, resource) if isinstance(arguments, type) else None


@cache
def nested_names(type_token: str, path: str) -> frozenset[str]:
    """The input names that the package knows inside the block at ``path`` (no indexes); empty when unsure."""
    found = package_type(type_token)
    if found is None:
        return frozenset()
    return found.nested([name for name in path.split(".") if name]) or frozenset()

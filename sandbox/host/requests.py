"""A registration's goal, read from the protocol's request."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, cast

from pulumi.runtime.proto import alias_pb2, resource_pb2

from sandbox.engine.goal import Alias, Goal
from sandbox.protobuf import from_struct, from_value
from sandbox.urn import is_provider

__all__ = ["goal_of"]

_HOOKS: Final = {
    "before_create": "BeforeCreate",
    "after_create": "AfterCreate",
    "before_update": "BeforeUpdate",
    "after_update": "AfterUpdate",
    "before_delete": "BeforeDelete",
    "after_delete": "AfterDelete",
    "on_error": "OnError",
}


def goal_of(request: resource_pb2.RegisterResourceRequest) -> Goal:
    """The goal in a registration request."""
    inputs = from_struct(request.object)
    if is_provider(request.type) and request.version:
        inputs["version"] = request.version
    return Goal(
        type=request.type,
        name=request.name,
        custom=request.custom,
        inputs=inputs,
        parent=request.parent,
        protect=request.protect,
        dependencies=sorted(set(request.dependencies)),
        provider=request.provider,
        property_dependencies={
            key: sorted(set(value.urns)) for key, value in sorted(request.propertyDependencies.items())
        },
        delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
        version=request.version,
        ignore_changes=list(request.ignoreChanges),
        replace_on_changes=list(request.replaceOnChanges),
        additional_secret_outputs=list(request.additionalSecretOutputs),
        aliases=tuple(_aliases(cast("Any", request).aliases, request.aliasURNs)),
        import_id=request.importId,
        custom_timeouts=_timeouts(request.customTimeouts),
        retain_on_delete=request.retainOnDelete,
        deleted_with=request.deletedWith,
        replace_with=list(request.replace_with),
        replacement_trigger=from_value(request.replacement_trigger)
        if request.HasField("replacement_trigger")
        else None,
        hooks=_hooks(request) if request.HasField("hooks") else {},
    )


def _hooks(request: resource_pb2.RegisterResourceRequest) -> dict[str, list[str]]:
    """The names of a registration's hooks by the engine's words for their kinds."""
    given = {_HOOKS[kind]: list(getattr(request.hooks, kind)) for kind in _HOOKS}
    return {kind: names for kind, names in given.items() if names}


def _aliases(aliases: Iterable[alias_pb2.Alias], urns: Iterable[str]) -> Iterable[Alias]:
    yield from (Alias(urn=urn) for urn in urns)
    for alias in aliases:
        if alias.WhichOneof("alias") == "urn":
            yield Alias(urn=alias.urn)
        else:
            spec = alias.spec
            yield Alias(
                name=spec.name,
                type=spec.type,
                stack=spec.stack,
                project=spec.project,
                parent=spec.parentUrn,
                no_parent=spec.noParent,
            )


_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def _timeouts(timeouts: resource_pb2.RegisterResourceRequest.CustomTimeouts) -> dict[str, float]:
    given = {"create": timeouts.create, "update": timeouts.update, "delete": timeouts.delete}
    return {key: _seconds(text) for key, text in given.items() if text}


def _seconds(duration: str) -> float:
    """The seconds in a Go duration such as ``1h30m``. Raises ValueError when it is none."""
    total, number, index = 0.0, "", 0
    while index < len(duration):
        character = duration[index]
        if character.isdigit() or character == ".":
            number += character
            index += 1
            continue
        unit = "ms" if duration.startswith("ms", index) else character
        if unit not in _UNITS or not number:
            break
        total += float(number) * _UNITS[unit]
        number, index = "", index + len(unit)
    if number or index < len(duration) or not duration:
        raise ValueError(f"{duration!r} is not a duration: write it like 30s, 20m or 1h30m")
    return total

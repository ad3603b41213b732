"""What a program asks for, read from the protocol's request, and what it gets back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from pulumi.runtime.proto import alias_pb2, resource_pb2

from sandbox.engine.aliases import Alias
from sandbox.engine.hooks import HOOKS_FIELD, hooks_of
from sandbox.engine.model import ResourceState
from sandbox.engine.urn import is_provider
from sandbox.protobuf import from_struct, from_value

__all__ = ["Goal", "Registration", "goal_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A registered resource and its options; the meanings are those of ``pulumi.ResourceOptions``."""

    type: str
    name: str
    custom: bool
    inputs: dict[str, Any] = field(repr=False)
    parent: str = ""
    protect: bool = False
    dependencies: list[str] = field(default_factory=list[str])
    provider: str = ""
    property_dependencies: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    delete_before_replace: bool | None = None
    version: str = ""
    ignore_changes: list[str] = field(default_factory=list[str])
    replace_on_changes: list[str] = field(default_factory=list[str])
    additional_secret_outputs: list[str] = field(default_factory=list[str])
    aliases: tuple[Alias, ...] = ()
    import_id: str = ""
    custom_timeouts: dict[str, float] = field(default_factory=dict[str, float])
    retain_on_delete: bool = False
    deleted_with: str = ""
    replace_with: list[str] = field(default_factory=list[str])
    replacement_trigger: Any = None
    hooks: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def state(self, urn: str, provider: str) -> ResourceState:
        """The state that this goal begins with."""
        return ResourceState(
            urn=urn,
            type=self.type,
            custom=self.custom,
            inputs=self.inputs,
            parent=self.parent,
            protect=self.protect,
            dependencies=self.dependencies,
            property_dependencies=self.property_dependencies,
            provider=provider,
            additional_secret_outputs=self.additional_secret_outputs,
            custom_timeouts=self.custom_timeouts,
            import_id=self.import_id,
            retain_on_delete=self.retain_on_delete,
            deleted_with=self.deleted_with,
            replace_with=self.replace_with,
            replacement_trigger=self.replacement_trigger,
            ignore_changes=self.ignore_changes,
            replace_on_changes=self.replace_on_changes,
            extra={HOOKS_FIELD: self.hooks} if self.hooks else {},
        )


@dataclass(frozen=True, slots=True)
class Registration:
    """What a program gets back for a resource. With ``failed`` its outputs stay unknown."""

    urn: str
    id: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    failed: bool = False


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
        hooks=hooks_of(request) if request.HasField("hooks") else {},
    )


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

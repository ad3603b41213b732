"""What a program asks for, and what it gets back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.engine.aliases import Alias
from sandbox.engine.hooks import HOOKS_FIELD
from sandbox.model import ResourceState

__all__ = ["Goal", "Registration"]


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

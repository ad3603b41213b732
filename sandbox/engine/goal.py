"""What a program asks for, what it gets back, and which old resource a registration continues.

The rules of aliases are those of ``getOldResource`` and ``generateAliases`` in
``pkg/resource/deploy/step_generator.go`` of pulumi/pulumi.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.engine.hooks import HOOKS_FIELD
from sandbox.model import Old, ResourceState
from sandbox.urn import STACK_TYPE, make_urn, qualified_type, type_of

__all__ = ["Alias", "AliasResolver", "AmbiguousAliasError", "Goal", "Registration"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A former identity: a whole URN, or the parts that differ from today's."""

    urn: str = ""
    name: str = ""
    type: str = ""
    stack: str = ""
    project: str = ""
    parent: str = ""
    no_parent: bool = False


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


class AmbiguousAliasError(Exception):
    """Two resources claim the same old one."""


class AliasResolver:
    """Finds old resources; remembers which alias was used, since children inherit it."""

    def __init__(self, stack: str, project: str, olds: Mapping[str, ResourceState]) -> None:
        self._stack = stack
        self._project = project
        self._olds = olds
        self.used: dict[str, str] = {}
        """New URN -> the old URN that it continues."""
        self.claimed: dict[str, str] = {}
        """Old URN -> the new URN that continues it."""

    def find(self, urn: str, goal: Goal, seen: Collection[str]) -> Old:
        """The old resource that this registration continues, or None.

        Raises AmbiguousAliasError when another registration already continues it.
        """
        if urn in self.claimed:
            raise AmbiguousAliasError(
                f"resource {urn} was already claimed by the alias of {self.claimed[urn]}: "
                "give one of the two another name"
            )
        for candidate in (urn, *self._candidates(goal)):
            old = self._olds.get(candidate)
            if old is None:
                continue
            if candidate != urn:
                if candidate in seen or candidate in self.claimed:
                    other = self.claimed.get(candidate, candidate)
                    raise AmbiguousAliasError(
                        f"the alias {candidate} of {urn} names a resource that {other} is already: "
                        "remove the alias or the other resource"
                    )
                self.claimed[candidate] = urn
                self.used[urn] = candidate
            return old
        return None

    def _candidates(self, goal: Goal) -> Iterator[str]:
        own = [self._collapse(goal, alias) for alias in goal.aliases]
        yield from own
        parent_alias = self.used.get(goal.parent)
        if parent_alias is not None:
            parent_name = goal.parent.split("::", 3)[3]
            yield self._inherited(goal.type, goal.name, parent_name, parent_alias)
            for urn in own:
                yield self._inherited(type_of(urn), urn.split("::", 3)[3], parent_name, parent_alias)

    def _collapse(self, goal: Goal, alias: Alias) -> str:
        if alias.urn:
            return alias.urn
        parent = self.used.get(alias.parent, alias.parent) if alias.parent else goal.parent
        if alias.no_parent or (parent and qualified_type(parent) == STACK_TYPE):
            parent = ""
        stack, project = alias.stack or self._stack, alias.project or self._project
        return make_urn(stack, project, parent, alias.type or goal.type, alias.name or goal.name)

    def _inherited(self, type: str, name: str, parent_name: str, parent_alias: str) -> str:
        if name.startswith(parent_name):
            name = parent_alias.split("::", 3)[3] + name.removeprefix(parent_name)
        return make_urn(self._stack, self._project, parent_alias, type, name)

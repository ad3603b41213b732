"""Which old resource a registration continues: by its URN, else by an alias of it or of its parents.

The rules are those of ``getOldResource`` and ``generateAliases`` in
``pkg/resource/deploy/step_generator.go`` of pulumi/pulumi.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sandbox.model import ResourceState
from sandbox.urn import STACK_TYPE, make_urn, qualified_type, type_of

__all__ = ["Alias", "AliasResolver", "AmbiguousAliasError"]


class AmbiguousAliasError(Exception):
    """Two resources claim the same old one."""


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

    def find(
        self, urn: str, name: str, type: str, parent: str, aliases: Sequence[Alias], seen: Collection[str]
    ) -> ResourceState | None:
        """The old resource that this registration continues, or None.

        Raises AmbiguousAliasError when another registration already continues it.
        """
        if urn in self.claimed:
            raise AmbiguousAliasError(
                f"resource {urn} was already claimed by the alias of {self.claimed[urn]}: "
                "give one of the two another name"
            )
        for candidate in (urn, *self._candidates(name, type, parent, aliases)):
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

    def _candidates(self, name: str, type: str, parent: str, aliases: Sequence[Alias]) -> Iterator[str]:
        own = [self._collapse(name, type, parent, alias) for alias in aliases]
        yield from own
        parent_alias = self.used.get(parent) if parent else None
        if parent_alias is not None:
            parent_name = parent.split("::", 3)[3]
            yield self._inherited(type, name, parent_name, parent_alias)
            for urn in own:
                yield self._inherited(type_of(urn), urn.split("::", 3)[3], parent_name, parent_alias)

    def _collapse(self, name: str, type: str, parent: str, alias: Alias) -> str:
        if alias.urn:
            return alias.urn
        if alias.parent:
            parent = self.used.get(alias.parent, alias.parent)
        if alias.no_parent or (parent and qualified_type(parent) == STACK_TYPE):
            parent = ""
        return make_urn(
            alias.stack or self._stack,
            alias.project or self._project,
            parent,
            alias.type or type,
            alias.name or name,
        )

    def _inherited(self, type: str, name: str, parent_name: str, parent_alias: str) -> str:
        if name.startswith(parent_name):
            name = parent_alias.split("::", 3)[3] + name.removeprefix(parent_name)
        return make_urn(self._stack, self._project, parent_alias, type, name)

"""How a resource's goal differs from its old state, and what that difference demands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sandbox.cloud.api import CloudApi
from sandbox.model import PropertyDiff, ResourceState
from sandbox.paths import contains, lookup, parse_path

__all__ = ["Difference", "difference"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What changed. ``forced`` replaces whatever the properties say; ``options`` changed without one."""

    properties: tuple[PropertyDiff, ...] = ()
    replaces: tuple[str, ...] = ()
    forced: bool = False
    options: bool = False
    delete_first: bool = False
    not_compared: tuple[str, ...] = ()

    @property
    def exists(self) -> bool:
        """Whether anything differs."""
        return bool(self.properties) or self.forced or self.options

    @property
    def replacing(self) -> bool:
        """Whether the resource must be replaced."""
        return self.forced or bool(self.replaces) or any(item.kind.replaces for item in self.properties)

    def with_replace_on_changes(self, paths: Sequence[str], *, init_errors: bool) -> Difference:
        """The same difference where a change at one of ``paths`` forces a replacement."""
        outer = [parse_path(path) for path in paths]
        properties = tuple(
            replace(item, kind=item.kind.as_replace())
            if any(contains(path, parse_path(item.path)) for path in outer)
            else item
            for item in self.properties
        )
        # Reasons are whole properties, as the engine gives them; a deeper path shows in the property's kind.
        changed = dict.fromkeys(str(parse_path(item.path)[0]) for item in properties)
        added = [
            key
            for key in changed
            if any(contains(path, (key,)) for path in outer)
            and not any(parse_path(reason)[0] == key for reason in self.replaces)
        ]
        forced = self.forced or (init_errors and any(path in (("*",), ("#initerror",)) for path in outer))
        return replace(self, properties=properties, replaces=(*self.replaces, *added), forced=forced)


def difference(
    old: ResourceState, inputs: dict[str, Any], cloud: CloudApi, ignore_changes: Sequence[str]
) -> Difference:
    """What the provider says of the change from ``old`` to ``inputs``."""
    found = cloud.diff(old.type, old.urn, old.id, old.inputs, old.outputs, inputs, ignore_changes)
    properties = tuple(
        PropertyDiff(path, kind, lookup(old.inputs, parse_path(path)), lookup(inputs, parse_path(path)))
        for path, kind in sorted(found.detailed.items())
    )
    return Difference(
        properties=properties,
        replaces=tuple(found.replaces),
        delete_first=found.delete_before_replace,
        not_compared=tuple(found.not_compared),
    )

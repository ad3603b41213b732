"""Differences that force a replacement for reasons the schema does not tell."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any, Final

from facts.provider import TypeFacts
from sandbox.cloud.data import at, bare, names_by_default
from sandbox.cloud.naming import name_property
from sandbox.cloud.results import DiffResult

__all__ = ["forced_replacements"]


def _disk_shrinks(old: Any, new: Any) -> bool:
    """A Cloud SQL disk can only grow."""
    return isinstance(old, int) and isinstance(new, int) and new < old


def _range_not_wider(old: Any, new: Any) -> bool:
    """A subnetwork's range can only be widened."""
    if not isinstance(old, str) or not isinstance(new, str):
        return False
    before, after = ipaddress.ip_network(old, strict=False), ipaddress.ip_network(new, strict=False)
    return before.version == after.version and not (
        isinstance(before, ipaddress.IPv4Network)
        and isinstance(after, ipaddress.IPv4Network)
        and before.subnet_of(after)
    )


def _major_goes_down(old: Any, new: Any) -> bool:
    """A PostgreSQL major version only goes up in place."""
    if not isinstance(old, str) or not isinstance(new, str):
        return False
    before, after = old.rpartition("_")[2], new.rpartition("_")[2]
    return before.isdigit() and after.isdigit() and int(after) < int(before)


def _removed(old: Any, new: Any) -> bool:
    """What was set once cannot be unset in place."""
    return old is not None and new is None


_RULES: Final[dict[str, dict[str, Callable[[Any, Any], bool]]]] = {
    "gcp:sql/databaseInstance:DatabaseInstance": {
        "settings.diskSize": _disk_shrinks,
        "databaseVersion": _major_goes_down,
        "settings.ipConfiguration.privateNetwork": _removed,
    },
    "gcp:compute/subnetwork:Subnetwork": {"ipCidrRange": _range_not_wider},
}


def forced_replacements(
    type: str,
    facts: TypeFacts | None,
    found: DiffResult,
    old_inputs: Mapping[str, Any],
    news: Mapping[str, Any],
) -> DiffResult:
    """The difference, with the provider's own reasons to replace added."""
    rules = _RULES.get(type)
    if not rules or not found.detailed:
        return found
    detailed = dict(found.detailed)
    for path, rule in rules.items():
        if (
            path in detailed
            and not detailed[path].replaces
            and rule(at(dict(old_inputs), path), at(dict(news), path))
        ):
            detailed[path] = detailed[path].as_replace()
    replaces = tuple(path for path, kind in detailed.items() if kind.replaces)
    if replaces == found.replaces:
        return found
    name = name_property(type, facts)
    explicit = name is not None and name not in names_by_default(news) and bare(news.get(name)) is not None
    same = name is not None and bare(news.get(name)) == bare(old_inputs.get(name))
    return DiffResult(
        detailed=detailed,
        replaces=replaces,
        delete_before_replace=explicit and same,
        not_compared=found.not_compared,
    )

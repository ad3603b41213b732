"""Differences that force a replacement for reasons the schema does not tell."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any, Final

from facts.provider import TypeFacts
from sandbox.cloud.data import as_list, as_map, at, bare, names_by_default
from sandbox.cloud.naming import name_property
from sandbox.cloud.results import DiffResult

__all__ = ["forced_replacements"]


def _disk_shrinks(old: Any, new: Any) -> bool:
    """A Cloud SQL disk can only grow."""
    return isinstance(old, int) and isinstance(new, int) and new < old


def _another_primary(old: Any, new: Any) -> bool:
    """A replica follows its primary for life, save in a switchover."""
    return isinstance(new, str) and bool(new) and new != old


def _turned_off(old: Any, new: Any) -> bool:
    """Automatic upgrades stay on once they are."""
    return old is True and new is not True


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


_SQL: Final = "gcp:sql/databaseInstance:DatabaseInstance"
_DISK: Final = "settings.diskSize"
_RULES: Final[dict[str, dict[str, Callable[[Any, Any], bool]]]] = {
    _SQL: {
        _DISK: _disk_shrinks,
        "databaseVersion": _major_goes_down,
        "masterInstanceName": _another_primary,
        "settings.autoUpgradeEnabled": _turned_off,
        "settings.ipConfiguration.privateNetwork": _removed,
    },
    "gcp:compute/subnetwork:Subnetwork": {"ipCidrRange": _range_not_wider},
}


def _grown_by_itself(type: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """With growth by itself, the default, the provider forgets about a smaller disk in the program."""
    resized = at(dict(new), "settings.diskAutoresize")
    return type == _SQL and resized is not False and _disk_shrinks(at(dict(old), _DISK), at(dict(new), _DISK))


def _switchover(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """The old primary becomes the replica of one that was its own."""
    primary = bare(new.get("masterInstanceName"))
    before = [bare(item) for item in as_list(bare(old.get("replicaNames"))) or []]
    after = [bare(item) for item in as_list(bare(new.get("replicaNames"))) or []]
    swapped = bare(old.get("instanceType")), bare(new.get("instanceType"))
    return (
        swapped == ("CLOUD_SQL_INSTANCE", "READ_REPLICA_INSTANCE")
        and as_map(bare(new.get("replicaConfiguration"))) is not None
        and primary in before
        and primary not in after
    )


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
    if _grown_by_itself(type, old_inputs, news):
        detailed.pop(_DISK, None)
    for path, rule in rules.items():
        if (
            path in detailed
            and not detailed[path].replaces
            and not (path == "masterInstanceName" and _switchover(old_inputs, news))
            and rule(at(dict(old_inputs), path), at(dict(news), path))
        ):
            detailed[path] = detailed[path].as_replace()
    replaces = tuple(path for path, kind in detailed.items() if kind.replaces)
    if replaces == found.replaces and detailed.keys() == found.detailed.keys():
        return found
    name = name_property(type, facts)
    explicit = name is not None and name not in names_by_default(news) and bare(news.get(name)) is not None
    same = name is not None and bare(news.get(name)) == bare(old_inputs.get(name))
    return DiffResult(
        detailed=detailed,
        replaces=replaces,
        delete_before_replace=bool(replaces) and explicit and same,
        not_compared=found.not_compared,
    )

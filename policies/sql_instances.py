"""Which database instances follow another."""

from __future__ import annotations

from typing import Final

from policies.model import UNKNOWN, Relation, Resource, is_missing

__all__ = ["INSTANCE", "PROMOTED", "follows"]

INSTANCE: Final = "gcp:sql/databaseInstance:DatabaseInstance"
PROMOTED: Final = "CLOUD_SQL_INSTANCE"


def follows(instance: Resource) -> Relation:
    """Whether an instance follows another.

    `masterInstanceName` is computed too. So a plan does not know it of a new instance that names none, where
    only what the program gave tells; and the plan of a promotion, which takes it out of the program, still
    shows the old primary, where the type tells.
    """
    primary = instance.get("masterInstanceName")
    if primary is UNKNOWN:
        given = instance.property_dependencies
        if given.get("masterInstanceName"):
            return "yes"
        return "maybe" if not given or "masterInstanceName" in given else "no"
    return "no" if is_missing(primary) or instance.get("instanceType") == PROMOTED else "yes"

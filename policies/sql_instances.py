"""Which database instances follow another."""

from __future__ import annotations

from typing import Final

from policies.model import Resource, is_missing

__all__ = ["INSTANCE", "PROMOTED", "is_replica"]

INSTANCE: Final = "gcp:sql/databaseInstance:DatabaseInstance"
PROMOTED: Final = "CLOUD_SQL_INSTANCE"


def is_replica(instance: Resource) -> bool:
    """Whether an instance follows another.

    The type decides where it is stated: `masterInstanceName` is computed too, so the plan of a promotion,
    which takes it out of the program, still shows the old primary.
    """
    return not is_missing(instance.get("masterInstanceName")) and instance.get("instanceType") != PROMOTED

"""Regions that are out of reach: every call for what lies there is refused, as Google's API refuses it.

A resource lies where its region, zone or location says, where its id or that of a key or bucket that it
belongs to says, or where its database instance or bucket lies. A secret's version is written to all replicas
or to none, because replication is synchronous. What is global or in a multi-region stays in reach, also where
a key of the lost region encrypts it: that Google refuses only when data is read or written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.cloud.data import as_list, as_map
from sandbox.cloud.paths import canonical
from sandbox.cloud.world import World
from sandbox.errors import CloudError, UsageError

__all__ = ["check_region", "places", "refuse_lost"]

_REGION: Final = re.compile(r"[a-z]+-[a-z]+[0-9]{1,2}")
_ZONE: Final = re.compile(r"(?P<region>[a-z]+-[a-z]+[0-9]{1,2})-[a-z]")
_IN_ID: Final = re.compile(r"(?:^|/)(?:locations|regions|zones)/([a-z0-9-]+)")
_OWNERS: Final = ("cryptoKey", "cryptoKeyId", "keyRing", "keyRingId", "subnetwork", "backupPlan")
_SQL: Final = "gcp:sql/databaseInstance:DatabaseInstance"
_BUCKET: Final = "gcp:storage/bucket:Bucket"
_SECRET: Final = "gcp:secretmanager/secret:Secret"
_VERSION: Final = "gcp:secretmanager/secretVersion:SecretVersion"
_MESSAGE: Final = (
    "The region {region} is out of reach: {what} answers no call; leave what lies there as it is."
)


def check_region(text: str, option: str = "--lost-region") -> str:
    """``text`` when it has the form of a region. Raises UsageError, which names ``option``."""
    if _REGION.fullmatch(text) is None:
        raise UsageError(
            f"{option} must name a region, got {text!r}: write it as Google does, such as europe-west1"
        )
    return text


def places(world: World, type: str, id: str, values: Mapping[str, Any]) -> frozenset[str]:
    """The regions without any one of which nothing can be done to a resource; empty for a global one."""
    return frozenset(_region(place) for place in _places(world, type, id, values) if place)


def refuse_lost(world: World, type: str, id: str, values: Mapping[str, Any]) -> None:
    """Refuse a call for what lies in a lost region. Raises CloudError."""
    lost = world.facts.lost_regions
    if not lost:
        return
    for region in sorted(lost & places(world, type, id, values)):
        what = f"{type.rsplit(':', 1)[-1]} {id or values.get('name') or ''}".strip()
        raise CloudError(
            503,
            "UNAVAILABLE",
            _MESSAGE.format(region=region, what=what),
            behaviour="fault-lost-region",
            source="--lost-region",
        )


def _places(world: World, type: str, id: str, values: Mapping[str, Any]) -> Iterator[str]:
    for name in ("region", "zone", "location"):
        value = values.get(name)
        if isinstance(value, str):
            yield value.rsplit("/", 1)[-1].lower()
    for text in (id, *(str(values.get(name) or "") for name in _OWNERS)):
        yield from _IN_ID.findall(text)
    if type != _SQL and type.startswith("gcp:sql/"):
        yield _place_of(world, _SQL, values.get("instance"), "region")
    if type != _BUCKET and type.startswith("gcp:storage/"):
        yield _place_of(world, _BUCKET, values.get("bucket"), "location")
    if type == _VERSION:
        yield from _replicas(world, str(values.get("secret") or ""))


def _place_of(world: World, type: str, name: Any, field: str) -> str:
    """Where the resource of this name lies, or an empty text."""
    wanted = str(name or "").rsplit("/", 1)[-1]
    for record in world:
        if record.type == type and wanted in {record.id.rsplit("/", 1)[-1], record.inputs.get("name")}:
            return str(record.inputs.get(field) or "").lower()
    return ""


def _replicas(world: World, secret: str) -> Iterator[str]:
    for record in world:
        if record.type != _SECRET or canonical(record.id) != canonical(secret):
            continue
        managed = as_map((as_map(record.inputs.get("replication")) or {}).get("userManaged")) or {}
        for replica in as_list(managed.get("replicas")) or []:
            yield str((as_map(replica) or {}).get("location") or "")


def _region(place: str) -> str:
    found = _ZONE.fullmatch(place)
    return place if found is None else found["region"]

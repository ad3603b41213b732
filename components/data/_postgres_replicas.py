"""The tree below a primary: read replicas, replicas of replicas, and pools of read nodes.

A replica names no version and no edition: they are its primary's, so another one cannot be written.
Everything else is shared with the primary too, and overridden per replica where Google lets it differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

import pulumi
import pulumi_gcp as gcp

from components._checks import require_between
from components.data._postgres_settings import (
    BASE_FLAGS,
    Availability,
    Edition,
    Enterprise,
    EnterprisePlus,
    SettingsInputs,
    replica_settings,
)
from facts.names import check_name
from facts.places import EU_REGIONS
from facts.postgres_flags import check_flags, check_replica_flags, refuse_weaker_flags
from facts.refusal import RefusedError

__all__ = [
    "Autoscale",
    "ReadPool",
    "Replica",
    "check_region",
    "check_tree",
    "overridden",
    "pool_settings",
    "walk",
]

_MOST_REPLICAS = 20
# Google: four levels, the primary among them.
_MOST_LEVELS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Replica:
    """One asynchronous copy that answers reads; it takes over only when `promoted` says so."""

    instance_name: str
    """Physical name."""
    region: str
    """Region of the European Union; immutable."""
    kms_key: pulumi.Input[str]
    """Key in that region; immutable."""
    allocated_ip_range: pulumi.Input[str]
    """Name of an address range in the private connection; the primary's will do."""
    tier: str | None = None
    """Tier of the primary's edition; the primary's by default."""
    disk_size_gb: int | None = None
    """Size of the disk at creation, at least the primary's; the primary's by default."""
    availability: Availability = "ZONAL"
    """REGIONAL gives the replica a standby of its own."""
    flags: Mapping[str, str] = field(default_factory=dict[str, str])
    """Flags over those of the instance it follows; never below it where replay would stop."""
    replicas: Mapping[str, Replica] = field(default_factory=dict[str, "Replica"])
    """Replicas that follow this one, by a key that ends the child's name; four levels with the primary."""
    promoted: bool = False
    """Whether it has become a primary of its own: for good, and the old primary does not follow it."""

    def __post_init__(self) -> None:
        check_name("database instance", self.instance_name)
        check_region(f"region of replica {self.instance_name}", self.region)
        check_flags("flags", self.flags)
        refuse_weaker_flags("flags", self.flags)


@dataclass(frozen=True, kw_only=True, slots=True)
class Autoscale:
    """A pool that follows the processors' load; Google then owns the number of nodes."""

    minimum: int
    """Least nodes, 1 to 20."""
    maximum: int
    """Most nodes, minimum to 20."""
    cpu_percent: int = 60
    """Mean load that it holds, 10 to 90 percent."""

    def __post_init__(self) -> None:
        require_between("Autoscale.minimum", self.minimum, 1, 20, "nodes")
        require_between("Autoscale.maximum", self.maximum, self.minimum, 20, "nodes")
        require_between("Autoscale.cpu_percent", self.cpu_percent, 10, 90, "percent")


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadPool:
    """Equal nodes behind one address in the primary's region; only edition ENTERPRISE_PLUS has them."""

    instance_name: str
    """Physical name."""
    nodes: int | Autoscale
    """How many nodes, 1 to 20, or between which numbers they scale."""

    def __post_init__(self) -> None:
        check_name("database instance", self.instance_name)
        if isinstance(self.nodes, int):
            require_between("nodes", self.nodes, 1, 20, "nodes")


def check_region(field: str, region: str) -> None:
    """Refuse a place where the data may not be."""
    if region not in EU_REGIONS:
        raise RefusedError(
            f"{field} must be a region of the European Union, got {region!r}; choose one such as europe-west4"
        )


def walk(replicas: Mapping[str, Replica], above: str = "") -> Iterator[tuple[str, Replica]]:
    """Every replica with the path of its keys, parents first."""
    for key, replica in replicas.items():
        path = f"{above}-{key}" if above else key
        yield path, replica
        yield from walk(replica.replicas, path)


def overridden(shared: SettingsInputs, replica: Replica) -> SettingsInputs:
    """The settings of a replica: those of the instance it follows with what it says itself."""
    edition = shared.edition if replica.tier is None else _with_tier(shared.edition, replica.tier)
    return replace(
        shared,
        edition=edition,
        disk_size_gb=replica.disk_size_gb or shared.disk_size_gb,
        allocated_ip_range=replica.allocated_ip_range,
        flags={**shared.flags, **replica.flags},
    )


def pool_settings(shared: SettingsInputs, nodes: int | Autoscale) -> gcp.sql.DatabaseInstanceSettingsArgsDict:
    """Settings of a pool of read nodes."""
    settings = replica_settings(shared)
    if isinstance(nodes, Autoscale):
        settings["read_pool_auto_scale_config"] = {
            "enabled": True,
            "min_node_count": nodes.minimum,
            "max_node_count": nodes.maximum,
            "target_metrics": [
                {"metric": "AVERAGE_CPU_UTILIZATION", "target_value": nodes.cpu_percent / 100}
            ],
        }
    return settings


def check_tree(
    replicas: Mapping[str, Replica],
    edition: Edition,
    disk_size_gb: int,
    flags: Mapping[str, str],
    limit_gb: int,
) -> None:
    """Refuse a tree that does not fit its primary."""
    everyone = list(walk(replicas))
    if len(everyone) > _MOST_REPLICAS:
        raise RefusedError(
            f"replicas must be at most {_MOST_REPLICAS} of one primary, got {len(everyone)}; remove some"
        )
    paths = [path for path, _ in everyone]
    if len({*paths}) != len(paths):
        raise RefusedError(f"replicas must have keys that differ on every path, got {paths}; rename one")
    _check_level("replicas", replicas, edition, disk_size_gb, flags, limit_gb, level=2)


def _check_level(
    field: str,
    replicas: Mapping[str, Replica],
    edition: Edition,
    disk_size_gb: int,
    flags: Mapping[str, str],
    limit_gb: int,
    level: int,
) -> None:
    if replicas and level > _MOST_LEVELS:
        raise RefusedError(
            f"{field} must end at level {_MOST_LEVELS} with the primary as the first, got level {level}; "
            "let them follow an instance further up"
        )
    for key, replica in replicas.items():
        where = f"{field}.{key}"
        own = edition if replica.tier is None else _with_tier(edition, replica.tier)
        disk = replica.disk_size_gb or disk_size_gb
        require_between(f"{where}.disk_size_gb", disk, disk_size_gb, limit_gb, "GB (from the primary's on)")
        check_replica_flags(f"{where}.flags", {**BASE_FLAGS, **flags}, replica.flags)
        merged = {**flags, **replica.flags}
        _check_level(f"{where}.replicas", replica.replicas, own, disk, merged, limit_gb, level + 1)


def _with_tier(edition: Edition, tier: str) -> Edition:
    match edition:
        case Enterprise():
            return Enterprise(tier=tier)
        case EnterprisePlus():
            return replace(edition, tier=tier)
        case _:
            assert_never(edition)

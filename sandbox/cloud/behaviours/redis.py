"""Memorystore for Redis."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.network import block_of, connected, taken
from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import as_map
from sandbox.cloud.paths import canonical

_INSTANCE: Final = "gcp:redis/instance:Instance"
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_REASON: Final = "INVALID_ARGUMENT"


@behaviour(
    "RED-001", _INSTANCE, _BOTH, 400, _REASON, "terraform-provider-google-beta website/docs/r/redis_instance"
)
def basic_replicas(call: Call) -> Iterator[Problem]:
    """The basic tier has no replicas."""
    basic = (call.text("tier") or "BASIC") == "BASIC"
    if basic and (call.get("replicaCount") or call.text("readReplicasMode") == "READ_REPLICAS_ENABLED"):
        yield Problem(
            "replicaCount", "`replicaCount` and read replicas need the tier STANDARD_HA, not BASIC."
        )


@behaviour("RED-002", _INSTANCE, _BOTH, 400, _REASON, "hashicorp/terraform-provider-google#14734")
def replicas_off(call: Call) -> Iterator[Problem]:
    """More than one replica needs read replicas."""
    count = call.get("replicaCount")
    if isinstance(count, int) and count > 1 and call.text("readReplicasMode") != "READ_REPLICAS_ENABLED":
        yield Problem("replicaCount", f"`replicaCount` {count} needs readReplicasMode READ_REPLICAS_ENABLED.")


@behaviour("RED-003", _INSTANCE, _BOTH, 400, _REASON, "google-cloud.md DB-3.2")
def replicas_small(call: Call) -> Iterator[Problem]:
    """Read replicas need 5 GB."""
    size = call.get("memorySizeGb")
    if call.text("readReplicasMode") == "READ_REPLICAS_ENABLED" and isinstance(size, int) and size < 5:
        yield Problem("memorySizeGb", f"`memorySizeGb` must be at least 5 with read replicas, not {size}.")


@behaviour("RED-005", _INSTANCE, Phase.CREATE, 400, _REASON, "hashicorp/terraform-provider-google#26413")
def range_by_name(call: Call) -> Iterator[Problem]:
    """With private services access the range is given by its name."""
    block = call.text("reservedIpRange")
    if call.text("connectMode") == "PRIVATE_SERVICE_ACCESS" and re.search(r"\d/\d", block):
        yield Problem(
            "reservedIpRange", f"`reservedIpRange` must be the name of an allocated range, not {block}."
        )


@behaviour("RED-006", _INSTANCE, Phase.CREATE, 400, "FAILED_PRECONDITION", "general knowledge of Memorystore")
def no_connection(call: Call) -> Iterator[Problem]:
    """The network has no connection to Google's services."""
    network = call.text("authorizedNetwork")
    if call.text("connectMode") != "PRIVATE_SERVICE_ACCESS" or not network or connected(call, network):
        return
    yield Problem(
        "authorizedNetwork",
        f"`authorizedNetwork`: {canonical(network)} has no private services connection; declare "
        "servicenetworking.Connection and depend on it.",
    )


@behaviour("RED-010", _INSTANCE, _BOTH, 400, _REASON, "google-cloud.md DB-3.2")
def version_form(call: Call) -> Iterator[Problem]:
    """A version that Google does not offer."""
    version = call.text("redisVersion")
    known = {"REDIS_3_2", "REDIS_4_0", "REDIS_5_0", "REDIS_6_X", "REDIS_7_0", "REDIS_7_2"}
    if version and version not in known:
        yield Problem(
            "redisVersion", f"`redisVersion` must be one of {', '.join(sorted(known))}, not {version!r}."
        )


@behaviour("RED-011", _INSTANCE, Phase.UPDATE, 400, _REASON, "google-cloud.md DB-3.2")
def version_lowered(call: Call) -> Iterator[Problem]:
    """A version only goes up."""
    old, new = str(call.old_inputs.get("redisVersion") or ""), call.text("redisVersion")
    if old and new and new < old:
        yield Problem("redisVersion", f"`redisVersion` cannot go down from {old} to {new}.")


@behaviour(
    "RED-017",
    _INSTANCE,
    Phase.CHECK,
    400,
    _REASON,
    "terraform-provider-google-beta google-beta/services/redis/resource_redis",
)
def instance_name(call: Call) -> Iterator[Problem]:
    """A name outside Google's form."""
    name = call.text("name")
    if name and not re.fullmatch(r"[a-z][a-z0-9-]{0,39}[a-z0-9]", name):
        yield Problem(
            "name",
            "`name` must be 2 to 41 lower-case letters, digits and dashes, start with a letter and not "
            "end with a "
            f"dash, not {name!r}.",
        )


@behaviour(
    "RED-019", _INSTANCE, _BOTH, 400, _REASON, "terraform-provider-google-beta website/docs/r/redis_instance"
)
def snapshots(call: Call) -> Iterator[Problem]:
    """Snapshots need a period."""
    block = "persistenceConfig"
    if call.text(f"{block}.persistenceMode") == "RDB" and call.absent(f"{block}.rdbSnapshotPeriod"):
        yield Problem(
            f"{block}.rdbSnapshotPeriod", f"`{block}.rdbSnapshotPeriod` is needed with RDB; set it."
        )


@behaviour(
    "RED-008",
    _INSTANCE,
    Phase.CREATE,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/redis_instance",
)
def range_overlaps(call: Call) -> Iterator[Problem]:
    """With direct peering the instance's range overlaps another one of the network."""
    own = block_of(call.text("reservedIpRange"))
    if own is None or call.text("connectMode") not in {"", "DIRECT_PEERING"}:
        return
    for other, block in taken(call, call.text("authorizedNetwork") or "default"):
        if own.version == block.version and own.overlaps(block):
            yield Problem(
                "reservedIpRange",
                f"`reservedIpRange` {own} overlaps {block} of {other}; choose another range.",
            )


_SWITCH: Final = r"yes|no"
_COUNT: Final = r"\d+"
# Settings and the values that they take; other names are refused only when Google keeps them to itself.
_SETTINGS: Final = {
    "activedefrag": _SWITCH,
    "lazyfree-lazy-eviction": _SWITCH,
    "lazyfree-lazy-expire": _SWITCH,
    "lazyfree-lazy-user-del": _SWITCH,
    "lazyfree-lazy-user-flush": _SWITCH,
    "lfu-decay-time": _COUNT,
    "lfu-log-factor": _COUNT,
    "maxmemory-gb": r"\d+(?:\.\d+)?",
    "maxmemory-policy": r"noeviction|(?:allkeys|volatile)-(?:lru|lfu|random)|volatile-ttl",
    "notify-keyspace-events": r"[KEg$lshzxetdmnA]*",
    "stream-node-max-bytes": _COUNT,
    "stream-node-max-entries": _COUNT,
    "timeout": _COUNT,
}
_KEPT: Final = frozenset(
    {
        *("appendfsync", "appendonly", "bind", "cluster-enabled", "maxclients", "maxmemory", "port"),
        *("protected-mode", "replicaof", "requirepass", "save", "slaveof", "tls-port"),
    }
)


@behaviour(
    "RED-012",
    _INSTANCE,
    _BOTH,
    400,
    _REASON,
    "Google Cloud documentation: Memorystore for Redis, supported configurations",
)
def settings(call: Call) -> Iterator[Problem]:
    """A setting that Memorystore keeps to itself, or a value that it does not take."""
    for name, value in (as_map(call.get("redisConfigs")) or {}).items():
        where, form = f'redisConfigs["{name}"]', _SETTINGS.get(name)
        if name in _KEPT or not re.fullmatch(r"[a-z]+(?:-[a-z]+)*", name):
            yield Problem(where, f"`{where}` is no setting of Memorystore; remove it or correct its name.")
        elif form is not None and not re.fullmatch(form, str(value)):
            yield Problem(where, f"`{where}` does not take {value!r}; it must match {form}.")
        size = call.get("memorySizeGb")
        sized = name == "maxmemory-gb" and re.fullmatch(_SETTINGS[name], str(value)) is not None
        if sized and isinstance(size, int) and float(value) > size:
            yield Problem(where, f"`{where}` must be at most memorySizeGb, {size}, not {value}.")

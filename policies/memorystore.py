"""Memorystore for Redis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.model import Resource, is_false, is_missing, outside, rule, say
from policies.places import environment

__all__ = ["RULES"]

INSTANCE: Final = "gcp:redis/instance:Instance"
_INSTANCES: Final = (INSTANCE,)
# How each newer product spells IAM login and TLS.
_CLUSTERS: Final = {
    "gcp:memorystore/instance:Instance": ("IAM_AUTH", "SERVER_AUTHENTICATION"),
    "gcp:redis/cluster:Cluster": ("AUTH_MODE_IAM_AUTH", "TRANSIT_ENCRYPTION_MODE_SERVER_AUTHENTICATION"),
}


@rule(
    "redis-auth",
    "Redis asks for its AUTH string",
    controls=("RED-01",),
    source="checkov CKV_GCP_95",
    types=_INSTANCES,
)
def auth(resource: Resource) -> Iterator[str]:
    if is_false(resource.get("authEnabled", default=False)):
        yield say(resource, "authEnabled", "be true", resource.get("authEnabled"), "set it to true")


@rule(
    "redis-tls",
    "Redis speaks TLS only",
    controls=("RED-02",),
    source="checkov CKV_GCP_97",
    types=_INSTANCES,
)
def tls(resource: Resource) -> Iterator[str]:
    path = "transitEncryptionMode"
    if outside(resource.get(path), ("SERVER_AUTHENTICATION",)):
        yield say(
            resource, path, "be SERVER_AUTHENTICATION", resource.get(path), "set it, then trust its authority"
        )


@rule(
    "redis-private",
    "Redis is reached through private service access on a named network",
    controls=("RED-04",),
    source="DB-3.2",
    types=_INSTANCES,
)
def private(resource: Resource) -> Iterator[str]:
    mode, network = resource.get("connectMode"), resource.get("authorizedNetwork")
    if outside(mode, ("PRIVATE_SERVICE_ACCESS",)):
        yield say(
            resource,
            "connectMode",
            "be PRIVATE_SERVICE_ACCESS",
            mode,
            "set it, the default peers with a network",
        )
    if is_missing(network):
        yield say(
            resource,
            "authorizedNetwork",
            "name a network",
            network,
            "set it, or Google takes the default network",
        )


@rule(
    "redis-customer-key",
    "Redis is encrypted with a key of the house",
    controls=("RED-05",),
    source="SEC-2.2",
    types=_INSTANCES,
)
def customer_key(resource: Resource) -> Iterator[str]:
    path = "customerManagedKey"
    if is_missing(resource.get(path)):
        yield say(
            resource,
            path,
            "name a key",
            None,
            "set the cache key of its region now, it cannot be added later",
        )


@rule(
    "redis-high-availability",
    "Redis has a standby outside dev",
    controls=("RED-03",),
    source="DB-3.2",
    types=_INSTANCES,
)
def high_availability(resource: Resource) -> Iterator[str]:
    where = environment(resource)
    if where not in (None, "dev") and outside(resource.get("tier"), ("STANDARD_HA",)):
        yield say(
            resource, "tier", f"be STANDARD_HA in {where}", resource.get("tier"), "set it to STANDARD_HA"
        )


@rule(
    "redis-deletion-protection",
    "Redis is protected against deletion outside dev",
    controls=("RED-08",),
    source="table of environments",
    types=_INSTANCES,
)
def deletion_protection(resource: Resource) -> Iterator[str]:
    where = environment(resource)
    value = resource.get("deletionProtection", default=True)
    if where not in (None, "dev") and is_false(value):
        yield say(resource, "deletionProtection", f"be true in {where}", value, "set it to true")


@rule(
    "redis-supported-version",
    "Redis runs on a version of the house",
    controls=("RED-09",),
    source="DB-3.2: Redis 7.2",
    types=_INSTANCES,
)
def supported_version(resource: Resource) -> Iterator[str]:
    value = resource.get("redisVersion")
    if outside(value, ("REDIS_7_0", "REDIS_7_2"), absent="REDIS_7_2"):
        yield say(resource, "redisVersion", "be REDIS_7_0 or REDIS_7_2", value, "set REDIS_7_2")


@rule(
    "redis-eviction-policy",
    "Redis states what it evicts and when it is maintained",
    controls=("RED-07", "RED-10"),
    source="DB-3.2: allkeys-lru, Sunday 00:00 UTC",
    types=_INSTANCES,
    level="advisory",
)
def eviction_policy(resource: Resource) -> Iterator[str]:
    path = "redisConfigs.maxmemory-policy"
    if is_missing(resource.get(path)):
        yield say(resource, path, "name a policy", None, "set allkeys-lru")
    path = "maintenancePolicy.weeklyMaintenanceWindows"
    if is_missing(resource.get(path)):
        yield say(resource, path, "name a window", None, "choose a quiet hour")


@rule(
    "redis-cluster-closed",
    "A Redis cluster or Valkey instance asks for IAM logins, speaks TLS and has a key of the house",
    controls=("RED-01", "RED-02", "RED-05"),
    source="SEC-2.1: Valkey with IAM login is the alternative to AUTH",
    types=tuple(_CLUSTERS),
)
def cluster_closed(resource: Resource) -> Iterator[str]:
    login, tls_mode = _CLUSTERS[resource.type]
    for path, wanted in (("authorizationMode", login), ("transitEncryptionMode", tls_mode)):
        if outside(resource.get(path), (wanted,)):
            yield say(
                resource, path, f"be {wanted}", resource.get(path), "set it now, it cannot be changed later"
            )
    if is_missing(resource.get("kmsKey")):
        yield say(resource, "kmsKey", "name a key", None, "set the cache key of its region")


RULES = (
    auth,
    tls,
    private,
    customer_key,
    high_availability,
    deletion_protection,
    supported_version,
    eviction_policy,
    cluster_closed,
)

"""A Redis cache: private, with AUTH and TLS, its own key, and keys evicted when memory runs out.

It keeps no data across a loss (persistence is off): whatever it holds must be rebuildable. Clients reach
`host` on the TLS `port`, send the AUTH string and trust the CA certificate; the name is no DNS name.

Given two secrets, it hands AUTH and CA to services as a version of each; a new value is a new version.

Not made here: the private connection and the key it needs beforehand, the secrets. Not modelled: snapshots,
DIRECT_PEERING, zones (Google chooses), the Valkey product.

Tier, network, TLS, key and name are immutable: another one replaces the instance and empties the cache.
The AUTH string changes only when AUTH is switched off and on, which is an outage for every client.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, assert_never

import pulumi
import pulumi_gcp as gcp

from components._checks import require_between
from facts.names import check_name
from facts.refusal import RefusedError

__all__ = [
    "Basic",
    "CacheTier",
    "CredentialSecrets",
    "MaintenanceWindow",
    "RedisCache",
    "RedisCacheArgs",
    "StandardHA",
]

_READ_REPLICAS_FROM_GB = 5

Day = Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
EvictionPolicy = Literal[
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
    "noeviction",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Basic:
    """One node without a replica: no service level, the cache is empty after a failure or maintenance."""

    memory_size_gb: int
    """Memory, 1 to 300 GB."""

    def __post_init__(self) -> None:
        require_between("memory_size_gb", self.memory_size_gb, 1, 300, "GB")


@dataclass(frozen=True, kw_only=True, slots=True)
class StandardHA:
    """A node with replicas in other zones and automatic failover."""

    memory_size_gb: int
    """Memory of each node, 1 to 300 GB."""
    read_replicas: int = 0
    """Replicas that answer reads, 0 to 5; from 5 GB on. Without any, one replica waits for a failover."""

    def __post_init__(self) -> None:
        require_between("memory_size_gb", self.memory_size_gb, 1, 300, "GB")
        require_between("read_replicas", self.read_replicas, 0, 5, "replicas")
        if self.read_replicas and self.memory_size_gb < _READ_REPLICAS_FROM_GB:
            message = (
                f"read_replicas must be 0 below {_READ_REPLICAS_FROM_GB} GB, got {self.read_replicas} "
                f"with memory_size_gb {self.memory_size_gb}"
            )
            raise RefusedError(message)


CacheTier = Basic | StandardHA


@dataclass(frozen=True, kw_only=True, slots=True)
class MaintenanceWindow:
    """The hour of the week in which Google may update the cache."""

    day: Day
    """Day of the week."""
    hour: int
    """Start hour in UTC, 0 to 23; the window is one hour."""

    def __post_init__(self) -> None:
        require_between("hour", self.hour, 0, 23, "hours (UTC)")


@dataclass(frozen=True, kw_only=True, slots=True)
class CredentialSecrets:
    """Where services find what they need to connect."""

    auth: pulumi.Input[str]
    """Full path of the secret that gets the AUTH string."""
    ca: pulumi.Input[str]
    """Full path of the secret that gets the CA certificates; public, but delivered the same way."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RedisCacheArgs:
    """What a cache needs to know."""

    project: pulumi.Input[str]
    """Project that holds the cache."""
    instance_name: str
    """Physical name."""
    region: str
    """Region of the cache; immutable."""
    tier: CacheTier
    """Size and availability."""
    redis_version: Literal["REDIS_7_0", "REDIS_7_2"]
    """Version; it can be raised in place, never lowered."""
    network: pulumi.Input[str]
    """Full path of the network whose private connection exists already."""
    reserved_ip_range: pulumi.Input[str]
    """Name (no CIDR) of an address range in that private connection."""
    kms_key: pulumi.Input[str]
    """Key in the same region; the Memorystore agent must be able to use it beforehand; immutable."""
    maintenance: MaintenanceWindow
    """When Google may update."""
    credentials: CredentialSecrets
    """Secrets that get AUTH string and CA certificates."""
    labels: Mapping[str, str]
    """Labels of the cache."""
    eviction: EvictionPolicy = "allkeys-lru"
    """What goes when memory is full; the least recently used key."""
    deletion_protection: bool = True
    """Whether engine and provider refuse to delete or replace the cache."""

    def __post_init__(self) -> None:
        check_name("redis instance", self.instance_name)


class RedisCache(pulumi.ComponentResource):
    """A private Redis instance."""

    host: pulumi.Output[str]
    """Private address."""
    port: pulumi.Output[int]
    """TLS port."""
    auth_string: pulumi.Output[str]
    """Password of the default user; secret."""
    ca_certificate: pulumi.Output[str]
    """PEM of every authority that may have signed the server's certificate."""
    auth_version: pulumi.Output[str]
    """Number of the version that holds the AUTH string."""
    ca_version: pulumi.Output[str]
    """Number of the version that holds the certificates."""

    def __init__(self, name: str, args: RedisCacheArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Make the cache."""
        super().__init__("aiprod:data:RedisCache", name, None, opts)
        tier, replica_count, read_replicas_mode = _tier(args.tier)
        instance = gcp.redis.Instance(
            name,
            project=args.project,
            name=args.instance_name,
            region=args.region,
            tier=tier,
            memory_size_gb=args.tier.memory_size_gb,
            replica_count=replica_count,
            read_replicas_mode=read_replicas_mode,
            redis_version=args.redis_version,
            redis_configs={"maxmemory-policy": args.eviction},
            authorized_network=args.network,
            connect_mode="PRIVATE_SERVICE_ACCESS",
            reserved_ip_range=args.reserved_ip_range,
            auth_enabled=True,
            transit_encryption_mode="SERVER_AUTHENTICATION",
            customer_managed_key=args.kms_key,
            persistence_config={"persistence_mode": "DISABLED"},
            maintenance_policy={
                "weekly_maintenance_windows": [
                    {
                        "day": args.maintenance.day,
                        "start_time": {
                            "hours": args.maintenance.hour,
                            "minutes": 0,
                            "seconds": 0,
                            "nanos": 0,
                        },
                    }
                ]
            },
            deletion_protection=args.deletion_protection,
            labels=args.labels,
            opts=pulumi.ResourceOptions(parent=self, protect=args.deletion_protection),
        )

        self.host = instance.host
        self.port = instance.port
        self.auth_string = pulumi.Output.secret(instance.auth_string)
        self.ca_certificate = instance.server_ca_certs.apply(_bundle)
        self.auth_version = self._handed_over(f"{name}-auth", args.credentials.auth, self.auth_string)
        self.ca_version = self._handed_over(f"{name}-ca", args.credentials.ca, self.ca_certificate)
        self.register_outputs(
            {
                "host": self.host,
                "port": self.port,
                "auth_string": self.auth_string,
                "ca_certificate": self.ca_certificate,
                "auth_version": self.auth_version,
                "ca_version": self.ca_version,
            }
        )

    def _handed_over(
        self, name: str, secret: pulumi.Input[str], value: pulumi.Output[str]
    ) -> pulumi.Output[str]:
        # Its fingerprint makes a new version of a new value; the old version is left disabled, not destroyed.
        # Write-only keeps the value out of the version's outputs; the state holds the input, encrypted.
        return gcp.secretmanager.SecretVersion(
            name,
            secret=secret,
            secret_data_wo=pulumi.Output.secret(value),
            secret_data_wo_version=value.apply(_fingerprint),
            deletion_policy="DISABLE",
            opts=pulumi.ResourceOptions(parent=self),
        ).version


def _tier(tier: CacheTier) -> tuple[str, int | None, str | None]:
    """Google's words for a tier: name, replica count and read mode; a count is refused without that mode."""
    match tier:
        case Basic():
            return "BASIC", None, None
        case StandardHA(read_replicas=0):
            return "STANDARD_HA", None, "READ_REPLICAS_DISABLED"
        case StandardHA(read_replicas=count):
            return "STANDARD_HA", count, "READ_REPLICAS_ENABLED"
        case _:
            assert_never(tier)


def _fingerprint(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()[:16]


def _bundle(certificates: Sequence[gcp.redis.outputs.InstanceServerCaCert]) -> str:
    """One PEM text; Google keeps the old authority beside the new one while it rotates them."""
    return "".join(f"{certificate.cert.strip()}\n" for certificate in certificates if certificate.cert)

"""A Redis cache: private, with AUTH and TLS, its own key, and keys evicted when memory runs out.

It keeps no data across a loss (persistence is off): whatever it holds must be rebuildable. Clients reach
`host` on the TLS `port`, send the AUTH string and trust the CA certificate; the name is no DNS name.

Given two secrets, it hands AUTH and CA to services as a version of each; a new value is a new version.

The kind Valkey has the same outputs, but clients log in with an IAM token of an hour instead of AUTH, so its
`auth_string` is empty, and it has a Private Service Connect endpoint.

Not made here: the private connection (Redis), the service connection policy `gcp-memorystore` of the
network (Valkey), the key it needs beforehand, the secrets. Not modelled, with the reason: snapshots,
backups and imports (a cache holds nothing that cannot be rebuilt), direct peering (the house has one way
in), zones (Google chooses), Redis Cluster and sharding (one node holds what the platform caches),
maintenance versions (the window brings them), own authorities and access lists (IAM decides).

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
from facts.sizes import check_read_replicas

__all__ = [
    "Basic",
    "CacheTier",
    "CredentialSecrets",
    "MaintenanceWindow",
    "RedisCache",
    "RedisCacheArgs",
    "StandardHA",
    "Valkey",
]

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
        check_read_replicas("read_replicas", self.read_replicas, self.memory_size_gb)


@dataclass(frozen=True, kw_only=True, slots=True)
class Valkey:
    """The successor of Redis: one shard without cluster mode, IAM login, TLS."""

    engine_version: Literal["VALKEY_7_2", "VALKEY_8_0"]
    """Version; it can be raised in place, never lowered."""
    node_type: Literal["SHARED_CORE_NANO", "STANDARD_SMALL", "HIGHMEM_MEDIUM", "HIGHMEM_XLARGE"]
    """Size of each node: 1.4, 6.5, 13 or 58 GB."""
    replicas: int = 1
    """Copies that answer reads and take over, 0 to 5."""

    def __post_init__(self) -> None:
        require_between("replicas", self.replicas, 0, 5, "replicas")


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
    """Full path of the secret that gets the AUTH string; unused with Valkey."""
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
    tier: CacheTier | Valkey
    """Size and availability; with Valkey the other product."""
    network: pulumi.Input[str]
    """Full path of the network whose private connection exists already."""
    kms_key: pulumi.Input[str]
    """Key in the same region; the Memorystore agent must be able to use it beforehand; immutable."""
    maintenance: MaintenanceWindow
    """When Google may update."""
    credentials: CredentialSecrets
    """Secrets that get AUTH string and CA certificates."""
    labels: Mapping[str, str]
    """Labels of the cache."""
    redis_version: Literal["REDIS_7_0", "REDIS_7_2"] | None = None
    """Version of Redis; it can be raised in place, never lowered; left out with Valkey."""
    reserved_ip_range: pulumi.Input[str] | None = None
    """Name (no CIDR) of an address range in the private connection; left out with Valkey."""
    eviction: EvictionPolicy = "allkeys-lru"
    """What goes when memory is full; the least recently used key."""
    deletion_protection: bool = True
    """Whether engine and provider refuse to delete or replace the cache."""

    def __post_init__(self) -> None:
        check_name("redis instance", self.instance_name)
        for field, value in (
            ("redis_version", self.redis_version),
            ("reserved_ip_range", self.reserved_ip_range),
        ):
            if isinstance(self.tier, Valkey) and value is not None:
                raise RefusedError(f"{field} must be left out with Valkey, got {value!r}; remove it")
            if not isinstance(self.tier, Valkey) and value is None:
                raise RefusedError(f"{field} must be given with Redis, got nothing; name it")


class RedisCache(pulumi.ComponentResource):
    """A private Redis instance."""

    host: pulumi.Output[str]
    """Private address."""
    port: pulumi.Output[int]
    """TLS port."""
    auth_string: pulumi.Output[str]
    """Password of the default user; secret; empty with Valkey."""
    ca_certificate: pulumi.Output[str]
    """PEM of every authority that may have signed the server's certificate."""
    auth_version: pulumi.Output[str]
    """Number of the version that holds the AUTH string; empty with Valkey."""
    ca_version: pulumi.Output[str]
    """Number of the version that holds the certificates."""

    def __init__(self, name: str, args: RedisCacheArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Make the cache."""
        super().__init__("aiprod:data:RedisCache", name, None, opts)
        match args.tier:
            case Valkey():
                self._valkey(name, args, args.tier)
            case _:
                self._redis(name, args, args.tier)
        # Secret Manager refuses an empty value, and who logs in by IAM needs none.
        self.auth_version = (
            pulumi.Output.from_input("")
            if isinstance(args.tier, Valkey)
            else self._handed_over(f"{name}-auth", args.credentials.auth, self.auth_string)
        )
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

    def _redis(self, name: str, args: RedisCacheArgs, size: CacheTier) -> None:
        tier, replica_count, read_replicas_mode = _tier(size)
        instance = gcp.redis.Instance(
            name,
            project=args.project,
            name=args.instance_name,
            region=args.region,
            tier=tier,
            memory_size_gb=size.memory_size_gb,
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

    def _valkey(self, name: str, args: RedisCacheArgs, size: Valkey) -> None:
        instance = gcp.memorystore.Instance(
            name,
            project=args.project,
            instance_id=args.instance_name,
            location=args.region,
            mode="CLUSTER_DISABLED",
            shard_count=1,
            replica_count=size.replicas,
            node_type=size.node_type,
            engine_version=size.engine_version,
            engine_configs={"maxmemory-policy": args.eviction},
            authorization_mode="IAM_AUTH",
            transit_encryption_mode="SERVER_AUTHENTICATION",
            kms_key=args.kms_key,
            persistence_config={"mode": "DISABLED"},
            desired_auto_created_endpoints=[{"network": args.network, "project_id": args.project}],
            maintenance_policy={
                "weekly_maintenance_windows": [
                    {"day": args.maintenance.day, "start_time": {"hours": args.maintenance.hour}}
                ]
            },
            deletion_protection_enabled=args.deletion_protection,
            labels=args.labels,
            opts=pulumi.ResourceOptions(parent=self, protect=args.deletion_protection),
        )
        self.host = instance.endpoints.apply(lambda found: _connection(found)[0])
        self.port = instance.endpoints.apply(lambda found: _connection(found)[1])
        self.auth_string = pulumi.Output.secret("")
        self.ca_certificate = instance.managed_server_cas.apply(_authorities)

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


def _connection(endpoints: Sequence[gcp.memorystore.outputs.InstanceEndpoint]) -> tuple[str, int]:
    """Address and port of the first endpoint."""
    for endpoint in endpoints:
        for connection in endpoint.connections or ():
            automatic = connection.psc_auto_connection
            if automatic is not None and automatic.ip_address:
                return automatic.ip_address, automatic.port or 6379
    return "", 6379


def _authorities(found: Sequence[gcp.memorystore.outputs.InstanceManagedServerCa]) -> str:
    """One PEM text of every authority."""
    return "".join(
        f"{certificate.strip()}\n"
        for one in found
        for chain in one.ca_certs or ()
        for certificate in chain.certificates or ()
    )

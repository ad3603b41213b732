"""Where the platform keeps what must survive: PostgreSQL, Redis, buckets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pulumi

from components.data.bucket import (
    AbortUploads,
    Bucket,
    BucketArgs,
    Cors,
    DeleteLive,
    DeleteNoncurrent,
    LifecycleRule,
)
from components.data.postgres import (
    Autoscale,
    Backups,
    DenyPeriod,
    Edition,
    Enterprise,
    EnterprisePlus,
    MaintenanceWindow,
    PasswordUser,
    Postgres,
    PostgresArgs,
    ReadPool,
    Replica,
)
from components.data.redis_cache import (
    Basic,
    CacheTier,
    CredentialSecrets,
    RedisCache,
    RedisCacheArgs,
    StandardHA,
)
from components.data.redis_cache import MaintenanceWindow as CacheWindow
from components.foundation.secret import Rotation, Secret, SecretArgs
from config import Settings
from config_database import Postgres as PostgresConfig
from config_database import ReadPool as PoolConfig
from naming import Names
from stacks.foundation import Foundation
from stacks.providers import Providers, after
from stacks.runtimes import Role

__all__ = ["CACHE_AUTH", "CACHE_CA", "PASSWORD_USERS", "Data", "data"]

# Secrets that hand the cache's credentials to services; the program itself writes their versions.
CACHE_AUTH = "cache-auth"
CACHE_CA = "cache-ca"

# The built-in users whose passwords the rotator changes in turn; services log in as themselves instead.
PASSWORD_USERS = ("aiprod_application", "aiprod_application_b")
_BACKUP_LOCATION = "eu"
_NONCURRENT_DAYS = 7
_CACHE_CLIENTS: tuple[Role, ...] = ("api", "worker", "batch")

# Bucket purpose -> who adds, who reads, who does both. Nobody else gets anything.
_CREATORS: Mapping[str, tuple[Role, ...]] = {"uploads": ("api",)}
_READERS: Mapping[str, tuple[Role, ...]] = {"uploads": ("worker", "batch"), "results": ("api",)}
_WRITERS: Mapping[str, tuple[Role, ...]] = {"results": ("worker", "batch")}


@dataclass(frozen=True, kw_only=True, slots=True)
class Stores:
    """What stands in one region alone: `buckets` by purpose, `cache_secrets` by CACHE_AUTH and CACHE_CA."""

    cache: RedisCache
    cache_secrets: Mapping[str, Secret]
    buckets: Mapping[str, Bucket]


@dataclass(frozen=True, kw_only=True, slots=True)
class Data:
    """What other layers take from here: the database, and `stores` by region (`Settings.homes`)."""

    postgres: Postgres
    stores: Mapping[str, Stores]

    def connection(self, settings: Settings, instance: str) -> pulumi.Output[str]:
        """The connection name of the primary or of a replica."""
        config = settings.postgres
        if instance == config.name:
            return self.postgres.connection_name
        return self.postgres.replica_connection_names[config.path_of(instance)]

    def name(self, settings: Settings, instance: str) -> pulumi.Output[str]:
        """The physical name of the primary or of a replica, known once it stands."""
        config = settings.postgres
        if instance == config.name:
            return self.postgres.instance_name
        return self.postgres.replica_names[config.path_of(instance)]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """Where a set of stores stands; `suffix` ends its names, empty in the first region."""

    settings: Settings
    names: Names
    foundation: Foundation
    opts: pulumi.ResourceOptions
    region: str

    @property
    def suffix(self) -> str:
        return "" if self.region == self.settings.region else f"-{self.region}"

    @property
    def secret_regions(self) -> tuple[str, ...]:
        """Without the lost region for a stand-in: a version is written to all regions or to none."""
        return self.settings.regions if not self.suffix else (self.region,)


def data(settings: Settings, names: Names, providers: Providers, foundation: Foundation) -> Data:
    """Database and cache wait for the private connection; everything waits for its region's keys."""
    opts = providers.resources
    return Data(
        postgres=_postgres(settings, names, foundation, opts),
        stores={
            region: _stores(
                _Place(settings=settings, names=names, foundation=foundation, opts=opts, region=region)
            )
            for region in settings.homes
        },
    )


def _stores(place: _Place) -> Stores:
    cache_secrets = {role: _cache_secret(role, place) for role in (CACHE_AUTH, CACHE_CA)}
    return Stores(
        cache=_cache(place, cache_secrets),
        cache_secrets=cache_secrets,
        buckets={purpose: _bucket(purpose, place) for purpose in place.settings.buckets},
    )


def _postgres(
    settings: Settings, names: Names, foundation: Foundation, opts: pulumi.ResourceOptions
) -> Postgres:
    config = settings.postgres
    ranges = foundation.private_services.range_names
    regions = {settings.region, *(replica.region for replica in config.replicas.values())}
    return Postgres(
        "postgres",
        PostgresArgs(
            project=settings.project_id,
            instance_name=config.name,
            database=config.database,
            region=settings.region,
            version=config.version,
            edition=_edition(config),
            availability=config.availability,
            disk_size_gb=config.disk_size_gb,
            disk_autoresize_limit_gb=config.disk_autoresize_limit_gb,
            backups=Backups(
                kept=config.backups_kept,
                point_in_time_days=config.point_in_time_recovery_days,
                start_time=config.backup_start_time,
                location=_BACKUP_LOCATION,
            ),
            # Sunday, an hour after the cache's window.
            maintenance=MaintenanceWindow(day=7, hour=1, track="stable"),
            network=foundation.network.network_id,
            allocated_ip_range=ranges[settings.region],
            kms_key=foundation.keys[settings.region].key_ids["sql"],
            labels=names.labels("postgres", "restricted"),
            replicas=_replicas(None, settings, foundation),
            read_pools={
                name.removeprefix(f"{config.name}-"): ReadPool(instance_name=name, nodes=_nodes(pool))
                for name, pool in config.read_pools.items()
            },
            dr_replica=None if config.dr_replica is None else config.path_of(config.dr_replica),
            switchover=config.switchover,
            deny_period=_deny_period(config),
            backup_plan=config.backup_plan,
            flags=config.flags,
            iam_users=foundation.database_logins(),
            iam_groups=config.iam_groups,
            # Both begin with the first password; the rotator sets every later one, so it is never raised.
            password_users={
                user: PasswordUser(password=foundation.database_password.value, password_version=1)
                for user in PASSWORD_USERS
            },
            cut_over=config.cut_over,
            scheduled=config.schedule.kind == "office_hours",
            deletion_protection=settings.deletion_protection,
        ),
        after(opts, foundation.private_services, *(foundation.keys[region] for region in sorted(regions))),
    )


def _edition(config: PostgresConfig) -> Edition:
    match config.edition:
        case "ENTERPRISE":
            return Enterprise(tier=config.tier)
        case "ENTERPRISE_PLUS":
            return EnterprisePlus(
                tier=config.tier, data_cache=config.data_cache, managed_pooling=config.managed_pooling
            )


def _nodes(pool: PoolConfig) -> int | Autoscale:
    scale = pool.autoscale
    if scale is None:
        return pool.nodes or 1
    return Autoscale(minimum=scale.minimum, maximum=scale.maximum, cpu_percent=scale.cpu_percent)


def _deny_period(config: PostgresConfig) -> DenyPeriod | None:
    period = config.deny_maintenance
    if period is None:
        return None
    return DenyPeriod(start=date.fromisoformat(period.start), end=date.fromisoformat(period.end))


def _replicas(follows: str | None, settings: Settings, foundation: Foundation) -> dict[str, Replica]:
    """The replicas of one instance with those below them."""
    config = settings.postgres
    return {
        name.removeprefix(f"{config.name}-"): Replica(
            instance_name=name,
            region=replica.region,
            kms_key=foundation.keys[replica.region].key_ids["sql"],
            allocated_ip_range=foundation.private_services.range_names[replica.region],
            availability=replica.availability,
            tier=replica.tier,
            disk_size_gb=replica.disk_size_gb,
            flags=replica.flags,
            promoted=replica.promoted,
            replicas=_replicas(name, settings, foundation),
        )
        for name, replica in config.replicas.items()
        if replica.follows == follows
    }


def _cache(place: _Place, secrets: Mapping[str, Secret]) -> RedisCache:
    settings, names, foundation = place.settings, place.names, place.foundation
    keys = foundation.keys[place.region]
    return RedisCache(
        f"cache{place.suffix}",
        RedisCacheArgs(
            project=settings.project_id,
            instance_name=f"{settings.redis.name}{place.suffix}",
            region=place.region,
            tier=_cache_tier(settings),
            redis_version="REDIS_7_2",
            network=foundation.network.network_id,
            reserved_ip_range=foundation.private_services.range_names[place.region],
            kms_key=keys.key_ids["redis"],
            maintenance=CacheWindow(day="SUNDAY", hour=0),
            credentials=CredentialSecrets(auth=secrets[CACHE_AUTH].secret_id, ca=secrets[CACHE_CA].secret_id),
            labels=names.labels("cache", "confidential"),
            deletion_protection=settings.deletion_protection,
        ),
        after(place.opts, foundation.private_services, keys),
    )


def _cache_tier(settings: Settings) -> CacheTier:
    config = settings.redis
    match config.tier:
        case "BASIC":
            return Basic(memory_size_gb=config.memory_size_gb)
        case "STANDARD_HA":
            return StandardHA(memory_size_gb=config.memory_size_gb, read_replicas=config.read_replicas)


def _cache_secret(role: str, place: _Place) -> Secret:
    settings, names, foundation = place.settings, place.names, place.foundation
    period = settings.secrets.vendor_rotation_seconds
    secret_id = f"{names.resource(role)}{place.suffix}"
    return Secret(
        secret_id,
        SecretArgs(
            project_id=settings.project_id,
            secret_id=secret_id,
            replicas={region: foundation.keys[region].key_ids["secrets"] for region in place.secret_regions},
            one_region=bool(place.suffix),
            rotation=Rotation(
                period_seconds=period,
                next_rotation_time=settings.first_rotation_time,
                topic_id=foundation.rotation_topic.topic_id,
            ),
            labels=names.labels("secrets", "restricted"),
            accessors=foundation.members(*_CACHE_CLIENTS),
            version_destroy_ttl_seconds=settings.secrets.version_destroy_ttl_seconds,
            deletion_protection=settings.deletion_protection,
        ),
        after(
            place.opts,
            foundation.rotation_topic,
            *(foundation.keys[region] for region in place.secret_regions),
        ),
    )


def _bucket(purpose: str, place: _Place) -> Bucket:
    settings, names, foundation = place.settings, place.names, place.foundation
    config = settings.buckets[purpose]
    keys = foundation.keys[place.region]
    lifecycle: list[LifecycleRule] = [DeleteNoncurrent(days=_NONCURRENT_DAYS), AbortUploads()]
    if config.delete_after_days is not None:
        lifecycle.append(DeleteLive(days=config.delete_after_days))
    cors = Cors(origins=config.upload_origins, methods=("PUT",)) if config.upload_origins else None

    def members(table: Mapping[str, tuple[Role, ...]]) -> dict[str, pulumi.Input[str]]:
        return foundation.members(*table.get(purpose, ()))

    return Bucket(
        f"bucket-{purpose}{place.suffix}",
        BucketArgs(
            project=settings.project_id,
            bucket_name=names.bucket(f"{purpose}{place.suffix}"),
            location=place.region,
            kms_key=keys.key_ids["storage"],
            labels=names.labels("bucket", config.data_class),
            versioning=config.versioning,
            lifecycle=tuple(lifecycle),
            autoclass=config.autoclass,
            retention_days=config.retention_days,
            cors=cors,
            creators=members(_CREATORS),
            readers=members(_READERS),
            writers=members(_WRITERS),
            deletion_protection=settings.deletion_protection,
        ),
        after(place.opts, keys),
    )

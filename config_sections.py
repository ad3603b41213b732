"""The parts of the stack configuration: one frozen model per section of the stack file.

Each field is spelt as in the file and carries its unit in its name and its range in its type. Names that are
contracts are defaults, so that a restored or adopted instance can carry another one; sizes have no default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from config_types import (
    AddressName,
    CacheName,
    Day,
    Groups,
    HourOfDay,
    KeyName,
    Origin,
    PathPrefix,
    PoolRole,
    Region,
    RunName,
    SecretName,
    Section,
    TimeZone,
    refuse_other_purposes,
)
from facts.refusal import RefusedError
from facts.sizes import check_cpu_and_memory, check_read_replicas

_DAY = 86_400


class Network(Section):
    """The address plan's inputs. It must not overlap `peered_ranges`, networks outside the platform."""

    base_range: str
    peered_ranges: Mapping[str, str] = {}
    # Of the subnet that Cloud Run's instances take addresses from, in each region. A smaller number grows it
    # in place; Google never shrinks a subnet, so a larger one replaces it.
    run_prefix: Annotated[int, Field(ge=20, le=26)] = 22
    # Of the subnet of what operates the platform (rotation, drills, migrations), in the first region.
    operations_prefix: Annotated[int, Field(ge=20, le=26)] = 26
    # Reserved egress addresses per region, by name; partners allow-list them. Appending a name adds one.
    egress_addresses: Annotated[tuple[AddressName, ...], Field(min_length=1, max_length=10)] = ("a", "b")
    flow_log_sampling: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5

    @field_validator("egress_addresses")
    @classmethod
    def _differ(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) != len(value):
            raise RefusedError(f"must differ from each other, got {', '.join(value)}; rename one")
        return value


class Keys(Section):
    """`adopt` imports the ring and keys that an earlier deployment left: Google never deletes them.

    So `regions`, those with a ring, only grows: a region that is given up keeps its place in it.
    """

    ring: KeyName = "aiprod-keyring"
    regions: Annotated[tuple[Region, ...], Field(min_length=2, max_length=10)] = (
        "europe-west1",
        "europe-west4",
    )
    rotation_period_seconds: Annotated[int, Field(ge=_DAY, le=7_776_000)] = 7_776_000
    adopt: bool = False


class AgeException(Section):
    """A secret that may grow older than 90 days: until which day (UTC), and why."""

    until: Day
    reason: Annotated[str, Field(min_length=10, max_length=200)]


class Secrets(Section):
    """Vendor secrets get a rotation message after `vendor_rotation_seconds`, the database's more often.

    `first_rotation` is the day of a new secret's first message, in UTC. Google takes it when it creates the
    secret and refuses a day in the past; later on Google moves it by the period, and this is ignored.
    """

    first_rotation: Day

    vendor: Annotated[tuple[SecretName, ...], Field(min_length=1)] = (
        "suno-api-key",
        "freesound-api-key",
        "google-cloud-api-key",
        "elevenlabs-api-key",
    )
    database: SecretName = "aiprod-database-password"
    vendor_rotation_seconds: Annotated[int, Field(ge=3_600, le=7_776_000)] = 60 * _DAY
    database_rotation_seconds: Annotated[int, Field(ge=3_600, le=7_776_000)] = 30 * _DAY
    # How long a destroyed version can be restored: the rollback window.
    version_destroy_ttl_seconds: Annotated[int, Field(ge=_DAY, le=7_776_000)] = 7 * _DAY
    # Addresses of the groups that add vendors' keys and ask for a rotation by hand; they read no value.
    operators: Groups = ()
    # The age watch spares these; every other secret beyond 90 days raises an alarm.
    exceptions: Mapping[SecretName, AgeException] = {}


class AlwaysOn(Section):
    """Runs day and night."""

    kind: Literal["always"]


class OfficeHours(Section):
    """Runs on weekdays between two hours of the time zone; stopped outside them."""

    kind: Literal["office_hours"]
    start_hour: HourOfDay
    stop_hour: HourOfDay
    time_zone: TimeZone = "Europe/Paris"

    @model_validator(mode="after")
    def _in_order(self) -> OfficeHours:
        if self.start_hour >= self.stop_hour:
            raise RefusedError(
                f"stop_hour must be after start_hour {self.start_hour}, got {self.stop_hour}; correct one"
            )
        return self


Schedule = Annotated[AlwaysOn | OfficeHours, Field(discriminator="kind")]


class BasicRedis(Section):
    """One node, no failover."""

    tier: Literal["BASIC"]
    name: CacheName = "aiprod-cache"
    memory_size_gb: Annotated[int, Field(ge=1, le=300)]


class HighAvailabilityRedis(Section):
    """A node with replicas in other zones, one of which takes over."""

    tier: Literal["STANDARD_HA"]
    name: CacheName = "aiprod-cache"
    memory_size_gb: Annotated[int, Field(ge=1, le=300)]
    # Replicas that answer reads; 0 leaves one that waits for a failover.
    read_replicas: Annotated[int, Field(ge=0, le=5)] = 0

    @model_validator(mode="after")
    def _large_enough(self) -> HighAvailabilityRedis:
        check_read_replicas("read_replicas", self.read_replicas, self.memory_size_gb)
        return self


Redis = Annotated[BasicRedis | HighAvailabilityRedis, Field(discriminator="tier")]


class Bucket(Section):
    """One bucket; its physical name is "<project id>-<key>". `delete_after_days` absent keeps objects."""

    data_class: Literal["public", "internal", "confidential", "restricted"]
    delete_after_days: Annotated[int, Field(ge=1, le=3_650)] | None = None
    versioning: bool = True
    # Coldest class to which Google moves what nobody reads; none leaves every object in STANDARD.
    autoclass: Literal["NEARLINE", "ARCHIVE"] | None = None
    # Days for which no object can be deleted or overwritten; only without versions.
    retention_days: Annotated[int, Field(ge=1, le=3_650)] | None = None
    # Origins that a browser may upload from; none means no CORS.
    upload_origins: tuple[Origin, ...] = ()

    @model_validator(mode="after")
    def _kept(self) -> Bucket:
        if self.retention_days is None:
            return self
        if self.versioning:
            raise RefusedError(
                f"retention_days must be left out beside versioning, got {self.retention_days}; switch "
                "versioning off, or remove it"
            )
        if self.delete_after_days is not None and self.delete_after_days < self.retention_days:
            raise RefusedError(
                f"delete_after_days must be at least retention_days {self.retention_days}, got "
                f"{self.delete_after_days}; Google deletes nothing that it retains: raise it"
            )
        return self


# What the program wires: who writes and reads stands in the layers.
BUCKET_PURPOSES = ("uploads", "results")


def _buckets(value: Mapping[str, Bucket]) -> Mapping[str, Bucket]:
    refuse_other_purposes("keys", value, BUCKET_PURPOSES)
    return value


Buckets = Annotated[Mapping[str, Bucket], AfterValidator(_buckets)]


def default_buckets() -> dict[str, Bucket]:
    """What users send and what they get back."""
    return {
        "uploads": Bucket(data_class="confidential", delete_after_days=7),
        "results": Bucket(data_class="confidential", delete_after_days=30),
    }


class Scaling(Section):
    """Instances of one workload in one region."""

    min_instances: Annotated[int, Field(ge=0, le=100)]
    max_instances: Annotated[int, Field(ge=1, le=100)]

    @model_validator(mode="after")
    def _ordered(self) -> Scaling:
        if self.min_instances > self.max_instances:
            raise RefusedError(
                f"min_instances must be at most max_instances {self.max_instances}, "
                f"got {self.min_instances}; lower it"
            )
        return self


class Api(Section):
    """The API service. `second_region` absent serves from the first region alone."""

    service: RunName = "aiprod-v33-api"
    scaling: Scaling
    second_region: Scaling | None = None
    cpu: Literal["1", "2", "4", "8"] = "2"
    memory: Annotated[str, Field(pattern=r"^[0-9]+(Mi|Gi)$")] = "2Gi"
    concurrency: Annotated[int, Field(ge=1, le=1_000)] = 80
    # Connections that an instance keeps to the primary at most, and as many to its replica.
    database_pool_size: Annotated[int, Field(ge=1, le=100)] = 3
    request_timeout_seconds: Annotated[int, Field(ge=1, le=3_600)] = 60
    health_path: PathPrefix = "/health"

    @model_validator(mode="after")
    def _fits(self) -> Api:
        check_cpu_and_memory("memory", self.cpu, self.memory)
        return self


class Workers(Section):
    """Worker pools. Batch jobs have their own where `batch_scaling` is given, else the one pool takes both.

    The scaler sets the number of instances between the bounds; an upper bound sizes the subnet.
    """

    pool: RunName = "aiprod-worker"
    batch_pool: RunName = "aiprod-batch-worker"
    scaling: Scaling
    batch_scaling: Scaling | None = None
    cpu: Literal["1", "2", "4", "8"] = "2"
    memory: Annotated[str, Field(pattern=r"^[0-9]+(Mi|Gi)$")] = "4Gi"
    # Connections that an instance keeps to the primary at most, and as many to its replica.
    database_pool_size: Annotated[int, Field(ge=1, le=100)] = 1
    # Messages that an instance works on at once.
    jobs_per_instance: Annotated[int, Field(ge=1, le=100)] = 1
    schedule: Schedule

    @model_validator(mode="after")
    def _fits(self) -> Workers:
        check_cpu_and_memory("memory", self.cpu, self.memory)
        return self

    @property
    def scalings(self) -> Mapping[PoolRole, Scaling]:
        """The bounds of each pool that stands."""
        given: dict[PoolRole, Scaling | None] = {"worker": self.scaling, "batch": self.batch_scaling}
        return {role: scaling for role, scaling in given.items() if scaling is not None}

    @property
    def names(self) -> Mapping[PoolRole, str]:
        """The physical name of each pool that stands."""
        named: dict[PoolRole, str] = {"worker": self.pool, "batch": self.batch_pool}
        return {role: named[role] for role in self.scalings}


class Migration(Section):
    """The job that migrates the schema before a release serves; `operators` are groups that may start it."""

    job: RunName = "aiprod-migration"
    # In the image of the release; it must find nothing to do where it ran before.
    command: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)] = (
        "alembic",
        "upgrade",
        "head",
    )
    cpu: Literal["1", "2", "4", "8"] = "1"
    memory: Annotated[str, Field(pattern=r"^[0-9]+(Mi|Gi)$")] = "1Gi"
    # An index that is built concurrently on a large table takes its time.
    timeout_seconds: Annotated[int, Field(ge=60, le=86_400)] = 3_600
    operators: Groups = ()

    @model_validator(mode="after")
    def _fits(self) -> Migration:
        check_cpu_and_memory("memory", self.cpu, self.memory)
        return self

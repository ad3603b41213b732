"""The database's part of the stack configuration: the primary, its replicas, and who is written to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from config_sections import Schedule
from config_types import DatabaseName, Day, Email, InstanceName, Region, Section, ShortKey, Tier
from facts.postgres_flags import check_flags, check_replica_flags, refuse_weaker_flags
from facts.refusal import RefusedError
from facts.sizes import check_data_cache, check_plus_tier, check_tier, connection_limit, log_days_limit

__all__ = [
    "Autoscale",
    "DenyMaintenance",
    "Drill",
    "Postgres",
    "ReadPool",
    "Replica",
    "check_loss",
    "check_places",
]

_DENIED_DAYS = 90


def _flags(value: Mapping[str, str]) -> Mapping[str, str]:
    check_flags("flags", value)
    refuse_weaker_flags("flags", value)
    return value


# Each a plain number in the flag's own unit, a word, on or off; over the base set, which logs as CIS asks.
Flags = Annotated[Mapping[str, str], AfterValidator(_flags)]


class Autoscale(Section):
    """Between which numbers of nodes a read pool follows its load; Google then owns the number."""

    minimum: Annotated[int, Field(ge=1, le=20)]
    maximum: Annotated[int, Field(ge=1, le=20)]
    cpu_percent: Annotated[int, Field(ge=10, le=90)] = 60

    @model_validator(mode="after")
    def _ordered(self) -> Autoscale:
        if self.minimum > self.maximum:
            raise RefusedError(
                f"minimum must be at most maximum {self.maximum}, got {self.minimum}; lower it"
            )
        return self


class ReadPool(Section):
    """Equal nodes behind one address in the first region; its name is the key. A number, or a scale."""

    nodes: Annotated[int, Field(ge=1, le=20)] | None = None
    autoscale: Autoscale | None = None

    @model_validator(mode="after")
    def _one(self) -> ReadPool:
        if (self.nodes is None) == (self.autoscale is None):
            given = "neither" if self.nodes is None else "both"
            raise RefusedError(f"nodes must be given or autoscale, one of them, got {given}; correct it")
        return self


class DenyMaintenance(Section):
    """Days on which Google leaves the instances alone, such as a launch; 1 to 90 of them."""

    start: Day
    end: Day

    @model_validator(mode="after")
    def _short(self) -> DenyMaintenance:
        days = (date.fromisoformat(self.end) - date.fromisoformat(self.start)).days
        if not 1 <= days <= _DENIED_DAYS:
            raise RefusedError(
                f"end must be 1 to {_DENIED_DAYS} days after start {self.start}, got {self.end}; correct one"
            )
        return self


class Replica(Section):
    """One read replica; its name is the key. A replica in another region has that region's key.

    `promoted` makes it a primary of its own, for good, and services write to it (docs/database-promotion.md).
    """

    region: Region
    availability: Literal["ZONAL", "REGIONAL"] = "ZONAL"
    promoted: bool = False
    # The replica that it follows; the primary when left out.
    follows: InstanceName | None = None
    # Of the primary's edition; the primary's when left out, as is the size of the disk at creation.
    tier: Tier | None = None
    disk_size_gb: Annotated[int, Field(ge=10, le=65_536)] | None = None
    # Over those of what it follows, never below them where replay would stop.
    flags: Flags = {}


class Drill(Section):
    """The monthly rehearsal of a restore, docs/runbooks/restore-drill.md."""

    # In UTC, after the daily backup: minute, hour and a day that every month has.
    schedule: Annotated[
        str, Field(pattern=r"^([0-5]?[0-9]) ([01]?[0-9]|2[0-3]) ([1-9]|1[0-9]|2[0-8]) \* \*$")
    ] = "30 8 1 * *"


class Postgres(Section):
    """Cloud SQL for PostgreSQL. Version and edition are the primary's, so no replica says another one."""

    name: InstanceName = "aiprod-postgres"
    database: DatabaseName = "aiprod"
    version: Literal["POSTGRES_17", "POSTGRES_18"] = "POSTGRES_17"
    # ENTERPRISE_PLUS: read pools, data cache, pooling, switchover, 35 days of recovery; other tiers.
    edition: Literal["ENTERPRISE", "ENTERPRISE_PLUS"] = "ENTERPRISE"
    tier: Tier
    data_cache: bool = False
    # Google pools connections on port 6432, by transaction.
    managed_pooling: bool = False
    availability: Literal["ZONAL", "REGIONAL"]
    disk_size_gb: Annotated[int, Field(ge=10, le=65_536)]
    disk_autoresize_limit_gb: Annotated[int, Field(ge=10, le=65_536)]
    backups_kept: Annotated[int, Field(ge=7, le=365)]
    backup_start_time: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "03:00"
    # Never 0: availability REGIONAL and replicas need the log that recovery reads.
    point_in_time_recovery_days: Annotated[int, Field(ge=1, le=35)] = 7
    # Full name of a plan of Backup and DR in the first region, whose vault then owns the backups.
    backup_plan: (
        Annotated[str, Field(pattern=r"^projects/[a-z0-9-]+/locations/[a-z0-9-]+/backupPlans/[a-z0-9-]+$")]
        | None
    ) = None
    deny_maintenance: DenyMaintenance | None = None
    flags: Flags = {}
    # Addresses of groups whose members log in as themselves, by a key of your own.
    iam_groups: Mapping[ShortKey, Email] = {}
    replicas: Mapping[InstanceName, Replica] = {}
    # While data moves in from another instance, docs/runbooks/database-cut-over.md; changing it restarts.
    cut_over: bool = False
    # Read nodes in the first region, and the replica that a switchover goes to: ENTERPRISE_PLUS only.
    read_pools: Mapping[InstanceName, ReadPool] = {}
    dr_replica: InstanceName | None = None
    # How far a switchover to it has come, docs/database-promotion.md.
    switchover: Literal["begun", "finished"] | None = None
    schedule: Schedule

    @model_validator(mode="after")
    def _consistent(self) -> Postgres:
        if self.disk_autoresize_limit_gb < self.disk_size_gb:
            raise RefusedError(
                f"disk_autoresize_limit_gb must be at least disk_size_gb {self.disk_size_gb}, "
                f"got {self.disk_autoresize_limit_gb}; raise it"
            )
        if self.backups_kept < self.point_in_time_recovery_days:
            raise RefusedError(
                f"backups_kept must be at least the {self.point_in_time_recovery_days} days of "
                f"point_in_time_recovery_days, got {self.backups_kept}; keep more backups"
            )
        if self.name in self.replicas:
            raise RefusedError(
                f"replicas must not carry the primary's name, got {self.name!r}; rename the replica"
            )
        self._check_edition()
        self._check_tree()
        self._check_replicas()
        return self

    def _check_edition(self) -> None:
        self._fits("tier", self.tier)
        most = log_days_limit(self.edition)
        if self.point_in_time_recovery_days > most:
            raise RefusedError(
                f"point_in_time_recovery_days must be at most {most} in edition {self.edition}, "
                f"got {self.point_in_time_recovery_days}; lower it, or choose ENTERPRISE_PLUS"
            )
        if self.edition == "ENTERPRISE_PLUS":
            if self.data_cache:
                check_data_cache("data_cache", self.tier)
            return
        for field, given in (
            ("data_cache", self.data_cache),
            ("managed_pooling", self.managed_pooling),
            ("read_pools", ", ".join(sorted(self.read_pools))),
            ("dr_replica", self.dr_replica),
        ):
            if given:
                raise RefusedError(
                    f"{field} must be left out in edition ENTERPRISE, got {given!r}; remove it, or choose "
                    "edition ENTERPRISE_PLUS with a tier of its own"
                )

    def _fits(self, field: str, tier: str) -> None:
        check = check_plus_tier if self.edition == "ENTERPRISE_PLUS" else check_tier
        check(field, tier)

    def _check_replicas(self) -> None:
        for name, replica in self.replicas.items():
            field = f"replicas.{name}"
            above = self.replicas[replica.follows] if replica.follows is not None else self
            if replica.tier is not None:
                self._fits(f"{field}.tier", replica.tier)
            least = self.disk_of(replica.follows)
            if replica.disk_size_gb is not None and not least <= replica.disk_size_gb:
                raise RefusedError(
                    f"{field}.disk_size_gb must be at least {least}, that of what it follows, got "
                    f"{replica.disk_size_gb}; raise it"
                )
            check_replica_flags(f"{field}.flags", above.flags, replica.flags)
        for pool in self.read_pools:
            if pool == self.name or pool in self.replicas:
                raise RefusedError(
                    f"read_pools must have names of their own, got {pool!r}, an instance's; rename the pool"
                )
        if self.switchover is not None and self.dr_replica is None:
            raise RefusedError(
                f"switchover must be left out without dr_replica, got {self.switchover!r}; name the target"
            )
        if self.dr_replica is not None:
            target = self.replicas.get(self.dr_replica)
            if target is None or target.follows is not None or target.promoted:
                raise RefusedError(
                    "dr_replica must name a replica that follows the primary and is not promoted, "
                    f"got {self.dr_replica!r}; correct it"
                )

    def disk_of(self, instance: str | None) -> int:
        """GB of disk that a replica begins with, of the primary for None."""
        if instance is None:
            return self.disk_size_gb
        replica = self.replicas[instance]
        return replica.disk_size_gb or self.disk_of(replica.follows)

    @property
    def connection_limit(self) -> int:
        """How many connections the primary takes: by flag, else Google's default for its memory."""
        return int(self.flags.get("max_connections", connection_limit(self.tier)))

    def _check_tree(self) -> None:
        for name, replica in self.replicas.items():
            above = replica.follows
            if above is not None and (above == name or above not in self.replicas):
                raise RefusedError(
                    f"replicas.{name}.follows must be another replica, got {above!r}; name one, or leave it "
                    "out to follow the primary"
                )
            chain = self._chain(name)
            if len({*chain}) != len(chain):
                raise RefusedError(
                    f"replicas.{name}.follows must end at the primary, got {' -> '.join(chain)}; break the "
                    "circle"
                )
            if replica.promoted and above is not None and not self.replicas[above].promoted:
                raise RefusedError(
                    f"replicas.{name}.promoted must wait for {above}, which it follows and which is not "
                    "promoted, got True; promote that one, or let this one follow the primary"
                )
        if len(self._written) > 1:
            raise RefusedError(
                "replicas must have one promoted end that services write to, got "
                f"{', '.join(sorted(self._written))}; promote one of them"
            )

    def _chain(self, name: str) -> list[str]:
        """A replica and all that it follows, up to the first that comes twice."""
        chain = [name]
        while (above := self.replicas[chain[-1]].follows) is not None and above in self.replicas:
            chain.append(above)
            if above in chain[:-1]:
                break
        return chain

    @property
    def writer(self) -> str:
        """What services write to: the promoted replica that no promoted one follows, or the primary.

        From the beginning of a switchover on it is its target.
        """
        if self.switchover is not None and self.dr_replica is not None:
            return self.dr_replica
        return next(iter(self._written), self.name)

    def followers(self, instance: str) -> list[str]:
        """The replicas that copy an instance, directly or through another one."""
        found: list[str] = []
        for name, replica in self.replicas.items():
            above = replica.follows or self.name
            if not replica.promoted and (above == instance or above in found):
                found.append(name)
        return found

    @property
    def _written(self) -> list[str]:
        replicas = self.replicas
        return [
            name
            for name, replica in replicas.items()
            if replica.promoted and not any(one.promoted and one.follows == name for one in replicas.values())
        ]

    def path_of(self, name: str) -> str:
        """The key under which the database component knows a replica: its own after those it follows."""
        return "-".join(one.removeprefix(f"{self.name}-") for one in reversed(self._chain(name)))


def check_loss(
    lost: str | None,
    regions: tuple[str, str],
    *,
    stand_ins: bool,
    second_serves: bool,
    writer: str,
    writer_region: str,
) -> None:
    """Refuse to give up a region that the other one does not stand in for."""
    if stand_ins and not second_serves:
        raise RefusedError(
            "stand_ins must be left out while api.second_region is, got True; nothing stands in there"
        )
    if lost is None:
        return
    if lost not in regions:
        raise RefusedError(
            f"lost_region must be {' or '.join(regions)}, got {lost!r}; correct it, or leave it out"
        )
    if not second_serves:
        raise RefusedError(
            f"lost_region must be left out while api.second_region is, got {lost!r}; nothing else serves"
        )
    if writer_region == lost:
        raise RefusedError(
            f"lost_region must not hold the database that services write to, {writer}, got {lost!r}; "
            "set promoted of a replica in the other region"
        )


def check_places(postgres: Postgres, regions: tuple[str, str]) -> None:
    """Refuse a replica outside the two regions, and a target of a switchover beside its primary."""
    for name, replica in postgres.replicas.items():
        if replica.region not in regions:
            raise RefusedError(
                f"postgres.replicas.{name}.region must be {regions[0]} or {regions[1]}, "
                f"got {replica.region!r}; choose one of them"
            )
    target = postgres.dr_replica
    if target is not None and postgres.replicas[target].region == regions[0]:
        raise RefusedError(
            f"postgres.dr_replica must name a replica in {regions[1]}, got {target!r} in {regions[0]}; "
            "choose one in the other region"
        )

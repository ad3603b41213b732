"""The database's part of the stack configuration: the primary, its replicas, and who is written to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from config_sections import Schedule
from config_types import DatabaseName, InstanceName, Region, Section, Tier
from facts.refusal import RefusedError

__all__ = ["Postgres", "Replica", "check_loss"]


class Replica(Section):
    """One read replica; its name is the key. A replica in another region has that region's key.

    `promoted` makes it a primary of its own, for good, and services write to it (docs/database-promotion.md).
    """

    region: Region
    availability: Literal["ZONAL", "REGIONAL"] = "ZONAL"
    promoted: bool = False
    # The replica that it follows; the primary when left out.
    follows: InstanceName | None = None


class Postgres(Section):
    """Cloud SQL for PostgreSQL. A replica is never smaller than the primary, so it takes its tier."""

    name: InstanceName = "aiprod-postgres"
    database: DatabaseName = "aiprod"
    version: Literal["POSTGRES_17", "POSTGRES_18"] = "POSTGRES_17"
    tier: Tier
    availability: Literal["ZONAL", "REGIONAL"]
    disk_size_gb: Annotated[int, Field(ge=10, le=65_536)]
    disk_autoresize_limit_gb: Annotated[int, Field(ge=10, le=65_536)]
    backups_kept: Annotated[int, Field(ge=7, le=365)]
    backup_start_time: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "03:00"
    point_in_time_recovery_days: Annotated[int, Field(ge=1, le=7)] = 7
    replicas: Mapping[InstanceName, Replica] = {}
    # While data moves in from another instance, docs/runbooks/database-cut-over.md; changing it restarts.
    cut_over: bool = False
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
        self._check_tree()
        return self

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
        """What services write to: the promoted replica that no promoted one follows, or the primary."""
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
    lost: str | None, regions: tuple[str, str], *, second_serves: bool, writer: str, writer_region: str
) -> None:
    """Refuse to give up a region that the other one does not stand in for."""
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

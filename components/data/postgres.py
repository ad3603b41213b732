"""A PostgreSQL primary on Cloud SQL with its read replicas, its database and its users.

Private only, TLS only, connectors only, IAM login on, backups and point-in-time recovery always on, a key of
its region for each instance. Replicas share the primary's edition, version, tier and flags.

Not made here: the private connection and the keys it needs beforehand, roles inside the database (migration),
alerts, the restore drill. Not modelled: read pools, managed pooling and data cache (Enterprise Plus), Private
Service Connect, deny periods, external masters, clones and restores (imperative, in a runbook).

A zonal instance is down while its zone is; a regional one fails over in 60 to 120 s and costs twice. Tier and
some flags restart the instance. Name, region, key and network are immutable: another one replaces it.
`disk_size_gb` counts at creation only, because disks grow by themselves and never shrink.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pulumi
import pulumi_gcp as gcp

from components._checks import require_between
from components.data._postgres_settings import (
    Availability,
    Backups,
    Edition,
    Enterprise,
    EnterprisePlus,
    MaintenanceWindow,
    SettingsInputs,
    log_retention_limit,
    primary_settings,
    refuse_weaker_flags,
    replica_settings,
)
from components.ownership import DATABASE, ignored
from facts.names import check_name
from facts.postgres_flags import check_flags
from facts.refusal import RefusedError

__all__ = [
    "Availability",
    "Backups",
    "Edition",
    "Enterprise",
    "EnterprisePlus",
    "MaintenanceWindow",
    "PasswordUser",
    "Postgres",
    "PostgresArgs",
    "Replica",
]

Version = Literal["POSTGRES_17", "POSTGRES_18"]

_ACCOUNT_SUFFIX = ".gserviceaccount.com"


@dataclass(frozen=True, kw_only=True, slots=True)
class Replica:
    """One asynchronous copy that answers reads; it never takes over by itself."""

    instance_name: str
    """Physical name."""
    region: str
    """Region; immutable."""
    kms_key: pulumi.Input[str]
    """Key in that region; immutable."""
    allocated_ip_range: pulumi.Input[str]
    """Name of an address range in the private connection; the primary's will do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PasswordUser:
    """A built-in user whose password goes to the server and is not kept in the state as an output."""

    password: pulumi.Output[str]
    """The password, from the database secret."""
    password_version: int
    """Raised by one to send another password, 1 or more."""

    def __post_init__(self) -> None:
        if self.password_version < 1:
            message = f"password_version must be 1 or more, got {self.password_version}"
            raise RefusedError(message)


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresArgs:
    """What a database needs to know."""

    project: pulumi.Input[str]
    """Project that holds the instances."""
    instance_name: str
    """Physical name of the primary."""
    database: str
    """Name of the one database."""
    region: str
    """Region of the primary; immutable."""
    version: Version
    """Major version; it can be raised in place, never lowered."""
    edition: Edition
    """Edition with a tier it accepts."""
    availability: Availability
    """ZONAL, or REGIONAL with a standby in another zone."""
    disk_size_gb: int
    """Size of the disk at creation, 10 to 65536 GB."""
    disk_autoresize_limit_gb: int
    """Where automatic growth ends, at least disk_size_gb."""
    backups: Backups
    """How many backups, when and where, and how far back recovery to a point in time reaches."""
    maintenance: MaintenanceWindow
    """When Google may restart the instances."""
    network: pulumi.Input[str]
    """projects/P/global/networks/N, whose private connection exists already."""
    allocated_ip_range: pulumi.Input[str]
    """Name of an address range in that private connection."""
    kms_key: pulumi.Input[str]
    """Key in the primary's region; the Cloud SQL agent must be able to use it beforehand; immutable."""
    labels: Mapping[str, str]
    """Labels of all instances."""
    replicas: Mapping[str, Replica] = field(default_factory=dict[str, Replica])
    """Read replicas, by a key that ends the child's name."""
    flags: Mapping[str, str] = field(default_factory=dict[str, str])
    """Flags over the base set, each a plain number, word, on or off; the base set logs as CIS asks."""
    iam_users: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    """Emails of service accounts that may log in without a password, by a key that ends the child's name."""
    password_users: Mapping[str, PasswordUser] = field(default_factory=dict[str, PasswordUser])
    """Built-in users by their name in the database."""
    scheduled: bool = False
    """Whether a schedule starts and stops the primary; by default it always runs."""
    final_backup_days: int = 30
    """Days a last backup outlives a deleted primary, 1 to 365."""
    deletion_protection: bool = True
    """Whether engine, provider and Google all refuse to delete or replace an instance."""

    def __post_init__(self) -> None:
        for name in (self.instance_name, *(replica.instance_name for replica in self.replicas.values())):
            check_name("database instance", name)
        check_flags("flags", self.flags)
        refuse_weaker_flags(self.flags)
        require_between("disk_size_gb", self.disk_size_gb, 10, 65_536, "GB")
        require_between(
            "disk_autoresize_limit_gb", self.disk_autoresize_limit_gb, self.disk_size_gb, 65_536, "GB"
        )
        require_between("final_backup_days", self.final_backup_days, 1, 365, "days")
        require_between(
            "backups.point_in_time_days",
            self.backups.point_in_time_days,
            1,
            min(log_retention_limit(self.edition), self.backups.kept),
            "days (by edition and backups kept)",
        )


class Postgres(pulumi.ComponentResource):
    """A primary, its replicas, its database and its users."""

    instance_name: pulumi.Output[str]
    """Physical name of the primary."""
    connection_name: pulumi.Output[str]
    """PROJECT:REGION:INSTANCE, what connectors and Cloud Run mounts take."""
    private_ip: pulumi.Output[str]
    """Private address of the primary; it stays the same across a failover."""
    database: pulumi.Output[str]
    """Name of the database."""
    replica_names: Mapping[str, pulumi.Output[str]]
    """Physical names of the replicas, by their keys."""
    replica_connection_names: Mapping[str, pulumi.Output[str]]
    """Connection names of the replicas, by their keys."""
    iam_logins: Mapping[str, pulumi.Output[str]]
    """Names under which service accounts log in, by their keys."""

    def __init__(self, name: str, args: PostgresArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Make the database."""
        super().__init__("aiprod:data:Postgres", name, None, opts)
        primary = gcp.sql.DatabaseInstance(
            name,
            project=args.project,
            name=args.instance_name,
            region=args.region,
            database_version=args.version,
            encryption_key_name=args.kms_key,
            settings=primary_settings(
                _shared(args, args.allocated_ip_range),
                args.availability,
                args.backups,
                args.maintenance,
                args.final_backup_days,
            ),
            deletion_protection=args.deletion_protection,
            opts=self._instance_options(args, scheduled=args.scheduled),
        )
        replicas = {
            key: self._replica(f"{name}-{key}", args, replica, primary)
            for key, replica in args.replicas.items()
        }
        database = gcp.sql.Database(
            name,
            project=args.project,
            name=args.database,
            instance=primary.name,
            charset="UTF8",
            deletion_policy="ABANDON",
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.iam_logins = _iam_users(name, args, primary, pulumi.ResourceOptions(parent=self))
        _password_users(name, args, primary, pulumi.ResourceOptions(parent=self))

        self.instance_name = primary.name
        self.connection_name = primary.connection_name
        self.private_ip = primary.private_ip_address
        self.database = database.name
        self.replica_names = {key: replica.name for key, replica in replicas.items()}
        self.replica_connection_names = {key: replica.connection_name for key, replica in replicas.items()}
        self.register_outputs(
            {
                "instance_name": self.instance_name,
                "connection_name": self.connection_name,
                "private_ip": self.private_ip,
                "database": self.database,
                "replica_names": self.replica_names,
                "replica_connection_names": self.replica_connection_names,
                "iam_logins": self.iam_logins,
            }
        )

    def _instance_options(self, args: PostgresArgs, *, scheduled: bool = False) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=self,
            protect=args.deletion_protection,
            ignore_changes=ignored(DATABASE, scheduled=scheduled),
        )

    def _replica(
        self, name: str, args: PostgresArgs, replica: Replica, primary: gcp.sql.DatabaseInstance
    ) -> gcp.sql.DatabaseInstance:
        return gcp.sql.DatabaseInstance(
            name,
            project=args.project,
            name=replica.instance_name,
            region=replica.region,
            database_version=args.version,
            instance_type="READ_REPLICA_INSTANCE",
            master_instance_name=primary.name,
            encryption_key_name=replica.kms_key,
            settings=replica_settings(_shared(args, replica.allocated_ip_range)),
            deletion_protection=args.deletion_protection,
            opts=self._instance_options(args),
        )


def _shared(args: PostgresArgs, allocated_ip_range: pulumi.Input[str]) -> SettingsInputs:
    return SettingsInputs(
        edition=args.edition,
        disk_size_gb=args.disk_size_gb,
        disk_autoresize_limit_gb=args.disk_autoresize_limit_gb,
        network=args.network,
        allocated_ip_range=allocated_ip_range,
        flags=args.flags,
        labels=args.labels,
        deletion_protection=args.deletion_protection,
    )


def _iam_users(
    name: str, args: PostgresArgs, primary: gcp.sql.DatabaseInstance, opts: pulumi.ResourceOptions
) -> dict[str, pulumi.Output[str]]:
    # A user that owns objects cannot be dropped: leaving this program leaves the user.
    return {
        key: gcp.sql.User(
            f"{name}-user-{key}",
            project=args.project,
            instance=primary.name,
            name=pulumi.Output.from_input(email).apply(_login_name),
            type="CLOUD_IAM_SERVICE_ACCOUNT",
            deletion_policy="ABANDON",
            opts=opts,
        ).name
        for key, email in args.iam_users.items()
    }


def _password_users(
    name: str, args: PostgresArgs, primary: gcp.sql.DatabaseInstance, opts: pulumi.ResourceOptions
) -> None:
    for user, password in args.password_users.items():
        gcp.sql.User(
            f"{name}-user-{user}",
            project=args.project,
            instance=primary.name,
            name=user,
            type="BUILT_IN",
            password_wo=password.password,
            password_wo_version=password.password_version,
            deletion_policy="ABANDON",
            opts=opts,
        )


def _login_name(email: str) -> str:
    """PostgreSQL knows a service account without the end of its address."""
    return email.removesuffix(_ACCOUNT_SUFFIX)

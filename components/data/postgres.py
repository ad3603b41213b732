"""A PostgreSQL primary on Cloud SQL with its read replicas, its database and its users.

Private only, TLS only, connectors only (but during a cut-over), IAM login on, backups and point-in-time
recovery always on, a key of its region for each instance. Replicas share the primary's settings and override
tier, disk, flags and availability; a replica may have replicas. Edition ENTERPRISE_PLUS adds read pools, data
cache and pooling.

Promotion (`promoted`) makes a replica a primary for good; a switchover (`dr_replica`, then `switchover`)
exchanges both roles. Either is an update, docs/database-promotion.md; readers keep their address.

Not made here: the private connection and the keys it needs beforehand, roles inside the database (migration),
alerts, the restore drill.

Not modelled, with the reason: Private Service Connect with its DNS and policies (the house reaches data
by the private connection only); public path for BigQuery, Data API, Vertex AI and Dataplex (nobody in
the platform uses them, each opens a path); client certificates, own server authorities and their
rotation (connectors check identities already); clones, restores, imports and vault restores (imperative,
a runbook or the drill); extra exports (backups stay in `eu`); maintenance version, blue/green and major
upgrades with replicas (a command in the window, not a standing state); performance capture (MySQL only
for the most part); Hyperdisk IOPS (C4A tiers take Google's values); Autokey (keys are the house's);
preferred zones (Google chooses); provisioning scripts (grants belong to the migration job); password
expiry (the rotator's period counts); lag limits (an alert tells, a re-created replica would be lost for
an hour); enhanced backups (`backup_plan` binds a vault's plan).

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
from components.data._postgres_replicas import (
    Autoscale,
    ReadPool,
    Replica,
    check_region,
    check_tree,
    overridden,
    pool_settings,
)
from components.data._postgres_settings import (
    Availability,
    Backups,
    DenyPeriod,
    Edition,
    Enterprise,
    EnterprisePlus,
    MaintenanceWindow,
    SettingsInputs,
    edition_name,
    primary_settings,
    replica_settings,
)
from components.data._postgres_users import PasswordUser, Users, make_users
from components.ownership import DATABASE, ignored
from facts.names import check_name
from facts.postgres_flags import check_flags, refuse_weaker_flags
from facts.refusal import RefusedError
from facts.sizes import log_days_limit

__all__ = [
    "Autoscale",
    "Availability",
    "Backups",
    "DenyPeriod",
    "Edition",
    "Enterprise",
    "EnterprisePlus",
    "MaintenanceWindow",
    "PasswordUser",
    "Postgres",
    "PostgresArgs",
    "ReadPool",
    "Replica",
]

Version = Literal["POSTGRES_17", "POSTGRES_18"]


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
    read_pools: Mapping[str, ReadPool] = field(default_factory=dict[str, ReadPool])
    """Pools of read nodes, by a key that ends the child's name; ENTERPRISE_PLUS only."""
    dr_replica: str | None = None
    """Key of the replica that a switchover goes to; ENTERPRISE_PLUS only."""
    switchover: Literal["begun", "finished"] | None = None
    """How far a switchover to dr_replica has come: its role alone has changed, or both; none by default."""
    deny_period: DenyPeriod | None = None
    """Days without maintenance; none by default."""
    backup_plan: pulumi.Input[str] | None = None
    """Full name of a Backup and DR plan in the region, which then owns the schedule; Google's by default."""
    flags: Mapping[str, str] = field(default_factory=dict[str, str])
    """Flags over the base set, each a plain number, word, on or off; the base set logs as CIS asks."""
    iam_users: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    """Emails of service accounts that may log in without a password, by a key that ends the child's name."""
    iam_groups: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    """Addresses of groups whose members may log in as themselves, by a key that ends the child's name."""
    iam_roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Roles inside the database, by keys of `iam_users` and `iam_groups`; the migration makes the roles."""
    password_users: Mapping[str, PasswordUser] = field(default_factory=dict[str, PasswordUser])
    """Built-in users by their name in the database."""
    cut_over: bool = False
    """Whether data moves in by logical replication: the primary decodes its log and takes connections without
    a connector, by TLS and private address still. Changing it restarts the primary; off by default."""
    scheduled: bool = False
    """Whether a schedule starts and stops the primary; by default it always runs."""
    final_backup_days: int = 30
    """Days a last backup outlives a deleted primary, 1 to 365."""
    deletion_protection: bool = True
    """Whether engine, provider and Google all refuse to delete or replace an instance."""

    def __post_init__(self) -> None:
        check_name("database instance", self.instance_name)
        check_region("region", self.region)
        check_flags("flags", self.flags)
        refuse_weaker_flags("flags", self.flags)
        require_between("disk_size_gb", self.disk_size_gb, 10, 65_536, "GB")
        require_between(
            "disk_autoresize_limit_gb", self.disk_autoresize_limit_gb, self.disk_size_gb, 65_536, "GB"
        )
        require_between("final_backup_days", self.final_backup_days, 1, 365, "days")
        require_between(
            "backups.point_in_time_days",
            self.backups.point_in_time_days,
            1,
            min(log_days_limit(edition_name(self.edition)), self.backups.kept),
            "days (by edition and backups kept)",
        )
        check_tree(self.replicas, self.edition, self.disk_size_gb, self.flags, self.disk_autoresize_limit_gb)
        self._check_edition()
        _users(self)

    def _check_edition(self) -> None:
        if self.dr_replica is not None and self.dr_replica not in self.replicas:
            raise RefusedError(f"dr_replica must be a key of replicas, got {self.dr_replica!r}; correct it")
        if self.switchover is not None and self.dr_replica is None:
            raise RefusedError(
                f"switchover must be left out without dr_replica, got {self.switchover!r}; name one"
            )
        if isinstance(self.edition, EnterprisePlus):
            return
        for name, given in (("read_pools", self.read_pools), ("dr_replica", self.dr_replica)):
            if given:
                raise RefusedError(
                    f"{name} must be left out in edition ENTERPRISE, got {given!r}; choose ENTERPRISE_PLUS"
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
    """Physical names of replicas and read pools, by their keys; below a replica PARENT-KEY."""
    replica_connection_names: Mapping[str, pulumi.Output[str]]
    """Connection names of replicas and read pools, by the same keys."""
    iam_logins: Mapping[str, pulumi.Output[str]]
    """Names under which service accounts and groups log in, by their keys."""

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
            instance_type="READ_REPLICA_INSTANCE" if args.switchover == "finished" else None,
            # A plain name: a reference back would be a circle.
            master_instance_name=_target(args).instance_name if args.switchover == "finished" else None,
            settings=_settings(args),
            replication_cluster=_pair(args),
            deletion_protection=args.deletion_protection,
            opts=self._instance_options(args, scheduled=args.scheduled),
        )
        replicas: dict[str, gcp.sql.DatabaseInstance] = {}
        self._grow(name, args, args.replicas, primary, _shared(args, args.allocated_ip_range), replicas)
        for key, pool in args.read_pools.items():
            replicas[key] = self._pool(f"{name}-{key}", args, pool, primary)
        if args.backup_plan is not None:
            self._vault(f"{name}-vault", args, args.backup_plan, primary)
        database = gcp.sql.Database(
            name,
            project=args.project,
            name=args.database,
            instance=primary.name,
            charset="UTF8",
            deletion_policy="ABANDON",
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.iam_logins = make_users(
            name, args.project, _users(args), primary, pulumi.ResourceOptions(parent=self)
        )

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
            ignore_changes=ignored(DATABASE, told=scheduled),
        )

    def _grow(
        self,
        name: str,
        args: PostgresArgs,
        replicas: Mapping[str, Replica],
        above: gcp.sql.DatabaseInstance,
        settings: SettingsInputs,
        made: dict[str, gcp.sql.DatabaseInstance],
        path: str = "",
    ) -> None:
        for key, replica in replicas.items():
            own, child = f"{path}{key}", overridden(settings, replica)
            made[own] = self._replica(f"{name}-{own}", args, replica, above, child)
            self._grow(name, args, replica.replicas, made[own], child, made, f"{own}-")

    def _replica(
        self,
        name: str,
        args: PostgresArgs,
        replica: Replica,
        above: gcp.sql.DatabaseInstance,
        settings: SettingsInputs,
    ) -> gcp.sql.DatabaseInstance:
        own = replica_settings(settings, replica.availability)
        taken = args.switchover is not None and replica is _target(args)
        if alone := replica.promoted or taken:
            own = primary_settings(
                settings, replica.availability, args.backups, args.maintenance, args.final_backup_days
            )
        return gcp.sql.DatabaseInstance(
            name,
            project=args.project,
            name=replica.instance_name,
            region=replica.region,
            database_version=args.version,
            instance_type="CLOUD_SQL_INSTANCE" if alone else "READ_REPLICA_INSTANCE",
            master_instance_name=None if alone else above.name,
            # The provider calls it a switchover, and no promotion, when the old primary is named here.
            replica_names=[args.instance_name] if taken else None,
            replication_cluster=_failover(args, args.instance_name) if taken else None,
            encryption_key_name=replica.kms_key,
            settings=own,
            deletion_protection=args.deletion_protection,
            opts=self._instance_options(args),
        )

    def _pool(
        self, name: str, args: PostgresArgs, pool: ReadPool, primary: gcp.sql.DatabaseInstance
    ) -> gcp.sql.DatabaseInstance:
        return gcp.sql.DatabaseInstance(
            name,
            project=args.project,
            name=pool.instance_name,
            region=args.region,
            database_version=args.version,
            instance_type="READ_POOL_INSTANCE",
            master_instance_name=primary.name,
            # Autoscaling owns the number: the provider reads it back and takes none from the program.
            node_count=pool.nodes if isinstance(pool.nodes, int) else None,
            encryption_key_name=args.kms_key,
            settings=pool_settings(_shared(args, args.allocated_ip_range), pool.nodes),
            deletion_protection=args.deletion_protection,
            opts=self._instance_options(args),
        )

    def _vault(
        self, name: str, args: PostgresArgs, plan: pulumi.Input[str], primary: gcp.sql.DatabaseInstance
    ) -> None:
        gcp.backupdisasterrecovery.BackupPlanAssociation(
            name,
            project=args.project,
            location=args.region,
            backup_plan_association_id=f"{args.instance_name}-vault",
            backup_plan=plan,
            resource=pulumi.Output.format("projects/{0}/instances/{1}", args.project, primary.name),
            resource_type="sqladmin.googleapis.com/Instance",
            opts=pulumi.ResourceOptions(parent=self),
        )


def _target(args: PostgresArgs) -> Replica:
    return args.replicas[args.dr_replica or ""]


def _pair(args: PostgresArgs) -> gcp.sql.DatabaseInstanceReplicationClusterArgsDict | None:
    """The switchover's target; a replica has none, which an empty name says."""
    if args.dr_replica is None:
        return None
    if args.switchover == "finished":
        return {"failover_dr_replica_name": ""}
    return _failover(args, _target(args).instance_name)


def _failover(args: PostgresArgs, to: str) -> gcp.sql.DatabaseInstanceReplicationClusterArgsDict:
    return {"failover_dr_replica_name": pulumi.Output.format("{0}:{1}", args.project, to)}


def _settings(args: PostgresArgs) -> gcp.sql.DatabaseInstanceSettingsArgsDict:
    """The primary's settings, or those of the replica that a finished switchover made of it."""
    shared = _shared(args, args.allocated_ip_range)
    if args.switchover == "finished":
        return replica_settings(shared, args.availability)
    return primary_settings(
        shared,
        args.availability,
        args.backups,
        args.maintenance,
        args.final_backup_days,
        args.deny_period,
        cut_over=args.cut_over,
    )


def _users(args: PostgresArgs) -> Users:
    return Users(
        accounts=args.iam_users, groups=args.iam_groups, passwords=args.password_users, roles=args.iam_roles
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

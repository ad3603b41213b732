"""Working days only: starts a database and worker pools in the morning, stops them in the evening.

Makes Cloud Scheduler jobs that call Google's APIs (a worker pool is stopped by having no instances, a clock
by being paused), an account they call as, and, unless it is given one
(`role`), a custom role that allows no more than those calls. Saturday and Sunday stay stopped. What is
scheduled must be told so (`scheduled`), because its state is then the schedule's and not the program's;
another number of instances counts from the next morning on.

Does not make: holidays. `make wake` and `make sleep` start and stop on demand: they run these jobs and find
them by the beginning of their descriptions. A stopped database refuses changes of its users and databases.
Google keeps a deleted role's id for 37 days.

Cost: each job by the month. What it saves is processors and memory; disks and addresses are billed on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pulumi
import pulumi_gcp as gcp

from components._checks import require_between
from components.compute._clock import ApiCall, Clock, call_by_clock
from components.foundation.own_roles import OwnRole, make_role
from facts.members import check_member
from facts.names import check_name
from facts.refusal import RefusedError

__all__ = ["OFFICE_HOURS_ROLE", "OfficeHours", "OfficeHoursArgs", "ScheduledPool"]

Moment = Literal["start", "stop"]

# What a moment asks of Cloud Scheduler.
_VERBS: Mapping[Moment, str] = {"start": "resume", "stop": "pause"}
_DATABASE_PERMISSIONS = ("cloudsql.instances.get", "cloudsql.instances.update")
_POOL_PERMISSIONS = ("run.workerpools.get", "run.workerpools.update")
# Pauses and resumes: cloud.google.com/iam/docs/roles-permissions/cloudscheduler.
_CLOCK_PERMISSIONS = ("cloudscheduler.jobs.enable", "cloudscheduler.jobs.pause")
OFFICE_HOURS_ROLE = OwnRole(
    title="Office hours",
    description="Starts and stops the database, the worker pools and their scaler",
    permissions=(*_DATABASE_PERMISSIONS, *_POOL_PERMISSIONS, *_CLOCK_PERMISSIONS),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduledPool:
    """A worker pool that is stopped by having no instances."""

    pool_name: pulumi.Input[str]
    """Physical name."""
    instances: int
    """Instances that the morning begins with, 0 to 1000; with 0 whoever scales the pool starts it."""
    account_id: pulumi.Input[str]
    """Full resource name of the account that the pool runs as: who changes a pool acts as it."""

    def __post_init__(self) -> None:
        require_between("instances", self.instances, 0, 1000, "instances")


@dataclass(frozen=True, kw_only=True, slots=True)
class OfficeHoursArgs:
    """What runs when."""

    project: str
    """Project of everything."""
    region: str
    """Region of the jobs and of the pools."""
    account_id: str
    """Short name of the account that the jobs call as."""
    role_id: str
    """Short name of the custom role that it makes."""
    start_hour: int
    """First hour, 0 to 22."""
    stop_hour: int
    """Hour of the stop, after start_hour, to 23."""
    time_zone: str
    """Zone of the tz database."""
    database: pulumi.Input[str] | None = None
    """Physical name of the database instance; none by default."""
    role: pulumi.Input[str] | None = None
    """Full name of a role like OFFICE_HOURS_ROLE that stands; by default it makes its own."""
    deployer: str | None = None
    """IAM member who deploys: Google wants whoever makes a job to act as its account; none by default."""
    pools: Mapping[str, ScheduledPool] = field(default_factory=dict[str, ScheduledPool])
    """Worker pools, by a key that names the jobs."""
    clocks: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    """Full names of Cloud Scheduler jobs that rest outside the hours, by a key that names the jobs."""

    def __post_init__(self) -> None:
        check_name("service account id", self.account_id)
        check_member("deployer", self.deployer)
        require_between("start_hour", self.start_hour, 0, 22, "o'clock")
        require_between("stop_hour", self.stop_hour, self.start_hour + 1, 23, "o'clock")
        if self.database is None and not self.pools and not self.clocks:
            raise RefusedError("database, pools or clocks must be given, got none; leave the component out")


class OfficeHours(pulumi.ComponentResource):
    """Jobs that start and stop a database and worker pools."""

    email: pulumi.Output[str]
    """Email of the account that the jobs call as."""

    def __init__(self, name: str, args: OfficeHoursArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Make the account, its rights and the jobs."""
        super().__init__("aiprod:compute:OfficeHours", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        account = gcp.serviceaccount.Account(
            name,
            project=args.project,
            account_id=args.account_id,
            display_name="Office hours",
            opts=child,
        )
        ready = pulumi.ResourceOptions(parent=self, depends_on=_grants(name, args, account, child))
        if args.database is not None:
            uri = pulumi.Output.concat(
                f"https://sqladmin.googleapis.com/v1/projects/{args.project}/instances/", args.database
            )
            _job(f"{name}-database", "start", args, account, uri, _activation("ALWAYS"), ready)
            _job(f"{name}-database", "stop", args, account, uri, _activation("NEVER"), ready)
        for key, pool in args.pools.items():
            uri = pulumi.Output.concat(
                f"https://run.googleapis.com/v2/projects/{args.project}/locations/{args.region}/workerPools/",
                pool.pool_name,
                "?updateMask=scaling.manualInstanceCount",
            )
            if pool.instances:
                _job(f"{name}-{key}", "start", args, account, uri, _instances(pool.instances), ready)
            _job(f"{name}-{key}", "stop", args, account, uri, _instances(0), ready)
        for key, clock in args.clocks.items():
            for moment, verb in _VERBS.items():
                uri = pulumi.Output.concat("https://cloudscheduler.googleapis.com/v1/", clock, ":", verb)
                _job(f"{name}-{key}", moment, args, account, uri, None, ready)
        self.email = account.email
        self.register_outputs({"email": self.email})


def _grants(
    name: str, args: OfficeHoursArgs, account: gcp.serviceaccount.Account, opts: pulumi.ResourceOptions
) -> list[pulumi.Resource]:
    role = args.role or _role(name, args, opts)
    made: list[pulumi.Resource] = [
        gcp.projects.IAMMember(name, project=args.project, role=role, member=account.member, opts=opts)
    ]
    if args.deployer is not None:
        made.append(
            gcp.serviceaccount.IAMMember(
                f"{name}-deployer",
                service_account_id=account.name,
                role="roles/iam.serviceAccountUser",
                member=args.deployer,
                opts=opts,
            )
        )
    for key, pool in args.pools.items():
        made.append(
            gcp.serviceaccount.IAMMember(
                f"{name}-{key}",
                service_account_id=pool.account_id,
                role="roles/iam.serviceAccountUser",
                member=account.member,
                opts=opts,
            )
        )
    return made


def _role(name: str, args: OfficeHoursArgs, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    permissions = (
        *(() if args.database is None else _DATABASE_PERMISSIONS),
        *(_POOL_PERMISSIONS if args.pools else ()),
        *(_CLOCK_PERMISSIONS if args.clocks else ()),
    )
    return make_role(
        name, args.project, args.role_id, replace(OFFICE_HOURS_ROLE, permissions=permissions), opts
    )


def _job(
    name: str,
    moment: Moment,
    args: OfficeHoursArgs,
    account: gcp.serviceaccount.Account,
    uri: pulumi.Output[str],
    body: Mapping[str, Any] | None,
    opts: pulumi.ResourceOptions,
) -> None:
    hour = args.start_hour if moment == "start" else args.stop_hour
    call_by_clock(
        f"{name}-{moment}",
        args.project,
        args.region,
        Clock(
            schedule=f"0 {hour} * * 1-5",
            description=f"{moment.capitalize()} at {hour}:00 on working days",
            caller=account.email,
            deadline_seconds=180,
            retries=3,
            time_zone=args.time_zone,
        ),
        ApiCall(uri=uri, method="POST" if body is None else "PATCH", body=body or {}),
        opts,
    )


def _activation(policy: Literal["ALWAYS", "NEVER"]) -> Mapping[str, Any]:
    return {"settings": {"activationPolicy": policy}}


def _instances(count: int) -> Mapping[str, Any]:
    return {"scaling": {"manualInstanceCount": count}}

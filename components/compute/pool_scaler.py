"""Scales worker pools on what their queues hold: Cloud Run gives a pool no autoscaler.

Makes the function (`operations/scaler` says how it decides), its call each minute by Cloud Scheduler, and
its rights: to read time series of the project, and on each pool, and on no other, to read and change it.
Google wants whoever changes a pool to act as the pool's account, so whoever runs as the scaler could run
another image there. A pool that is scaled must be told so (`WorkerPoolArgs.scaled`), because its number of
instances is then the scaler's and not the program's.

Not made here: the account it runs as, the scheduler's account, the pools, the alerts (on workers that
finish nothing, on a pool at its ceiling, on failures, and on silence). Cost: 1,440 short requests a day and
the scheduler's job by the month; reading time series is billed beyond a million a month, and this reads
some tens of thousands.

Sources: Cloud Run worker pools (`scaling.manualInstanceCount`), Pub/Sub metrics, Cloud Monitoring
`timeSeries.list`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_gcp as gcp

from components._checks import require_between
from components.compute._clock import Clock, FunctionCall, call_by_clock
from components.compute.source_function import FunctionHost, SourceFunction, hosted
from components.foundation.own_roles import OwnRole, make_role
from facts.refusal import RefusedError

__all__ = [
    "METRICS_ROLE",
    "POOLS_ROLE",
    "PoolScaler",
    "PoolScalerArgs",
    "ScaledPool",
    "ScaledQueue",
]

METRICS_ROLE = OwnRole(
    title="Worker scaler: metrics",
    description="Reads time series, to see what the queues hold",
    permissions=("monitoring.timeSeries.list",),
)
POOLS_ROLE = OwnRole(
    title="Worker scaler: pools",
    description="Reads and changes a worker pool; granted on each pool that is scaled",
    permissions=("run.workerpools.get", "run.workerpools.update"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ScaledQueue:
    """One subscription that a pool pulls."""

    subscription: pulumi.Input[str]
    """Short name."""
    promise_seconds: int
    """Wait until work on a message begins that 95 of 100 must not exceed, 300 to 86400 s: metrics of Pub/Sub
    show a message too late for a shorter one."""
    job_seconds: int
    """Mean time of a job until enough were measured, 1 to 3600 s."""

    def __post_init__(self) -> None:
        require_between("promise_seconds", self.promise_seconds, 300, 86_400, "seconds")
        require_between("job_seconds", self.job_seconds, 1, 3_600, "seconds")


@dataclass(frozen=True, kw_only=True, slots=True)
class ScaledPool:
    """One worker pool."""

    pool_name: pulumi.Input[str]
    """Physical name."""
    location: str
    """Region of the pool."""
    account_id: pulumi.Input[str]
    """Full resource name of the account that the pool runs as."""
    minimum: int
    """Fewest instances, 0 to 1000."""
    maximum: int
    """Most instances, 1 to 1000."""
    queues: tuple[ScaledQueue, ...]
    """What it pulls; one at least."""
    jobs_per_instance: int = 1
    """Messages that an instance works on at once, 1 to 100."""

    def __post_init__(self) -> None:
        require_between("maximum", self.maximum, 1, 1_000, "instances")
        require_between("minimum", self.minimum, 0, self.maximum, "instances")
        require_between("jobs_per_instance", self.jobs_per_instance, 1, 100, "messages")
        if not self.queues:
            raise RefusedError("queues must name at least one subscription, got none; leave the pool out")


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolScalerArgs(FunctionHost):
    """Where it runs and what it scales."""

    member: pulumi.Input[str]
    """The same account as an IAM member."""
    scheduler: pulumi.Input[str]
    """Email of the account that calls it."""
    scheduler_member: pulumi.Input[str]
    """The same account as an IAM member."""
    role_prefix: str
    """Begin of the ids of the custom roles that it makes; letters, digits and underscores."""
    pools: Mapping[str, ScaledPool]
    """Worker pools, by a key that names the grants; one at least."""
    metrics_role: pulumi.Input[str] | None = None
    """Full name of a role like METRICS_ROLE that stands; by default it makes its own."""
    pools_role: pulumi.Input[str] | None = None
    """Full name of a role like POOLS_ROLE that stands; by default it makes its own."""
    schedule: str = "* * * * *"
    """Cron expression: each minute of the hours in which the pools may run."""
    time_zone: str = "Etc/UTC"
    """Zone of the tz database."""

    def __post_init__(self) -> None:
        if not self.pools:
            raise RefusedError("pools must name at least one worker pool, got none; leave the scaler out")
        if not self.schedule.startswith("* "):
            raise RefusedError(
                "schedule must run each minute of its hours, such as '* 8-19 * * 1-5', "
                f"got {self.schedule!r}; begin it with *"
            )


class PoolScaler(pulumi.ComponentResource):
    """The function, its clock and its rights."""

    service_name: pulumi.Output[str]
    """Physical name of the function."""
    clock: pulumi.Output[str]
    """Full name of the scheduler's job; while it is paused nothing is scaled."""

    def __init__(self, name: str, args: PoolScalerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Make the scaler."""
        super().__init__("aiprod:compute:PoolScaler", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        grants = _grants(name, args, child)
        function = SourceFunction(
            name,
            hosted(
                args,
                "scale",
                "scale",
                {"SCALER_CONFIG": _config(args)},
                {"scheduler": args.scheduler_member},
                timeout_seconds=60,
            ),
            pulumi.ResourceOptions(parent=self, depends_on=grants),
        )
        job = call_by_clock(
            name,
            args.project,
            args.location,
            Clock(
                schedule=args.schedule,
                description="Scales the worker pools",
                caller=args.scheduler,
                deadline_seconds=60,
                # The next minute is the next attempt.
                retries=0,
                time_zone=args.time_zone,
            ),
            FunctionCall(uri=function.uri),
            pulumi.ResourceOptions(parent=self, depends_on=[function]),
        )
        self.service_name = function.service_name
        self.clock = job.id
        self.register_outputs({"service_name": self.service_name, "clock": self.clock})


def _config(args: PoolScalerArgs) -> pulumi.Output[str]:
    """What the function reads; names of pools and subscriptions are known when they are made."""
    pools = [
        (
            pool.pool_name,
            {
                "location": pool.location,
                "minimum": pool.minimum,
                "maximum": pool.maximum,
                "jobs_per_instance": pool.jobs_per_instance,
            },
            [
                (
                    queue.subscription,
                    {"promise_seconds": queue.promise_seconds, "job_seconds": queue.job_seconds},
                )
                for queue in pool.queues
            ],
        )
        for _, pool in sorted(args.pools.items())
    ]

    def written(found: Any) -> str:
        config = {
            "project": args.project,
            "pools": {name: {**bounds, "queues": dict(queues)} for name, bounds, queues in found},
        }
        return json.dumps(config, sort_keys=True)

    known: pulumi.Output[Any] = pulumi.Output.from_input(pools)
    return known.apply(written)


def _grants(name: str, args: PoolScalerArgs, opts: pulumi.ResourceOptions) -> list[pulumi.Resource]:
    metrics = args.metrics_role or make_role(
        f"{name}-metrics", args.project, f"{args.role_prefix}_metrics", METRICS_ROLE, opts
    )
    changes = args.pools_role or make_role(
        f"{name}-pools", args.project, f"{args.role_prefix}_pools", POOLS_ROLE, opts
    )
    made: list[pulumi.Resource] = [
        gcp.projects.IAMMember(
            f"{name}-metrics", project=args.project, role=metrics, member=args.member, opts=opts
        )
    ]
    for key, pool in args.pools.items():
        made.append(
            gcp.cloudrunv2.WorkerPoolIamMember(
                f"{name}-{key}",
                project=args.project,
                location=pool.location,
                name=pool.pool_name,
                role=changes,
                member=args.member,
                opts=opts,
            )
        )
        made.append(
            gcp.serviceaccount.IAMMember(
                f"{name}-{key}",
                service_account_id=pool.account_id,
                role="roles/iam.serviceAccountUser",
                member=args.member,
                opts=opts,
            )
        )
    return made

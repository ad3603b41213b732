"""Restores the database beside itself once a month, compares, times and deletes it; says so or is missed.

Makes the workflow (`operations/restore_drill/drill.yaml`), the function that it asks about the data, two
clocks (the monthly drill, the daily watch over it), and what the drill's account may do: on the project,
unless it is given the roles, to read instances and backups, to clone, and to start and list its own runs; and
on instances whose name begins with the prefix of clones, and on no other, to create, fill, change, delete and
log in. Cloud SQL knows such conditions and gives "allow users to delete test instances, but not production"
as the example. So the account cannot delete, change or overwrite the source, whatever the definition says.

Both clocks call as the drill's own account, which may start nothing else, so no other account gains a right.

Not made here: the account, its login to the source, the alerts (on what the drill writes, and on silence),
and the right to read the tables (`operations/database/roles.sql` gives it to the drill's user). Results are
entries of the log with `jsonPayload.restoreDrill`.

Cost: one instance like the source for about an hour a month, requests, two scheduler jobs. The source is read
twice by each drill. The schedule must be monthly, for the watch expects a drill every 32 days.

Sources: Cloud SQL (clone, IAM conditions, connectors), Workflows (executions, CMEK, quotas), Cloud Scheduler.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from components._checks import require_between
from components.compute._clock import ApiCall, Clock, call_by_clock
from components.compute.source_function import FunctionHost, SourceFunction, hosted
from components.foundation.own_roles import OwnRole, make_role
from facts.names import check_name
from facts.recovery import DECIDE_RESTORE, RESTORE_RTO, planned_restore_seconds
from facts.refusal import RefusedError

__all__ = ["DRILL_CLONES_ROLE", "DRILL_ROLE", "OVERDUE_DAYS", "RestoreDrill", "RestoreDrillArgs"]

DRILL_ROLE = OwnRole(
    title="Restore drill",
    description="Reads instances and backups, clones, starts and lists its own runs; changes nothing",
    permissions=(
        "cloudsql.backupRuns.get",
        "cloudsql.backupRuns.list",
        "cloudsql.instances.clone",
        "cloudsql.instances.get",
        "cloudsql.instances.list",
        "workflows.executions.create",
        "workflows.executions.list",
        "workflows.workflows.get",
    ),
)
DRILL_CLONES_ROLE = OwnRole(
    title="Restore drill, clones",
    description="Everything that is done to a clone; granted on clones only",
    permissions=(
        "cloudsql.instances.connect",
        "cloudsql.instances.create",
        "cloudsql.instances.delete",
        "cloudsql.instances.login",
        "cloudsql.instances.restoreBackup",
        "cloudsql.instances.update",
    ),
)
# The longest month and a day.
OVERDUE_DAYS = 32
# Until the archive of the write-ahead log holds the point; Google ships it about every five minutes.
_LOG_LIMIT_SECONDS = 1_800
# Until one operation of Cloud SQL ends.
_OPERATION_LIMIT_SECONDS = 7_200
# As long as Workflows waits for an answer.
_CHECK_SECONDS = 1_800
_MONTHLY = re.compile(r"([0-5]?\d) ([01]?\d|2[0-3]) ([1-9]|1\d|2[0-8]) \* \*")
_EXECUTIONS = "https://workflowexecutions.googleapis.com/v1/"


@dataclass(frozen=True, kw_only=True, slots=True)
class RestoreDrillArgs(FunctionHost):
    """What is rehearsed, where and when."""

    workflow_name: str
    """Physical name of the workflow; the account's rights and the log carry it."""
    member: pulumi.Input[str]
    """The same account as an IAM member."""
    database_user: pulumi.Input[str]
    """Name under which that account logs in to the database."""
    role_prefix: str
    """Begins the ids of the two custom roles that it makes; letters, digits and underscores."""
    instance: pulumi.Input[str]
    """Physical name of the instance that is rehearsed."""
    instance_region: str
    """Region of that instance, and so of its clones."""
    database: pulumi.Input[str]
    """Name of the database that is compared."""
    clone_prefix: str
    """Begins the name of every clone; ten digits follow. No other instance's name may begin so."""
    disk_size_gb: int
    """Disk of the instance, from which the planned time follows."""
    workflow_kms_key: pulumi.Input[str]
    """Key of the workflow, in the same region; the Workflows agent must be able to use it beforehand."""
    role: pulumi.Input[str] | None = None
    """Full name of a role like DRILL_ROLE that stands; by default it makes its own."""
    clones_role: pulumi.Input[str] | None = None
    """Full name of a role like DRILL_CLONES_ROLE that stands; by default it makes its own."""
    schedule: str = "30 4 1 * *"
    """Cron expression in UTC: minute, hour and a day up to the 28th."""
    watch_schedule: str = "41 5 * * *"
    """Cron expression in UTC of the watch; the alert on silence expects one call a day."""

    def __post_init__(self) -> None:
        check_name("compute resource", self.workflow_name)
        require_between("disk_size_gb", self.disk_size_gb, 10, 65_536, "GB")
        if not re.fullmatch(r"[a-z][a-z0-9-]{2,60}-", self.clone_prefix):
            raise RefusedError(
                "clone_prefix must be 4 to 62 lower case letters, digits and -, with a - at the end, "
                f"got {self.clone_prefix!r}; correct it"
            )
        if isinstance(self.instance, str) and self.instance.startswith(self.clone_prefix):
            raise RefusedError(
                f"clone_prefix must not begin the name of instance {self.instance}, got "
                f"{self.clone_prefix!r}; the drill may delete what begins so"
            )
        if not _MONTHLY.fullmatch(self.schedule):
            raise RefusedError(
                f"schedule must be MINUTE HOUR DAY * * with a day from 1 to 28, got {self.schedule!r}; "
                f"the watch expects a drill every {OVERDUE_DAYS} days"
            )


class RestoreDrill(pulumi.ComponentResource):
    """The drill, its check and its clocks."""

    workflow_name: pulumi.Output[str]
    """Physical name of the workflow."""

    def __init__(self, name: str, args: RestoreDrillArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Make the drill."""
        super().__init__("aiprod:data:RestoreDrill", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        grants = _grants(name, args, child)
        function = SourceFunction(
            name,
            hosted(
                args,
                "service",
                "answer",
                {"RESTORE_DRILL_CONFIG": _config(args)},
                {"drill": args.member},
                timeout_seconds=_CHECK_SECONDS,
            ),
            child,
        )
        workflow = gcp.workflows.Workflow(
            name,
            project=args.project,
            region=args.location,
            name=args.workflow_name,
            description="Restores the database beside itself, compares it, times it and deletes it",
            service_account=args.service_account,
            source_contents=(args.source / "drill.yaml").read_text(encoding="utf-8"),
            crypto_key_name=args.workflow_kms_key,
            user_env_vars={
                "SOURCE": args.instance,
                "CLONE_PREFIX": args.clone_prefix,
                "CHECK_URL": function.uri,
                "DECIDE_SECONDS": str(DECIDE_RESTORE),
                "PLANNED_RTO_SECONDS": str(int(planned_restore_seconds(args.disk_size_gb))),
                "PROMISED_RTO_SECONDS": str(RESTORE_RTO),
                "LOG_LIMIT_SECONDS": str(_LOG_LIMIT_SECONDS),
                "OPERATION_LIMIT_SECONDS": str(_OPERATION_LIMIT_SECONDS),
                "OVERDUE_DAYS": str(OVERDUE_DAYS),
            },
            labels=args.labels,
            deletion_protection=args.deletion_protection,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*grants, function]),
        )
        for task, schedule in (("drill", args.schedule), ("watch", args.watch_schedule)):
            _clock(f"{name}-{task}", task, schedule, args, workflow, child)
        self.workflow_name = workflow.name
        self.register_outputs({"workflow_name": self.workflow_name})


def _grants(name: str, args: RestoreDrillArgs, opts: pulumi.ResourceOptions) -> list[pulumi.Resource]:
    role = args.role or make_role(
        f"{name}-reads", args.project, f"{args.role_prefix}_reads", DRILL_ROLE, opts
    )
    clones = args.clones_role or make_role(
        f"{name}-clones", args.project, f"{args.role_prefix}_clones", DRILL_CLONES_ROLE, opts
    )
    return [
        gcp.projects.IAMMember(
            f"{name}-reads", project=args.project, role=role, member=args.member, opts=opts
        ),
        gcp.projects.IAMMember(
            f"{name}-clones",
            project=args.project,
            role=clones,
            member=args.member,
            condition={
                "title": "clones of the drill",
                "description": "Never the source nor a replica",
                "expression": (
                    'resource.type == "sqladmin.googleapis.com/Instance" && '
                    f'resource.name.startsWith("projects/{args.project}/instances/{args.clone_prefix}")'
                ),
            },
            opts=opts,
        ),
    ]


def _config(args: RestoreDrillArgs) -> pulumi.Output[str]:
    return pulumi.Output.json_dumps(
        {
            "project": args.project,
            "region": args.instance_region,
            "database": args.database,
            "user": args.database_user,
            "source": args.instance,
            "prefix": args.clone_prefix,
        },
        sort_keys=True,
    )


def _clock(
    name: str,
    task: str,
    schedule: str,
    args: RestoreDrillArgs,
    workflow: gcp.workflows.Workflow,
    opts: pulumi.ResourceOptions,
) -> None:
    call_by_clock(
        name,
        args.project,
        args.location,
        Clock(
            schedule=schedule,
            description=f"Starts the {task} of the restore drill",
            caller=args.service_account,
            deadline_seconds=60,
            retries=3,
        ),
        ApiCall(
            uri=pulumi.Output.concat(_EXECUTIONS, workflow.id, "/executions"),
            method="POST",
            body={"argument": json.dumps({"task": task})},
        ),
        opts,
    )

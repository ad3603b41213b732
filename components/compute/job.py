"""A job on Cloud Run: a program that runs to its end when somebody starts it.

It runs as an account of its own, from an image pinned by digest, inside the network; whoever stands in
`executors` may start it as it is declared, with no other command and no other variable. Making or changing
it starts nothing: what has to come before or after a run is for whoever starts it to know.

Not made here: the account and its rights, secrets and their accessors, the subnet. All must stand before the
first run. Not modelled: a schedule, since whoever calls it on time owns that (Cloud Scheduler with an
executor's account); `start_execution_token` and `run_execution_token`, which run it whenever this program
changes it; sidecars, GPUs, and volumes other than secrets and the database's sockets.

A failed task is tried again `max_retries` times, each time from its beginning: a program that must not run
twice takes 0. Ten minutes and three retries are Google's defaults, so both are stated. Location and name are
immutable; an execution is what was declared when it began. Billed by the second while a task runs. Sources:
Cloud Run quotas (10,000 tasks, 168 hours for a task, 10 retries), provider `google_cloud_run_v2_job`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_gcp as gcp

from components._checks import require_between
from components.compute._container import Workload, check_workload, mounts, variables, volumes, vpc_access
from components.compute._workload import (
    DirectVpc,
    ProjectPolicy,
    SecretFile,
    SecretVersion,
    admission_policy,
)
from facts.refusal import RefusedError

__all__ = ["DirectVpc", "Job", "JobArgs", "ProjectPolicy", "SecretFile", "SecretVersion"]

_LONGEST_SECONDS = 7 * 86_400


@dataclass(frozen=True, kw_only=True, slots=True)
class JobArgs(Workload):
    """What a job needs to know."""

    job_name: str
    """Physical name."""
    command: tuple[str, ...]
    """Program and its arguments, in place of the image's own; at least the program."""
    task_timeout_seconds: int
    """Longest attempt of a task, 1 to 604,800 s (168 hours)."""
    max_retries: int = 0
    """New attempts of a failed task, 0 to 10; none, since not every program may run twice."""
    task_count: int = 1
    """Tasks of an execution, 1 to 10,000; each knows its number as CLOUD_RUN_TASK_INDEX."""
    parallelism: int = 1
    """Tasks that run at once, 1 to task_count."""
    executors: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    """IAM members who may start the job as it is and stop a run, by a key that names the grant."""

    def __post_init__(self) -> None:
        check_workload(self.job_name, self)
        if not self.command or not all(self.command):
            raise RefusedError(
                f"command must name a program and have no empty part, got {list(self.command)}; correct it"
            )
        require_between("task_timeout_seconds", self.task_timeout_seconds, 1, _LONGEST_SECONDS, "seconds")
        require_between("max_retries", self.max_retries, 0, 10, "attempts")
        require_between("task_count", self.task_count, 1, 10_000, "tasks")
        require_between("parallelism", self.parallelism, 1, self.task_count, "tasks")


class Job(pulumi.ComponentResource):
    """A Cloud Run job."""

    name: pulumi.Output[str]
    """Physical name."""
    location: pulumi.Output[str]
    """Region."""

    def __init__(self, name: str, args: JobArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Make the job; start nothing."""
        super().__init__("aiprod:compute:Job", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        job = gcp.cloudrunv2.Job(
            name,
            project=args.project,
            name=args.job_name,
            location=args.location,
            template=_template(args),
            binary_authorization=admission_policy(args.image_admission),
            deletion_protection=args.deletion_protection,
            labels=args.labels,
            opts=child,
        )
        for key, member in args.executors.items():
            gcp.cloudrunv2.JobIamMember(
                f"{name}-executor-{key}",
                project=args.project,
                location=job.location,
                name=job.name,
                role="roles/run.jobsExecutor",
                member=member,
                opts=child,
            )

        self.name = job.name
        self.location = job.location
        self.register_outputs({"name": self.name, "location": self.location})


def _template(args: JobArgs) -> gcp.cloudrunv2.JobTemplateArgsDict:
    return {
        "task_count": args.task_count,
        "parallelism": args.parallelism,
        "labels": args.labels,
        "template": {
            "service_account": args.service_account,
            "encryption_key": args.kms_key,
            "execution_environment": "EXECUTION_ENVIRONMENT_GEN2",
            "timeout": f"{args.task_timeout_seconds}s",
            "max_retries": args.max_retries,
            "vpc_access": vpc_access(args.vpc),
            "containers": [
                {
                    "name": "job",
                    "image": args.image,
                    "commands": [args.command[0]],
                    "args": list(args.command[1:]),
                    "resources": {"limits": {"cpu": args.cpu, "memory": args.memory}},
                    "envs": variables(args.environment, args.secrets),
                    "volume_mounts": mounts(args.secret_files, args.cloud_sql_instances),
                }
            ],
            "volumes": volumes(args.secret_files, args.cloud_sql_instances),
        },
    }

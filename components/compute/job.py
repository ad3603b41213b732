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

from components._checks import require_between, require_digest
from components.compute._container import mounts, variables, volumes, vpc_access
from components.compute._workload import (
    DirectVpc,
    ImageAdmission,
    ProjectPolicy,
    SecretFile,
    SecretVersion,
    admission_policy,
    refuse_bad_environment,
    refuse_bad_files,
)
from facts.names import check_name
from facts.refusal import RefusedError
from facts.sizes import check_cpu_and_memory

__all__ = ["DirectVpc", "Job", "JobArgs", "ProjectPolicy", "SecretFile", "SecretVersion"]

_LONGEST_SECONDS = 7 * 86_400


@dataclass(frozen=True, kw_only=True, slots=True)
class JobArgs:
    """What a job needs to know."""

    project: pulumi.Input[str]
    """Project that holds the job."""
    job_name: str
    """Physical name."""
    location: str
    """Region; immutable."""
    image: pulumi.Input[str]
    """HOST/PATH@sha256:DIGEST."""
    command: tuple[str, ...]
    """Program and its arguments, in place of the image's own; at least the program."""
    service_account: pulumi.Input[str]
    """Email of the account the tasks run as; their own, never the default one."""
    kms_key: pulumi.Input[str]
    """Key in the same region for the image; the Cloud Run agent must be able to use it beforehand."""
    vpc: DirectVpc
    """Way into the network."""
    labels: Mapping[str, str]
    """Labels of the job and its executions."""
    cpu: str
    """CPUs of a task: 1, 2, 4 or 8."""
    memory: str
    """Memory of a task, such as 1Gi; what each number of CPUs takes differs."""
    task_timeout_seconds: int
    """Longest attempt of a task, 1 to 604,800 s (168 hours)."""
    max_retries: int = 0
    """New attempts of a failed task, 0 to 10; none, since not every program may run twice."""
    task_count: int = 1
    """Tasks of an execution, 1 to 10,000; each knows its number as CLOUD_RUN_TASK_INDEX."""
    parallelism: int = 1
    """Tasks that run at once, 1 to task_count."""
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    """Plain variables."""
    secrets: Mapping[str, SecretVersion] = field(default_factory=dict[str, SecretVersion])
    """Variables that hold a secret version."""
    secret_files: Mapping[str, SecretFile] = field(default_factory=dict[str, SecretFile])
    """Files that hold a secret version, by the name of their volume."""
    cloud_sql_instances: tuple[pulumi.Input[str], ...] = ()
    """Connection names that get a socket under /cloudsql; the account must be a Cloud SQL client."""
    executors: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    """IAM members who may start the job as it is and stop a run, by a key that names the grant."""
    image_admission: ImageAdmission | None = None
    """Who looks at the image's attestations; nobody when left out."""
    deletion_protection: bool = True
    """Whether the provider refuses to delete the job."""

    def __post_init__(self) -> None:
        check_name("run service", self.job_name)
        require_digest("image", self.image)
        if not self.command or not all(self.command):
            raise RefusedError(
                f"command must name a program and have no empty part, got {list(self.command)}; correct it"
            )
        check_cpu_and_memory("memory", self.cpu, self.memory)
        require_between("task_timeout_seconds", self.task_timeout_seconds, 1, _LONGEST_SECONDS, "seconds")
        require_between("max_retries", self.max_retries, 0, 10, "attempts")
        require_between("task_count", self.task_count, 1, 10_000, "tasks")
        require_between("parallelism", self.parallelism, 1, self.task_count, "tasks")
        refuse_bad_environment(self.environment, self.secrets)
        refuse_bad_files(self.secret_files)


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

"""A worker pool on Cloud Run: instances that pull work and have no address.

It runs as an account of its own, from an image pinned by digest, inside the network. A pool has no
autoscaler: this program owns the number of instances and puts back what differs, unless a scaler or a
schedule does (`scaled`).

Not made here: the account and its rights, secrets and their accessors, the subnet, the subscription it pulls.
All must stand before the first instance starts. Not modelled: GPUs, sidecars and probes; a worker that dies
is started again, and its message is delivered again.

What the image must do when an instance ends (scaled down, replaced by a release, moved by Google): SIGTERM
comes ten seconds before the end. In these it stops pulling, finishes what it can, gives up the lease of each
other message (a deadline of 0, so that another instance gets it at once and not when its ten minutes are
over), and exits. That uses up one of the deliveries that the queue allows (docs/scaler.md says how often), so
a job must be safe to begin twice, and a long one keeps what it has done where the next attempt finds it.
While it works it extends its lease itself: a message whose lease runs out is delivered to somebody else
meanwhile.

`splits` moves instances to a new revision by shares, in the words of a service's traffic. There are no
requests to split, so with few instances a share is coarse: 10 % of 2 is none or one. It says as well who
owns image and shares: this program, or a workflow. Location and name are immutable.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pulumi
import pulumi_gcp as gcp

from components._checks import require_between
from components.compute._container import Workload, check_workload, mounts, variables, volumes, vpc_access
from components.compute._traffic import (
    Canary,
    Latest,
    Pinned,
    Splits,
    WorkflowOwned,
    check_pool_revisions,
    instance_splits,
    left_to_release,
)
from components.compute._workload import (
    DirectVpc,
    ImageAdmission,
    PlatformPolicy,
    ProjectPolicy,
    SecretFile,
    SecretVersion,
    admission_policy,
)
from components.ownership import WORKER_POOL, ignored

__all__ = [
    "Canary",
    "DirectVpc",
    "ImageAdmission",
    "Latest",
    "Pinned",
    "PlatformPolicy",
    "ProjectPolicy",
    "SecretFile",
    "SecretVersion",
    "Splits",
    "WorkerPool",
    "WorkerPoolArgs",
    "WorkflowOwned",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerPoolArgs(Workload):
    """What a worker pool needs to know."""

    pool_name: str
    """Physical name."""
    instances: int
    """Instances that run, 0 to 1000."""
    scaled: bool = False
    """Whether a scaler or a schedule sets the number of instances; then `instances` counts at creation
    only."""
    splits: Splits = field(default_factory=Latest)
    """Which revisions run, and who owns image and shares; this program, all on the newest."""

    def __post_init__(self) -> None:
        check_workload(self.pool_name, self)
        require_between("instances", self.instances, 0, 1000, "instances")
        check_pool_revisions(self.pool_name, self.splits)


class WorkerPool(pulumi.ComponentResource):
    """A Cloud Run worker pool."""

    name: pulumi.Output[str]
    """Physical name."""
    location: pulumi.Output[str]
    """Region."""

    def __init__(self, name: str, args: WorkerPoolArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Make the pool."""
        super().__init__("aiprod:compute:WorkerPool", name, None, opts)
        pool = gcp.cloudrunv2.WorkerPool(
            name,
            project=args.project,
            name=args.pool_name,
            location=args.location,
            scaling={"scaling_mode": "MANUAL", "manual_instance_count": args.instances},
            template=_template(args),
            instance_splits=instance_splits(args.splits),
            binary_authorization=admission_policy(args.image_admission),
            deletion_protection=args.deletion_protection,
            labels=args.labels,
            opts=pulumi.ResourceOptions(
                parent=self,
                ignore_changes=ignored(
                    WORKER_POOL,
                    told=args.scaled,
                    released=left_to_release(args.splits),
                ),
            ),
        )

        self.name = pool.name
        self.location = pool.location
        self.register_outputs({"name": self.name, "location": self.location})


def _template(args: WorkerPoolArgs) -> gcp.cloudrunv2.WorkerPoolTemplateArgsDict:
    return {
        "service_account": args.service_account,
        "encryption_key": args.kms_key,
        "vpc_access": vpc_access(args.vpc),
        "containers": [
            {
                "name": "worker",
                "image": args.image,
                "resources": {"limits": {"cpu": args.cpu, "memory": args.memory}},
                "envs": variables(args.environment, args.secrets),
                "volume_mounts": mounts(args.secret_files, args.cloud_sql_instances),
            }
        ],
        "volumes": volumes(args.secret_files, args.cloud_sql_instances),
        "labels": args.labels,
    }

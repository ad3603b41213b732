"""An HTTP service on Cloud Run behind the load balancer, in one region.

It answers only through the load balancer or from inside the network: the run.app address is off. It runs as
an account of its own, from an image pinned by digest, with startup, liveness and readiness probes over HTTP,
gRPC or (startup only) TCP, and sends all its traffic through the network. With a metrics collector beside it
CPU is allocated always, because a collector that sleeps between requests loses samples; billing then is by
instance.

`traffic` says which revisions answer, and by that who owns image and shares: this program; for the shares
`make release` (`Walked`); for both a workflow (`WorkflowOwned`). A new image, variable or secret version
makes a new revision; the one before it stays, without cost while it has no share, until Cloud Run drops the
oldest of a thousand.

Not made here: the account and its rights, secrets and their accessors, the subnet, the endpoint group. All
but the last must stand before the revision starts. Not modelled: GPUs, session affinity (it would tear a
canary's shares), HTTP/2 to the container, a break-glass justification.

Location and name are immutable.

Sources: Cloud Run's pages on health checks, on rollouts and on revisions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_gcp as gcp

from components._checks import require_between
from components.compute._collector import (
    CollectorConfig,
    MetricsCollector,
    check_beside,
    collector_containers,
    collector_volumes,
)
from components.compute._container import Workload, check_workload, mounts, variables, volumes, vpc_access
from components.compute._probes import (
    GrpcProbe,
    HttpProbe,
    LivenessProbe,
    ReadinessProbe,
    StartupProbe,
    TcpProbe,
    check_probes,
    probe,
)
from components.compute._traffic import (
    Canary,
    Latest,
    Pinned,
    Share,
    Split,
    Traffic,
    Walked,
    WorkflowOwned,
    check_revisions,
    left_to_release,
    traffics,
)
from components.compute._workload import (
    DirectVpc,
    ImageAdmission,
    PlatformPolicy,
    ProjectPolicy,
    SecretFile,
    SecretVersion,
    admission_policy,
    grant_invokers,
)
from components.ownership import HTTP_SERVICE, SERVICE, ignored
from facts.refusal import RefusedError

__all__ = [
    "Canary",
    "CollectorConfig",
    "DirectVpc",
    "GrpcProbe",
    "HttpProbe",
    "HttpService",
    "HttpServiceArgs",
    "ImageAdmission",
    "InstanceBounds",
    "Invokers",
    "Latest",
    "MetricsCollector",
    "OpenToEdge",
    "Pinned",
    "PlatformPolicy",
    "ProjectPolicy",
    "SecretFile",
    "SecretVersion",
    "Share",
    "Split",
    "TcpProbe",
    "Traffic",
    "Walked",
    "WorkflowOwned",
]

_MAIN = "app"
# Google's limit.
_AUDIENCES = 15


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenToEdge:
    """No identity check by Cloud Run: ingress, Cloud Armor and the service itself decide who may call."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Invokers:
    """Only these identities may call: for a service that no end user calls."""

    members: Mapping[str, pulumi.Input[str]]
    """IAM members, by a key that names the grant."""


Invocation = OpenToEdge | Invokers


@dataclass(frozen=True, kw_only=True, slots=True)
class InstanceBounds:
    """How many instances may run."""

    minimum: int
    """Instances kept warm, 0 to maximum."""
    maximum: int
    """Upper bound, 1 to 1000."""

    def __post_init__(self) -> None:
        require_between("maximum", self.maximum, 1, 1000, "instances")
        require_between("minimum", self.minimum, 0, self.maximum, "instances")


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpServiceArgs(Workload):
    """What a service needs to know."""

    service_name: str
    """Physical name."""
    instances: InstanceBounds
    """How many instances may run, for the service and for each revision."""
    startup_probe: StartupProbe
    """Holds traffic back until it succeeds; period times misses is the time to start."""
    liveness_probe: LivenessProbe
    """Restarts an instance that misses it."""
    readiness_probe: ReadinessProbe
    """Takes an instance out of traffic while it misses it."""
    invocation: Invocation
    """Who may call."""
    port: int = 8080
    """Port the container listens on, 1 to 65535."""
    concurrency: int = 80
    """Requests an instance takes at once, 1 to 1000."""
    timeout_seconds: int = 60
    """Longest request, 1 to 3600 s."""
    traffic: Traffic = field(default_factory=Latest)
    """Which revisions answer, and who owns image and shares; this program, all to the newest."""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    """Tag to an existing revision that answers only where the load balancer asks for the tag."""
    metrics_collector: MetricsCollector | None = None
    """Collects its metrics; none by default."""
    startup_boost: bool = True
    """Whether an instance has more CPU while it starts, which is billed."""
    custom_audiences: tuple[str, ...] = ()
    """What a token may name besides the service's own address, such as the host of the load balancer."""

    def __post_init__(self) -> None:
        check_workload(self.service_name, self)
        require_between("port", self.port, 1, 65_535, "(a port)")
        require_between("concurrency", self.concurrency, 1, 1000, "requests")
        require_between("timeout_seconds", self.timeout_seconds, 1, 3600, "seconds")
        check_revisions(self.service_name, self.traffic, self.tags)
        check_probes(self.startup_probe, self.liveness_probe, self.readiness_probe)
        check_beside(self.metrics_collector, self.secret_files)
        for audience in self.custom_audiences:
            if re.fullmatch(r"\S+", audience) is None:
                raise RefusedError(
                    f"custom_audiences must be addresses without spaces, got {audience!r}; correct it"
                )
        if len(self.custom_audiences) > _AUDIENCES:
            raise RefusedError(
                f"custom_audiences must be at most {_AUDIENCES}, got {len(self.custom_audiences)}; "
                "remove some"
            )


class HttpService(pulumi.ComponentResource):
    """A Cloud Run service that only the load balancer and the network reach."""

    name: pulumi.Output[str]
    """projects/P/locations/L/services/S."""
    service_name: pulumi.Output[str]
    """Physical name, as network endpoint groups and metrics carry it."""
    location: pulumi.Output[str]
    """Region."""

    def __init__(self, name: str, args: HttpServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Make the service."""
        super().__init__("aiprod:compute:HttpService", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        service = gcp.cloudrunv2.Service(
            name,
            project=args.project,
            name=args.service_name,
            location=args.location,
            ingress="INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
            default_uri_disabled=True,
            invoker_iam_disabled=isinstance(args.invocation, OpenToEdge),
            scaling={
                "scaling_mode": "AUTOMATIC",
                "min_instance_count": args.instances.minimum,
                "max_instance_count": args.instances.maximum,
            },
            template=_template(args),
            traffics=traffics(args.traffic, args.tags),
            custom_audiences=list(args.custom_audiences) or None,
            binary_authorization=admission_policy(args.image_admission),
            deletion_protection=args.deletion_protection,
            labels=args.labels,
            opts=pulumi.ResourceOptions(
                parent=self,
                ignore_changes=ignored(SERVICE, released=left_to_release(args.traffic), within=HTTP_SERVICE),
            ),
        )
        if isinstance(args.invocation, Invokers):
            grant_invokers(name, args.project, service, args.invocation.members, child)

        self.name = service.id
        self.service_name = service.name
        self.location = service.location
        self.register_outputs(
            {"name": self.name, "service_name": self.service_name, "location": self.location}
        )


def _template(args: HttpServiceArgs) -> gcp.cloudrunv2.ServiceTemplateArgsDict:
    return {
        "service_account": args.service_account,
        "execution_environment": "EXECUTION_ENVIRONMENT_GEN2",
        "encryption_key": args.kms_key,
        "timeout": f"{args.timeout_seconds}s",
        "max_instance_request_concurrency": args.concurrency,
        "scaling": {
            "min_instance_count": args.instances.minimum,
            "max_instance_count": args.instances.maximum,
        },
        "vpc_access": vpc_access(args.vpc),
        "containers": [_app(args), *collector_containers(args.metrics_collector, _MAIN)],
        "volumes": [
            *volumes(args.secret_files, args.cloud_sql_instances),
            *collector_volumes(args.metrics_collector),
        ],
        "labels": args.labels,
    }


def _app(args: HttpServiceArgs) -> gcp.cloudrunv2.ServiceTemplateContainerArgsDict:
    return {
        "name": _MAIN,
        "image": args.image,
        "ports": {"container_port": args.port},
        "resources": {
            "limits": {"cpu": args.cpu, "memory": args.memory},
            "cpu_idle": args.metrics_collector is None,
            "startup_cpu_boost": args.startup_boost,
        },
        "envs": variables(args.environment, args.secrets),
        "volume_mounts": mounts(args.secret_files, args.cloud_sql_instances),
        "startup_probe": probe(args.startup_probe, args.port),
        "liveness_probe": probe(args.liveness_probe, args.port),
        "readiness_probe": probe(args.readiness_probe, args.port),
    }

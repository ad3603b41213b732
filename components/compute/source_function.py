"""A function on Cloud Run that Google builds from this repository's source, called by Google's services only.

Makes the archive of the source, the service with its build, and the invokers' grants. The service admits
internal traffic, which Pub/Sub and Cloud Scheduler of the same project are, at its run.app address:
that is why the address stays enabled. One instance takes one request at a time, so that no two runs meet.

Google writes the digest of what it built and, with automatic base images, rebuilds by itself: the image is
left to it. A changed archive is another object and so another build.

Not made here: the account it runs as, the account that builds (it must read the bucket, write the repository
and write logs), the bucket, the repository, whoever calls. A file of the source cannot be a secret.
Cost: by request; nothing while nobody calls.

Sources: Cloud Run source deployments (`buildConfig`), roles of the build account, internal ingress.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

import pulumi
import pulumi_gcp as gcp

from components._checks import require_between
from components.compute._container import mounts, variables, volumes, vpc_access
from components.compute._workload import (
    DirectVpc,
    grant_invokers,
    refuse_bad_environment,
)
from components.ownership import FUNCTION, SERVICE, ignored
from facts.names import check_name
from facts.refusal import RefusedError

__all__ = [
    "DirectVpc",
    "FunctionBuild",
    "FunctionHost",
    "SourceFunction",
    "SourceFunctionArgs",
    "hosted",
]

# Python 3.13 is built on the stack of 2022 only (docs.cloud.google.com/run/docs/runtimes/python).
_BASE_IMAGE = "{region}-docker.pkg.dev/serverless-runtimes/google-22-full/runtimes/python313"
# functions-framework hands every path to the function, so the function answers this one itself.
_HEALTH_PATH = "/health"
_PORT = 8080


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionBuild:
    """What Google needs to build from source; the same for every function of an environment."""

    bucket: pulumi.Input[str]
    """Bucket of the archives."""
    repository: pulumi.Input[str]
    """HOST/PROJECT/REPOSITORY that built images are pushed to; its tags must not be immutable."""
    account: pulumi.Input[str]
    """Full resource name of the account that builds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionHost:
    """Where a function stands, from what it is built and as whom it runs, whatever it does."""

    project: str
    """Project that holds it."""
    location: str
    """Region of it and of what calls it; immutable."""
    service_name: str
    """Physical name."""
    source: Path
    """Folder of a Python package with its requirements.txt; only its modules are sent."""
    build: FunctionBuild
    """How Google builds it; the same for every function of an environment."""
    service_account: pulumi.Input[str]
    """Email of the account it runs as."""
    kms_key: pulumi.Input[str]
    """Key in the same region; the Cloud Run agent must be able to use it beforehand."""
    vpc: DirectVpc
    """Way into the network."""
    labels: Mapping[str, str]
    """Labels of the service and of all that is made beside it and has labels."""
    deletion_protection: bool = True
    """Whether the provider refuses to delete the service."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceFunctionArgs(FunctionHost):
    """One function."""

    module: str
    """Module of the package that has the function."""
    target: str
    """Name of the function: an HTTP function of functions-framework."""
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    """Plain variables."""
    cloud_sql_instances: tuple[pulumi.Input[str], ...] = ()
    """Connection names that get a socket under /cloudsql."""
    invokers: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    """IAM members that may call, by a key that names the grant; nobody by default."""
    timeout_seconds: int = 540
    """Longest request, 1 to 3600 s."""

    def __post_init__(self) -> None:
        check_name("run service", self.service_name)
        require_between("timeout_seconds", self.timeout_seconds, 1, 3600, "seconds")
        refuse_bad_environment(self.environment, ())
        for file in ("requirements.txt", f"{self.module}.py"):
            if not (self.source / file).is_file():
                raise RefusedError(
                    f"source must be a folder with a {file}, got {self.source.name!r}; name the package"
                )


def hosted(
    host: FunctionHost,
    module: str,
    target: str,
    environment: Mapping[str, pulumi.Input[str]],
    invokers: Mapping[str, pulumi.Input[str]],
    *,
    cloud_sql_instances: tuple[pulumi.Input[str], ...] = (),
    timeout_seconds: int = 540,
) -> SourceFunctionArgs:
    """The function of a component whose own arguments say where it stands."""
    place = {one.name: getattr(host, one.name) for one in fields(FunctionHost)}
    return SourceFunctionArgs(
        **place,
        module=module,
        target=target,
        environment=environment,
        invokers=invokers,
        cloud_sql_instances=cloud_sql_instances,
        timeout_seconds=timeout_seconds,
    )


class SourceFunction(pulumi.ComponentResource):
    """One function and who may call it; a caller waits for all of it."""

    service_name: pulumi.Output[str]
    """Physical name."""
    uri: pulumi.Output[str]
    """Address for Google's own callers, and the audience of their tokens."""

    def __init__(
        self, name: str, args: SourceFunctionArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Make the function."""
        super().__init__(FUNCTION, name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        archive = gcp.storage.BucketObject(
            f"{name}-source",
            # The content is in the name: another archive makes another build.
            name=f"{args.service_name}-{_digest(args)}.zip",
            bucket=args.build.bucket,
            source=_archive(args),
            opts=child,
        )
        image = pulumi.Output.concat(args.build.repository, "/", args.service_name)
        base = _BASE_IMAGE.format(region=args.location)
        service = gcp.cloudrunv2.Service(
            name,
            project=args.project,
            name=args.service_name,
            location=args.location,
            ingress="INGRESS_TRAFFIC_INTERNAL_ONLY",
            build_config={
                "source_location": pulumi.Output.concat("gs://", args.build.bucket, "/", archive.name),
                "function_target": args.target,
                "image_uri": image,
                "base_image": base,
                "enable_automatic_updates": True,
                "service_account": args.build.account,
            },
            template=_template(args, image, base),
            deletion_protection=args.deletion_protection,
            labels=args.labels,
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=ignored(SERVICE, within=FUNCTION)),
        )
        grant_invokers(name, args.project, service, args.invokers, child)
        self.service_name = service.name
        self.uri = service.uri
        self.register_outputs({"service_name": self.service_name, "uri": self.uri})


def _template(
    args: SourceFunctionArgs, image: pulumi.Output[str], base: str
) -> gcp.cloudrunv2.ServiceTemplateArgsDict:
    return {
        "service_account": args.service_account,
        "execution_environment": "EXECUTION_ENVIRONMENT_GEN2",
        "encryption_key": args.kms_key,
        "timeout": f"{args.timeout_seconds}s",
        "max_instance_request_concurrency": 1,
        "scaling": {"min_instance_count": 0, "max_instance_count": 1},
        "vpc_access": vpc_access(args.vpc),
        "containers": [
            {
                "image": image,
                "base_image_uri": base,
                "ports": {"container_port": _PORT},
                "resources": {"limits": {"cpu": "1", "memory": "512Mi"}, "cpu_idle": True},
                "envs": variables(args.environment, {}),
                "volume_mounts": mounts({}, args.cloud_sql_instances),
                "startup_probe": {
                    "http_get": {"path": _HEALTH_PATH, "port": _PORT},
                    "period_seconds": 10,
                    "failure_threshold": 12,
                },
                "liveness_probe": {
                    "http_get": {"path": _HEALTH_PATH, "port": _PORT},
                    "period_seconds": 60,
                },
            }
        ],
        "volumes": volumes({}, args.cloud_sql_instances),
        "labels": args.labels,
    }


def _digest(args: SourceFunctionArgs) -> str:
    """Of everything in the archive."""
    digest = hashlib.sha256(f"{args.source.name}.{args.module}.{args.target}".encode())
    for path in (*sorted(args.source.glob("*.py")), args.source / "requirements.txt"):
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)} ".encode() + content)
    return digest.hexdigest()[:16]


def _archive(args: SourceFunctionArgs) -> pulumi.AssetArchive:
    """The package below its own name, with the file that functions-framework looks for."""
    package = args.source.name
    files: dict[str, pulumi.Asset | pulumi.Archive] = {
        f"{package}/{path.name}": pulumi.FileAsset(str(path)) for path in sorted(args.source.glob("*.py"))
    }
    files["main.py"] = pulumi.StringAsset(f"from {package}.{args.module} import {args.target}\n")
    files["requirements.txt"] = pulumi.FileAsset(str(args.source / "requirements.txt"))
    return pulumi.AssetArchive(files)

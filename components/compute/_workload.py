"""What the API service and the worker pools have in common: environment, secrets, network, database mount."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal

import pulumi
import pulumi_gcp as gcp

from facts.refusal import RefusedError

__all__ = [
    "CLOUD_SQL_MOUNT",
    "CLOUD_SQL_VOLUME",
    "DirectVpc",
    "ImageAdmission",
    "PlatformPolicy",
    "ProjectPolicy",
    "SecretFile",
    "SecretVersion",
    "admission_policy",
    "grant_invokers",
    "refuse_bad_environment",
    "refuse_bad_files",
]

CLOUD_SQL_VOLUME = "cloudsql"
# Cloud Run takes no other place for it.
CLOUD_SQL_MOUNT = "/cloudsql"

_RESERVED = frozenset({"PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"})
_VOLUME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretVersion:
    """One version of a secret; the workload's account must be an accessor beforehand."""

    secret: pulumi.Input[str]
    """Full path or short name of the secret."""
    version: pulumi.Input[str]
    """Version number as text; never latest, which changes what runs without a revision."""

    def __post_init__(self) -> None:
        if isinstance(self.version, str) and re.fullmatch(r"[1-9]\d*", self.version) is None:
            message = f"version must be a version number as text, got {self.version!r}; name its number"
            raise RefusedError(message)


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretFile:
    """A secret version as a read-only file."""

    content: SecretVersion
    """What the file holds."""
    path: str
    """Absolute path of the file; its folder holds nothing else."""

    def __post_init__(self) -> None:
        path = PurePosixPath(self.path)
        if not path.is_absolute() or len(path.parts) < 3 or ":" in self.path:
            message = (
                f"path must be absolute, inside a folder and without a colon, got {self.path!r}; correct it"
            )
            raise RefusedError(message)

    @property
    def folder(self) -> str:
        """Where the volume is mounted."""
        return str(PurePosixPath(self.path).parent)

    @property
    def file(self) -> str:
        """Name of the file in its folder."""
        return PurePosixPath(self.path).name


@dataclass(frozen=True, kw_only=True, slots=True)
class DirectVpc:
    """A network interface in a subnet of the same region, two addresses for each instance."""

    network: pulumi.Input[str]
    """Full path of the network."""
    subnetwork: pulumi.Input[str]
    """Full path of a subnet in the workload's region, /26 or larger."""
    tags: tuple[str, ...] = ()
    """Network tags that firewall rules know."""
    egress: Literal["ALL_TRAFFIC", "PRIVATE_RANGES_ONLY"] = "ALL_TRAFFIC"
    """What leaves through the network; all of it, so that partners see the reserved NAT addresses."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectPolicy:
    """Binary Authorization by the project's one policy; which attestors it asks for is said there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlatformPolicy:
    """Binary Authorization by a named policy of the Cloud Run platform."""

    policy: str
    """projects/P/platforms/cloudRun/policies/NAME."""

    def __post_init__(self) -> None:
        if re.fullmatch(r"projects/[^/]+/platforms/cloudRun/policies/[A-Za-z0-9_-]+", self.policy) is None:
            raise RefusedError(
                f"policy must be projects/P/platforms/cloudRun/policies/NAME, got {self.policy!r}; correct it"
            )


ImageAdmission = ProjectPolicy | PlatformPolicy
"""Who looks at an image's attestations before it runs. A break-glass justification is no argument: an image
that no attestor signed is let in by hand, in the audit log, and never by a reviewed file."""


def admission_policy(admission: ImageAdmission | None) -> Any:
    """The same as Cloud Run takes it, of a service and of a worker pool."""
    match admission:
        case None:
            return None
        case ProjectPolicy():
            return {"use_default": True}
        case PlatformPolicy(policy=policy):
            return {"policy": policy}


def refuse_bad_environment(names: Iterable[str], secret_names: Iterable[str]) -> None:
    """Refuse variables that Cloud Run refuses: reserved, not a C identifier, or given twice."""
    seen: set[str] = set()
    for name in (*names, *secret_names):
        if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) is None:
            message = (
                "environment variables must be letters, digits and _, no digit first, "
                f"got {name!r}; rename it"
            )
            raise RefusedError(message)
        if name in _RESERVED:
            message = (
                f"environment variables must not be {', '.join(sorted(_RESERVED))}, got {name!r}; rename it"
            )
            raise RefusedError(message)
        if name in seen:
            message = (
                f"environment variables must differ from those of secrets, got {name!r} in both; remove one"
            )
            raise RefusedError(message)
        seen.add(name)


def refuse_bad_files(files: Mapping[str, SecretFile]) -> None:
    """Refuse volume names that Cloud Run refuses and two volumes in one folder."""
    folders: dict[str, str] = {CLOUD_SQL_MOUNT: CLOUD_SQL_VOLUME}
    for name, file in files.items():
        if _VOLUME.fullmatch(name) is None or name == CLOUD_SQL_VOLUME:
            message = (
                "secret_files keys must be lower-case letters, digits and hyphens, and not "
                f"{CLOUD_SQL_VOLUME}, got {name!r}; rename it"
            )
            raise RefusedError(message)
        if file.folder in folders:
            message = (
                f"secret_files.{name}.path must have a folder of its own, got {file.folder} "
                f"like {folders[file.folder]}; move it"
            )
            raise RefusedError(message)
        folders[file.folder] = name


def grant_invokers(
    name: str,
    project: pulumi.Input[str],
    service: gcp.cloudrunv2.Service,
    members: Mapping[str, pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
) -> None:
    """Let each member call the service; the key names the grant."""
    for key, member in members.items():
        gcp.cloudrunv2.ServiceIamMember(
            f"{name}-invoker-{key}",
            project=project,
            location=service.location,
            name=service.name,
            role="roles/run.servicesInvoker",
            member=member,
            opts=opts,
        )

"""What a workload is given: image, size, variables, files of secrets, sockets, a way into the network.

Cloud Run has the same words for a service, a worker pool, a job and a function. The provider has a type for
each of them and none in common, so nothing here is typed as one of these; the provider's schema judges it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components._checks import require_digest
from components.compute._workload import (
    CLOUD_SQL_MOUNT,
    CLOUD_SQL_VOLUME,
    DirectVpc,
    ImageAdmission,
    SecretFile,
    SecretVersion,
    refuse_bad_environment,
    refuse_bad_files,
)
from facts.names import check_name
from facts.sizes import check_cpu_and_memory

__all__ = ["Workload", "check_workload", "mounts", "variables", "volumes", "vpc_access"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Workload:
    """What a service, a pool and a job need to know alike."""

    project: pulumi.Input[str]
    """Project that holds it."""
    location: str
    """Region; immutable."""
    image: pulumi.Input[str]
    """HOST/PATH@sha256:DIGEST."""
    service_account: pulumi.Input[str]
    """Email of the account it runs as; its own, never the default one."""
    kms_key: pulumi.Input[str]
    """Key in the same region for the image; the Cloud Run agent must be able to use it beforehand."""
    vpc: DirectVpc
    """Way into the network."""
    labels: Mapping[str, str]
    """Labels of it and of its revisions or executions."""
    cpu: str
    """CPUs of an instance or a task: 1, 2, 4 or 8."""
    memory: str
    """Memory of the same, such as 2Gi; what each number of CPUs takes differs."""
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    """Plain variables."""
    secrets: Mapping[str, SecretVersion] = field(default_factory=dict[str, SecretVersion])
    """Variables that hold a secret version."""
    secret_files: Mapping[str, SecretFile] = field(default_factory=dict[str, SecretFile])
    """Files that hold a secret version, by the name of their volume."""
    cloud_sql_instances: tuple[pulumi.Input[str], ...] = ()
    """Connection names that get a socket under /cloudsql; the account must be a Cloud SQL client."""
    image_admission: ImageAdmission | None = None
    """Binary Authorization; none by default, an image by digest from the project's registry is taken."""
    deletion_protection: bool = True
    """Whether the provider refuses to delete it."""


def check_workload(name: str, workload: Workload) -> None:
    """Refuse a physical name, an image, a size, variables and files that Cloud Run refuses."""
    check_name("run service", name)
    require_digest("image", workload.image)
    check_cpu_and_memory("memory", workload.cpu, workload.memory)
    refuse_bad_environment(workload.environment, workload.secrets)
    refuse_bad_files(workload.secret_files)


def variables(plain: Mapping[str, pulumi.Input[str]], secrets: Mapping[str, SecretVersion]) -> list[Any]:
    """The plain ones first, each kind by name, so that the order of a mapping changes no revision."""
    return [
        *({"name": name, "value": value} for name, value in sorted(plain.items())),
        *(
            {
                "name": name,
                "value_source": {"secret_key_ref": {"secret": source.secret, "version": source.version}},
            }
            for name, source in sorted(secrets.items())
        ),
    ]


def volumes(files: Mapping[str, SecretFile], cloud_sql_instances: Sequence[pulumi.Input[str]]) -> list[Any]:
    """One for each file, and one for the sockets of all instances."""
    made: list[Any] = [
        {
            "name": name,
            "secret": {
                "secret": file.content.secret,
                "items": [{"path": file.file, "version": file.content.version}],
            },
        }
        for name, file in files.items()
    ]
    if cloud_sql_instances:
        made.append(
            {"name": CLOUD_SQL_VOLUME, "cloud_sql_instance": {"instances": list(cloud_sql_instances)}}
        )
    return made


def mounts(files: Mapping[str, SecretFile], cloud_sql_instances: Sequence[pulumi.Input[str]]) -> list[Any]:
    """Where the container finds these volumes."""
    made: list[Any] = [{"name": name, "mount_path": file.folder} for name, file in files.items()]
    if cloud_sql_instances:
        made.append({"name": CLOUD_SQL_VOLUME, "mount_path": CLOUD_SQL_MOUNT})
    return made


def vpc_access(vpc: DirectVpc) -> Any:
    """The network interface."""
    return {
        "egress": vpc.egress,
        "network_interfaces": [
            {"network": vpc.network, "subnetwork": vpc.subnetwork, "tags": list(vpc.tags)}
        ],
    }

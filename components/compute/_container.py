"""What a container is given: variables, files of secrets, the database's sockets, a way into the network.

Cloud Run has the same words for a service, a worker pool, a job and a function. The provider has a type for
each of them and none in common, so nothing here is typed as one of these; the provider's schema judges it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from components.compute._workload import (
    CLOUD_SQL_MOUNT,
    CLOUD_SQL_VOLUME,
    DirectVpc,
    SecretFile,
    SecretVersion,
)

__all__ = ["mounts", "variables", "volumes", "vpc_access"]


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

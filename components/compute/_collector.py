"""The collector of metrics that runs beside a service: Google's sidecar for Managed Prometheus.

It opens one path for its configuration, and no variable (GoogleCloudPlatform/run-gmp-sidecar, entrypoint.go).
Google's page mounts a secret there; here it is a folder of a bucket, for what is no secret grows no older and
stands in the stack file. Sources: Google's page on the Prometheus sidecar of Cloud Run (its health port, its
folder), on Cloud Storage volume mounts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

import pulumi
import pulumi_gcp as gcp

from components._checks import require_digest
from components.compute._workload import SecretFile
from facts.refusal import RefusedError

__all__ = ["CollectorConfig", "MetricsCollector", "check_beside", "collector_containers", "collector_volumes"]

_NAME = "collector"
_CONFIG_VOLUME = "collector-config"
_CONFIG_FOLDER = "/etc/rungmp"
_HEALTH_PORT = 13133
# What a flag of the mount takes as it is.
_FOLDER = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")


@dataclass(frozen=True, kw_only=True, slots=True)
class CollectorConfig:
    """A folder of a bucket that holds a RunMonitoring document as config.yaml."""

    bucket: pulumi.Input[str]
    """Bucket in the service's region; the service's account must be a reader beforehand."""
    folder: str
    """Folder in it; one that is named by its content, so that a revision keeps what it started with."""

    def __post_init__(self) -> None:
        if _FOLDER.fullmatch(self.folder) is None:
            raise RefusedError(
                "metrics_collector.config.folder must be letters, digits, -, _ and / between them, got "
                f"{self.folder!r}; rename it"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricsCollector:
    """What collects the metrics of a service."""

    image: pulumi.Input[str]
    """HOST/PATH@sha256:DIGEST."""
    config: CollectorConfig | None = None
    """What it reads and how often; by default /metrics on port 8080 each 30 s."""

    def __post_init__(self) -> None:
        require_digest("metrics_collector.image", self.image)


def check_beside(collector: MetricsCollector | None, files: Mapping[str, SecretFile]) -> None:
    """Refuse a volume of the collector's name, and files where it alone reads."""
    for name, file in files.items() if collector is not None else ():
        if name == _CONFIG_VOLUME:
            raise RefusedError(
                f"secret_files keys must not be {_CONFIG_VOLUME} beside a collector, whose volume that is, "
                f"got {name!r}; rename it"
            )
        if PurePosixPath(file.path).is_relative_to(_CONFIG_FOLDER):
            raise RefusedError(
                f"secret_files.{name}.path must not be under {_CONFIG_FOLDER} beside a collector, which "
                f"reads its own file there, got {file.path}; move it"
            )


def collector_containers(
    collector: MetricsCollector | None, beside: str
) -> list[gcp.cloudrunv2.ServiceTemplateContainerArgsDict]:
    """The container, which starts after the one that it reads."""
    if collector is None:
        return []
    container: gcp.cloudrunv2.ServiceTemplateContainerArgsDict = {
        "name": _NAME,
        "image": collector.image,
        "depends_ons": [beside],
        "resources": {"limits": {"cpu": "1", "memory": "512Mi"}, "cpu_idle": False},
        "liveness_probe": {
            "http_get": {"path": "/liveness", "port": _HEALTH_PORT},
            "period_seconds": 30,
            "timeout_seconds": 30,
        },
    }
    if collector.config is not None:
        container["volume_mounts"] = [{"name": _CONFIG_VOLUME, "mount_path": _CONFIG_FOLDER}]
    return [container]


def collector_volumes(
    collector: MetricsCollector | None,
) -> list[gcp.cloudrunv2.ServiceTemplateVolumeArgsDict]:
    """The volume that holds its configuration, where it has one."""
    if collector is None or collector.config is None:
        return []
    return [
        {
            "name": _CONFIG_VOLUME,
            "gcs": {
                "bucket": collector.config.bucket,
                "read_only": True,
                "mount_options": [f"only-dir={collector.config.folder}"],
            },
        }
    ]

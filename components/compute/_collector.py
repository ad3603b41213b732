"""The collector of metrics that runs beside a service: Google's sidecar for Managed Prometheus.

Source: Google's page on the Prometheus sidecar of Cloud Run: its health port, its folder.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from components._checks import require_digest
from components.compute._workload import SecretVersion

__all__ = ["MetricsCollector", "collector_containers", "collector_volumes"]

_NAME = "collector"
_CONFIG_VOLUME = "collector-config"
_CONFIG_FOLDER = "/etc/rungmp"
_CONFIG_FILE = "config.yaml"
_HEALTH_PORT = 13133


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricsCollector:
    """What collects the metrics of a service."""

    image: pulumi.Input[str]
    """HOST/PATH@sha256:DIGEST."""
    config: SecretVersion | None = None
    """A RunMonitoring document; by default /metrics on port 8080 is read each 30 s."""

    def __post_init__(self) -> None:
        require_digest("metrics_collector.image", self.image)


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
            "secret": {
                "secret": collector.config.secret,
                "items": [{"path": _CONFIG_FILE, "version": collector.config.version}],
            },
        }
    ]

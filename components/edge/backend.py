"""The backend services of the load balancer: one for the service and one for each variant of it.

Each has a serverless endpoint group per region that serves, the same Cloud Armor policy, request log and
security headers, and with more than one region outlier detection. An endpoint group cannot be changed, only
replaced, so it is autonamed: the new one stands beside the old one until the backend service names it.

Not set on purpose, for Google refuses or ignores them on serverless backends: timeout, health checks, port
name, balancing mode, capacity and preference, session affinity and locality (use Cloud Run's), circuit
breakers, success-rate ejection, TLS settings towards the backend, service policies of failover.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from facts.refusal import RefusedError

__all__ = ["SCHEME", "BackendSettings", "Variant", "backend_service", "security_headers"]

SCHEME = "EXTERNAL_MANAGED"


@dataclass(frozen=True, kw_only=True, slots=True)
class Variant:
    """Another build of the service beside the main one: for a canary or an A/B test."""

    services: Mapping[str, pulumi.Input[str]]
    """Region to the name of the Cloud Run service there."""
    tag: str | None = None
    """Traffic tag of the revision in those services. Default: the services' own traffic decides."""

    def __post_init__(self) -> None:
        if not self.services:
            raise RefusedError("services of a variant must name a region at least, got none: add one")


@dataclass(frozen=True, kw_only=True, slots=True)
class BackendSettings:
    """What every backend service of one load balancer has in common; see `LoadBalancerArgs`."""

    security_policy_id: pulumi.Input[str]
    log_sample_rate: float
    response_headers: Sequence[str]
    drained: frozenset[str] = frozenset()


def security_headers(hsts_max_age_seconds: int) -> list[str]:
    """What every answer of an API tells browsers: HTTPS only, also for what a page loads; no sniffing, frames
    and referrers.

    Without `preload`, which binds the whole domain for years and is the domain owner's to decide.
    """
    return [
        f"Strict-Transport-Security: max-age={hsts_max_age_seconds}; includeSubDomains",
        "X-Content-Type-Options: nosniff",
        "X-Frame-Options: DENY",
        "Referrer-Policy: no-referrer",
        "Content-Security-Policy: frame-ancestors 'none'; upgrade-insecure-requests",
    ]


def backend_service(
    name: str,
    services: Mapping[str, pulumi.Input[str]],
    tag: str | None,
    settings: BackendSettings,
    child: pulumi.ResourceOptions,
) -> gcp.compute.BackendService:
    """One backend service; without services it has no backends."""
    groups = {
        region: gcp.compute.RegionNetworkEndpointGroup(
            f"{name}-{region}",
            region=region,
            network_endpoint_type="SERVERLESS",
            cloud_run=_run(service, tag),
            opts=child,
        )
        for region, service in services.items()
    }
    serving = [group.id for region, group in groups.items() if region not in settings.drained]
    return gcp.compute.BackendService(
        name,
        load_balancing_scheme=SCHEME,
        protocol="HTTPS",
        backends=[{"group": group} for group in serving],
        security_policy=settings.security_policy_id,
        enable_cdn=False,
        connection_draining_timeout_sec=30,
        custom_response_headers=list(settings.response_headers),
        log_config={
            "enable": True,
            "sample_rate": settings.log_sample_rate,
            "optional_mode": "CUSTOM",
            "optional_fields": ["tls.protocol", "tls.cipher"],
        },
        outlier_detection=_outlier_detection() if len(serving) > 1 else None,
        opts=child,
    )


def _run(
    service: pulumi.Input[str], tag: str | None
) -> gcp.compute.RegionNetworkEndpointGroupCloudRunArgsDict:
    return {"service": service} if tag is None else {"service": service, "tag": tag}


def _outlier_detection() -> gcp.compute.BackendServiceOutlierDetectionArgsDict:
    """Ejects a region for three minutes after five gateway failures in a row, and never more than half."""
    return {
        "base_ejection_time": {"seconds": 180},
        "consecutive_errors": 5,
        "consecutive_gateway_failure": 5,
        "enforcing_consecutive_errors": 100,
        "enforcing_consecutive_gateway_failure": 100,
        "interval": {"seconds": 10},
        "max_ejection_percent": 50,
    }

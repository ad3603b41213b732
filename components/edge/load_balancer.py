"""Global external Application Load Balancer in front of Cloud Run: the only way in.

Makes an IPv4 and an IPv6 address, one serverless NEG per region that serves, one backend service (scheme
EXTERNAL_MANAGED) with its Cloud Armor policy, request log, security headers and, with more than one region,
outlier detection; the HTTPS chain (URL map, TLS policy, proxy with the certificate map) and the HTTP chain
that only redirects; four forwarding rules.

Without services (`services` empty: no release yet) the whole chain stands and the backend service has no
backends. Google accepts that, it is the first step of its own guide, and a NEG for a service that does not
exist would be accepted and silently answer 404; so addresses, certificate, policy and DNS are proven before
the first release, and the release adds NEGs and backends in place. Until then clients get 503.

Whoever makes it writes `depends_on=[certificate]`: a certificate map without an entry serves nothing.

A host that is not ours is redirected to the canonical host. Closed paths answer 404 at the edge, by an
aborting fault, before Cloud Run sees them. Not set on purpose, for Google refuses or ignores them on
serverless backends: timeout, health checks, port name, balancing mode, session affinity (use Cloud Run's),
success-rate ejection. CDN is off. A load balancer cannot see that a serverless region fails, so outlier
detection ejects on 502, 503 and 504 only; some of them still reach clients.

Cost: forwarding rules by the hour, traffic by volume, request logs by `log_sample_rate`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_gcp as gcp

from facts.refusal import RefusedError

__all__ = ["LoadBalancer", "LoadBalancerArgs"]

_SCHEME = "EXTERNAL_MANAGED"
_CLOSED_PATH = re.compile(r"/[A-Za-z0-9/_.-]*[A-Za-z0-9_-]")


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadBalancerArgs:
    """What is served, under which hosts, how strictly."""

    hosts: Sequence[str]
    """Hosts that are served; the first is the canonical one."""
    services: Mapping[str, pulumi.Input[str]]
    """Region to the name of the Cloud Run service there; empty before the first release."""
    certificate_map_id: pulumi.Input[str]
    """`projects/P/locations/global/certificateMaps/M`."""
    security_policy_id: pulumi.Input[str]
    labels: Mapping[str, str]
    log_sample_rate: float
    """Share of requests that are logged, above 0 to 1. Cloud Armor's log entries are part of the sample."""
    closed_paths: Sequence[str] = ("/metrics", "/internal")
    """Paths that answer 404 at the edge, with everything below them."""
    tls_profile: Literal["MODERN", "RESTRICTED"] = "RESTRICTED"
    minimum_tls: Literal["TLS_1_2", "TLS_1_3"] = "TLS_1_2"
    hsts_max_age_seconds: int = 31_536_000
    """How long browsers insist on HTTPS; a year. At least 15,552,000 seconds (180 days)."""

    def __post_init__(self) -> None:
        if not self.hosts:
            raise RefusedError("hosts must name at least one host, got none: name the canonical host")
        if not 0 < self.log_sample_rate <= 1:
            raise RefusedError(
                f"log_sample_rate must be above 0 and at most 1, got {self.log_sample_rate}: "
                "without a request log Cloud Armor writes none either"
            )
        for path in self.closed_paths:
            if not _CLOSED_PATH.fullmatch(path):
                raise RefusedError(
                    f"closed_paths must hold absolute paths without a final slash, got {path!r}: correct it"
                )
        if self.minimum_tls == "TLS_1_3" and self.tls_profile != "RESTRICTED":
            raise RefusedError(
                f"tls_profile must be RESTRICTED with minimum_tls TLS_1_3, got {self.tls_profile}: change one"
            )
        if self.hsts_max_age_seconds < 15_552_000:
            raise RefusedError(
                f"hsts_max_age_seconds must be at least 15552000 seconds, "
                f"got {self.hsts_max_age_seconds}: raise it"
            )


class LoadBalancer(pulumi.ComponentResource):
    """Addresses, proxies and the backend service."""

    ipv4: pulumi.Output[str]
    ipv6: pulumi.Output[str]
    backend_service_name: pulumi.Output[str]

    def __init__(self, name: str, args: LoadBalancerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aiprod:edge:LoadBalancer", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        addresses = {
            version: gcp.compute.GlobalAddress(
                f"{name}-{version.lower()}",
                ip_version=version,
                address_type="EXTERNAL",
                labels=args.labels,
                opts=child,
            )
            for version in ("IPV4", "IPV6")
        }
        backend = _backend_service(name, args, child)
        secure = gcp.compute.TargetHttpsProxy(
            name,
            url_map=_url_map(name, args, backend.id, child).id,
            certificate_map=pulumi.Output.concat(
                "//certificatemanager.googleapis.com/", args.certificate_map_id
            ),
            ssl_policy=gcp.compute.SSLPolicy(
                name, profile=args.tls_profile, min_tls_version=args.minimum_tls, opts=child
            ).id,
            tls_early_data="DISABLED",
            opts=child,
        )
        plain = gcp.compute.TargetHttpProxy(
            f"{name}-redirect", url_map=_redirect_map(f"{name}-redirect", child).id, opts=child
        )
        targets: dict[str, tuple[pulumi.Output[str], str]] = {
            "https": (secure.id, "443"),
            "http": (plain.id, "80"),
        }
        for scheme, (target, port) in targets.items():
            for version, address in addresses.items():
                gcp.compute.GlobalForwardingRule(
                    f"{name}-{scheme}-{version.lower()}",
                    load_balancing_scheme=_SCHEME,
                    ip_protocol="TCP",
                    ip_address=address.id,
                    port_range=port,
                    target=target,
                    labels=args.labels,
                    opts=child,
                )
        self.ipv4 = addresses["IPV4"].address
        self.ipv6 = addresses["IPV6"].address
        self.backend_service_name = backend.name
        self.register_outputs(
            {
                "ipv4": self.ipv4,
                "ipv6": self.ipv6,
                "backend_service_name": self.backend_service_name,
            }
        )


def _backend_service(
    name: str, args: LoadBalancerArgs, child: pulumi.ResourceOptions
) -> gcp.compute.BackendService:
    # Autonamed: a NEG cannot be changed, so its replacement must stand beside it before the old one goes.
    groups = {
        region: gcp.compute.RegionNetworkEndpointGroup(
            f"{name}-{region}",
            region=region,
            network_endpoint_type="SERVERLESS",
            cloud_run={"service": service},
            opts=child,
        )
        for region, service in args.services.items()
    }
    return gcp.compute.BackendService(
        name,
        load_balancing_scheme=_SCHEME,
        protocol="HTTPS",
        backends=[{"group": group.id} for group in groups.values()],
        security_policy=args.security_policy_id,
        enable_cdn=False,
        connection_draining_timeout_sec=30,
        custom_request_headers=[
            "X-Client-Address: {client_ip_address}",
            "X-Client-Region: {client_region}",
        ],
        custom_response_headers=[
            f"Strict-Transport-Security: max-age={args.hsts_max_age_seconds}; includeSubDomains",
            "X-Content-Type-Options: nosniff",
            "X-Frame-Options: DENY",
            "Referrer-Policy: no-referrer",
            "Content-Security-Policy: frame-ancestors 'none'",
        ],
        log_config={
            "enable": True,
            "sample_rate": args.log_sample_rate,
            "optional_mode": "CUSTOM",
            "optional_fields": ["tls.protocol", "tls.cipher"],
        },
        outlier_detection=_outlier_detection() if len(groups) > 1 else None,
        opts=child,
    )


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


def _url_map(
    name: str, args: LoadBalancerArgs, backend: pulumi.Output[str], child: pulumi.ResourceOptions
) -> gcp.compute.URLMap:
    closed: list[gcp.compute.URLMapPathMatcherPathRuleArgsDict] = [
        {
            "paths": [path, f"{path}/*"],
            "service": backend,
            "route_action": {
                "fault_injection_policy": {"abort": {"http_status": 404, "percentage": 100}},
            },
        }
        for path in args.closed_paths
    ]
    return gcp.compute.URLMap(
        name,
        default_url_redirect={
            "host_redirect": args.hosts[0],
            "https_redirect": True,
            "redirect_response_code": "MOVED_PERMANENTLY_DEFAULT",
            "strip_query": False,
        },
        host_rules=[{"hosts": list(args.hosts), "path_matcher": "api"}],
        path_matchers=[{"name": "api", "default_service": backend, "path_rules": closed}],
        opts=child,
    )


def _redirect_map(name: str, child: pulumi.ResourceOptions) -> gcp.compute.URLMap:
    return gcp.compute.URLMap(
        name,
        default_url_redirect={
            "https_redirect": True,
            "redirect_response_code": "MOVED_PERMANENTLY_DEFAULT",
            "strip_query": False,
        },
        opts=child,
    )

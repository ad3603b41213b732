"""Global external Application Load Balancer in front of Cloud Run: the only way in.

Makes an IPv4 and an IPv6 address, the backend services (`backend.py`), the HTTPS chain (URL map with its
routes and the tests that Google runs on each update, TLS policy, proxy with the certificate map), the HTTP
chain that only redirects, and four forwarding rules; with error pages also a backend bucket.

Without services (`services` empty: no release yet) the whole chain stands and the backend service has no
backends. Google accepts that, it is the first step of its own guide, and a NEG for a service that does not
exist would be accepted and silently answer 404; so addresses, certificate, policy and DNS are proven before
the first release, and the release adds NEGs and backends in place. Until then clients get 503.

Whoever makes it writes `depends_on=[certificate]`: a certificate map without an entry serves nothing.

A host that is not ours is redirected to the canonical host. Closed paths answer 404 at the edge, by an
aborting fault, before Cloud Run sees them. Each request carries the true client address and region, replaced
whatever the client sent, and on a customer's domain the brand. CDN is off: the answers are private and
change. A load balancer cannot see that a serverless region fails, so outlier detection ejects on 502, 503
and 504 only; some of them still reach clients.

Not modelled, with the reason: the classic scheme and the migration from it (nothing classic was ever
deployed), other backends than Cloud Run and backends of other projects (there are none), URL masks (the
caller would choose the service), own and classic certificates (Certificate Manager renews), client
certificates (partners have tokens), TLS features picked one by one (the profiles are Google's to keep), TLS
early data (replayable), Identity-Aware Proxy (excludes outlier detection; partners are no Google
identities), cache and signed URLs (CDN is off), edge policy (filters before a cache only), logged header
values (they hold tokens), extensions and callouts (Cloud Armor and the application decide).

Cost: forwarding rules by the hour, traffic by volume, request logs by `log_sample_rate`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import pulumi
import pulumi_gcp as gcp

from components.edge.backend import SCHEME, BackendSettings, Variant, backend_service, security_headers
from components.edge.domains import check_host
from components.edge.route_compiler import RoutePlan, plan_routes
from components.edge.routes import MAIN, Route
from components.edge.url_maps import ErrorPages, check_count, error_policy, main_map, redirect_map
from facts.refusal import RefusedError

__all__ = [
    "ErrorPages",
    "LoadBalancer",
    "LoadBalancerArgs",
    "Modern",
    "PostQuantum",
    "Restricted",
    "TlsPolicy",
    "Variant",
]

_CLOSED_PATH: Final = re.compile(r"/[A-Za-z0-9/_.-]*[A-Za-z0-9_-]")
_KEY: Final = re.compile(r"[a-z][a-z0-9-]{0,19}")
PostQuantum = Literal["DEFAULT", "ENABLED", "DEFERRED"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Modern:
    """TLS 1.2 and later, with the ciphers of today and some older clients."""

    post_quantum: PostQuantum = "ENABLED"
    """Whether a key exchange that withstands quantum computers is offered beside the classic one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Restricted:
    """Only forward-secret authenticated ciphers; TLS 1.3 alone is Google's for this profile only."""

    minimum: Literal["TLS_1_2", "TLS_1_3"] = "TLS_1_2"
    post_quantum: PostQuantum = "ENABLED"
    """As in `Modern`."""


TlsPolicy = Modern | Restricted


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadBalancerArgs:
    """What is served, under which hosts, how strictly."""

    hosts: Sequence[str]
    """Hosts that are served; the first is the canonical one."""
    services: Mapping[str, pulumi.Input[str]]
    """Region to the name of the Cloud Run service there; empty before the first release."""
    drained: frozenset[str] = frozenset()
    """Regions of `services` that get no requests; their endpoint groups stay. Default: none."""
    certificate_map_id: pulumi.Input[str]
    """`projects/P/locations/global/certificateMaps/M`."""
    security_policy_id: pulumi.Input[str]
    labels: Mapping[str, str]
    log_sample_rate: float
    """Share of requests that are logged, above 0 to 1. Cloud Armor's log entries are part of the sample."""
    brands: Mapping[str, str] = field(default_factory=dict[str, str])
    """Brand to a customer's own domain; the application reads the brand in X-Brand."""
    variants: Mapping[str, Variant] = field(default_factory=dict[str, Variant])
    """Further builds of the service by name; without a route none of them is reached."""
    routes: Mapping[str, Route] = field(default_factory=dict[str, Route])
    """Name to route. Default: everything to `services`."""
    error_pages: ErrorPages | None = None
    """Pages in place of errors. Default: Google's or the application's own answers."""
    closed_paths: Sequence[str] = ("/metrics", "/internal")
    """Paths that answer 404 at the edge, with everything below them, whatever their case."""
    tls: TlsPolicy = field(default_factory=Restricted)
    hsts_max_age_seconds: int = 31_536_000
    """How long browsers insist on HTTPS; a year. At least 15,552,000 seconds (180 days)."""
    quic: bool = True
    """Whether HTTP/3 is offered."""
    keep_alive_seconds: int = 610
    """How long an idle connection of a client is kept, 5 to 1,200 seconds."""

    def __post_init__(self) -> None:
        if not self.hosts:
            raise RefusedError("hosts must name at least one host, got none: name the canonical host")
        named = [("hosts", host) for host in self.hosts]
        named += [(f"brands.{brand}", host) for brand, host in self.brands.items()]
        seen: set[str] = set()
        for where, host in named:
            check_host(where, host)
            if host in seen:
                raise RefusedError(f"{where} must be served once, got {host!r} again: remove one")
            seen.add(host)
        for where, keys in (("brands", self.brands), ("variants", self.variants)):
            for key in keys:
                if not _KEY.fullmatch(key) or key == MAIN:
                    raise RefusedError(
                        f"{where} must be keyed by 1 to 20 lower-case letters, digits and hyphens, "
                        f"not {MAIN}, got {key!r}: rename it"
                    )
        if self.services and self.drained >= {*self.services}:
            raise RefusedError(
                f"drained must leave a region of services, got {', '.join(sorted(self.drained))}: remove one"
            )
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
        if self.hsts_max_age_seconds < 15_552_000:
            raise RefusedError(
                f"hsts_max_age_seconds must be at least 15552000 seconds, "
                f"got {self.hsts_max_age_seconds}: raise it"
            )
        if not 5 <= self.keep_alive_seconds <= 1200:
            raise RefusedError(
                f"keep_alive_seconds must be between 5 and 1200 seconds, "
                f"got {self.keep_alive_seconds}: correct it"
            )
        check_count(self.plan, self.hosts, self.brands)

    @property
    def plan(self) -> RoutePlan:
        """The routes in the order of judgement, closed paths first."""
        return plan_routes(self.closed_paths, self.routes, tuple(self.variants))


class LoadBalancer(pulumi.ComponentResource):
    """Addresses, proxies and the backend services."""

    ipv4: pulumi.Output[str]
    ipv6: pulumi.Output[str]
    backend_service_name: pulumi.Output[str]
    """Of the service itself, not of a variant."""

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
        settings = BackendSettings(
            security_policy_id=args.security_policy_id,
            log_sample_rate=args.log_sample_rate,
            response_headers=security_headers(args.hsts_max_age_seconds),
            drained=args.drained,
        )
        backend = backend_service(name, args.services, None, settings, child)
        backends = {
            MAIN: backend.id,
            **{
                key: backend_service(f"{name}-{key}", one.services, one.tag, settings, child).id
                for key, one in args.variants.items()
            },
        }
        pages = args.error_pages
        errors = None if pages is None else error_policy(name, pages, settings.response_headers, child)
        secure = gcp.compute.TargetHttpsProxy(
            name,
            url_map=main_map(name, args.plan, args.hosts, args.brands, backends, errors, child).id,
            certificate_map=pulumi.Output.concat(
                "//certificatemanager.googleapis.com/", args.certificate_map_id
            ),
            ssl_policy=_tls_policy(name, args.tls, child).id,
            tls_early_data="DISABLED",
            quic_override="ENABLE" if args.quic else "DISABLE",
            http_keep_alive_timeout_sec=args.keep_alive_seconds,
            opts=child,
        )
        plain = gcp.compute.TargetHttpProxy(
            f"{name}-redirect",
            url_map=redirect_map(f"{name}-redirect", args.hosts[0], child).id,
            http_keep_alive_timeout_sec=args.keep_alive_seconds,
            opts=child,
        )
        targets: dict[str, tuple[pulumi.Output[str], str]] = {
            "https": (secure.id, "443"),
            "http": (plain.id, "80"),
        }
        for scheme, (target, port) in targets.items():
            for version, address in addresses.items():
                gcp.compute.GlobalForwardingRule(
                    f"{name}-{scheme}-{version.lower()}",
                    load_balancing_scheme=SCHEME,
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


def _tls_policy(name: str, tls: TlsPolicy, child: pulumi.ResourceOptions) -> gcp.compute.SSLPolicy:
    return gcp.compute.SSLPolicy(
        name,
        profile="MODERN" if isinstance(tls, Modern) else "RESTRICTED",
        min_tls_version="TLS_1_2" if isinstance(tls, Modern) else tls.minimum,
        post_quantum_key_exchange=tls.post_quantum,
        opts=child,
    )

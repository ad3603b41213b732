"""The edge layer: zone, certificate, Cloud Armor, load balancer and the host's records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pulumi

from components.edge.armor_rules import (
    AllowAddresses,
    AllowProbes,
    BodyLimit,
    DenyAddresses,
    DenyHeaders,
    DenyMethods,
    DenyRegions,
    GlobalBan,
    PathRateLimit,
    Rule,
)
from components.edge.certificate import Certificate, CertificateArgs
from components.edge.dns_zone import DnsZone, DnsZoneArgs, Record
from components.edge.host_records import HostRecords, HostRecordsArgs
from components.edge.load_balancer import ErrorPages, LoadBalancer, LoadBalancerArgs, Variant
from components.edge.routes import CookieIs, Match, Route, Split, ToVariant
from components.edge.security_policy import SecurityPolicy, SecurityPolicyArgs
from config import Settings
from naming import Names
from stacks.edge_waf import CLOSED_PATHS, SCANNERS, form_rules, waf_rules

__all__ = ["Edge", "edge"]

_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT")


@dataclass(frozen=True, kw_only=True, slots=True)
class Edge:
    """What other layers and the stack's outputs take from the edge."""

    ipv4: pulumi.Output[str]
    ipv6: pulumi.Output[str]
    name_servers: pulumi.Output[list[str]]
    validation_record: pulumi.Output[Mapping[str, str]]
    customer_records: Mapping[str, pulumi.Output[Mapping[str, str]]]
    """Brand to the record that proves its domain; the customer publishes it, and points the domain here."""
    policy_name: pulumi.Output[str]


def edge(
    *,
    settings: Settings,
    names: Names,
    services: Mapping[str, pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
    drained: frozenset[str] = frozenset(),
) -> Edge:
    """`services`: region to the name of the API service there; empty while there is no release.

    `drained`: regions of them that get no requests, because they are out of reach.
    """
    labels = names.labels("edge")
    protected = pulumi.ResourceOptions.merge(
        opts, pulumi.ResourceOptions(protect=settings.deletion_protection)
    )
    zone = DnsZone("zone", _zone(settings, labels), protected)
    certificate = Certificate(
        "certificate",
        CertificateArgs(
            hosts={"api": settings.host},
            labels=labels,
            managed_zone=zone.zone_name,
            foreign_hosts={f"brand-{brand}": host for brand, host in settings.edge.customers.items()},
        ),
        opts,
    )
    policy = SecurityPolicy(
        "armor",
        SecurityPolicyArgs(
            rules=_rules(settings),
            description=f"Everything that reaches {settings.host}",
            labels=labels,
            preview=settings.edge.waf == "preview",
            expression_quota=settings.edge.armor_expression_quota,
        ),
        opts,
    )
    balancer = LoadBalancer(
        "edge",
        LoadBalancerArgs(
            hosts=(settings.host,),
            services=services,
            drained=drained,
            certificate_map_id=certificate.certificate_map_id,
            security_policy_id=policy.policy_id,
            labels=labels,
            log_sample_rate=settings.edge.log_sample_rate,
            brands=settings.edge.customers,
            variants=_variants(settings, services),
            routes=_routes(settings) if services else {},
            error_pages=_error_pages(settings),
            closed_paths=CLOSED_PATHS,
        ),
        pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[certificate])),
    )
    HostRecords(
        "api-host",
        HostRecordsArgs(
            host=settings.host, managed_zone=zone.zone_name, ipv4=balancer.ipv4, ipv6=balancer.ipv6
        ),
        opts,
    )
    return Edge(
        ipv4=balancer.ipv4,
        ipv6=balancer.ipv6,
        name_servers=zone.name_servers.apply(list),
        validation_record=certificate.dns_records.apply(lambda records: records["api"]),
        customer_records={
            brand: certificate.dns_records.apply(lambda records, key=f"brand-{brand}": records[key])
            for brand in settings.edge.customers
        },
        policy_name=policy.policy_name,
    )


def _variants(settings: Settings, services: Mapping[str, pulumi.Input[str]]) -> dict[str, Variant]:
    """Tagged revisions of the same services; none before there is a service."""
    if not services:
        return {}
    return {
        name: Variant(services={region: services[region] for region in variant.revisions}, tag=name)
        for name, variant in settings.edge.variants.items()
    }


def _routes(settings: Settings) -> dict[str, Route]:
    """Who asks for a variant gets it; of the others each variant takes its share."""
    routes: dict[str, Route] = {}
    for place, (name, variant) in enumerate(sorted(settings.edge.variants.items())):
        to = ToVariant(variant=name)
        if variant.header is not None:
            match = Match(headers={variant.header.name: variant.header.value})
            routes[f"{name}-header"] = Route(position=10 + place, match=match, target=to)
        if variant.cookie is not None:
            match = Match(cookie=CookieIs(name=variant.cookie.name, value=variant.cookie.value))
            routes[f"{name}-cookie"] = Route(position=30 + place, match=match, target=to)
    percents = {
        name: variant.percent
        for name, variant in settings.edge.variants.items()
        if variant.percent is not None
    }
    if percents:
        routes["shares"] = Route(position=80, match=Match(), target=Split(percents=percents))
    return routes


def _error_pages(settings: Settings) -> ErrorPages | None:
    config = settings.edge.error_pages
    if config is None:
        return None
    pages: dict[int | Literal["4xx", "5xx"], str] = {}
    if config.client_errors is not None:
        pages["4xx"] = config.client_errors
    if config.server_errors is not None:
        pages["5xx"] = config.server_errors
    return ErrorPages(bucket=config.bucket, pages=pages)


def _zone(settings: Settings, labels: Mapping[str, str]) -> DnsZoneArgs:
    zone = settings.edge.zone
    return DnsZoneArgs(
        domain=zone.domain,
        description=f"Public names of {settings.environment}",
        labels=labels,
        delegations={f"{label}.{zone.domain}": servers for label, servers in zone.delegations.items()},
        records={
            label: Record(host=f"{label}.{zone.domain}", type="CNAME", data=(f"{target}.",))
            for label, target in zone.aliases.items()
        },
    )


def _rules(settings: Settings) -> list[Rule]:
    config = settings.edge
    listed = [AllowAddresses(ranges=config.allowed_ranges)] if config.allowed_ranges else []
    denied = [DenyAddresses(position=0, ranges=config.denied_ranges)] if config.denied_ranges else []
    return [
        AllowProbes(paths=(settings.api.health_path,)),
        *listed,
        *denied,
        DenyRegions(regions=config.denied_countries),
        DenyMethods(allowed=_METHODS),
        BodyLimit(max_bytes=config.max_body_bytes, exempt_path_prefixes=config.upload_path_prefixes),
        # The headers tell some frameworks another path or method than those that were judged.
        DenyHeaders(
            headers=("x-original-url", "x-rewrite-url", "x-http-method-override"), agent_words=SCANNERS
        ),
        *form_rules(),
        *waf_rules(),
        PathRateLimit(
            position=0, path_prefix="/auth/", count=config.auth_requests_per_minute, interval_seconds=60
        ),
        GlobalBan(count=config.requests_per_minute, interval_seconds=60, ban_seconds=config.ban_seconds),
    ]

"""A public DNS zone with DNSSEC, its delegations and the records that belong to no other component.

Makes one `dns.ManagedZone` (DNSSEC on, queries logged), an NS record set per delegated child zone and any
further record sets given. Records of the public host are `host_records.py`, validation records are
`certificate.py`: each owner makes its own.

Does not make: the delegation at the registrar and the DS record above the zone; both are the operator's,
and the zone answers nobody before the registrar points here (`name_servers`). Replacing the zone changes
its name servers, which is an outage: protect it. Not modelled: weighted and geographic answers (one anycast
address answers everywhere), forwarding, peering and reverse zones, which are private ones. Cost: per zone
and month, and per million queries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_gcp as gcp

from components.edge.domains import is_domain
from facts.refusal import RefusedError

__all__ = ["DnsZone", "DnsZoneArgs", "Record"]

_DELEGATION_TTL_SECONDS = 3600


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One record set. `host` is the full name without the dot at the end; `data` is written as DNS wants
    it."""

    host: str
    type: Literal["A", "AAAA", "CAA", "CNAME", "MX", "TXT"]
    data: Sequence[str]
    ttl_seconds: int = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class DnsZoneArgs:
    """The zone and what it says."""

    domain: str
    """Domain of the zone, lower case, without a dot at the end."""
    description: str
    labels: Mapping[str, str]
    delegations: Mapping[str, Sequence[str]]
    """Child domain to the names of its name servers, without a dot at the end; empty delegates nothing."""
    records: Mapping[str, Record]
    """Key to further record set; the key names the child."""

    def __post_init__(self) -> None:
        if not is_domain(self.domain):
            raise RefusedError(f"domain must be a domain in lower case, got {self.domain!r}: correct it")
        for child, servers in self.delegations.items():
            _check_inside("delegations", child, self.domain)
            if len(servers) < 2:
                raise RefusedError(
                    f"delegations.{child} must name at least 2 name servers, got {len(servers)}: "
                    "take all of those that the child zone reports"
                )
        for key, record in self.records.items():
            _check_inside(f"records.{key}", record.host, self.domain)
            if record.type == "CNAME" and record.host == self.domain:
                raise RefusedError(
                    f"records.{key} must not be a CNAME at the apex {self.domain}: use A and AAAA"
                )


class DnsZone(pulumi.ComponentResource):
    """A public zone."""

    zone_name: pulumi.Output[str]
    name_servers: pulumi.Output[Sequence[str]]

    def __init__(self, name: str, args: DnsZoneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aiprod:edge:DnsZone", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        zone = gcp.dns.ManagedZone(
            name,
            dns_name=f"{args.domain}.",
            description=args.description,
            visibility="public",
            dnssec_config={"state": "on", "non_existence": "nsec3"},
            cloud_logging_config={"enable_logging": True},
            force_destroy=False,
            labels=args.labels,
            opts=child,
        )
        for child_domain, servers in args.delegations.items():
            gcp.dns.RecordSet(
                f"{name}-delegation-{child_domain.removesuffix('.' + args.domain).replace('.', '-')}",
                managed_zone=zone.name,
                name=f"{child_domain}.",
                type="NS",
                ttl=_DELEGATION_TTL_SECONDS,
                rrdatas=[f"{server}." for server in servers],
                opts=child,
            )
        for key, record in args.records.items():
            gcp.dns.RecordSet(
                f"{name}-{key}",
                managed_zone=zone.name,
                name=f"{record.host}.",
                type=record.type,
                ttl=record.ttl_seconds,
                rrdatas=list(record.data),
                opts=child,
            )
        self.zone_name = zone.name
        self.name_servers = zone.name_servers
        self.register_outputs({"zone_name": self.zone_name, "name_servers": self.name_servers})


def _check_inside(field: str, host: str, domain: str) -> None:
    if not is_domain(host) or (host != domain and not host.endswith(f".{domain}")):
        raise RefusedError(f"{field} must be {domain} or a name below it, got {host!r}: correct it")

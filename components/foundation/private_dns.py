"""Names inside the network: every query logged, and Google's interfaces answered by private addresses.

Makes a DNS policy that logs each query of the network, and a private zone for googleapis.com whose names lead
to the four addresses of private.googleapis.com (199.36.153.8/30): they are reached from subnets with private
Google access and never leave Google's network. Until its records stand, the zone answers "no such name" to
everybody in the network, so whoever calls Google waits for this component (`depends_on=[this]`).

Does not make: the restricted range of addresses, which belongs to a service perimeter that only an
organisation has; inbound and outbound forwarding, peering and response policies, because no other network is
joined; names for databases and caches, which are reached by address or by Cloud SQL's connector; zones for
pkg.dev and run.app, which nothing inside the network calls. Cost: per zone and month, per million queries,
and the logs by volume.
Sources: Private Google Access, "Configure DNS"; Cloud DNS, "Private zones".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from facts.refusal import RefusedError

__all__ = ["PrivateDns", "PrivateDnsArgs"]

_DOMAIN = "googleapis.com."
_PRIVATE_HOST = f"private.{_DOMAIN}"
_PRIVATE_ADDRESSES = ("199.36.153.8", "199.36.153.9", "199.36.153.10", "199.36.153.11")
_DAY_SECONDS = 86_400


@dataclass(frozen=True, kw_only=True, slots=True)
class PrivateDnsArgs:
    """One network's names."""

    project_id: pulumi.Input[str]
    network_id: pulumi.Input[str]
    labels: Mapping[str, str]
    # How long an answer may be kept; 30 seconds to a day.
    ttl_seconds: int = 300

    def __post_init__(self) -> None:
        if not 30 <= self.ttl_seconds <= _DAY_SECONDS:
            raise RefusedError(
                f"ttl_seconds must be between 30 and {_DAY_SECONDS} seconds, got {self.ttl_seconds}; "
                "correct it"
            )


class PrivateDns(pulumi.ComponentResource):
    """DNS policy and private zone of one network."""

    # Name of the zone.
    zone_name: pulumi.Output[str]

    def __init__(self, name: str, args: PrivateDnsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aiprod:foundation:PrivateDns", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        gcp.dns.Policy(
            name,
            project=args.project_id,
            description="Logs every query of the network",
            enable_logging=True,
            networks=[{"network_url": args.network_id}],
            opts=child,
        )
        zone = gcp.dns.ManagedZone(
            f"{name}-google",
            project=args.project_id,
            dns_name=_DOMAIN,
            description="Google's interfaces by private addresses",
            visibility="private",
            private_visibility_config={"networks": [{"network_url": args.network_id}]},
            labels=dict(args.labels),
            opts=child,
        )
        records = {
            "private": (_PRIVATE_HOST, "A", list(_PRIVATE_ADDRESSES)),
            "all": (f"*.{_DOMAIN}", "CNAME", [_PRIVATE_HOST]),
        }
        for key, (host, type, data) in records.items():
            gcp.dns.RecordSet(
                f"{name}-google-{key}",
                project=args.project_id,
                managed_zone=zone.name,
                name=host,
                type=type,
                ttl=args.ttl_seconds,
                rrdatas=data,
                opts=child,
            )
        self.zone_name = zone.name
        self.register_outputs({"zone_name": self.zone_name})

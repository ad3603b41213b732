"""The DNS records that bring one host to the load balancer.

Makes an A and an AAAA record set, and a CAA record set that lets only Google's authority issue for the
host, so that nobody else's certificate for it is valid. Does not make the zone (`dns_zone.py`) nor the
record that validates the certificate (`certificate.py`). Changing an address takes `ttl_seconds` to reach
clients.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from components.edge.domains import check_host
from facts.refusal import RefusedError

__all__ = ["HostRecords", "HostRecordsArgs"]

_CERTIFICATE_AUTHORITY = '0 issue "pki.goog"'


@dataclass(frozen=True, kw_only=True, slots=True)
class HostRecordsArgs:
    """Which host, in which zone, at which addresses."""

    host: str
    """Full name without a dot at the end."""
    managed_zone: pulumi.Input[str]
    """Name of the zone that holds the host."""
    ipv4: pulumi.Input[str]
    ipv6: pulumi.Input[str]
    ttl_seconds: int = 300
    """30 to 86,400 seconds; short, so that a cut-over is quick."""

    def __post_init__(self) -> None:
        if not 30 <= self.ttl_seconds <= 86_400:
            raise RefusedError(
                f"ttl_seconds must be between 30 and 86400 seconds, got {self.ttl_seconds}: correct it"
            )
        check_host("host", self.host)


class HostRecords(pulumi.ComponentResource):
    """Address and CAA records of one host."""

    def __init__(self, name: str, args: HostRecordsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aiprod:edge:HostRecords", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        records: dict[str, pulumi.Input[str]] = {
            "A": args.ipv4,
            "AAAA": args.ipv6,
            "CAA": _CERTIFICATE_AUTHORITY,
        }
        for kind, data in records.items():
            gcp.dns.RecordSet(
                f"{name}-{kind.lower()}",
                managed_zone=args.managed_zone,
                name=f"{args.host}.",
                type=kind,
                ttl=args.ttl_seconds,
                rrdatas=[data],
                opts=child,
            )
        self.register_outputs({})

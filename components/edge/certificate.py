"""Certificates for hosts, validated by DNS, in one certificate map.

Makes per host a `DnsAuthorization`, a Google-managed `Certificate` and a `CertificateMapEntry`, and one
`CertificateMap` for all; where the host's DNS zone is managed here, also the CNAME that proves control.
Google renews for as long as that CNAME stays. Needs no load balancer and no traffic, so a certificate can
be active before the cut-over (5 to 30 minutes after the CNAME).

Does not make: a PRIMARY entry (a client that names no host of ours gets no certificate), wildcards (each
host is named), private keys, certificates of a private authority (browsers do not know it), scopes for
caches, regions and clients (one global load balancer serves all), records of a project's own kind (a fixed
record is what a customer can publish once and forget). Changing a host replaces its certificate; the map
entry moves to the new one first.

Cost: the first hundred managed certificates of a project are free of charge at the time of writing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_gcp as gcp

from components.edge.domains import check_host
from facts.refusal import RefusedError

__all__ = ["Certificate", "CertificateArgs"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CertificateArgs:
    """Which hosts are certified, and where their proof is published."""

    hosts: Mapping[str, str]
    """Key to host name, lower case, without a dot at the end; the key names the children."""
    labels: Mapping[str, str]
    managed_zone: pulumi.Input[str] | None = None
    """Name of the zone that takes the validation records. Default: they are only in `dns_records`, to be
    published by hand."""
    foreign_hosts: Mapping[str, str] = field(default_factory=dict[str, str])
    """As `hosts`, for domains of others: their records are only in `dns_records`."""

    def __post_init__(self) -> None:
        if not self.hosts:
            raise RefusedError(
                "hosts must name at least one host, got none: a map without an entry serves nothing"
            )
        for key, host in self.hosts.items():
            check_host(f"hosts.{key}", host)
        for key, host in self.foreign_hosts.items():
            check_host(f"foreign_hosts.{key}", host)
            if key in self.hosts:
                raise RefusedError(f"foreign_hosts must have keys other than hosts, got {key!r}: rename it")


class Certificate(pulumi.ComponentResource):
    """A certificate map with one entry per host."""

    certificate_map_id: pulumi.Output[str]
    dns_records: pulumi.Output[Mapping[str, Mapping[str, str]]]
    """Key of the host to the validation record: `name`, `type`, `data`."""

    def __init__(self, name: str, args: CertificateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aiprod:edge:Certificate", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        certificate_map = gcp.certificatemanager.CertificateMap(name, labels=args.labels, opts=child)
        records: dict[str, pulumi.Output[Mapping[str, str]]] = {}
        for key, host in {**args.hosts, **args.foreign_hosts}.items():
            authorization = gcp.certificatemanager.DnsAuthorization(
                f"{name}-{key}", domain=host, type="FIXED_RECORD", labels=args.labels, opts=child
            )
            records[key] = authorization.dns_resource_records.apply(_first_record)
            if args.managed_zone is not None and key in args.hosts:
                _validation_record(f"{name}-{key}-validation", args.managed_zone, records[key], child)
            certificate = gcp.certificatemanager.Certificate(
                f"{name}-{key}",
                scope="DEFAULT",
                managed={"domains": [host], "dns_authorizations": [authorization.id]},
                labels=args.labels,
                opts=child,
            )
            gcp.certificatemanager.CertificateMapEntry(
                f"{name}-{key}",
                map=certificate_map.name,
                hostname=host,
                certificates=[certificate.id],
                labels=args.labels,
                opts=child,
            )
        self.certificate_map_id = certificate_map.id
        self.dns_records = pulumi.Output.all(**records)
        self.register_outputs(
            {"certificate_map_id": self.certificate_map_id, "dns_records": self.dns_records}
        )


def _first_record(
    records: Sequence[gcp.certificatemanager.outputs.DnsAuthorizationDnsResourceRecord],
) -> Mapping[str, str]:
    record = records[0]
    return {"name": record.name or "", "type": record.type or "", "data": record.data or ""}


def _validation_record(
    name: str,
    managed_zone: pulumi.Input[str],
    record: pulumi.Output[Mapping[str, str]],
    opts: pulumi.ResourceOptions,
) -> None:
    gcp.dns.RecordSet(
        name,
        managed_zone=managed_zone,
        name=record.apply(lambda r: r["name"]),
        type=record.apply(lambda r: r["type"]),
        ttl=300,
        rrdatas=[record.apply(lambda r: r["data"])],
        opts=opts,
    )

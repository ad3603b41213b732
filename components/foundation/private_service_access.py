"""Private service access: the peering through which databases and caches get addresses inside the
network.

Makes one reserved range per region and the connection. Databases and caches write `depends_on=[this]`:
Google refuses them before the peering stands. Free of charge. The connection cannot be deleted for
minutes, sometimes days, after the last database has gone; `abandon` leaves it behind on a destroy, for
stacks that come and go.

Not modelled: exchange of custom routes and peered DNS domains, since no other network is joined; producers
other than Google's own services; an update where the creation fails, which would take over a peering that
somebody else made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

import pulumi
import pulumi_gcp as gcp

from facts.addresses import parse_range, refuse_overlaps
from facts.refusal import RefusedError

__all__ = ["PrivateServiceAccess", "PrivateServiceAccessArgs"]


@dataclass(frozen=True, kw_only=True, slots=True)
class PrivateServiceAccessArgs:
    """The ranges that Google may use, /16 to /20 each, by region; consumers take the first by default."""

    project_id: pulumi.Input[str]
    network_id: pulumi.Input[str]
    ranges: Mapping[str, str]
    labels: Mapping[str, str]
    # Leaves the connection in place when the stack is destroyed.
    abandon: bool = False

    def __post_init__(self) -> None:
        if not self.ranges:
            raise RefusedError(
                "ranges must name at least one region, got none; take them from the address plan"
            )
        refuse_overlaps(self.ranges)
        for region, text in self.ranges.items():
            network = parse_range(region, text)
            if not 16 <= network.prefixlen <= 20:
                raise RefusedError(
                    f"ranges.{region} must be a /16 to /20, got {text!r}; take it from the address plan"
                )


class PrivateServiceAccess(pulumi.ComponentResource):
    """The peering of one network with Google's producers."""

    connection_id: pulumi.Output[str]
    # Name of the first region's range.
    range_name: pulumi.Output[str]
    # Names of all ranges, by region.
    range_names: Mapping[str, pulumi.Output[str]]

    def __init__(
        self, name: str, args: PrivateServiceAccessArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("aiprod:foundation:PrivateServiceAccess", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        names: dict[str, pulumi.Output[str]] = {}
        for region, text in args.ranges.items():
            network = IPv4Network(text)
            names[region] = gcp.compute.GlobalAddress(
                f"{name}-{region}",
                project=args.project_id,
                network=args.network_id,
                purpose="VPC_PEERING",
                address_type="INTERNAL",
                address=str(network.network_address),
                prefix_length=network.prefixlen,
                labels=dict(args.labels),
                opts=child,
            ).name
        connection = gcp.servicenetworking.Connection(
            name,
            network=args.network_id,
            service="servicenetworking.googleapis.com",
            reserved_peering_ranges=list(names.values()),
            # A range left over from an earlier connection is updated instead of refused.
            update_on_creation_fail=True,
            deletion_policy="ABANDON" if args.abandon else None,
            opts=child,
        )
        self.connection_id = connection.id
        self.range_name = next(iter(names.values()))
        self.range_names = names
        self.register_outputs(
            {
                "connection_id": self.connection_id,
                "range_name": self.range_name,
                "range_names": self.range_names,
            }
        )

"""The way out to the internet of one region, from addresses that partners can put on their allow-list.

Makes a router, reserved addresses and a NAT with dynamic ports for the given subnets. Opens no port: the
firewall does. A NAT costs by the hour and by volume, each address by the hour. Removing an address breaks
the partners that allow-list it, so addresses are protected when `protect_addresses` is on.

Not modelled, since nothing here needs it: NAT rules per destination, private NAT, NAT64, draining of
addresses, other time-outs and kinds of endpoints; endpoint-independent mapping, which Google refuses with
dynamic ports; an automatic network tier, which would take addresses that partners do not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from facts.refusal import RefusedError

__all__ = ["Egress", "EgressArgs"]

# Ports of one instance, from a few to many: powers of two, as dynamic allocation asks.
_MIN_PORTS = 64
_MAX_PORTS = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class EgressArgs:
    """One region's way out."""

    project_id: pulumi.Input[str]
    region: str
    network_id: pulumi.Input[str]
    # Subnets that may use it, by key.
    subnet_ids: Mapping[str, pulumi.Input[str]]
    # One reserved address per key; 1 to 10.
    address_keys: tuple[str, ...]
    labels: Mapping[str, str]
    protect_addresses: bool = True

    def __post_init__(self) -> None:
        if not 1 <= len(self.address_keys) <= 10:
            raise RefusedError(
                f"address_keys must be between 1 and 10 keys, got {len(self.address_keys)}; correct it"
            )
        if len(set(self.address_keys)) != len(self.address_keys):
            raise RefusedError(
                f"address_keys must differ from each other, got {', '.join(self.address_keys)}; rename one"
            )
        if not self.subnet_ids:
            raise RefusedError("subnet_ids must name at least one subnet, got none; name those that go out")


class Egress(pulumi.ComponentResource):
    """Router, addresses and NAT of one region."""

    # The reserved addresses, in the order of their keys.
    addresses: pulumi.Output[list[str]]

    def __init__(self, name: str, args: EgressArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aiprod:foundation:Egress", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        addresses = [
            gcp.compute.Address(
                f"{name}-{key}",
                project=args.project_id,
                region=args.region,
                address_type="EXTERNAL",
                network_tier="PREMIUM",
                labels=dict(args.labels),
                opts=pulumi.ResourceOptions(parent=self, protect=True if args.protect_addresses else None),
            )
            for key in args.address_keys
        ]
        router = gcp.compute.Router(
            name, project=args.project_id, region=args.region, network=args.network_id, opts=child
        )
        gcp.compute.RouterNat(
            name,
            project=args.project_id,
            region=args.region,
            router=router.name,
            nat_ip_allocate_option="MANUAL_ONLY",
            nat_ips=[address.self_link for address in addresses],
            source_subnetwork_ip_ranges_to_nat="LIST_OF_SUBNETWORKS",
            subnetworks=[
                {"name": subnet_id, "source_ip_ranges_to_nats": ["ALL_IP_RANGES"]}
                for subnet_id in args.subnet_ids.values()
            ],
            enable_dynamic_port_allocation=True,
            # Google refuses it together with dynamic ports.
            enable_endpoint_independent_mapping=False,
            min_ports_per_vm=_MIN_PORTS,
            max_ports_per_vm=_MAX_PORTS,
            log_config={"enable": True, "filter": "ERRORS_ONLY"},
            opts=child,
        )
        self.addresses = pulumi.Output.all(*[address.address for address in addresses]).apply(list)
        self.register_outputs({"addresses": self.addresses})

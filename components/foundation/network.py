"""The private network: subnets per purpose and region, and a firewall that denies and logs what nothing
allows.

Makes a custom-mode VPC, its subnets with flow logs and private Google access, a logged denial of
everything in both directions, and the few ways out: HTTPS, and databases and caches in the private
service ranges. The load balancer reaches Cloud Run without passing this firewall, so nothing is allowed
in. Makes no peering, NAT or DNS zone. A subnet's range can grow in place but never shrink or move;
a freed subnet may stay reserved by Cloud Run for an hour or two, so a destroy right after one can be
refused.

Not modelled, since nothing here needs it: routes of its own (private Google access and NAT take the default
one) and policy-based ones, another MTU or network profile, BGP choices (there is no dynamic route), secondary
ranges and subnets for proxies and Private Service Connect producers, IPv6, internal-range reservations
(`reserved_internal_range`: the address plan is the register) and ranges brought along (`ip_collection`: the
platform owns no public range), shared VPC and connectors (Direct VPC egress replaces
them), endpoints, attachments and connection policies of Private Service Connect (private service access is
used), firewall policies with names, places, threat lists, tags, inspection or mirroring and their order (a
matter of an organisation), filters of flow logs (sampling holds their volume), grants per subnet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from facts.addresses import parse_range, refuse_overlaps
from facts.refusal import RefusedError

__all__ = ["Network", "NetworkArgs", "Subnet"]

# PostgreSQL, the Cloud SQL connectors, Redis with TLS and without.
_DATA_PORTS = ("5432", "3307", "6378", "6379")
_EVERYWHERE = "0.0.0.0/0"


@dataclass(frozen=True, kw_only=True, slots=True)
class Subnet:
    """One subnet: its region and its range, /26 or larger."""

    region: str
    ip_cidr_range: str

    def __post_init__(self) -> None:
        network = parse_range("ip_cidr_range", self.ip_cidr_range)
        if network.prefixlen > 26:
            raise RefusedError(
                f"ip_cidr_range must be a /26 or larger, got {self.ip_cidr_range!r}; "
                "take it from the address plan"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class NetworkArgs:
    """The network."""

    project_id: pulumi.Input[str]
    # Key "<purpose>-<region>"; it names the subnet.
    subnets: Mapping[str, Subnet]
    # Ranges that databases and caches live in, by region; the only private addresses that may be reached.
    private_service_ranges: Mapping[str, str]
    # Share of flows that is logged, 0 to 1; logs cost by volume.
    flow_log_sampling: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.flow_log_sampling <= 1:
            raise RefusedError(
                f"flow_log_sampling must be between 0 and 1, got {self.flow_log_sampling}; correct it"
            )
        ranges = {f"subnet {key}": subnet.ip_cidr_range for key, subnet in self.subnets.items()}
        services = {f"private services {key}": text for key, text in self.private_service_ranges.items()}
        refuse_overlaps(ranges | services)


class Network(pulumi.ComponentResource):
    """One VPC of one environment."""

    network_id: pulumi.Output[str]
    # By the keys of `subnets`.
    subnet_ids: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aiprod:foundation:Network", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        network = gcp.compute.Network(
            name,
            project=args.project_id,
            auto_create_subnetworks=False,
            # Clients in one region reach databases and caches in the other.
            routing_mode="GLOBAL",
            opts=child,
        )
        self.network_id = network.id
        self.subnet_ids = {
            key: _subnet(f"{name}-{key}", args, subnet, network.id, child).id
            for key, subnet in args.subnets.items()
        }
        _firewall(name, args, network.id, child)
        self.register_outputs({"network_id": self.network_id, "subnet_ids": self.subnet_ids})


def _subnet(
    name: str, args: NetworkArgs, subnet: Subnet, network_id: pulumi.Output[str], opts: pulumi.ResourceOptions
) -> gcp.compute.Subnetwork:
    return gcp.compute.Subnetwork(
        name,
        project=args.project_id,
        network=network_id,
        region=subnet.region,
        ip_cidr_range=subnet.ip_cidr_range,
        private_ip_google_access=True,
        log_config={
            "aggregation_interval": "INTERVAL_5_MIN",
            "flow_sampling": args.flow_log_sampling,
            "metadata": "INCLUDE_ALL_METADATA",
        },
        opts=opts,
    )


def _firewall(
    name: str, args: NetworkArgs, network_id: pulumi.Output[str], opts: pulumi.ResourceOptions
) -> None:
    gcp.compute.Firewall(
        f"{name}-deny-ingress",
        project=args.project_id,
        network=network_id,
        direction="INGRESS",
        priority=65534,
        source_ranges=[_EVERYWHERE],
        denies=[{"protocol": "all"}],
        log_config={"metadata": "INCLUDE_ALL_METADATA"},
        opts=opts,
    )
    gcp.compute.Firewall(
        f"{name}-deny-egress",
        project=args.project_id,
        network=network_id,
        direction="EGRESS",
        priority=65534,
        destination_ranges=[_EVERYWHERE],
        denies=[{"protocol": "all"}],
        log_config={"metadata": "INCLUDE_ALL_METADATA"},
        opts=opts,
    )
    gcp.compute.Firewall(
        f"{name}-allow-https",
        project=args.project_id,
        network=network_id,
        direction="EGRESS",
        priority=1000,
        destination_ranges=[_EVERYWHERE],
        allows=[{"protocol": "tcp", "ports": ["443"]}],
        log_config={"metadata": "INCLUDE_ALL_METADATA"},
        opts=opts,
    )
    if args.private_service_ranges:
        gcp.compute.Firewall(
            f"{name}-allow-data",
            project=args.project_id,
            network=network_id,
            direction="EGRESS",
            priority=1000,
            destination_ranges=list(args.private_service_ranges.values()),
            allows=[{"protocol": "tcp", "ports": list(_DATA_PORTS)}],
            log_config={"metadata": "INCLUDE_ALL_METADATA"},
            opts=opts,
        )

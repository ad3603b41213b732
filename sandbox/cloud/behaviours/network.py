"""Networks: ranges, NAT, private services access."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import as_list, as_map, plain
from sandbox.cloud.paths import canonical
from sandbox.cloud.world import World

_SUBNETWORK: Final = "gcp:compute/subnetwork:Subnetwork"
_GLOBAL_ADDRESS: Final = "gcp:compute/globalAddress:GlobalAddress"
_NAT: Final = "gcp:compute/routerNat:RouterNat"
_NAMED: Final = (
    "gcp:compute/address:Address",
    "gcp:compute/backendService:BackendService",
    "gcp:compute/firewall:Firewall",
    _GLOBAL_ADDRESS,
    "gcp:compute/globalForwardingRule:GlobalForwardingRule",
    "gcp:compute/network:Network",
    "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup",
    "gcp:compute/router:Router",
    "gcp:compute/sSLPolicy:SSLPolicy",
    "gcp:compute/securityPolicy:SecurityPolicy",
    _SUBNETWORK,
    "gcp:compute/targetHttpProxy:TargetHttpProxy",
    "gcp:compute/targetHttpsProxy:TargetHttpsProxy",
    "gcp:compute/uRLMap:URLMap",
)
PRIVATE: Final = tuple(
    ipaddress.IPv4Network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
)
"""The private ranges of RFC 1918."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def block_of(text: str) -> Network | None:
    """The range that a text gives in CIDR notation, or None."""
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        return None


@behaviour(
    "NET-009",
    _NAMED,
    Phase.CHECK,
    400,
    "INVALID_ARGUMENT",
    "terraform-provider-google-beta google-beta/services/compute (ValidateGCE",
)
def compute_name(call: Call) -> Iterator[Problem]:
    """A name outside RFC 1035."""
    name = call.text("name")
    if name and not re.fullmatch(r"[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?", name):
        yield Problem(
            "name",
            "`name` must be 1 to 63 lower-case letters, digits and dashes, start with a letter and not "
            "end with "
            f"a dash, not {name!r}.",
        )


@behaviour(
    "NET-042",
    _SUBNETWORK,
    Phase.CHECK,
    400,
    "INVALID_ARGUMENT",
    "terraform-provider-google-beta google-beta/services/compute/resource_com",
)
def not_a_range(call: Call) -> Iterator[Problem]:
    """The range is not in CIDR notation."""
    text = call.text("ipCidrRange")
    if text and not re.fullmatch(r"[0-9a-fA-F.:]+/\d{1,3}", text):
        yield Problem(
            "ipCidrRange", f"`ipCidrRange` must be in CIDR notation such as 10.10.0.0/24, not {text!r}."
        )


@behaviour(
    "NET-004",
    _SUBNETWORK,
    Phase.CREATE,
    400,
    "invalid",
    "Google Cloud documentation: VPC, subnets, IPv4 ranges",
)
def range_form(call: Call) -> Iterator[Problem]:
    """The range has host bits set or is too small."""
    text = call.text("ipCidrRange")
    block = block_of(text)
    if text and (block is None or block.prefixlen > 29):
        yield Problem(
            "ipCidrRange", f"`ipCidrRange` must be a range without host bits, /29 or larger, not {text}."
        )


def same_network(call: Call, left: str, right: str) -> bool:
    """Whether two spellings, a link or a short name, name the same network."""

    def full(name: str) -> str:
        return canonical(name) if "/" in name else f"projects/{call.project}/global/networks/{name}"

    return full(left) == full(right)


def taken(call: Call, network: str) -> Iterator[tuple[str, Network]]:
    """Every range that the network already uses, with the resource it belongs to."""
    for record in call.world.find(_SUBNETWORK):
        inputs = plain(record.inputs)
        if not same_network(call, str(inputs.get("network")), network) or record.id == call.id:
            continue
        listed = [as_map(item) or {} for item in as_list(inputs.get("secondaryIpRanges")) or []]
        for values in (inputs, *listed):
            block = block_of(str(values.get("ipCidrRange")))
            if block is not None:
                yield record.id, block
    for record in call.world.find(_GLOBAL_ADDRESS):
        inputs, outputs = plain(record.inputs), plain(record.outputs)
        same = same_network(call, str(inputs.get("network")), network)
        if inputs.get("purpose") == "VPC_PEERING" and same and record.id != call.id:
            block = block_of(f"{outputs.get('address')}/{inputs.get('prefixLength')}")
            if block is not None:
                yield record.id, block


@behaviour(
    "NET-001",
    _SUBNETWORK,
    Phase.CREATE,
    400,
    "invalid",
    "terraform-google-modules/terraform-google-network#20",
)
def ranges_overlap(call: Call) -> Iterator[Problem]:
    """The range overlaps another one of the network."""
    own = block_of(call.text("ipCidrRange"))
    if own is None:
        return
    for other, block in taken(call, call.text("network")):
        if own.version == block.version and own.overlaps(block):
            yield Problem(
                "ipCidrRange", f"`ipCidrRange` {own} overlaps {block} of {other}; choose another range."
            )


@behaviour(
    "NET-005",
    _SUBNETWORK,
    Phase.UPDATE,
    400,
    "invalid",
    "terraform-provider-google-beta google-beta/services/compute/resource_com",
)
def range_shrinks(call: Call) -> Iterator[Problem]:
    """The range may only be widened."""
    old, new = block_of(str(call.old_inputs.get("ipCidrRange"))), block_of(call.text("ipCidrRange"))
    if (
        isinstance(old, ipaddress.IPv4Network)
        and isinstance(new, ipaddress.IPv4Network)
        and not old.subnet_of(new)
    ):
        yield Problem("ipCidrRange", f"`ipCidrRange` can only be widened from {old}, not changed to {new}.")


@behaviour(
    "SVN-009",
    _GLOBAL_ADDRESS,
    Phase.CREATE,
    400,
    "invalid",
    "terraform-provider-google-beta website/docs/r/compute_global_address",
)
def peering_range_incomplete(call: Call) -> Iterator[Problem]:
    """A range for private services needs its type, network and length."""
    if call.text("purpose") != "VPC_PEERING":
        return
    for name in ("network", "prefixLength"):
        if call.absent(name):
            yield Problem(name, f"`{name}` is needed with the purpose VPC_PEERING; set it.")
    if call.text("addressType") != "INTERNAL":
        yield Problem("addressType", "`addressType` must be INTERNAL with the purpose VPC_PEERING.")


def _reserved(call: Call) -> Network | None:
    """The range that an address and a length reserve: the one around the address."""
    try:
        return ipaddress.ip_network(f"{call.text('address')}/{call.get('prefixLength')}", strict=False)
    except ValueError:
        return None


@behaviour(
    "SVN-010",
    _GLOBAL_ADDRESS,
    Phase.CREATE,
    400,
    "invalid",
    "terraform-provider-google-beta website/docs/r/compute_global_address",
)
def peering_range_public(call: Call) -> Iterator[Problem]:
    """A range for private services must be private."""
    block = _reserved(call)
    if call.text("purpose") != "VPC_PEERING" or not isinstance(block, ipaddress.IPv4Network):
        return
    if not any(block.subnet_of(wide) for wide in PRIVATE):
        yield Problem("address", f"`address` must lie in a private range (RFC 1918), not {block}.")


@behaviour("SVN-008", _GLOBAL_ADDRESS, Phase.CREATE, 400, "invalid", "general knowledge of compute addresses")
def peering_range_overlaps(call: Call) -> Iterator[Problem]:
    """A range for private services overlaps another range of the network."""
    own = _reserved(call)
    if call.text("purpose") != "VPC_PEERING" or own is None:
        return
    for other, block in taken(call, call.text("network")):
        if own.version == block.version and own.overlaps(block):
            yield Problem("address", f"`address` {own} overlaps {block} of {other}; choose another range.")


@behaviour(
    "SVN-002",
    "gcp:servicenetworking/connection:Connection",
    Phase.CREATE,
    400,
    "FAILED_PRECONDITION",
    "hashicorp/terraform-provider-google#3294",
)
def second_connection(call: Call) -> Iterator[Problem]:
    """The network has a connection to this service already."""
    for record in call.world.find(call.type):
        inputs = plain(record.inputs)
        same = canonical(str(inputs.get("network"))) == canonical(call.text("network"))
        if same and inputs.get("service") == call.text("service"):
            yield Problem(
                "network", f"{call.text('network')} already has a connection to {call.text('service')}."
            )


@behaviour(
    "NET-018",
    _NAT,
    (Phase.CREATE, Phase.UPDATE),
    400,
    "invalid",
    "terraform-provider-google-beta website/docs/r/compute_router_nat",
)
def nat_addresses(call: Call) -> Iterator[Problem]:
    """The way of allocating addresses contradicts the addresses given."""
    option, given = call.text("natIpAllocateOption"), bool(call.get("natIps") or call.get("initialNatIps"))
    if option == "AUTO_ONLY" and given:
        yield Problem("natIps", "`natIps` cannot stand with natIpAllocateOption AUTO_ONLY; use MANUAL_ONLY.")
    if option == "MANUAL_ONLY" and not given:
        yield Problem(
            "natIps", "`natIps` is needed with natIpAllocateOption MANUAL_ONLY; name the addresses."
        )


@behaviour("NET-024", _NAT, (Phase.CREATE, Phase.UPDATE), 400, "invalid", "general knowledge of Cloud NAT")
def nat_dynamic_ports(call: Call) -> Iterator[Problem]:
    """Dynamic ports and endpoint-independent mapping exclude each other."""
    if call.get("enableDynamicPortAllocation") and call.get("enableEndpointIndependentMapping"):
        yield Problem(
            "enableDynamicPortAllocation",
            "`enableDynamicPortAllocation` excludes `enableEndpointIndependentMapping`; turn one of them "
            "off.",
        )


@behaviour("NET-016", _NAT, Phase.CREATE, 400, "invalid", "google/osv.dev#5629")
def second_nat_for_all(call: Call) -> Iterator[Problem]:
    """Another NAT of the router takes every subnetwork already."""
    everything = "ALL_SUBNETWORKS_ALL_IP_RANGES"
    if call.text("sourceSubnetworkIpRangesToNat") != everything:
        return
    for record in call.world.find(_NAT):
        inputs = plain(record.inputs)
        same = inputs.get("router") == call.get("router") and inputs.get("region") == call.get("region")
        if same and inputs.get("sourceSubnetworkIpRangesToNat") == everything:
            yield Problem(
                "sourceSubnetworkIpRangesToNat", f"{record.id} already takes every subnetwork; list some."
            )


@behaviour(
    "NET-028",
    "gcp:compute/firewall:Firewall",
    Phase.CHECK,
    400,
    "INVALID_ARGUMENT",
    "terraform-provider-google-beta google-beta/services/compute/resource_com",
)
def ingress_without_source(call: Call) -> Iterator[Problem]:
    """An ingress rule without a source."""
    if (call.text("direction") or "INGRESS") != "INGRESS":
        return
    if all(call.absent(name) for name in ("sourceRanges", "sourceTags", "sourceServiceAccounts")):
        yield Problem(
            "sourceRanges", "`sourceRanges`, `sourceTags` or `sourceServiceAccounts` is needed for INGRESS."
        )


class Peering(NamedTuple):
    """A private connection to Google's services: its record's id and the names of its ranges."""

    id: str
    ranges: tuple[str, ...]


def connections(world: World, network: str) -> list[Peering]:
    """The private connections of a network given by its relative name."""
    return [
        Peering(record.id, tuple(str(each) for each in as_list(inputs.get("reservedPeeringRanges")) or []))
        for record in world.find("gcp:servicenetworking/connection:Connection")
        if canonical(str((inputs := plain(record.inputs)).get("network"))) == canonical(network)
    ]


def connected(call: Call, network: str) -> bool:
    """Whether the network has a private connection to Google's services."""
    return bool(connections(call.world, network))

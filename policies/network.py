"""VPC, firewall, NAT and DNS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from itertools import combinations
from typing import Final, cast

from policies.model import (
    UNKNOWN,
    Block,
    Finding,
    Resource,
    contains_unknown,
    is_false,
    is_missing,
    is_true,
    outside,
    relation,
    rule,
    say,
    stack_rule,
    text,
)

__all__ = ["RULES"]

NETWORK: Final = "gcp:compute/network:Network"
SUBNETWORK: Final = "gcp:compute/subnetwork:Subnetwork"
FIREWALL: Final = "gcp:compute/firewall:Firewall"
POLICY_RULES: Final = (
    "gcp:compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule",
    "gcp:compute/firewallPolicyRule:FirewallPolicyRule",
)
POLICIES_WITH_RULES: Final = (
    "gcp:compute/networkFirewallPolicyWithRules:NetworkFirewallPolicyWithRules",
    "gcp:compute/firewallPolicyWithRules:FirewallPolicyWithRules",
)
NAT: Final = "gcp:compute/routerNat:RouterNat"
DNS_POLICY: Final = "gcp:dns/policy:Policy"
ZONE: Final = "gcp:dns/managedZone:ManagedZone"
MACHINES: Final = (
    "gcp:compute/instance:Instance",
    "gcp:compute/instanceTemplate:InstanceTemplate",
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
)
# Subnets that hold proxies of Google and neither log flows nor reach Google's interfaces.
_PROXY_ONLY: Final = ("REGIONAL_MANAGED_PROXY", "GLOBAL_MANAGED_PROXY", "INTERNAL_HTTPS_LOAD_BALANCER")


def _open(ranges: Sequence[str]) -> list[str]:
    return [one for one in ranges if one.endswith("/0")]


def _is_ordinary(resource: Resource) -> bool:
    purpose = resource.get("purpose", "PRIVATE")
    return text(purpose) is not None and purpose not in _PROXY_ONLY


@rule(
    "network-custom-mode",
    "A network has only the subnets that the program names",
    controls=("NET-01",),
    source="CIS 3.1, checkov CKV2_GCP_2",
    types=(NETWORK,),
)
def custom_mode(resource: Resource) -> Iterator[str]:
    path = "autoCreateSubnetworks"
    if is_true(resource.get(path, default=True)):
        yield say(resource, path, "be false (absent means true)", resource.get(path), "set it to false")


@rule(
    "subnet-flow-logs",
    "Every ordinary subnet logs its flows",
    controls=("NET-03",),
    source="CIS 3.8/3.10, checkov CKV_GCP_26",
    types=(SUBNETWORK,),
)
def flow_logs(resource: Resource) -> Iterator[str]:
    if _is_ordinary(resource) and resource.get("logConfig") is None:
        yield say(
            resource, "logConfig", "be given", None, "set aggregationInterval, flowSampling and metadata"
        )


@rule(
    "subnet-private-google-access",
    "Every ordinary subnet reaches Google's interfaces without the internet",
    controls=("NET-04",),
    source="checkov CKV_GCP_74, trivy GCP-0075",
    types=(SUBNETWORK,),
)
def private_google_access(resource: Resource) -> Iterator[str]:
    path = "privateIpGoogleAccess"
    if _is_ordinary(resource) and is_false(resource.get(path, default=False)):
        yield say(resource, path, "be true", resource.get(path), "set it to true")


@rule(
    "firewall-no-open-ingress",
    "No firewall rule lets the whole internet in",
    controls=("NET-06",),
    source="CIS 3.6 and 3.7, checkov CKV_GCP_2, 3, 75, 77, 88, 106, CKV2_GCP_12",
    types=(FIREWALL, *POLICY_RULES, *POLICIES_WITH_RULES),
)
def no_open_ingress(resource: Resource) -> Iterator[str]:
    if resource.type in POLICIES_WITH_RULES:
        blocks = [(one, "match.srcIpRanges", one.get("action") == "allow") for one in resource.each("rules")]
    elif resource.type in POLICY_RULES:
        blocks = [(resource.block, "match.srcIpRanges", resource.get("action") == "allow")]
    else:
        blocks = [(resource.block, "sourceRanges", not is_missing(resource.get("allows")))]
    for block, path, allows in blocks:
        if allows and _is_ingress(block):
            yield from _open_ranges(resource, block, path)


def _is_ingress(block: Block) -> bool:
    off = is_true(block.get("disabled"))
    return not off and not outside(block.get("direction"), ("INGRESS",), absent="INGRESS")


def _open_ranges(resource: Resource, block: Block, path: str) -> Iterator[str]:
    remedy = "name the ranges that may come in"
    stated = (path, "sourceTags", "sourceServiceAccounts")
    if resource.type == FIREWALL and all(is_missing(block.get(source)) for source in stated):
        yield say(resource, path, "be stated (absent means 0.0.0.0/0)", None, remedy)
    for one in _open(block.strings(path)):
        yield say(resource, block.within(path), "not hold a range of the whole internet", one, remedy)


@rule(
    "firewall-logging",
    "Firewall rules log what they decide",
    controls=("NET-09",),
    source="Google custom.firewallEnforceRuleLogging",
    types=(FIREWALL,),
    level="advisory",
)
def firewall_logging(resource: Resource) -> Iterator[str]:
    if resource.get("logConfig") is None:
        yield say(resource, "logConfig", "be given", None, "set metadata to INCLUDE_ALL_METADATA")


@rule(
    "nat-logging",
    "NAT logs at least its errors",
    controls=("NET-12",),
    source="API-3.8: a port shortage must be visible",
    types=(NAT,),
)
def nat_logging(resource: Resource) -> Iterator[str]:
    if is_false(resource.get("logConfig.enable", default=False)):
        yield say(
            resource,
            "logConfig.enable",
            "be true",
            resource.get("logConfig.enable"),
            "set it with filter ERRORS_ONLY",
        )


@rule(
    "dns-dnssec",
    "Public zones are signed",
    controls=("NET-14",),
    source="CIS 3.3, checkov CKV_GCP_16",
    types=(ZONE,),
)
def dnssec(resource: Resource) -> Iterator[str]:
    path = "dnssecConfig.state"
    public = not outside(resource.get("visibility"), ("public",), absent="public")
    known = not contains_unknown(resource.get("visibility"))
    if public and known and outside(resource.get(path), ("on", "transfer"), absent="off"):
        yield say(resource, path, "be on", resource.get(path), "set it to on, then publish the DS record")


@rule(
    "dns-no-rsasha1",
    "No zone is signed with RSASHA1",
    controls=("NET-15",),
    source="CIS 3.4 and 3.5, checkov CKV_GCP_17",
    types=(ZONE,),
)
def no_rsasha1(resource: Resource) -> Iterator[str]:
    for block in resource.each("dnssecConfig.defaultKeySpecs"):
        value = block.get("algorithm")
        if text(value) == "rsasha1":
            yield say(resource, block.within("algorithm"), "not be rsasha1", value, "use ecdsap256sha256")


@rule(
    "compute-no-public-address",
    "No machine has a public address",
    controls=("NET-06",),
    source="CIS 4.9, checkov CKV_GCP_40, org policy compute.vmExternalIpAccess",
    types=MACHINES,
)
def no_public_address(resource: Resource) -> Iterator[str]:
    for interface in resource.each("networkInterfaces"):
        for path in ("accessConfigs", "ipv6AccessConfigs"):
            if _is_stated(interface, path):
                yield say(
                    resource, interface.within(path), "be absent", {"": ""}, "remove it and leave through NAT"
                )


def _is_stated(interface: Block, path: str) -> bool:
    # An empty access configuration already asks for an ephemeral public address.
    return isinstance(interface.get(path), list) and not is_missing(interface.get(path))


@stack_rule(
    "network-ranges-apart",
    "The subnets of a network do not overlap",
    controls=("NET-17",),
    source="Google refuses the second one",
)
def ranges_apart(resources: Sequence[Resource]) -> Iterator[Finding]:
    subnets = [
        one for one in resources if one.type == SUBNETWORK and text(one.get("ipCidrRange")) is not None
    ]
    networks = [one for one in resources if one.type == NETWORK]
    for first, second in combinations(subnets, 2):
        if not _share_network(first, second, networks):
            continue
        left, right = (ip_network(str(one.get("ipCidrRange")), strict=False) for one in (first, second))
        if left.overlaps(right):
            yield Finding(
                second.urn,
                say(
                    second,
                    "ipCidrRange",
                    f"not overlap {first.get('ipCidrRange')} of {first.name}",
                    second.get("ipCidrRange"),
                    "choose a free range",
                ),
            )


def _share_network(first: Resource, second: Resource, networks: Sequence[Resource]) -> bool:
    one, other = text(first.get("network")), text(second.get("network"))
    if one is not None and one == other:
        return True
    return any(
        relation(first, "network", network) == "yes" and relation(second, "network", network) == "yes"
        for network in networks
    )


@stack_rule(
    "dns-logging",
    "Every network logs its DNS queries",
    controls=("NET-13",),
    source="CIS 2.12: a name that malware asks for is seen nowhere else",
)
def dns_logging(resources: Sequence[Resource]) -> Iterator[Finding]:
    policies = [one for one in resources if one.type == DNS_POLICY]
    for network in (one for one in resources if one.type == NETWORK):
        of_network = [one for one in policies if _may_cover(one, network)]
        if not of_network or all(is_false(one.get("enableLogging", default=False)) for one in of_network):
            yield Finding(
                network.urn,
                say(
                    network,
                    "name",
                    "be in the networks of a dns.Policy with enableLogging",
                    "none" if not of_network else of_network[0].name,
                    "add the policy, or set enableLogging",
                ),
            )


def _may_cover(policy: Resource, network: Resource) -> bool:
    made = policy.property_dependencies.get("networks", ())
    if network.urn in made:
        return True
    urls = [block.get("networkUrl") for block in policy.each("networks")]
    name = text(network.get("name"))
    if contains_unknown(policy.get("networks")) or (urls and name is None):
        return not made
    return any(str(url).rsplit("/", 1)[-1] == name for url in urls)


@stack_rule(
    "firewall-denies-the-rest",
    "What no rule allows is denied in both directions, and seen",
    controls=("NET-08",),
    source="Google's own last rules let everything out and log nothing",
)
def denies_the_rest(resources: Sequence[Resource]) -> Iterator[Finding]:
    walls = [one for one in resources if one.type == FIREWALL]
    for network in (one for one in resources if one.type == NETWORK):
        mine = [one for one in walls if relation(one, "network", network) != "no"]
        for direction in ("INGRESS", "EGRESS"):
            if not any(_denies_all(one, direction) for one in mine):
                yield Finding(
                    network.urn,
                    say(
                        network,
                        "name",
                        f"have a firewall rule that denies all {direction}",
                        None,
                        "add one of priority 65534 for 0.0.0.0/0, with logging",
                    ),
                )


def _denies_all(wall: Resource, direction: str) -> bool:
    if contains_unknown(wall.props.get("denies")) or contains_unknown(wall.props.get("direction")):
        return True
    ranges = wall.get("sourceRanges" if direction == "INGRESS" else "destinationRanges")
    everywhere = contains_unknown(ranges) or (
        isinstance(ranges, list) and "0.0.0.0/0" in cast("list[object]", ranges)
    )
    denied = any(block.get("protocol") in ("all", UNKNOWN) for block in wall.each("denies"))
    return wall.get("direction", "INGRESS") == direction and everywhere and denied


RULES = (
    custom_mode,
    flow_logs,
    private_google_access,
    no_open_ingress,
    firewall_logging,
    nat_logging,
    dnssec,
    no_rsasha1,
    no_public_address,
    ranges_apart,
    dns_logging,
    denies_the_rest,
)

"""Networks, addresses, routers: numbers from the documentation ranges or from the declared private ones."""

from __future__ import annotations

import ipaddress
from typing import Final

from sandbox.cloud.computed.making import Making, computes
from sandbox.cloud.data import Values
from sandbox.cloud.paths import canonical

__all__ = ["private_address"]

_PUBLIC: Final = ipaddress.ip_network("203.0.113.0/24")
_PUBLIC_V6: Final = ipaddress.ip_network("2001:db8::/32")
_ADDRESSES: Final = ("gcp:compute/address:Address", "gcp:compute/globalAddress:GlobalAddress")
_GLOBAL: Final = "gcp:compute/globalAddress:GlobalAddress"


def private_address(making: Making, network: str, *, range_name: str = "", purpose: str = "address") -> str:
    """An address inside the range that the network reserves for Google's services."""
    ranges = [
        record
        for record in making.world.find(_GLOBAL)
        if record.inputs.get("purpose") == "VPC_PEERING"
        and canonical(str(record.inputs.get("network", ""))) == canonical(network)
        and (not range_name or record.outputs.get("name") == range_name.rsplit("/", 1)[-1])
    ]
    if ranges:
        start = str(ranges[0].outputs.get("address"))
        block = ipaddress.ip_network(f"{start}/{ranges[0].inputs.get('prefixLength', 16)}", strict=False)
    else:
        block = ipaddress.ip_network("10.200.0.0/16")
    return str(block[3 + making.seeds.below(purpose, max(1, block.num_addresses - 5))])


def _public(making: Making) -> str:
    used = {str(record.outputs.get("address")) for record in making.world.find(*_ADDRESSES)}
    start = making.seeds.below("address", 250)
    for step in range(250):
        candidate = str(_PUBLIC[2 + (start + step) % 250])
        if candidate not in used:
            return candidate
    return str(_PUBLIC[2 + start])


@computes(*_ADDRESSES)
def _address(making: Making) -> Values:
    if (
        making.get("purpose") in {"VPC_PEERING", "PRIVATE_SERVICE_CONNECT"}
        or making.get("addressType") == "INTERNAL"
    ):
        subnet = making.world.at(canonical(str(making.get("subnetwork") or "")))
        if subnet is not None:
            block = ipaddress.ip_network(str(subnet.inputs["ipCidrRange"]), strict=False)
            address = str(block[10 + making.seeds.below("address", max(1, block.num_addresses - 12))])
        else:
            prefix = int(making.get("prefixLength") or 16)
            wide = ipaddress.ip_network("10.128.0.0/9")
            blocks = 2 ** (max(prefix, 9) - 9)
            offset = making.seeds.below("address", blocks) * 2 ** (32 - max(prefix, 9))
            address = str(wide.network_address + offset)
    elif making.get("ipVersion") == "IPV6":
        address = str(_PUBLIC_V6[making.seeds.below("address", 2**80) + 1])
    else:
        address = _public(making)
    return {"address": address, "creationTimestamp": making.seeds.time(), "users": []}


@computes("gcp:compute/network:Network")
def _network(making: Making) -> Values:
    numeric = making.seeds.digits("numericId", 19)
    return {
        "gatewayIpv4": "",
        "networkId": numeric,
        "numericId": numeric,
        "routingMode": making.get("routingMode") or "REGIONAL",
        "mtu": making.get("mtu") or 1460,
        "selfLink": making.link,
    }


@computes("gcp:compute/subnetwork:Subnetwork")
def _subnetwork(making: Making) -> Values:
    block = ipaddress.ip_network(str(making.get("ipCidrRange") or "10.0.0.0/24"), strict=False)
    return {
        "gatewayAddress": str(block[1]),
        "subnetworkId": int(making.seeds.digits("subnetworkId", 15)),
        "ipv6CidrRange": "",
        "externalIpv6Prefix": "",
        "internalIpv6Prefix": "",
        "purpose": making.get("purpose") or "PRIVATE",
        "stackType": making.get("stackType") or "IPV4_ONLY",
        "state": "READY",
    }


@computes("gcp:servicenetworking/connection:Connection")
def _connection(making: Making) -> Values:
    service = str(making.get("service") or "servicenetworking.googleapis.com")
    return {"peering": service.replace(".", "-")}


@computes("gcp:dns/managedZone:ManagedZone")
def _managed_zone(making: Making) -> Values:
    letter = "abcde"[making.seeds.below("shard", 5)]
    return {
        "managedZoneId": int(making.seeds.digits("managedZoneId", 15)),
        "nameServers": [f"ns-cloud-{letter}{index}.googledomains.com." for index in range(1, 5)],
    }

"""Ranges of a network, the addresses of its NATs, and what of them stays with producers."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from itertools import combinations
from typing import Final

from sandbox.cloud.behaviours.network import block_of, same_network, taken
from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import Values, as_list, as_map, at, plain
from sandbox.cloud.paths import canonical
from sandbox.cloud.world import Record

_SUBNETWORK: Final = "gcp:compute/subnetwork:Subnetwork"
_ROUTE: Final = "gcp:compute/route:Route"
_NAT: Final = "gcp:compute/routerNat:RouterNat"
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_INVALID: Final = "invalid"
_PAGES: Final = "terraform-provider-google-beta website/docs/r"
_AUTOMATIC: Final = ipaddress.ip_network("10.128.0.0/9")
_PROXY: Final = "REGIONAL_MANAGED_PROXY"


def _network(call: Call) -> Record | None:
    text = call.text("network")
    path = text if "/" in text else f"projects/{call.project}/global/networks/{text}"
    return call.world.at(canonical(path))


@behaviour("NET-002", _SUBNETWORK, Phase.CREATE, 400, _INVALID, "cloudfoundry/bosh-google-cpi-release#262")
def in_automatic_space(call: Call) -> Iterator[Problem]:
    """A range inside the space that a network in auto mode keeps for itself."""
    network, own = _network(call), block_of(call.text("ipCidrRange"))
    if network is None or not isinstance(own, ipaddress.IPv4Network):
        return
    automatic = plain(network.inputs).get("autoCreateSubnetworks") is not False
    if automatic and own.overlaps(_AUTOMATIC):
        yield Problem(
            "ipCidrRange",
            f"`ipCidrRange` {own} lies in {_AUTOMATIC}, which {network.path} keeps in auto mode; set "
            "autoCreateSubnetworks false on the network.",
        )


def _secondary(values: Values) -> Iterator[tuple[int, str, str]]:
    for index, item in enumerate(as_list(values.get("secondaryIpRanges")) or []):
        block = as_map(item) or {}
        yield index, str(block.get("rangeName")), str(block.get("ipCidrRange"))


@behaviour(
    "NET-006",
    _SUBNETWORK,
    Phase.UPDATE,
    400,
    _INVALID,
    "terraform-google-modules/terraform-google-network#20",
)
def secondary_renamed(call: Call) -> Iterator[Problem]:
    """A secondary range gets another name in place."""
    before = {text: name for _, name, text in _secondary(plain(dict(call.old_inputs)))}
    for index, name, text in _secondary(call.inputs):
        old = before.get(text)
        if old is not None and old != name:
            path = f"secondaryIpRanges[{index}].rangeName"
            yield Problem(
                path, f"`{path}`: {text} cannot change from {old} to {name}; remove it, deploy, and add it."
            )


@behaviour("NET-007", _SUBNETWORK, _BOTH, 400, _INVALID, f"{_PAGES}/compute_subnetwork")
def secondary_overlaps(call: Call) -> Iterator[Problem]:
    """A secondary range overlaps another range of the network."""
    own = [
        (f"secondaryIpRanges[{index}].ipCidrRange", block)
        for index, _, text in _secondary(call.inputs)
        if (block := block_of(text)) is not None
    ]
    primary = block_of(call.text("ipCidrRange"))
    inside = [*own, *([("ipCidrRange", primary)] if primary is not None else [])]
    for (path, block), (other, its) in combinations(inside, 2):
        if block.version == its.version and block.overlaps(its):
            yield Problem(path, f"`{path}` {block} overlaps `{other}` {its}; choose another range.")
    for path, block in own:
        for other, its in _elsewhere(call):
            if block.version == its.version and block.overlaps(its):
                yield Problem(path, f"`{path}` {block} overlaps {its} of {other}; choose another range.")


def _elsewhere(call: Call) -> Iterator[tuple[str, ipaddress.IPv4Network | ipaddress.IPv6Network]]:
    yield from taken(call, call.text("network"))
    for record in call.world.find(_ROUTE):
        inputs = plain(record.inputs)
        block = block_of(str(inputs.get("destRange")))
        same = same_network(call, str(inputs.get("network")), call.text("network"))
        if same and block is not None and block.prefixlen > 0:
            yield record.id, block


@behaviour("NET-013", _SUBNETWORK, Phase.CREATE, 400, _INVALID, f"{_PAGES}/compute_subnetwork")
def second_proxy_subnetwork(call: Call) -> Iterator[Problem]:
    """A subnetwork of regional proxies without a role, or a second active one."""
    if call.text("purpose") != _PROXY:
        return
    if call.absent("role"):
        yield Problem("role", f"`role` is needed with the purpose {_PROXY}; set ACTIVE or BACKUP.")
    for record in call.world.find(_SUBNETWORK):
        inputs = plain(record.inputs)
        region = inputs.get("region") or plain(record.outputs.get("region"))
        same = (
            same_network(call, str(inputs.get("network")), call.text("network")) and region == call.location
        )
        active = inputs.get("purpose") == _PROXY and inputs.get("role") == "ACTIVE"
        if same and active and call.text("role") == "ACTIVE":
            yield Problem("role", f"`role` must be BACKUP: {record.id} is the ACTIVE one of the region.")


def _subnetwork(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _other_nats(call: Call) -> Iterator[tuple[Record, Values]]:
    """The other NATs of the same region of the project."""
    for record in call.world.find(_NAT):
        inputs = plain(record.inputs)
        region = inputs.get("region") or plain(record.outputs.get("region"))
        project = inputs.get("project") or plain(record.outputs.get("project")) or call.project
        if record.id != call.id and (region, project) == (call.location, call.project):
            yield record, inputs


def _translated(values: Values) -> Iterator[tuple[str, str]]:
    """Each range that a NAT takes: the subnetwork and its range (``*`` for all, else primary or a name)."""
    for item in as_list(values.get("subnetworks")) or []:
        block = as_map(item) or {}
        name = _subnetwork(str(block.get("name")))
        for kind in as_list(block.get("sourceIpRangesToNats")) or []:
            if kind == "LIST_OF_SECONDARY_IP_RANGES":
                yield from ((name, str(each)) for each in as_list(block.get("secondaryIpRangeNames")) or [])
            else:
                yield name, "*" if kind == "ALL_IP_RANGES" else ""


@behaviour("NET-017", _NAT, _BOTH, 400, _INVALID, "general knowledge of Cloud NAT")
def translated_twice(call: Call) -> Iterator[Problem]:
    """A subnetwork's range that another NAT takes already."""
    kind = call.text("type") or "PUBLIC"
    for record, inputs in _other_nats(call):
        if (inputs.get("type") or "PUBLIC") != kind:
            continue
        theirs = set(_translated(inputs))
        for name, part in _translated(call.inputs):
            if any(name == other and (part == its or "*" in (part, its)) for other, its in theirs):
                yield Problem(
                    "subnetworks", f"`subnetworks`: {record.id} already takes {name}; keep one NAT."
                )
                break


@behaviour("NET-019", _NAT, _BOTH, 400, _INVALID, "general knowledge of Cloud NAT")
def nat_address_unfit(call: Call) -> Iterator[Problem]:
    """An address of a NAT that is global, internal, of another region, or taken."""
    for index, text in enumerate(call.texts("natIps")):
        path, name = f"natIps[{index}]", canonical(text)
        if "/global/addresses/" in name:
            yield Problem(path, f"`{path}` must be an address of {call.location}, not the global {name}.")
        elif "/regions/" in name and f"/regions/{call.location}/" not in name:
            yield Problem(path, f"`{path}` must be an address of {call.location}, not {name}.")
        record = call.world.at(name)
        if record is not None and plain(record.inputs).get("addressType") == "INTERNAL":
            yield Problem(path, f"`{path}` must be an external address, not the internal {name}.")
        for other, inputs in _other_nats(call):
            if name in {canonical(str(each)) for each in as_list(inputs.get("natIps")) or []}:
                yield Problem(path, f"`{path}`: {name} is used by {other.id}; reserve another address.")


@behaviour(
    "NET-025",
    _NAT,
    _BOTH,
    400,
    _INVALID,
    "terraform-provider-google-beta google-beta/services/compute/resource_compute_router_nat.go",
)
def private_rule_without_ranges(call: Call) -> Iterator[Problem]:
    """A rule of a private NAT without the ranges that it uses."""
    if call.text("type") != "PRIVATE":
        return
    for index, rule in enumerate(call.blocks("rules")):
        if not at(rule, "action.sourceNatActiveRanges"):
            path = f"rules[{index}].action.sourceNatActiveRanges"
            yield Problem(path, f"`{path}` is needed in a rule of a PRIVATE NAT; name the subnetworks.")


@behaviour(
    "SVN-016",
    "gcp:servicenetworking/connection:Connection",
    Phase.UPDATE,
    400,
    "FAILED_PRECONDITION",
    "Google Cloud documentation: VPC, modify private services access",
)
def range_in_use_removed(call: Call) -> Iterator[Problem]:
    """A range that producers use is taken from the connection."""
    before = [str(each) for each in as_list(plain(dict(call.old_inputs)).get("reservedPeeringRanges")) or []]
    for name in before:
        user = _user_of(call, name, only=len(before) == 1)
        if name not in call.texts("reservedPeeringRanges") and user:
            yield Problem(
                "reservedPeeringRanges",
                f"`reservedPeeringRanges`: {name} is used by {user} and cannot go; keep it and add others.",
            )


def _user_of(call: Call, name: str, *, only: bool) -> str:
    """The instance that names the range, or any of the network when it is the only range there is."""
    fields = {
        "gcp:sql/databaseInstance:DatabaseInstance": (
            "settings.ipConfiguration.privateNetwork",
            "settings.ipConfiguration.allocatedIpRange",
        ),
        "gcp:redis/instance:Instance": ("authorizedNetwork", "reservedIpRange"),
    }
    for type, (where, chosen) in fields.items():
        for record in call.world.find(type):
            inputs = plain(record.inputs)
            network = str(at(inputs, where) or "")
            if network and same_network(call, network, call.text("network")):
                named = at(inputs, chosen)
                if named == name or (only and not named):
                    return record.id
    return ""

"""The address plan: every range of one environment, computed from one base range. Pure arithmetic.

Each region of the plan owns one /16 of the base. Its lower half holds one /20 slot per purpose; a subnet
starts at its slot and has the prefix that its purpose is given, so it can be expanded in place up to the
slot. It never follows a number of instances: Google does not shrink a subnet. The upper half of the region
begins with the /18 that private service access hands to databases and caches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import combinations

from facts.refusal import RefusedError

__all__ = ["AddressPlan", "parse_range", "plan_addresses", "refuse_overlaps", "subnet_prefix"]

# Google asks for a /26 or larger under Direct VPC egress.
SMALLEST_SUBNET_PREFIX = 26
# A subnet grows in place up to its slot.
SLOT_PREFIX = 20
# Two per instance is Google's own estimate.
ADDRESSES_PER_INSTANCE = 2
# While a revision rolls out, old and new instances stand side by side.
REVISIONS_AT_ONCE = 2
# Network, gateway, second to last and broadcast address of every subnet.
RESERVED_ADDRESSES = 4

_REGION_PREFIX = 16
_SLOTS = 8
_PRIVATE_SERVICES_PREFIX = 18
_PRIVATE = tuple(IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))


@dataclass(frozen=True, slots=True)
class AddressPlan:
    """Ranges as text, keyed by "<purpose>-<region>" for subnets and by region for private services."""

    base: str
    subnets: Mapping[str, str]
    private_services: Mapping[str, str]

    def named_ranges(self) -> Iterator[tuple[str, str]]:
        """Every range of the plan with a name a person understands."""
        for key, text in self.subnets.items():
            yield f"subnet {key}", text
        for region, text in self.private_services.items():
            yield f"private services {region}", text


def parse_range(field: str, text: str) -> IPv4Network:
    """A private IPv4 range in CIDR form with no host bits, or ValueError."""
    try:
        network = IPv4Network(text)
    except ValueError as error:
        raise RefusedError(
            f"{field} must be an IPv4 range such as 10.32.0.0/14, no host bits set, got {text!r}; correct it"
        ) from error
    if not any(network.subnet_of(private) for private in _PRIVATE):
        raise RefusedError(
            f"{field} must lie inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16, got {text!r}; "
            "choose a private range"
        )
    return network


def refuse_overlaps(ranges: Mapping[str, str]) -> None:
    """ValueError naming both ranges when any two of them share an address."""
    parsed = {name: parse_range(name, text) for name, text in ranges.items()}
    for (first, one), (second, other) in combinations(parsed.items(), 2):
        if one.overlaps(other):
            raise RefusedError(f"{first} {one} overlaps {second} {other}; move one of them")


def subnet_prefix(instances: int) -> int:
    """The longest prefix that would hold so many Cloud Run instances during a rollout, at most /26."""
    needed = instances * ADDRESSES_PER_INSTANCE * REVISIONS_AT_ONCE + RESERVED_ADDRESSES
    return min(SMALLEST_SUBNET_PREFIX, 32 - (needed - 1).bit_length())


def plan_addresses(
    base: str,
    regions: Sequence[str],
    prefixes: Mapping[str, int],
    neighbours: Mapping[str, str] | None = None,
    *,
    field: str = "base range",
) -> AddressPlan:
    """The plan for the regions in their order; `prefixes`: per purpose, the prefix of its subnets.

    The order of regions and purposes is part of the plan: append, never insert, or ranges move.
    `neighbours` are named ranges reached by peering, which must not overlap the base, called `field`.
    """
    network = parse_range(field, base)
    if network.prefixlen > _REGION_PREFIX:
        raise RefusedError(
            f"{field} must be a /{_REGION_PREFIX} or larger, got {base!r}; choose a larger range"
        )
    refuse_overlaps({field: base, **(neighbours or {})})
    blocks = list(network.subnets(new_prefix=_REGION_PREFIX))
    if len(regions) > len(blocks):
        raise RefusedError(
            f"{field} must hold one /{_REGION_PREFIX} for each of {len(regions)} regions, got {base!r} "
            f"with {len(blocks)}; choose a larger range"
        )
    if len(prefixes) > _SLOTS:
        raise RefusedError(
            f"a region has {_SLOTS} subnet slots, got {len(prefixes)} purposes; join some of them"
        )
    subnets: dict[str, str] = {}
    private_services: dict[str, str] = {}
    for region, block in zip(regions, blocks, strict=False):
        lower, upper = block.subnets(prefixlen_diff=1)
        for (purpose, prefix), slot in zip(
            prefixes.items(), lower.subnets(new_prefix=SLOT_PREFIX), strict=False
        ):
            subnets[f"{purpose}-{region}"] = str(_subnet(purpose, prefix, slot))
        private_services[region] = str(next(upper.subnets(new_prefix=_PRIVATE_SERVICES_PREFIX)))
    plan = AddressPlan(base=base, subnets=subnets, private_services=private_services)
    refuse_overlaps(dict(plan.named_ranges()))
    return plan


def _subnet(purpose: str, prefix: int, slot: IPv4Network) -> IPv4Network:
    if not SLOT_PREFIX <= prefix <= SMALLEST_SUBNET_PREFIX:
        raise RefusedError(
            f"subnet {purpose} must be from /{SLOT_PREFIX}, its slot, to /{SMALLEST_SUBNET_PREFIX}, "
            f"got /{prefix}; choose a prefix between them"
        )
    return next(slot.subnets(new_prefix=prefix))

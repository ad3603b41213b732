from __future__ import annotations

from ipaddress import IPv4Network
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facts.addresses import parse_range, plan_addresses, refuse_overlaps, subnet_prefix
from facts.refusal import RefusedError

REGIONS = ("europe-west1", "europe-west4")


def test_each_region_has_its_own_block_and_its_own_private_services() -> None:
    plan = plan_addresses("10.40.0.0/14", REGIONS, {"run": 24, "jobs": 26})
    assert plan.subnets == {
        "run-europe-west1": "10.40.0.0/24",
        "jobs-europe-west1": "10.40.16.0/26",
        "run-europe-west4": "10.41.0.0/24",
        "jobs-europe-west4": "10.41.16.0/26",
    }
    assert plan.private_services == {"europe-west1": "10.40.128.0/18", "europe-west4": "10.41.128.0/18"}


@given(
    st.integers(min_value=0, max_value=63),
    st.dictionaries(st.text("abcdef", min_size=1, max_size=5), st.integers(20, 26), max_size=8),
)
def test_no_two_ranges_of_a_plan_share_an_address_and_all_lie_in_the_base(
    block: int, prefixes: dict[str, int]
) -> None:
    base = IPv4Network(f"10.{block * 4}.0.0/14")
    plan = plan_addresses(str(base), REGIONS, prefixes)
    ranges = [IPv4Network(text) for _, text in plan.named_ranges()]
    assert all(network.subnet_of(base) for network in ranges)
    assert not any(one.overlaps(other) for one, other in combinations(ranges, 2))


@given(st.integers(min_value=0, max_value=1_000))
def test_a_subnet_holds_two_revisions_of_its_instances(instances: int) -> None:
    prefix = subnet_prefix(instances)
    assert 2 ** (32 - prefix) - 4 >= instances * 2 * 2
    assert prefix <= 26


def test_a_smaller_prefix_grows_a_subnet_in_place() -> None:
    small = IPv4Network(plan_addresses("10.0.0.0/14", REGIONS, {"run": 24}).subnets["run-europe-west1"])
    large = IPv4Network(plan_addresses("10.0.0.0/14", REGIONS, {"run": 20}).subnets["run-europe-west1"])
    assert small.network_address == large.network_address
    assert small.subnet_of(large)


def test_a_purpose_appended_later_moves_no_range() -> None:
    before = plan_addresses("10.0.0.0/14", REGIONS, {"run": 22}).subnets
    after = plan_addresses("10.0.0.0/14", REGIONS, {"run": 22, "jobs": 24}).subnets
    assert before.items() <= after.items()


def test_fails_when_ranges_overlap_and_names_both() -> None:
    with pytest.raises(ValueError, match=r"one 10\.0\.0\.0/16 overlaps two 10\.0\.4\.0/24; move one of them"):
        refuse_overlaps({"one": "10.0.0.0/16", "two": "10.0.4.0/24", "three": "10.9.0.0/16"})


@pytest.mark.parametrize("text", ["10.0.0.1/16", "somewhere", "10.0.0.0/33", ""])
def test_fails_when_a_range_is_not_one(text: str) -> None:
    with pytest.raises(ValueError, match="range must be an IPv4 range such as"):
        parse_range("range", text)


def test_fails_when_a_range_is_public() -> None:
    with pytest.raises(ValueError, match="choose a private range"):
        parse_range("range", "203.0.113.0/24")


def test_fails_when_the_base_is_too_small() -> None:
    with pytest.raises(ValueError, match="one /16 for each of 2 regions"):
        plan_addresses("10.0.0.0/16", REGIONS, {"run": 24})


@pytest.mark.parametrize("prefix", [19, 27])
def test_fails_when_a_subnet_does_not_fit_its_slot(prefix: int) -> None:
    with pytest.raises(RefusedError, match=f"subnet run must be from /20, its slot, to /26, got /{prefix}"):
        plan_addresses("10.0.0.0/14", REGIONS, {"run": prefix})


def test_fails_when_there_are_more_purposes_than_slots() -> None:
    with pytest.raises(ValueError, match="a region has 8 subnet slots, got 9 purposes"):
        plan_addresses("10.0.0.0/14", REGIONS, {f"purpose-{letter}": 24 for letter in "abcdefghi"})

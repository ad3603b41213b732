from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.foundation.egress import Egress, EgressArgs
from tests.recording import Build, Recorder


def example_args(**changes: Any) -> EgressArgs:
    args = EgressArgs(
        project_id="project",
        region="europe-west1",
        network_id="projects/project/global/networks/network",
        subnet_ids={"run-europe-west1": "projects/project/regions/europe-west1/subnetworks/run"},
        address_keys=("a", "b"),
        labels={"system": "aiprod"},
    )
    return replace(args, **changes)


def test_only_reserved_addresses_are_used(build: Build, recorder: Recorder) -> None:
    egress = build(lambda: Egress("egress", example_args()))
    nat = recorder.one("RouterNat")
    assert nat.inputs["natIpAllocateOption"] == "MANUAL_ONLY"
    assert nat.inputs["natIps"] == ["address-link", "address-link"]
    assert recorder.names("compute/address:Address") == ["egress-a", "egress-b"]
    assert build.resolve(egress.addresses) == ["192.0.2.1", "192.0.2.1"]


def test_ports_grow_with_need(build: Build, recorder: Recorder) -> None:
    build(lambda: Egress("egress", example_args()))
    nat = recorder.one("RouterNat")
    assert nat.inputs["enableDynamicPortAllocation"] is True
    assert nat.inputs["enableEndpointIndependentMapping"] is False
    assert (nat.inputs["minPortsPerVm"], nat.inputs["maxPortsPerVm"]) == (64, 4096)


def test_only_named_subnets_get_out(build: Build, recorder: Recorder) -> None:
    build(lambda: Egress("egress", example_args()))
    nat = recorder.one("RouterNat")
    assert nat.inputs["sourceSubnetworkIpRangesToNat"] == "LIST_OF_SUBNETWORKS"
    assert [subnet["name"] for subnet in nat.inputs["subnetworks"]] == [
        "projects/project/regions/europe-west1/subnetworks/run"
    ]


@pytest.mark.parametrize("protected", [True, False])
def test_addresses_are_protected_when_asked(build: Build, recorder: Recorder, protected: bool) -> None:
    build(lambda: Egress("egress", example_args(protect_addresses=protected)))
    assert {r.protect for r in recorder.of_type("compute/address:Address")} == {protected}
    assert recorder.one("RouterNat").protect is False


@pytest.mark.parametrize("keys", [(), tuple("abcdefghijk")])
def test_fails_when_addresses_are_not_1_to_10(keys: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="address_keys must be between 1 and 10 keys"):
        example_args(address_keys=keys)


def test_fails_when_two_addresses_share_a_key() -> None:
    with pytest.raises(ValueError, match="address_keys must differ"):
        example_args(address_keys=("a", "a"))


def test_fails_when_no_subnet_is_named() -> None:
    with pytest.raises(ValueError, match="subnet_ids must name at least one subnet"):
        example_args(subnet_ids={})

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.foundation.network import Network, NetworkArgs, Subnet
from tests.recording import Build, Recorder


def example_args(**changes: Any) -> NetworkArgs:
    args = NetworkArgs(
        project_id="project",
        subnets={"run-europe-west1": Subnet(region="europe-west1", ip_cidr_range="10.0.0.0/24")},
        private_service_ranges={"europe-west1": "10.0.128.0/18"},
    )
    return replace(args, **changes)


def test_subnets_are_declared_not_automatic(build: Build, recorder: Recorder) -> None:
    network = build(lambda: Network("network", example_args()))
    assert recorder.one("network:Network").inputs["autoCreateSubnetworks"] is False
    subnet = recorder.one("Subnetwork")
    assert subnet.name == "network-run-europe-west1"
    assert subnet.inputs["ipCidrRange"] == "10.0.0.0/24"
    assert list(network.subnet_ids) == ["run-europe-west1"]


def test_every_subnet_logs_its_flows_and_reaches_google_privately(build: Build, recorder: Recorder) -> None:
    build(lambda: Network("network", example_args(flow_log_sampling=1.0)))
    subnet = recorder.one("Subnetwork")
    assert subnet.inputs["privateIpGoogleAccess"] is True
    assert subnet.inputs["logConfig"]["flowSampling"] == 1.0


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_everything_else_is_denied(build: Build, recorder: Recorder, direction: str) -> None:
    build(lambda: Network("network", example_args()))
    rule = recorder.one("Firewall", f"network-deny-{direction}")
    assert rule.inputs["denies"] == [{"protocol": "all"}]
    assert rule.inputs["priority"] == 65534
    assert rule.inputs["direction"] == direction.upper()


def test_every_rule_logs(build: Build, recorder: Recorder) -> None:
    build(lambda: Network("network", example_args()))
    assert {rule.inputs["logConfig"]["metadata"] for rule in recorder.of_type("Firewall")} == {
        "INCLUDE_ALL_METADATA"
    }


def test_nothing_is_allowed_in(build: Build, recorder: Recorder) -> None:
    build(lambda: Network("network", example_args()))
    allowed = [r for r in recorder.of_type("Firewall") if "allows" in r.inputs]
    assert {r.name: r.inputs["direction"] for r in allowed} == {
        "network-allow-data": "EGRESS",
        "network-allow-https": "EGRESS",
    }


def test_data_ports_are_open_only_towards_private_services(build: Build, recorder: Recorder) -> None:
    build(lambda: Network("network", example_args()))
    rule = recorder.one("Firewall", "network-allow-data")
    assert rule.inputs["destinationRanges"] == ["10.0.128.0/18"]
    assert rule.inputs["allows"] == [{"protocol": "tcp", "ports": ["5432", "3307", "6378", "6379"]}]


def test_no_private_services_means_no_data_rule(build: Build, recorder: Recorder) -> None:
    build(lambda: Network("network", example_args(private_service_ranges={})))
    assert "network-allow-data" not in recorder.names("Firewall")


def test_fails_when_a_subnet_overlaps_private_services() -> None:
    with pytest.raises(
        ValueError, match=r"subnet run 10\.0\.128\.0/24 overlaps private services europe-west1"
    ):
        example_args(subnets={"run": Subnet(region="europe-west1", ip_cidr_range="10.0.128.0/24")})


def test_fails_when_a_subnet_is_smaller_than_26() -> None:
    with pytest.raises(ValueError, match=r"must be a /26 or larger, got '10\.0\.0\.0/27'"):
        Subnet(region="europe-west1", ip_cidr_range="10.0.0.0/27")


@pytest.mark.parametrize("sampling", [-0.1, 1.1])
def test_fails_when_sampling_is_outside_0_to_1(sampling: float) -> None:
    with pytest.raises(ValueError, match="flow_log_sampling must be between 0 and 1"):
        example_args(flow_log_sampling=sampling)

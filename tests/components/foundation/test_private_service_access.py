from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.foundation.private_service_access import PrivateServiceAccess, PrivateServiceAccessArgs
from tests.recording import Build, Recorder


def example_args(**changes: Any) -> PrivateServiceAccessArgs:
    args = PrivateServiceAccessArgs(
        project_id="project",
        network_id="projects/project/global/networks/network",
        ranges={"europe-west1": "10.0.128.0/18", "europe-west4": "10.1.128.0/18"},
        labels={"system": "aiprod"},
    )
    return replace(args, **changes)


def test_each_range_is_reserved_as_planned(build: Build, recorder: Recorder) -> None:
    build(lambda: PrivateServiceAccess("psa", example_args()))
    address = recorder.one("GlobalAddress", "psa-europe-west1")
    assert (address.inputs["address"], address.inputs["prefixLength"]) == ("10.0.128.0", 18)
    assert (address.inputs["purpose"], address.inputs["addressType"]) == ("VPC_PEERING", "INTERNAL")


def test_the_connection_uses_all_ranges_and_survives_a_leftover(build: Build, recorder: Recorder) -> None:
    access = build(lambda: PrivateServiceAccess("psa", example_args()))
    connection = recorder.one("Connection")
    assert connection.inputs["reservedPeeringRanges"] == ["psa-europe-west1", "psa-europe-west4"]
    assert connection.inputs["updateOnCreationFail"] is True
    assert "deletionPolicy" not in connection.inputs
    assert build.resolve(access.range_name) == "psa-europe-west1"


def test_an_abandoned_connection_is_left_behind_on_destroy(build: Build, recorder: Recorder) -> None:
    build(lambda: PrivateServiceAccess("psa", example_args(abandon=True)))
    assert recorder.one("Connection").inputs["deletionPolicy"] == "ABANDON"


@pytest.mark.parametrize("text", ["10.0.0.0/15", "10.0.0.0/21"])
def test_fails_when_a_range_is_not_16_to_20(text: str) -> None:
    with pytest.raises(ValueError, match=f"ranges.europe-west1 must be a /16 to /20, got '{text}'"):
        example_args(ranges={"europe-west1": text})


def test_fails_when_ranges_overlap_and_names_both() -> None:
    with pytest.raises(
        ValueError, match=r"europe-west1 10\.0\.0\.0/16 overlaps europe-west4 10\.0\.128\.0/18"
    ):
        example_args(ranges={"europe-west1": "10.0.0.0/16", "europe-west4": "10.0.128.0/18"})


def test_fails_when_there_is_no_range() -> None:
    with pytest.raises(ValueError, match="ranges must name at least one region"):
        example_args(ranges={})

"""The records of one host."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.edge.host_records import HostRecords, HostRecordsArgs
from tests.recording import Build, Recorder


def example_args(**changes: Any) -> HostRecordsArgs:
    return replace(
        HostRecordsArgs(host="api.example.com", managed_zone="zone", ipv4="192.0.2.2", ipv6="2001:db8::2"),
        **changes,
    )


def test_host_has_both_addresses_and_one_authority(build: Build, recorder: Recorder) -> None:
    build(lambda: HostRecords("api", example_args()))
    made = {
        (record.name, record.inputs["type"]): record.inputs["rrdatas"]
        for record in recorder.of_type("recordSet:RecordSet")
    }
    assert made == {
        ("api-a", "A"): ["192.0.2.2"],
        ("api-aaaa", "AAAA"): ["2001:db8::2"],
        ("api-caa", "CAA"): ['0 issue "pki.goog"'],
    }
    assert {record.inputs["name"] for record in recorder.of_type("RecordSet")} == {"api.example.com."}


def test_fails_when_ttl_is_outside_30_seconds_to_a_day() -> None:
    with pytest.raises(ValueError, match="ttl_seconds must be between 30 and 86400 seconds, got 29"):
        example_args(ttl_seconds=29)


def test_fails_when_the_host_ends_in_a_dot() -> None:
    with pytest.raises(ValueError, match=r"host must be a lower-case host name without wildcard, got .*\.'"):
        example_args(host="api.example.com.")

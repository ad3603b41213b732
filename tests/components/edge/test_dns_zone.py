"""The zone, its delegations and further records."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.edge.dns_zone import DnsZone, DnsZoneArgs, Record
from tests.recording import Build, Recorder


def example_args(**changes: Any) -> DnsZoneArgs:
    return replace(
        DnsZoneArgs(
            domain="example.com",
            description="Public names",
            labels={"system": "aiprod"},
            delegations={"dev.example.com": ("ns1.example.net", "ns2.example.net")},
            records={
                "status": Record(host="status.example.com", type="CNAME", data=("status.example.net.",))
            },
        ),
        **changes,
    )


def test_zone_is_public_signed_and_logged(build: Build, recorder: Recorder) -> None:
    build(lambda: DnsZone("zone", example_args()))
    zone = recorder.one("managedZone:ManagedZone", "zone").inputs
    assert zone["dnsName"] == "example.com."
    assert zone["visibility"] == "public"
    assert zone["dnssecConfig"] == {"state": "on", "nonExistence": "nsec3"}
    assert zone["cloudLoggingConfig"] == {"enableLogging": True}
    assert zone["forceDestroy"] is False


def test_child_zone_is_delegated_to_all_its_servers(build: Build, recorder: Recorder) -> None:
    build(lambda: DnsZone("zone", example_args()))
    record = recorder.one("recordSet:RecordSet", "zone-delegation-dev").inputs
    assert (record["name"], record["type"]) == ("dev.example.com.", "NS")
    assert record["rrdatas"] == ["ns1.example.net.", "ns2.example.net."]


def test_further_record_is_written_as_given(build: Build, recorder: Recorder) -> None:
    build(lambda: DnsZone("zone", example_args()))
    record = recorder.one("recordSet:RecordSet", "zone-status").inputs
    assert (record["name"], record["type"], record["rrdatas"]) == (
        "status.example.com.",
        "CNAME",
        ["status.example.net."],
    )


def test_zone_without_children_has_no_records(build: Build, recorder: Recorder) -> None:
    build(lambda: DnsZone("zone", example_args(delegations={}, records={})))
    assert recorder.names("recordSet:RecordSet") == []


def test_fails_when_a_delegation_is_outside_the_zone_or_has_one_server() -> None:
    with pytest.raises(ValueError, match=r"delegations must be example\.com or a name below it"):
        example_args(delegations={"dev.example.org": ("a.example.net", "b.example.net")})
    with pytest.raises(ValueError, match="at least 2 name servers, got 1"):
        example_args(delegations={"dev.example.com": ("a.example.net",)})


def test_fails_when_the_apex_is_an_alias() -> None:
    with pytest.raises(ValueError, match="must not be a CNAME at the apex"):
        example_args(records={"apex": Record(host="example.com", type="CNAME", data=("a.example.net.",))})


def test_fails_when_the_domain_is_not_a_domain() -> None:
    with pytest.raises(ValueError, match="domain must be a domain in lower case"):
        example_args(domain="Example", delegations={}, records={})

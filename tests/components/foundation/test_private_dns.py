from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from components.foundation.private_dns import PrivateDns, PrivateDnsArgs
from tests.recording import Build, Recorder


def example_args(ttl_seconds: int = 300) -> PrivateDnsArgs:
    return PrivateDnsArgs(
        project_id="project", network_id="networks/main", labels={"a": "b"}, ttl_seconds=ttl_seconds
    )


def test_every_query_of_the_network_is_logged(build: Build, recorder: Recorder) -> None:
    build(lambda: PrivateDns("dns", example_args()))
    policy = recorder.one("dns/policy:Policy")
    assert policy.inputs["enableLogging"] is True
    assert policy.inputs["networks"] == [{"networkUrl": "networks/main"}]


def test_google_is_answered_by_private_addresses_inside_the_network_only(
    build: Build, recorder: Recorder
) -> None:
    build(lambda: PrivateDns("dns", example_args()))
    zone = recorder.one("ManagedZone")
    assert (zone.inputs["visibility"], zone.inputs["dnsName"]) == ("private", "googleapis.com.")
    assert zone.inputs["privateVisibilityConfig"] == {"networks": [{"networkUrl": "networks/main"}]}
    records = {r.inputs["name"]: r.inputs for r in recorder.of_type("RecordSet")}
    assert records["*.googleapis.com."]["rrdatas"] == ["private.googleapis.com."]
    addresses = records["private.googleapis.com."]["rrdatas"]
    assert {ip_address(text) for text in addresses} == set(ip_network("199.36.153.8/30"))


@pytest.mark.parametrize("seconds", [29, 86_401])
def test_fails_when_an_answer_lives_too_short_or_too_long(seconds: int) -> None:
    with pytest.raises(ValueError, match=f"ttl_seconds must be between 30 and 86400 seconds, got {seconds}"):
        example_args(seconds)

"""Certificate, map, entry and the proof in DNS."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.edge.certificate import Certificate, CertificateArgs
from tests.recording import Build, Recorder

RECORD = {"name": "_acme-challenge.api.example.com.", "type": "CNAME", "data": "proof.example.net."}


def example_args(**changes: Any) -> CertificateArgs:
    return replace(
        CertificateArgs(hosts={"api": "api.example.com"}, labels={"system": "aiprod"}, managed_zone="zone"),
        **changes,
    )


def test_certificate_is_managed_and_validated_by_dns(build: Build, recorder: Recorder) -> None:
    build(lambda: Certificate("tls", example_args()))
    assert recorder.one("DnsAuthorization", "tls-api").inputs["domain"] == "api.example.com"
    certificate = recorder.one("certificate:Certificate", "tls-api").inputs
    assert certificate["scope"] == "DEFAULT"
    assert certificate["managed"] == {
        "domains": ["api.example.com"],
        "dnsAuthorizations": ["tls-api-id"],
    }


def test_map_has_an_entry_for_the_host(build: Build, recorder: Recorder) -> None:
    build(lambda: Certificate("tls", example_args()))
    entry = recorder.one("CertificateMapEntry", "tls-api").inputs
    assert entry["map"] == "tls"
    assert entry["hostname"] == "api.example.com"
    assert entry["certificates"] == ["tls-api-id"]
    assert "matcher" not in entry


def test_proof_is_published_where_the_zone_is_ours(build: Build, recorder: Recorder) -> None:
    made = build(lambda: Certificate("tls", example_args()))
    record = recorder.one("recordSet:RecordSet", "tls-api-validation").inputs
    assert record["managedZone"] == "zone"
    assert (record["name"], record["type"], record["rrdatas"]) == (
        RECORD["name"],
        "CNAME",
        [RECORD["data"]],
    )
    assert build.resolve(made.dns_records) == {"api": RECORD}


def test_proof_is_only_an_output_where_the_zone_is_elsewhere(build: Build, recorder: Recorder) -> None:
    made = build(lambda: Certificate("tls", example_args(managed_zone=None)))
    assert recorder.names("recordSet:RecordSet") == []
    assert build.resolve(made.dns_records) == {"api": RECORD}


def test_proof_for_another_s_domain_is_only_an_output(build: Build, recorder: Recorder) -> None:
    made = build(lambda: Certificate("tls", example_args(foreign_hosts={"acme": "video.acme.example"})))
    assert recorder.names("recordSet:RecordSet") == ["tls-api-validation"]
    assert recorder.one("CertificateMapEntry", "tls-acme").inputs["hostname"] == "video.acme.example"
    assert set(build.resolve(made.dns_records)) == {"api", "acme"}


def test_fails_when_another_s_domain_is_none_or_takes_a_key_of_ours() -> None:
    with pytest.raises(ValueError, match=r"foreign_hosts\.acme must be a lower-case host name"):
        example_args(foreign_hosts={"acme": "acme"})
    with pytest.raises(ValueError, match="foreign_hosts must have keys other than hosts, got 'api'"):
        example_args(foreign_hosts={"api": "video.acme.example"})


@pytest.mark.parametrize("host", ["*.example.com", "API.example.com", "api.example.com.", "localhost"])
def test_fails_when_a_host_is_not_a_plain_name(host: str) -> None:
    with pytest.raises(ValueError, match=r"hosts\.api must be a lower-case host name"):
        example_args(hosts={"api": host})


def test_fails_when_there_is_no_host() -> None:
    with pytest.raises(ValueError, match="hosts must name at least one host"):
        example_args(hosts={})

"""The load balancer's chain, with and without services behind it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.edge.load_balancer import LoadBalancer, LoadBalancerArgs
from tests.recording import Build, Recorder

BACKEND = "compute/backendService:BackendService"
NEG = "compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup"
URL_MAP = "compute/uRLMap:URLMap"


def example_args(**changes: Any) -> LoadBalancerArgs:
    return replace(
        LoadBalancerArgs(
            hosts=("api.example.com",),
            services={"europe-west1": "api", "europe-west4": "api"},
            certificate_map_id="projects/p/locations/global/certificateMaps/m",
            security_policy_id="policy",
            labels={"system": "aiprod"},
            log_sample_rate=1.0,
        ),
        **changes,
    )


def test_every_region_is_a_serverless_backend(build: Build, recorder: Recorder) -> None:
    build(lambda: LoadBalancer("edge", example_args()))
    for region in ("europe-west1", "europe-west4"):
        group = recorder.one(NEG, f"edge-{region}").inputs
        assert group["networkEndpointType"] == "SERVERLESS"
        assert group["region"] == region
        assert group["cloudRun"] == {"service": "api"}
        assert "name" not in group
    assert recorder.one(BACKEND).inputs["backends"] == [
        {"group": "edge-europe-west1-id"},
        {"group": "edge-europe-west4-id"},
    ]


def test_backend_is_managed_guarded_and_logged(build: Build, recorder: Recorder) -> None:
    build(lambda: LoadBalancer("edge", example_args(log_sample_rate=0.5)))
    backend = recorder.one(BACKEND, "edge").inputs
    assert backend["loadBalancingScheme"] == "EXTERNAL_MANAGED"
    assert backend["securityPolicy"] == "policy"
    assert backend["enableCdn"] is False
    assert backend["logConfig"]["enable"] is True
    assert backend["logConfig"]["sampleRate"] == 0.5
    assert backend["customRequestHeaders"] == [
        "X-Client-Address: {client_ip_address}",
        "X-Client-Region: {client_region}",
    ]
    assert (
        "Strict-Transport-Security: max-age=31536000; includeSubDomains" in backend["customResponseHeaders"]
    )


def test_backend_sets_nothing_that_google_refuses_on_serverless(build: Build, recorder: Recorder) -> None:
    build(lambda: LoadBalancer("edge", example_args()))
    refused = {"timeoutSec", "healthChecks", "portName", "sessionAffinity", "localityLbPolicy"}
    backend = recorder.one(BACKEND).inputs
    assert refused.isdisjoint(backend)
    assert not {key for key in backend["outlierDetection"] if "uccessRate" in key}


def test_one_region_has_no_outlier_detection(build: Build, recorder: Recorder) -> None:
    build(lambda: LoadBalancer("edge", example_args(services={"europe-west1": "api"})))
    assert "outlierDetection" not in recorder.one(BACKEND).inputs


def test_without_services_the_chain_stands_without_backends(build: Build, recorder: Recorder) -> None:
    build(lambda: LoadBalancer("edge", example_args(services={})))
    assert recorder.names(NEG) == []
    assert recorder.one(BACKEND).inputs["backends"] == []
    assert len(recorder.names("GlobalForwardingRule")) == 4


def test_each_address_serves_https_and_redirects_http(build: Build, recorder: Recorder) -> None:
    build(lambda: LoadBalancer("edge", example_args()))
    made = {
        rule.name: (rule.inputs["portRange"], rule.inputs["target"], rule.inputs["ipAddress"])
        for rule in recorder.of_type("GlobalForwardingRule")
    }
    assert made == {
        "edge-https-ipv4": ("443", "edge-id", "edge-ipv4-id"),
        "edge-https-ipv6": ("443", "edge-id", "edge-ipv6-id"),
        "edge-http-ipv4": ("80", "edge-redirect-id", "edge-ipv4-id"),
        "edge-http-ipv6": ("80", "edge-redirect-id", "edge-ipv6-id"),
    }
    assert {rule.inputs["loadBalancingScheme"] for rule in recorder.of_type("GlobalForwardingRule")} == {
        "EXTERNAL_MANAGED"
    }
    assert {address.name: address.inputs["ipVersion"] for address in recorder.of_type("GlobalAddress")} == {
        "edge-ipv4": "IPV4",
        "edge-ipv6": "IPV6",
    }


def test_tls_starts_at_1_2_and_uses_the_certificate_map(build: Build, recorder: Recorder) -> None:
    build(lambda: LoadBalancer("edge", example_args()))
    policy = recorder.one("SSLPolicy", "edge").inputs
    assert (policy["minTlsVersion"], policy["profile"]) == ("TLS_1_2", "RESTRICTED")
    proxy = recorder.one("TargetHttpsProxy", "edge").inputs
    assert proxy["sslPolicy"] == "edge-id"
    assert proxy["certificateMap"] == (
        "//certificatemanager.googleapis.com/projects/p/locations/global/certificateMaps/m"
    )


def test_plain_http_only_redirects(build: Build, recorder: Recorder) -> None:
    build(lambda: LoadBalancer("edge", example_args()))
    assert recorder.one(URL_MAP, "edge-redirect").inputs == {
        "defaultUrlRedirect": {
            "httpsRedirect": True,
            "redirectResponseCode": "MOVED_PERMANENTLY_DEFAULT",
            "stripQuery": False,
        }
    }


def test_closed_paths_answer_404_and_strange_hosts_are_redirected(build: Build, recorder: Recorder) -> None:
    build(lambda: LoadBalancer("edge", example_args(closed_paths=("/metrics",))))
    url_map = recorder.one(URL_MAP, "edge").inputs
    assert url_map["hostRules"] == [{"hosts": ["api.example.com"], "pathMatcher": "api"}]
    assert url_map["defaultUrlRedirect"]["hostRedirect"] == "api.example.com"
    (matcher,) = url_map["pathMatchers"]
    assert matcher["defaultService"] == "edge-id"
    assert matcher["pathRules"] == [
        {
            "paths": ["/metrics", "/metrics/*"],
            "service": "edge-id",
            "routeAction": {
                "faultInjectionPolicy": {"abort": {"httpStatus": 404, "percentage": 100}},
            },
        }
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hosts": ()}, "hosts must name at least one host"),
        ({"log_sample_rate": 0.0}, "log_sample_rate must be above 0 and at most 1, got 0"),
        ({"closed_paths": ("/metrics/",)}, "closed_paths must hold absolute paths"),
        ({"minimum_tls": "TLS_1_3", "tls_profile": "MODERN"}, "tls_profile must be RESTRICTED"),
        ({"hsts_max_age_seconds": 300}, "at least 15552000 seconds, got 300"),
    ],
)
def test_fails_when_an_argument_breaks_its_rule(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        example_args(**change)

"""The load balancer's chain, with and without services behind it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.edge.load_balancer import (
    ErrorPages,
    LoadBalancer,
    LoadBalancerArgs,
    Modern,
    Restricted,
    TlsPolicy,
    Variant,
)
from components.edge.routes import Match, Route, Split
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


def test_a_drained_region_keeps_its_group_and_gets_no_requests(build: Build, recorder: Recorder) -> None:
    build(lambda: LoadBalancer("edge", example_args(drained=frozenset({"europe-west1"}))))
    backend = recorder.one(BACKEND).inputs
    assert recorder.names(NEG) == ["edge-europe-west1", "edge-europe-west4"]
    assert backend["backends"] == [{"group": "edge-europe-west4-id"}]
    assert "outlierDetection" not in backend


def test_fails_when_no_region_is_left_to_serve() -> None:
    with pytest.raises(ValueError, match="drained must leave a region of services, got europe-west1, "):
        example_args(drained=frozenset({"europe-west1", "europe-west4"}))


def test_backend_is_managed_guarded_and_logged(build: Build, recorder: Recorder) -> None:
    build(lambda: LoadBalancer("edge", example_args(log_sample_rate=0.5)))
    backend = recorder.one(BACKEND, "edge").inputs
    assert backend["loadBalancingScheme"] == "EXTERNAL_MANAGED"
    assert backend["securityPolicy"] == "policy"
    assert backend["enableCdn"] is False
    assert backend["logConfig"]["enable"] is True
    assert backend["logConfig"]["sampleRate"] == 0.5
    assert backend["customResponseHeaders"] == [
        "Strict-Transport-Security: max-age=31536000; includeSubDomains",
        "X-Content-Type-Options: nosniff",
        "X-Frame-Options: DENY",
        "Referrer-Policy: no-referrer",
        "Content-Security-Policy: frame-ancestors 'none'; upgrade-insecure-requests",
    ]


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


@pytest.mark.parametrize(
    ("tls", "expected"),
    [
        (Modern(), ("MODERN", "TLS_1_2", "ENABLED")),
        (Modern(post_quantum="DEFERRED"), ("MODERN", "TLS_1_2", "DEFERRED")),
        (Restricted(), ("RESTRICTED", "TLS_1_2", "ENABLED")),
        (Restricted(minimum="TLS_1_3", post_quantum="DEFAULT"), ("RESTRICTED", "TLS_1_3", "DEFAULT")),
    ],
)
def test_tls_policy_is_one_that_google_takes(
    build: Build, recorder: Recorder, tls: TlsPolicy, expected: tuple[str, str, str]
) -> None:
    build(lambda: LoadBalancer("edge", example_args(tls=tls)))
    policy = recorder.one("SSLPolicy", "edge").inputs
    assert (policy["profile"], policy["minTlsVersion"], policy["postQuantumKeyExchange"]) == expected


def test_http_3_and_idle_connections_are_stated(build: Build, recorder: Recorder) -> None:
    build(lambda: LoadBalancer("edge", example_args(quic=False, keep_alive_seconds=60)))
    proxy = recorder.one("TargetHttpsProxy", "edge").inputs
    assert (proxy["quicOverride"], proxy["httpKeepAliveTimeoutSec"]) == ("DISABLE", 60)
    assert proxy["tlsEarlyData"] == "DISABLED"


def test_plain_http_only_redirects(build: Build, recorder: Recorder) -> None:
    build(lambda: LoadBalancer("edge", example_args()))
    assert recorder.one(URL_MAP, "edge-redirect").inputs == {
        "defaultUrlRedirect": {
            "httpsRedirect": True,
            "redirectResponseCode": "MOVED_PERMANENTLY_DEFAULT",
            "stripQuery": False,
        },
        "tests": [
            {
                "description": "api.example.com: redirected to https://api.example.com",
                "host": "api.example.com",
                "path": "/url-map-test",
                "expectedOutputUrl": "https://api.example.com/url-map-test",
                "expectedRedirectResponseCode": 301,
            }
        ],
    }


def test_closed_paths_answer_404_and_strange_hosts_are_redirected(build: Build, recorder: Recorder) -> None:
    build(lambda: LoadBalancer("edge", example_args(closed_paths=("/metrics",))))
    url_map = recorder.one(URL_MAP, "edge").inputs
    assert url_map["hostRules"] == [{"hosts": ["api.example.com"], "pathMatcher": "api"}]
    assert url_map["defaultUrlRedirect"]["hostRedirect"] == "api.example.com"
    (matcher,) = url_map["pathMatchers"]
    assert matcher["defaultService"] == "edge-id"
    assert matcher["routeRules"] == [
        {
            "priority": 10,
            "matchRules": [
                {"fullPathMatch": "/metrics", "ignoreCase": True},
                {"prefixMatch": "/metrics/", "ignoreCase": True},
            ],
            "service": "edge-id",
            "routeAction": {
                "faultInjectionPolicy": {"abort": {"httpStatus": 404, "percentage": 100}},
            },
        }
    ]


def test_client_address_and_region_replace_what_the_client_says(build: Build, recorder: Recorder) -> None:
    build(lambda: LoadBalancer("edge", example_args()))
    url_map = recorder.one(URL_MAP, "edge").inputs
    assert url_map["headerAction"] == {
        "requestHeadersToAdds": [
            {"headerName": "X-Client-Address", "headerValue": "{client_ip_address}", "replace": True},
            {"headerName": "X-Client-Region", "headerValue": "{client_region}", "replace": True},
        ]
    }
    assert url_map["pathMatchers"][0]["headerAction"] == {"requestHeadersToRemoves": ["X-Brand"]}


def test_customer_s_domain_is_served_with_its_brand(build: Build, recorder: Recorder) -> None:
    brands = {"acme": "video.acme.example"}
    build(lambda: LoadBalancer("edge", example_args(brands=brands)))
    url_map = recorder.one(URL_MAP, "edge").inputs
    assert url_map["hostRules"][1] == {"hosts": ["video.acme.example"], "pathMatcher": "brand-acme"}
    ours, theirs = url_map["pathMatchers"]
    assert theirs["name"] == "brand-acme"
    assert theirs["headerAction"] == {
        "requestHeadersToAdds": [{"headerName": "X-Brand", "headerValue": "acme", "replace": True}]
    }
    assert (theirs["defaultService"], theirs["routeRules"]) == (ours["defaultService"], ours["routeRules"])
    assert "video.acme.example" in {test["host"] for test in url_map["tests"]}


def test_variant_has_its_own_groups_by_tag_and_the_same_guard(build: Build, recorder: Recorder) -> None:
    beta = Variant(services={"europe-west1": "api", "europe-west4": "api"}, tag="beta")
    route = Route(position=0, match=Match(), target=Split(percents={"beta": 10}))
    build(lambda: LoadBalancer("edge", example_args(variants={"beta": beta}, routes={"canary": route})))
    assert recorder.one(NEG, "edge-beta-europe-west1").inputs["cloudRun"] == {"service": "api", "tag": "beta"}
    main, variant = recorder.one(BACKEND, "edge").inputs, recorder.one(BACKEND, "edge-beta").inputs
    assert {key: value for key, value in variant.items() if key != "backends"} == {
        key: value for key, value in main.items() if key != "backends"
    }
    (matcher,) = recorder.one(URL_MAP, "edge").inputs["pathMatchers"]
    assert matcher["routeRules"][-1]["routeAction"] == {
        "weightedBackendServices": [
            {"backendService": "edge-beta-id", "weight": 10},
            {"backendService": "edge-id", "weight": 90},
        ]
    }


def test_error_pages_come_from_a_bucket_that_no_route_reaches(build: Build, recorder: Recorder) -> None:
    pages = ErrorPages(bucket="public-pages", pages={"5xx": "/5xx.html", 404: "/404.html"})
    build(lambda: LoadBalancer("edge", example_args(error_pages=pages)))
    bucket = recorder.one("BackendBucket", "edge-pages").inputs
    assert (bucket["bucketName"], bucket["enableCdn"]) == ("public-pages", False)
    assert bucket["customResponseHeaders"] == recorder.one(BACKEND).inputs["customResponseHeaders"]
    url_map = recorder.one(URL_MAP, "edge").inputs
    assert url_map["defaultCustomErrorResponsePolicy"] == {
        "errorService": "edge-pages-id",
        "errorResponseRules": [
            {"matchResponseCodes": ["5xx"], "path": "/5xx.html"},
            {"matchResponseCodes": ["404"], "path": "/404.html"},
        ],
    }
    assert "edge-pages-id" not in str(url_map["pathMatchers"])


def test_without_error_pages_answers_are_the_application_s(build: Build, recorder: Recorder) -> None:
    build(lambda: LoadBalancer("edge", example_args()))
    assert recorder.names("BackendBucket") == []
    assert "defaultCustomErrorResponsePolicy" not in recorder.one(URL_MAP, "edge").inputs


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hosts": ()}, "hosts must name at least one host"),
        ({"log_sample_rate": 0.0}, "log_sample_rate must be above 0 and at most 1, got 0"),
        ({"closed_paths": ("/metrics/",)}, "closed_paths must hold absolute paths"),
        ({"hosts": ("localhost",)}, "hosts must be a lower-case host name without wildcard, got 'localhost'"),
        ({"hosts": ("*.example.com",)}, "hosts must be a lower-case host name without wildcard"),
        ({"brands": {"acme": "Acme.example"}}, r"brands\.acme must be a lower-case host name"),
        ({"brands": {"acme": "api.example.com"}}, r"brands\.acme must be served once, got 'api"),
        ({"brands": {"Acme": "acme.example"}}, "brands must be keyed by 1 to 20 lower-case .*got 'Acme'"),
        ({"variants": {"main": Variant(services={"r": "s"})}}, "variants must be keyed by .*got 'main'"),
        ({"keep_alive_seconds": 4}, "keep_alive_seconds must be between 5 and 1200 seconds, got 4"),
        (
            {"brands": {f"b{index}": f"b{index}.example" for index in range(95)}},
            "must need at most 100 tests together, got 101",
        ),
        ({"hsts_max_age_seconds": 300}, "at least 15552000 seconds, got 300"),
    ],
)
def test_fails_when_an_argument_breaks_its_rule(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        example_args(**change)


@pytest.mark.parametrize(
    ("pages", "message"),
    [
        ({}, "pages must name one page at least, got none"),
        ({200: "/ok.html"}, "pages must be for statuses of 400 to 599, got 200"),
        ({404: "404.html"}, r"pages\.404 must begin with a slash, got '404\.html'"),
    ],
)
def test_fails_when_error_pages_are_none_that_google_takes(pages: dict[Any, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ErrorPages(bucket="public-pages", pages=pages)


def test_fails_when_a_variant_runs_nowhere() -> None:
    with pytest.raises(ValueError, match="services of a variant must name a region at least, got none"):
        Variant(services={})

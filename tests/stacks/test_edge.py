"""The edge as the stack files make it: what stands before a release, what differs by environment."""

from __future__ import annotations

from functools import cache
from typing import get_args

import pulumi
import pytest

from components.edge.armor_rules import WafSetName
from config import Settings, parse
from naming import Names
from stacks.edge import edge
from tests.recording import Build, Recorded, Recorder
from tests.stack_files import STACKS, settings, values

ARMOR = "compute/securityPolicy:SecurityPolicy"
BACKEND = "compute/backendService:BackendService"


def record(given: Settings, *, released: bool = True) -> Recorder:
    recorder = Recorder()
    names = Names(system="aiprod", environment=given.environment, project_id=given.project_id)
    regions = given.api_regions if released else ()
    build = Build(recorder)
    build(
        lambda: edge(
            settings=given,
            names=names,
            services={region: f"{given.api.service}-{region}" for region in regions},
            opts=pulumi.ResourceOptions(),
        )
    )
    build.close()
    return recorder


@cache
def recorded(stack: str) -> Recorder:
    return record(settings(stack))


def priorities(policy: Recorded) -> list[int]:
    return [rule["priority"] for rule in policy.inputs["rules"]]


@pytest.mark.parametrize("stack", STACKS)
def test_rules_are_the_same_in_every_environment(stack: str) -> None:
    here, prod = recorded(stack).one(ARMOR), recorded("prod").one(ARMOR)
    assert priorities(here) == priorities(prod)
    assert [rule["match"] for rule in here.inputs["rules"]] == [
        rule["match"] for rule in prod.inputs["rules"]
    ]


@pytest.mark.parametrize(("stack", "previewed"), [("dev", True), ("staging", False), ("prod", False)])
def test_waf_is_previewed_in_dev_and_enforced_elsewhere(stack: str, previewed: bool) -> None:
    own = recorded(stack).one(ARMOR).inputs["rules"][:-1]
    assert {rule["preview"] for rule in own} == {previewed}


def test_rules_judge_as_the_requirements_say() -> None:
    rules = {rule["priority"]: rule for rule in recorded("prod").one(ARMOR).inputs["rules"]}
    assert rules[200]["match"]["expr"]["expression"] == "origin.region_code.matches('^(?:IR|KP)$')"
    assert rules[2100]["rateLimitOptions"]["rateLimitThreshold"] == {"count": 1000, "intervalSec": 60}
    assert rules[2100]["rateLimitOptions"]["banDurationSec"] == 600
    assert "> 10485760" in rules[310]["match"]["expr"]["expression"]
    assert rules[500]["action"] == "deny(404)"
    asked = " ".join(str(rule["match"]) for rule in rules.values())
    for name in get_args(WafSetName):
        assert f"evaluatePreconfiguredWaf('{name}'" in asked


def test_a_full_allow_list_fills_the_quota_of_expressions() -> None:
    given = values("prod")
    given["edge"] = {**given["edge"], "allowed_ranges": [f"192.0.2.{last}/32" for last in range(4)]}
    rules = record(parse(given)).one(ARMOR).inputs["rules"]
    assert sum("expr" in rule["match"] for rule in rules) == 20


@pytest.mark.parametrize(("stack", "regions"), [("dev", 1), ("staging", 1), ("prod", 2)])
def test_each_region_that_serves_is_a_backend(stack: str, regions: int) -> None:
    backend = recorded(stack).one(BACKEND).inputs
    assert len(backend["backends"]) == regions
    assert ("outlierDetection" in backend) is (regions > 1)


def test_before_a_release_the_way_in_stands_without_backends() -> None:
    recorder = record(settings("prod", release=False), released=False)
    assert recorder.one(BACKEND).inputs["backends"] == []
    assert recorder.names("RegionNetworkEndpointGroup") == []
    assert recorder.names("GlobalForwardingRule") == recorded("prod").names("GlobalForwardingRule")
    assert recorder.one("CertificateMapEntry").inputs["hostname"] == "api.aiprod.ai"


def test_production_delegates_the_other_zones_and_names_the_status_page() -> None:
    records = {
        record.inputs["name"]: record.inputs["type"]
        for record in recorded("prod").of_type("recordSet:RecordSet")
        if record.name.startswith("zone-")
    }
    assert records == {
        "staging.aiprod.ai.": "NS",
        "dev.aiprod.ai.": "NS",
        "status.aiprod.ai.": "CNAME",
    }


@pytest.mark.parametrize(("stack", "protected"), [("dev", False), ("staging", True), ("prod", True)])
def test_zone_is_protected_where_deletion_is(stack: str, protected: bool) -> None:
    assert recorded(stack).one("managedZone:ManagedZone").protect is protected


def test_proxy_waits_for_the_certificate_s_entry() -> None:
    recorder = recorded("prod")
    balancer = next(one for one in recorder.resources if one.type == "aiprod:edge:LoadBalancer")
    assert recorder.one("CertificateMapEntry").urn in balancer.dependencies


def test_denied_ranges_are_one_rule_without_an_expression() -> None:
    rules = record(changed("prod", denied_ranges=["192.0.2.0/24"])).one(ARMOR).inputs["rules"]
    denied = {rule["priority"]: rule for rule in rules}[400]
    assert denied["action"] == "deny(403)"
    assert denied["match"]["config"] == {"srcIpRanges": ["192.0.2.0/24"]}


BETA = {
    "revisions": {"europe-west1": "aiprod-v33-api-00042-abc"},
    "header": {"name": "X-Variant", "value": "beta"},
    "percent": 5,
}


def changed(stack: str, **edge_values: object) -> Settings:
    """The shares are the stack file's: a release that walks owns the tags as well, without a variant."""
    given = values(stack)
    given["edge"] = {**given["edge"], **edge_values}
    given["release"] = {**given["release"], "traffic": {"kind": "latest"}}
    return parse(given)


def test_customer_s_domain_gets_certificate_route_and_a_record_to_publish() -> None:
    recorder = record(changed("prod", customers={"acme": "video.acme.example"}))
    hosts = {entry.inputs["hostname"] for entry in recorder.of_type("CertificateMapEntry")}
    assert hosts == {"api.aiprod.ai", "video.acme.example"}
    url_map = recorder.one("compute/uRLMap:URLMap", "edge").inputs
    assert {"hosts": ["video.acme.example"], "pathMatcher": "brand-acme"} in url_map["hostRules"]
    zone_records = {one.inputs["name"] for one in recorder.of_type("recordSet:RecordSet")}
    assert not {name for name in zone_records if "video" in name}


def test_variant_is_asked_for_by_header_or_cookie_and_takes_its_share() -> None:
    cookie = {"name": "variant", "value": "beta"}
    recorder = record(changed("prod", variants={"beta": {**BETA, "cookie": cookie}}))
    group = recorder.one("RegionNetworkEndpointGroup", "edge-beta-europe-west1").inputs
    assert group["cloudRun"]["tag"] == "beta"
    (matcher,) = recorder.one("compute/uRLMap:URLMap", "edge").inputs["pathMatchers"]
    assert [rule["priority"] for rule in matcher["routeRules"]] == [10, 20, 1100, 1300, 1800]
    assert [rule.get("service") for rule in matcher["routeRules"]][2:] == ["edge-beta-id"] * 2 + [None]
    weights = matcher["routeRules"][-1]["routeAction"]["weightedBackendServices"]
    assert [share["weight"] for share in weights] == [5, 95]


def test_before_a_release_there_is_no_variant() -> None:
    recorder = record(changed("prod", variants={"beta": BETA}), released=False)
    assert recorder.names("BackendService") == ["edge"]


def test_error_pages_are_named_in_the_stack_file() -> None:
    assert recorded("prod").names("BackendBucket") == []
    pages = {"bucket": "public-pages", "client_errors": "/4xx.json", "server_errors": "/5xx.json"}
    policy = (
        record(changed("prod", error_pages=pages))
        .one("compute/uRLMap:URLMap", "edge")
        .inputs["defaultCustomErrorResponsePolicy"]
    )
    assert [rule["matchResponseCodes"] for rule in policy["errorResponseRules"]] == [["4xx"], ["5xx"]]


def test_fails_when_a_range_is_both_allowed_and_denied() -> None:
    with pytest.raises(ValueError, match=r"edge\.denied_ranges must not hold 192\.0\.2\.0/24, which allowed"):
        changed("dev", allowed_ranges=["192.0.2.0/24"], denied_ranges=["192.0.2.0/24"])


def test_fails_when_the_host_is_outside_the_zone() -> None:
    given = values("dev")
    given["host"] = "api.example.com"
    with pytest.raises(ValueError, match=r"host must be in edge\.zone\.domain dev\.aiprod\.ai"):
        parse(given)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("waf", "off", r"edge\.waf must be 'preview' or 'enforced', got 'off'"),
        ("allowed_ranges", ["192.0.2.1/24"], r"must be a CIDR range, got '192\.0\.2\.1/24'"),
        ("denied_ranges", ["192.0.2.0/33"], r"must be a CIDR range, got '192\.0\.2\.0/33'"),
        (
            "denied_ranges",
            [f"192.0.2.{last}/32" for last in range(11)],
            r"edge\.denied_ranges must .* at most 10",
        ),
        ("denied_countries", ["kp"], r"edge\.denied_countries"),
        ("denied_countries", [], r"edge\.denied_countries"),
        ("ban_seconds", 61, r"edge\.ban_seconds must be .*got 61"),
        ("upload_path_prefixes", ["uploads"], r"edge\.upload_path_prefixes"),
        ("log_sample_rate", 0, r"edge\.log_sample_rate"),
        ("customers", {"acme": "Acme"}, r"edge\.customers\.acme must be a host name in lower case"),
        ("customers", {"acme": "a.dev.aiprod.ai"}, r"edge\.customers\.acme must be outside zone\.domain"),
        ("customers", {"a": "x.example", "b": "x.example"}, r"edge\.customers\.a must be its own domain"),
        ("customers", {"Acme": "acme.example"}, r"edge\.customers.* 1 to 20 lower-case letters"),
        ("variants", {"main": BETA}, r"edge\.variants must not be called main"),
        ("variants", {"beta": {**BETA, "percent": 100}}, r"variants\.beta\.percent must be less than"),
        (
            "variants",
            {"a": {**BETA, "percent": 60}, "b": {**BETA, "percent": 40}},
            r"edge\.variants must have at most 99 percent together, got 100",
        ),
        (
            "variants",
            {"beta": {"revisions": BETA["revisions"]}},
            r"variants\.beta\.percent must be given, or header or cookie",
        ),
        (
            "variants",
            {"beta": {**BETA, "revisions": {"europe-west4": "aiprod-v33-api-1"}}},
            r"edge\.variants\.beta\.revisions must name revisions of aiprod-v33-api in europe-west1, got",
        ),
        (
            "variants",
            {"beta": {**BETA, "revisions": {"europe-west1": "other-1"}}},
            r"edge\.variants\.beta\.revisions must name revisions of aiprod-v33-api",
        ),
        ("error_pages", {"bucket": "pages"}, r"edge\.error_pages\.server_errors must be given"),
        ("zone", {"domain": "Aiprod"}, r"edge\.zone\.domain"),
        ("zone", {"domain": "dev.aiprod.ai", "delegations": {"x": ["a.example"]}}, r"delegations"),
    ],
)
def test_fails_when_the_stack_file_says_what_google_refuses(key: str, value: object, message: str) -> None:
    given = values("dev")
    given["edge"] = {**given["edge"], key: value}
    with pytest.raises(ValueError, match=message):
        parse(given)

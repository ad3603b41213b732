"""The Cloud Armor policy as it is handed to the provider."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.edge.armor_rules import (
    AllowProbes,
    DenyAddresses,
    DenyExpression,
    DenyMethods,
    DenyRegions,
    Exclusion,
    GlobalBan,
    PathRateLimit,
    WafSet,
)
from components.edge.armor_tier import AutoDeploy, Enterprise
from components.edge.security_policy import SecurityPolicy, SecurityPolicyArgs
from tests.recording import Build, Recorder

POLICY = "compute/securityPolicy:SecurityPolicy"


def example_args(**changes: Any) -> SecurityPolicyArgs:
    return replace(
        SecurityPolicyArgs(
            rules=(
                GlobalBan(count=1000, interval_seconds=60, ban_seconds=600),
                WafSet(rule_set="sqli-v33-stable", sensitivity=1),
                AllowProbes(paths=("/health",)),
            ),
            description="Everything",
            labels={"system": "aiprod"},
        ),
        **changes,
    )


def made_rules(build: Build, recorder: Recorder, args: SecurityPolicyArgs) -> list[dict[str, Any]]:
    build(lambda: SecurityPolicy("armor", args))
    return recorder.one(POLICY).inputs["rules"]


def test_policy_learns_logs_in_full_and_parses_json(build: Build, recorder: Recorder) -> None:
    build(lambda: SecurityPolicy("armor", example_args()))
    inputs = recorder.one(POLICY, "armor").inputs
    assert inputs["type"] == "CLOUD_ARMOR"
    assert inputs["adaptiveProtectionConfig"] == {
        "layer7DdosDefenseConfig": {"enable": True, "ruleVisibility": "STANDARD"}
    }
    assert inputs["advancedOptionsConfig"] == {
        "jsonParsing": "STANDARD",
        "logLevel": "VERBOSE",
        "requestBodyInspectionSize": "64KB",
    }


def test_standard_enrols_nothing_and_enterprise_enrols_first(build: Build, recorder: Recorder) -> None:
    build(lambda: SecurityPolicy("armor", example_args()))
    assert recorder.names("ProjectCloudArmorTier") == []
    tier = Enterprise(plan="CA_ENTERPRISE_PAYGO", auto_deploy=AutoDeploy())
    build(lambda: SecurityPolicy("paid", example_args(tier=tier)))
    assert (
        recorder.one("ProjectCloudArmorTier", "paid-tier").inputs["cloudArmorTier"] == "CA_ENTERPRISE_PAYGO"
    )
    policy = recorder.one(POLICY, "paid")
    assert recorder.one("ProjectCloudArmorTier").urn in policy.dependencies
    assert policy.inputs["adaptiveProtectionConfig"] == {
        "layer7DdosDefenseConfig": {"enable": True, "ruleVisibility": "PREMIUM"},
        "autoDeployConfig": {
            "loadThreshold": 0.8,
            "confidenceThreshold": 0.5,
            "impactedBaselineThreshold": 0.01,
            "expirationSec": 7200,
        },
    }


def test_further_content_types_are_read_as_json(build: Build, recorder: Recorder) -> None:
    types = ("application/json", "application/vnd.api+json")
    build(lambda: SecurityPolicy("armor", example_args(json_content_types=types, body_inspection="8KB")))
    options = recorder.one(POLICY).inputs["advancedOptionsConfig"]
    assert options["jsonCustomConfig"] == {"contentTypes": list(types)}
    assert options["requestBodyInspectionSize"] == "8KB"
    with pytest.raises(ValueError, match="json_content_types must be empty unless json_parsing is STANDARD"):
        example_args(json_content_types=types, json_parsing="STANDARD_WITH_GRAPHQL")


def test_denied_addresses_are_ranges(build: Build, recorder: Recorder) -> None:
    denied = DenyAddresses(position=0, ranges=("192.0.2.0/24",))
    rule = made_rules(build, recorder, example_args(rules=(denied,)))[0]
    assert rule["match"] == {"versionedExpr": "SRC_IPS_V1", "config": {"srcIpRanges": ["192.0.2.0/24"]}}


def test_rules_stand_in_the_order_of_judgement_and_end_with_the_default(
    build: Build, recorder: Recorder
) -> None:
    rules = made_rules(build, recorder, example_args())
    assert [(rule["priority"], rule["action"]) for rule in rules] == [
        (100, "allow"),
        (1000, "deny(403)"),
        (2100, "rate_based_ban"),
        (2147483647, "allow"),
    ]
    assert rules[-1]["match"] == {"versionedExpr": "SRC_IPS_V1", "config": {"srcIpRanges": ["*"]}}


def test_ban_has_exactly_the_provider_s_rate_options(build: Build, recorder: Recorder) -> None:
    rules = made_rules(build, recorder, example_args())
    assert rules[2] == {
        "priority": 2100,
        "action": "rate_based_ban",
        "description": "Ban of flooding addresses",
        "match": {"versionedExpr": "SRC_IPS_V1", "config": {"srcIpRanges": ["*"]}},
        "preview": False,
        "rateLimitOptions": {
            "conformAction": "allow",
            "exceedAction": "deny(429)",
            "enforceOnKey": "IP",
            "rateLimitThreshold": {"count": 1000, "intervalSec": 60},
            "banDurationSec": 600,
        },
    }


def test_throttle_has_no_ban_time(build: Build, recorder: Recorder) -> None:
    limit = PathRateLimit(position=0, path_prefix="/auth/", count=60, interval_seconds=60)
    rule = made_rules(build, recorder, example_args(rules=(limit,)))[0]
    assert rule["action"] == "throttle"
    assert rule["match"] == {"expr": {"expression": "request.path.startsWith('/auth/')"}}
    assert "banDurationSec" not in rule["rateLimitOptions"]


def test_previewed_policy_previews_every_rule_but_the_default(build: Build, recorder: Recorder) -> None:
    rules = made_rules(build, recorder, example_args(preview=True))
    assert [rule["preview"] for rule in rules] == [True, True, True, False]


def test_single_rule_can_be_previewed_in_an_enforced_policy(build: Build, recorder: Recorder) -> None:
    args = example_args(
        rules=(
            WafSet(rule_set="sqli-v33-stable", sensitivity=1),
            WafSet(rule_set="xss-v33-stable", sensitivity=1, preview=True),
        )
    )
    assert [rule["preview"] for rule in made_rules(build, recorder, args)] == [False, True, False]


def test_exclusion_names_set_signatures_and_part(build: Build, recorder: Recorder) -> None:
    exclusion = Exclusion(
        part="query_param",
        operator="EQUALS",
        value="prompt",
        signatures=("owasp-crs-v030301-id942100-sqli",),
    )
    waf = WafSet(rule_set="sqli-v33-stable", sensitivity=2, exclusions=(exclusion,))
    rule = made_rules(build, recorder, example_args(rules=(waf,)))[0]
    assert rule["preconfiguredWafConfig"] == {
        "exclusions": [
            {
                "targetRuleSet": "sqli-v33-stable",
                "targetRuleIds": ["owasp-crs-v030301-id942100-sqli"],
                "requestQueryParams": [{"operator": "EQUALS", "value": "prompt"}],
            }
        ]
    }


def test_fails_when_two_rules_claim_one_priority() -> None:
    rules = (DenyRegions(regions=("KP",)), DenyRegions(regions=("IR",)))
    with pytest.raises(ValueError, match="one priority each, got 200"):
        example_args(rules=rules)


def test_fails_when_description_is_too_long() -> None:
    with pytest.raises(ValueError, match=r"description must have 1 to 2,048 characters, got 2049"):
        example_args(description="x" * 2049)


def test_fails_when_there_are_more_expressions_than_the_quota() -> None:
    rules = [
        *(DenyExpression(position=index, expression="true", description="x") for index in range(10)),
        *(
            PathRateLimit(position=index, path_prefix="/a", count=1, interval_seconds=60)
            for index in range(10)
        ),
    ]
    assert example_args(rules=rules)
    more = [*rules, DenyMethods(allowed=("GET",))]
    assert example_args(rules=more, expression_quota=21)
    with pytest.raises(
        ValueError, match=r"at most 20 with an expression .*got 21.*SECURITY_POLICY_CEVAL_RULES"
    ):
        example_args(rules=more)

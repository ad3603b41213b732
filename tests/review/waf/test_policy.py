"""A policy read from the inputs of its resources."""

from __future__ import annotations

from typing import Any

import pytest

from review.waf.fields import Exclusion
from review.waf.policy import POLICY, POLICY_RULE, UPTIME_CHECK, declared_policy, read_policy
from sandbox.errors import UsageError
from sandbox.model import ResourceState
from sandbox.values import UNKNOWN, Secret
from tests.review.waf.examples import deny, everybody, policy, sets, throttle

UNKNOWN_RULES: list[dict[str, Any]] = [{**deny(1, "true"), "match": UNKNOWN}]


def state(type: str, name: str, inputs: dict[str, Any], **fields: Any) -> ResourceState:
    return ResourceState(
        urn=f"urn:pulumi:dev::p::{type}::{name}", type=type, custom=True, inputs=inputs, **fields
    )


def test_rules_come_in_the_order_of_judgement_whatever_the_order_declared() -> None:
    made = policy(deny(30, "true"), everybody(2**31 - 1, "deny(404)"), deny(10, "true"))
    assert [found.priority for found in made.rules] == [10, 30, 2**31 - 1]
    assert made.rules[-1].action.status == 404


def test_policy_without_default_rule_ends_with_googles_allow() -> None:
    (only,) = policy().rules
    assert only.is_default
    assert only.action.allows
    assert only.matches_everybody


@pytest.mark.parametrize(
    ("options", "body", "types"),
    [
        ({}, 8192, set[str]()),
        ({"requestBodyInspectionSize": "64KB", "jsonParsing": "STANDARD"}, 65536, {"application/json"}),
        ({"jsonParsing": "STANDARD_WITH_GRAPHQL"}, 8192, {"application/json"}),
        ({"jsonParsing": "DISABLED"}, 8192, set[str]()),
        (
            {"jsonParsing": "STANDARD", "jsonCustomConfig": {"contentTypes": ["Application/Vnd.Api+Json"]}},
            8192,
            {"application/vnd.api+json"},
        ),
    ],
)
def test_inspection_is_what_the_policy_declares(options: dict[str, Any], body: int, types: set[str]) -> None:
    made = read_policy("armor", {"rules": [], "advancedOptionsConfig": options})
    assert (made.inspection.body_bytes, made.inspection.json_types) == (body, types)


def test_rate_rule_carries_thresholds_keys_and_ban() -> None:
    threshold = {"count": 5, "intervalSec": 120}
    rate = policy(throttle(1, 1000, 60, banDurationSec=600, banThreshold=threshold)).rules[0].rate
    assert rate is not None
    assert (rate.count, rate.seconds, rate.ban_seconds, rate.ban_count, rate.ban_interval) == (
        1000,
        60,
        600,
        5,
        120,
    )
    assert rate.keys == (("IP", ""),)
    assert rate.exceed.status == 429


def test_exclusions_name_part_operator_value_and_signatures() -> None:
    waived = {
        "exclusions": [
            {
                "targetRuleSet": "sqli-v33-stable",
                "targetRuleIds": ["owasp-crs-v030301-id942100-sqli"],
                "requestCookies": [{"operator": "STARTS_WITH", "value": "_ga"}],
                "requestHeaders": [{"operator": "EQUALS_ANY"}],
            }
        ]
    }
    (found,) = [one for one in policy(sets(preconfiguredWafConfig=waived)).rules if one.is_waf]
    signatures = frozenset({942100})
    assert found.exclusions == (
        Exclusion("sqli-v33-stable", "header", "EQUALS_ANY", "", signatures),
        Exclusion("sqli-v33-stable", "cookie", "STARTS_WITH", "_ga", signatures),
    )


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({"rules": [deny(1, "true"), deny(1, "false")]}, "policy armor: two rules have priority 1"),
        ({"rules": [deny(-1, "true")]}, "policy armor: rules.0.priority: Input should be greater than"),
        (
            {"rules": [{**deny(1, "true"), "action": "block"}]},
            "action 'block' is none of allow, deny(STATUS)",
        ),
        ({"rules": [{**deny(1, "true"), "action": "throttle"}]}, "rule 1: throttle needs rateLimitOptions"),
        ({"rules": [everybody(1, "allow", "10.0.0")]}, "rule 1: '10.0.0' is no range of addresses"),
        ({"rules": UNKNOWN_RULES}, "policy armor holds a value that is known only after the deployment"),
        (
            {"rules": [sets(preconfiguredWafConfig={"exclusions": [{"targetRuleSet": "sqli-v33-stable"}]})]},
            "an exclusion of sqli-v33-stable names no field",
        ),
        (
            {"advancedOptionsConfig": {"requestBodyInspectionSize": "lots"}},
            "policy armor: advancedOptionsConfig.requestBodyInspectionSize",
        ),
    ],
)
def test_fails_when_it_is_no_policy(inputs: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_policy("armor", inputs)
    assert str(raised.value).startswith(sentence)


def test_declared_policy_takes_inline_rules_rules_apart_and_probed_paths() -> None:
    armor = state(POLICY, "armor", {"name": "armor-1", "rules": [deny(10, "true")], "type": "CLOUD_ARMOR"})
    resources = [
        armor,
        state(POLICY, "edge", {"type": "CLOUD_ARMOR_EDGE"}),
        state(
            POLICY_RULE,
            "by-name",
            {**deny(20, "true"), "securityPolicy": "projects/p/global/securityPolicies/armor-1"},
        ),
        state(
            POLICY_RULE,
            "by-reference",
            {**deny(30, "true"), "securityPolicy": UNKNOWN},
            property_dependencies={"securityPolicy": [armor.urn]},
        ),
        state(POLICY_RULE, "of-another", {**deny(40, "true"), "securityPolicy": "other"}),
        state(UPTIME_CHECK, "api", {"httpCheck": {"path": "/health"}}),
        state(UPTIME_CHECK, "tcp", {"tcpCheck": {"port": 5432}}),
    ]
    found = declared_policy(resources)
    assert [rule.priority for rule in found.rules] == [10, 20, 30, 2**31 - 1]
    assert found.probe_paths == {"/health"}


def test_fails_when_no_policy_or_several_are_declared() -> None:
    one, other = state(POLICY, "one", {"rules": []}), state(POLICY, "other", {"rules": []})
    with pytest.raises(UsageError, match=r"declares no Cloud Armor backend policy \(it has: none\)"):
        declared_policy([])
    with pytest.raises(
        UsageError, match=r"declares several policies \(one, other\): choose one with --policy"
    ):
        declared_policy([one, other])
    with pytest.raises(
        UsageError, match=r"no Cloud Armor backend policy named 'third' \(it has: one, other\)"
    ):
        declared_policy([one, other], "third")
    assert declared_policy([one, other], "other").name == "other"


def test_a_secret_mark_does_not_hide_a_rule() -> None:
    assert read_policy("armor", {"rules": Secret([deny(1, "true")])}).rules[0].priority == 1

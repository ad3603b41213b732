"""What the order gives away: bypasses before the sets, and rules that nobody asks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.waf.judge import Judge
from review.waf.order import bypasses, shadows
from review.waf.policy import Policy
from review.waf.rulesets import NotEvaluatedError
from tests.review.waf.examples import SQLI, deny, everybody, policy, request_of, rule, sets, throttle

PROBE = "request.path.matches('^(?:/health)$') && request.method.matches('^(?:GET|HEAD)$')"
ATTACK = request_of("attack-1", kind="attack", expect="deny", path=SQLI)


def found(made: Policy) -> list[tuple[int, str | None, str | None]]:
    """Priority, request and address of each bypass."""
    judge = Judge(made, NotEvaluatedError("not installed"))
    return [(item.rule.priority, item.request, item.address) for item in bypasses(judge, [ATTACK])]


def test_the_roadmaps_rate_rule_before_the_sets_is_a_bypass_for_every_attack() -> None:
    assert found(policy(throttle(101, 1000, 60), sets())) == [(101, "attack-1", None)]
    assert found(policy(throttle(101, 1000, 60, banDurationSec=600), sets())) == [(101, "attack-1", None)]


def test_an_early_list_of_allowed_addresses_is_a_bypass_for_attacks_from_there() -> None:
    assert found(policy(everybody(101, "allow", "203.0.113.0/24"), sets())) == [
        (101, "attack-1", "203.0.113.0")
    ]
    listed = rule(101, "allow", "inIpRange(origin.ip, '2001:db8::/64')")
    assert found(policy(listed, sets())) == [(101, "attack-1", "2001:db8::")]


@pytest.mark.parametrize(
    "expression",
    [
        PROBE,
        "request.path == '/health'",
        'request.method == "GET" && request.path == "/health"',
        "request.path.matches('^/health$')",
    ],
)
def test_an_allow_confined_to_a_probed_path_is_none(expression: str) -> None:
    assert found(policy(rule(100, "allow", expression), sets())) == []


@pytest.mark.parametrize(
    "expression",
    [
        "request.path.startsWith('/health')",
        "request.path.matches('/health')",
        "request.path.matches('^/health')",
        "request.path.matches('^(?:/health|/jobs)$')",
        "request.path.matches('^(?:/health|/.*)$')",
        "request.path == '/status'",
        "request.path == '/health' || request.method == 'GET'",
        "request.method == 'GET' || request.scheme == 'https' && request.path == '/health'",
        "request.headers['x-partner'] == 'secret' && has(request.headers['x-partner'])",
        "request.method == 'GET'",
    ],
)
def test_an_allow_that_nothing_confines_is_a_bypass_with_or_without_an_example(expression: str) -> None:
    assert [priority for priority, *_ in found(policy(rule(100, "allow", expression), sets()))] == [100]


@pytest.mark.parametrize(("pattern", "confined"), [("/health[.]json", True), ("/health.json", False)])
def test_a_dot_that_means_any_sign_confines_nothing(pattern: str, confined: bool) -> None:
    allow = rule(100, "allow", f"request.path.matches('^(?:{pattern})$')")
    assert (found(policy(allow, sets(), probes=("/health.json",))) == []) is confined


@given(
    priority=st.integers(0, 999),
    made=st.sampled_from(
        [
            everybody(0, "allow", "203.0.113.0/24", "2001:db8::/48"),
            everybody(0, "allow"),
            throttle(0, 10_000, 3600),
            throttle(0, 10_000, 3600, "request.path.startsWith('/jobs')", banDurationSec=3600),
            rule(0, "allow", "origin.region_code == 'FR'"),
            rule(0, "allow", "request.headers['user-agent'].contains('partner')"),
            rule(0, "allow", "request.path.startsWith('/health')"),
        ]
    ),
)
def test_no_rule_that_lets_through_can_be_put_before_the_sets(priority: int, made: dict[str, Any]) -> None:
    probe = rule(1000, "allow", PROBE)
    at = {**made, "priority": priority}
    assert [first for first, *_ in found(policy(at, probe, sets(1001)))] == [priority]
    assert found(policy(probe, sets(1001), {**made, "priority": 2000 + priority})) == []


def test_what_is_previewed_stands_behind_the_sets_or_denies_is_no_bypass() -> None:
    assert found(policy(everybody(101, "allow", preview=True), sets())) == []
    assert found(policy(sets(), throttle(2000, 10, 60))) == []
    assert found(policy(deny(101, "request.path == '/x'"), sets())) == []
    assert found(policy(everybody(101, "redirect"), sets())) == []
    # Where no set is enforced, nothing stands before them.
    assert found(policy(everybody(101, "allow"), sets(preview=True))) == []


def test_an_allow_between_two_sets_lets_through_what_the_later_one_would_stop() -> None:
    made = policy(sets(), everybody(1005, "allow"), sets(1010, "xss-v33-stable"))
    assert found(made) == [(1005, "attack-1", None)]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([throttle(101, 9, 60), sets(), deny(2000, "request.path == '/x'")], [(1000, 101), (2000, 101)]),
        ([everybody(1, "allow"), sets(preview=True)], [(1000, 1)]),
        ([everybody(1, "allow", preview=True), sets()], []),
        ([deny(1, "request.path == '/x'"), deny(2, "request.path  ==  '/x'")], [(2, 1)]),
        ([deny(1, "request.path == '/x'"), deny(2, "request.path == '/y'")], []),
        ([deny(1, "true"), deny(2, "request.path == '/y'")], [(2, 1)]),
        (
            [everybody(1, "deny(403)", "10.0.0.0/8"), everybody(2, "allow", "10.1.0.0/16", "10.2.0.0/16")],
            [(2, 1)],
        ),
        ([everybody(1, "deny(403)", "10.0.0.0/8"), everybody(2, "allow", "10.1.0.0/16", "11.0.0.0/8")], []),
        ([everybody(1, "deny(403)", "10.0.0.0/8"), everybody(2, "allow", "2001:db8::/32")], []),
        ([everybody(1, "deny(403)", "10.0.0.0/8"), everybody(2, "allow")], []),
        ([sets(1000, sensitivity=2), sets(1010, sensitivity=1)], [(1010, 1000)]),
        ([sets(1000, sensitivity=1), sets(1010, sensitivity=2)], []),
        ([sets(1000), sets(1010, "xss-v33-stable")], []),
        (
            [
                deny(1, "evaluatePreconfiguredWaf('xss-v33-stable') && request.path == '/x'"),
                sets(2, "xss-v33-stable"),
            ],
            [],
        ),
    ],
)
def test_rules_that_no_request_can_reach(
    rules: list[dict[str, Any]], expected: list[tuple[int, int]]
) -> None:
    shadowed = [(item.rule.priority, item.by[0].priority) for item in shadows(policy(*rules))]
    assert shadowed == expected


def test_an_earlier_set_with_exclusions_shadows_none_without() -> None:
    waived = {
        "exclusions": [{"targetRuleSet": "sqli-v33-stable", "requestUris": [{"operator": "EQUALS_ANY"}]}]
    }
    made = policy(sets(1000, preconfiguredWafConfig=waived), sets(1010))
    assert not list(shadows(made))


def test_the_default_rule_is_never_called_shadowed() -> None:
    assert not list(shadows(policy(throttle(2100, 1000, 60))))

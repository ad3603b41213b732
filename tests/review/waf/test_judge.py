"""First match wins; previews change nothing; actions of every kind."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review.waf.corpus import Request
from review.waf.judge import Decision, Judge
from review.waf.policy import Policy
from review.waf.rulesets import CoreRules, NotEvaluatedError
from review.waf.sequence import Counters
from tests.review.waf.examples import (
    SQLI,
    core_rules,
    deny,
    everybody,
    policy,
    request_of,
    rule,
    sets,
    throttle,
)

NOTHING = NotEvaluatedError("not installed")

CONDITIONS = (
    "request.path.startsWith('/a')",
    "request.method == 'GET'",
    "origin.region_code == 'FR'",
    "true",
)


def decide(made: Policy, request: Request, core: CoreRules | NotEvaluatedError = NOTHING) -> Decision:
    judge = Judge(made, core)
    return judge.decide(judge.matches(request), request, Counters(made), request.time)


@st.composite
def rules(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rules in any order, with priorities of their own."""
    priorities = draw(st.lists(st.integers(0, 50), max_size=8, unique=True))
    actions = st.sampled_from(["allow", "deny(403)", "deny(404)", "deny(502)", "redirect"])
    return [
        rule(priority, draw(actions), draw(st.sampled_from(CONDITIONS)), preview=draw(st.booleans()))
        for priority in priorities
    ]


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Requests that each condition splits."""
    path, method = draw(st.sampled_from(["/a", "/b"])), draw(st.sampled_from(["GET", "POST"]))
    return request_of(path=path, method=method, region=draw(st.sampled_from(["FR", "DE"])))


def holds(condition: str, request: Request) -> bool:
    return {
        CONDITIONS[0]: request.path.startswith("/a"),
        CONDITIONS[1]: request.method == "GET",
        CONDITIONS[2]: request.region == "FR",
        CONDITIONS[3]: True,
    }[condition]


@given(rules(), requests())
def test_the_lowest_priority_that_matches_decides(found: list[dict[str, Any]], request: Request) -> None:
    decision = decide(policy(*found), request)
    enforced = [
        made for made in found if not made["preview"] and holds(made["match"]["expr"]["expression"], request)
    ]
    first = min(enforced, key=lambda made: made["priority"], default=None)
    assert decision.action.text == (first["action"] if first else "allow")
    assert decision.rule.priority == (first["priority"] if first else 2**31 - 1)


@given(rules(), requests())
def test_previewed_rules_never_change_a_verdict(found: list[dict[str, Any]], request: Request) -> None:
    without = [made for made in found if not made["preview"]]
    with_previews, plain = decide(policy(*found), request), decide(policy(*without), request)
    assert (with_previews.rule, with_previews.action) == (plain.rule, plain.action)
    assert plain.previews == ()


@given(rules(), requests(), st.integers(0, 7))
def test_previewing_a_rule_that_does_not_decide_changes_nothing(
    found: list[dict[str, Any]], request: Request, number: int
) -> None:
    if number >= len(found):
        return
    before = decide(policy(*found), request)
    changed = [{**made, "preview": True} if at == number else made for at, made in enumerate(found)]
    if before.rule.priority != found[number]["priority"]:
        assert decide(policy(*changed), request).action == before.action


def test_preview_tells_what_it_would_have_denied_before_the_decision() -> None:
    made = policy(
        deny(1, "true", preview=True),
        rule(2, "allow", "true", preview=True),
        deny(3, "true"),
        deny(4, "true"),
    )
    decision = decide(made, request_of())
    assert decision.rule.priority == 3
    assert [(found.priority, action.text) for found, action in decision.previews] == [(1, "deny(403)")]


@pytest.mark.parametrize(
    ("action", "status", "allows"),
    [("deny(403)", 403, False), ("deny(404)", 404, False), ("redirect", 302, False), ("allow", None, True)],
)
def test_action_says_what_the_client_gets(action: str, status: int | None, allows: bool) -> None:
    decided = decide(policy(rule(1, action, "true")), request_of()).action
    assert (decided.status, decided.allows) == (status, allows)


def test_rate_rule_that_conforms_ends_judgement_as_an_allow() -> None:
    made = policy(throttle(1, 1, 60), deny(2, "true"))
    decision = decide(made, request_of())
    assert (decision.rule.priority, decision.action.allows) == (1, True)


def test_previewed_rate_rule_counts_and_lets_judgement_go_on() -> None:
    made = policy({**throttle(1, 1, 60), "preview": True}, deny(2, "request.path == '/no'"))
    judge, counters, request = Judge(made, NOTHING), Counters(made), request_of()
    decisions = [judge.decide(judge.matches(request), request, counters, second) for second in (0, 1)]
    assert [decision.action.allows for decision in decisions] == [True, True]
    assert [len(decision.previews) for decision in decisions] == [0, 1]


@pytest.mark.parametrize(
    ("ranges", "address", "matched"),
    [
        (("203.0.113.0/24",), "203.0.113.7", True),
        (("203.0.113.0/24",), "203.0.114.7", False),
        (("2001:db8::/32", "192.0.2.1"), "192.0.2.1", True),
        (("*",), "2001:db8::1", True),
    ],
)
def test_ranges_decide_where_no_expression_stands(
    ranges: tuple[str, ...], address: str, matched: bool
) -> None:
    made = policy(everybody(1, "deny(403)", *ranges))
    assert decide(made, request_of(address=address)).action.allows is not matched


def test_set_without_engine_is_a_gap_and_matches_nothing() -> None:
    made = policy(sets())
    judge = Judge(made, NOTHING)
    assert [(gap.rule.priority, gap.reason, gap.expected) for gap in judge.gaps] == [
        (1000, "not installed", False)
    ]
    assert [match.rule.is_default for match in judge.matches(request_of())] == [True]


def test_set_that_only_google_knows_leaves_the_others_of_its_rule_judged() -> None:
    both = "evaluatePreconfiguredWaf('cve-canary') || evaluatePreconfiguredWaf('xss-v33-stable')"
    made = policy(deny(1000, both))
    judge = Judge(made, core_rules())
    assert [(gap.rule.priority, gap.expected) for gap in judge.gaps] == [(1000, True)]
    found = judge.matches(request_of(path="/jobs?q=%3Cscript%3Ealert(1)%3C/script%3E"))
    assert found[0].rule.priority == 1000
    assert 941100 in found[0].signatures


def test_conditions_beside_a_set_are_judged_with_it() -> None:
    call = "evaluatePreconfiguredWaf('sqli-v33-stable', {'sensitivity': 1})"
    made = policy(deny(1000, f"({call}) && !request.path.matches('^(?:/hooks)$')"))
    query = SQLI.partition("?")[2]
    assert decide(made, request_of(path=f"/jobs?{query}"), core_rules()).action.status == 403
    assert decide(made, request_of(path=f"/hooks?{query}"), core_rules()).action.allows

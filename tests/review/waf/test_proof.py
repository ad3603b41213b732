"""The proof: counts, goals, shadows by the corpus, and policies broken on purpose."""

from __future__ import annotations

from typing import Any

import pytest

from review.waf.corpus import Request
from review.waf.difference import compare
from review.waf.proof import Proof, prove
from review.waf.rulesets import CoreRules, NotEvaluatedError
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
XSS = "/jobs?q=%3Cscript%3Ealert(1)%3C/script%3E"


def proof(
    *rules: dict[str, Any], requests: list[Request], core: CoreRules | NotEvaluatedError = NOTHING
) -> Proof:
    return prove(policy(*rules), core, requests)


def attacks(count: int, stopped: int) -> list[Request]:
    """So many attacks of which so many go to a path that is denied."""
    return [
        request_of(f"attack-{at}", kind="attack", expect="deny", path="/no" if at < stopped else "/yes")
        for at in range(count)
    ]


DENY_NO = deny(1, "request.path == '/no'")


@pytest.mark.parametrize(("stopped", "holds"), [(97, True), (96, False), (100, True)])
def test_attacks_must_be_stopped_at_ninety_seven_percent(stopped: int, holds: bool) -> None:
    found = proof(DENY_NO, requests=attacks(100, stopped))
    assert len(found.missed) == 100 - stopped
    assert (found.shortfalls == []) is holds
    if not holds:
        assert found.shortfalls == ["96 of 100 attacks are stopped (96.0%), at least 97% must be"]


@pytest.mark.parametrize(
    ("kind", "total", "wrong", "shortfalls"),
    [
        ("contract", 1000, 0, []),
        ("contract", 1000, 1, ["1 contract requests are denied, 0 may be"]),
        ("benign", 1000, 5, []),
        ("benign", 1000, 6, ["6 of 1000 benign requests are denied (0.6%), at most 0.5% may be"]),
    ],
)
def test_few_benign_and_no_contract_requests_may_be_denied(
    kind: str, total: int, wrong: int, shortfalls: list[str]
) -> None:
    requests = [request_of(str(at), kind=kind, path="/no" if at < wrong else "/yes") for at in range(total)]
    assert proof(DENY_NO, requests=requests).shortfalls == shortfalls


def test_status_and_every_other_expectation_must_hold() -> None:
    requests = [
        request_of("status", kind="attack", expect="deny", status=404, path="/no"),
        request_of("limit", expect="deny", path="/yes"),
    ]
    (sentence,) = proof(DENY_NO, requests=requests).shortfalls
    assert sentence == "2 other expectations do not hold: status, limit"


def flood(count: int, expect: str, **fields: Any) -> Request:
    return request_of(
        f"flood-{expect}-{fields.get('time', 0)}",
        sequence="flood",
        repeat=count,
        every=0.01,
        expect=expect,
        **fields,
    )


def test_sequence_runs_on_one_clock_and_every_repetition_counts() -> None:
    limit = throttle(2000, 100, 60, banDurationSec=600)
    within = [flood(100, "allow"), flood(3, "deny", time=2, status=429), flood(2, "allow", time=700)]
    assert proof(limit, requests=within).shortfalls == []
    (sentence,) = proof(limit, requests=[flood(101, "allow")]).shortfalls[-1:]
    assert sentence == "1 other expectations do not hold: flood-allow-0"
    # Another sequence, and a request outside any, begin with empty counts.
    apart = [*within[:2], request_of("alone"), request_of("other", sequence="second")]
    assert proof(limit, requests=apart).shortfalls == []


def test_one_repetition_that_differs_is_enough() -> None:
    # Allowed, refused, and allowed again.
    line = request_of("slow", sequence="s", repeat=3, every=5)
    found = proof(throttle(2000, 1, 10), requests=[line])
    assert [verdict.status for verdict in found.verdicts] == [429]


def test_attack_on_a_probed_path_is_missed_and_no_bypass() -> None:
    attack = request_of("probe", kind="attack", expect="deny", path="/health")
    found = proof(*GOOD, requests=[attack], core=core_rules())
    assert [verdict.request.id for verdict in found.missed] == ["probe"]
    assert found.bypasses == ()


def test_confusion_table_has_a_row_for_each_class() -> None:
    requests = [
        *attacks(3, 2),
        request_of("b", group="json"),
        request_of("c", group="json", path="/no"),
    ]
    rows = [
        (row.kind, row.group, row.denied, row.allowed, row.wrong)
        for row in proof(DENY_NO, requests=requests).rows
    ]
    assert rows == [("attack", "any", 2, 1, 1), ("benign", "json", 1, 1, 1)]


def test_rule_whose_requests_are_all_taken_earlier_is_shadowed_by_the_corpus() -> None:
    rules = [deny(1, "request.path.startsWith('/no')"), deny(2, "request.method == 'DELETE'")]
    taken = request_of("a", kind="attack", expect="deny", path="/no", method="DELETE")
    free = request_of("b", kind="attack", expect="deny", path="/yes", method="DELETE")
    assert proof(*rules, requests=[taken]).shortfalls == [
        "rule 2 is shadowed: all 1 requests that it matches are taken by 1"
    ]
    assert proof(*rules, requests=[taken, free]).shortfalls == []
    # A previewed rule takes nothing.
    assert proof({**rules[0], "preview": True}, rules[1], requests=[taken]).shortfalls == []


def test_nothing_follows_from_the_few_requests_of_somebody_elses_corpus() -> None:
    taken = [deny(1, "request.path == '/no'"), deny(2, "request.path.startsWith('/no')")]
    made = prove(policy(*taken), NOTHING, attacks(1, 1), complete=False)
    assert made.shadowed == ()
    assert made.shortfalls == []


def test_never_hit_by_default_and_previewed_are_told() -> None:
    rules = [deny(1, "request.path == '/never'"), deny(2, "request.method == 'PUT'", preview=True)]
    found = proof(*rules, requests=[request_of("a"), request_of("b", method="PUT")])
    assert [rule.priority for rule in found.never_hit] == [1]
    assert [verdict.request.id for verdict in found.by_default] == ["a", "b"]
    assert [verdict.request.id for verdict in found.previewed] == ["b"]


def test_sets_that_were_not_evaluated_never_count_as_passed() -> None:
    found = proof(sets(), sets(1110, "cve-canary"), requests=[request_of()])
    assert found.shortfalls == [
        "rule 1000 was not evaluated: not installed",
        "rule 1110 was not evaluated: not installed",
    ]
    found = proof(sets(), sets(1110, "cve-canary"), requests=[request_of()], core=core_rules())
    assert [gap.rule.priority for gap in found.gaps] == [1110]
    assert found.shortfalls == []


def test_expression_that_fails_on_a_request_is_told() -> None:
    found = proof(deny(1, "request.headers['referer'] == 'x'"), requests=[request_of("a")])
    (sentence,) = found.shortfalls
    assert sentence.startswith("rule 1 fails on a request, which Google takes for no match: KeyError")
    assert sentence.endswith("on a")


CORPUS = [
    request_of("sqli", kind="attack", expect="deny", path=SQLI),
    request_of("xss", kind="attack", expect="deny", path=XSS),
    request_of("health", kind="contract", path="/health"),
    request_of("jobs", kind="contract"),
    flood(3, "allow"),
    flood(2, "deny", time=1, status=429),
]
PROBE = rule(100, "allow", "request.path.matches('^(?:/health)$') && request.method == 'GET'")
GOOD = (PROBE, sets(1000), sets(1010, "xss-v33-stable"), throttle(2000, 3, 60))


def test_policy_in_the_right_order_holds() -> None:
    assert proof(*GOOD, requests=CORPUS, core=core_rules()).shortfalls == []


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        # The roadmap's rule: it lets through everything that conforms, before a set is asked.
        (throttle(101, 1000, 60), "rule 101 lets sqli and 1 more attacks through before the sets"),
        (
            throttle(101, 1000, 60, banDurationSec=600),
            "rule 101 lets sqli and 1 more attacks through before the sets",
        ),
        # An early list of addresses from which no attack of the corpus comes.
        (
            everybody(101, "allow", "203.0.113.0/24"),
            "rule 101 would let sqli from 203.0.113.0 through before the sets",
        ),
        (
            rule(101, "allow", "inIpRange(origin.ip, '203.0.113.0/24')"),
            "rule 101 would let sqli from 203.0.113.0 through before the sets",
        ),
        (
            rule(101, "allow", "has(request.headers['x-partner'])"),
            "rule 101 lets requests through before the sets, and nothing confines it",
        ),
        (everybody(1020, "deny(403)"), "1 contract requests are denied, 0 may be"),
        (sets(1005), "rule 1005 is shadowed: 1000 takes every request that it could match"),
    ],
)
def test_policy_broken_on_purpose_does_not_hold(extra: dict[str, Any], sentence: str) -> None:
    found = proof(*GOOD, extra, requests=CORPUS, core=core_rules()).shortfalls
    assert any(sentence in shortfall for shortfall in found), found


@pytest.mark.parametrize("left_out", [1, 2, 3])
def test_policy_without_one_of_its_rules_does_not_hold(left_out: int) -> None:
    rules = [made for at, made in enumerate(GOOD) if at != left_out]
    assert proof(*rules, requests=CORPUS, core=core_rules()).shortfalls


def test_difference_tells_rules_and_verdicts_that_change() -> None:
    core = core_rules()
    before = proof(*GOOD, requests=CORPUS, core=core)
    changed = [PROBE, GOOD[1], {**GOOD[2], "preview": True}, deny(500, "request.path == '/x'")]
    found = compare("main", before, proof(*changed, requests=CORPUS, core=core))
    assert [made.priority for made in found.added] == [500]
    assert [made.priority for made in found.removed] == [2000]
    assert [made.priority for made in found.changed] == [1010]
    turned = [(after.request.id, before.denied, after.denied) for before, after in found.turned]
    assert turned == [("xss", True, False), ("flood-deny-1", True, False)]
    assert compare("main", before, proof(*GOOD, requests=CORPUS, core=core)).unchanged


def test_another_status_is_a_difference_too() -> None:
    requests = [request_of(path="/no", kind="attack", expect="deny")]
    before, after = (
        proof(DENY_NO, requests=requests),
        proof({**DENY_NO, "action": "deny(404)"}, requests=requests),
    )
    assert len(compare("main", before, after).turned) == 1

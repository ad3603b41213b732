"""The policy of this repository, as its program declares it, on this repository's corpus."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from review.waf.command import declared
from review.waf.corpus import Request, built_in, load
from review.waf.exceptions import load_reasons
from review.waf.policy import Policy
from review.waf.proof import Proof, prove
from review.waf.rulesets import NotEvaluatedError
from sandbox.project import load_project
from tests.review.waf.examples import core_rules, everybody, policy, rule, throttle

REPOSITORY = Path(__file__).parents[3]


@cache
def declared_for(stack: str) -> Policy:
    return declared(load_project(REPOSITORY), stack, None, Console(quiet=True))


@cache
def requests() -> tuple[Request, ...]:
    return tuple(load(built_in()))


def proof_with(stack: str, *rules: dict[str, Any], step: int = 1) -> Proof:
    """The proof of a stack's policy with further rules put into it, on each ``step``-th request."""
    found = declared_for(stack)
    more = [made for made in policy(*rules).rules if not made.is_default]
    changed = replace(found, rules=tuple(sorted((*found.rules, *more), key=lambda made: made.priority)))
    return prove(changed, core_rules(), requests()[::step], load_reasons())


@pytest.mark.parametrize("stack", ["prod", "staging"])
def test_declared_policy_holds_in_time(stack: str) -> None:
    found = proof_with(stack)
    assert found.shortfalls == []
    assert found.bypasses == ()
    assert found.wrongly_denied("contract") == []
    assert [gap.reason.split()[0] for gap in found.gaps] == ["cve-canary", "json-sqli-canary"]
    assert found.seconds < 60


def test_expressions_of_the_declared_policy_judge_five_thousand_requests_a_second() -> None:
    without_sets = NotEvaluatedError("left out")
    # The best of several rounds: what else the machine does is no property of the policy.
    rates = (prove(declared_for("prod"), without_sets, requests()).cel_per_second for _ in range(10))
    assert any(rate >= 5000 for rate in rates)


@pytest.mark.parametrize(
    ("early", "sentence"),
    [
        # As the roadmap writes it: 1,000 a minute, banned for ten, in front of the sets.
        (throttle(101, 1000, 60), "through before the sets"),
        (throttle(101, 1000, 60, banDurationSec=600), "through before the sets"),
        # Lists of addresses from which no attack of the corpus comes.
        (everybody(101, "allow", "198.18.7.0/24"), "from 198.18.7.0 through before the sets"),
        (rule(101, "allow", "inIpRange(origin.ip, '198.18.7.0/24')"), "through before the sets"),
    ],
)
def test_early_rule_in_the_declared_policy_makes_the_proof_fail(early: dict[str, Any], sentence: str) -> None:
    found = proof_with("prod", early, step=10)
    assert any(
        shortfall.startswith("rule 101 ") and shortfall.endswith(sentence) for shortfall in found.shortfalls
    ), found.shortfalls


def test_dev_only_previews_what_prod_denies() -> None:
    dev, prod = proof_with("dev", step=10), proof_with("prod", step=10)
    assert all(made.preview for made in dev.policy.rules if made.is_waf)
    assert not any(verdict.denied for verdict in dev.verdicts)
    denied = {
        verdict.request.id for verdict in prod.verdicts if verdict.denied and not verdict.request.sequence
    }
    assert denied <= {verdict.request.id for verdict in dev.previewed}

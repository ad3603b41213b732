"""The evaluator: a failing rule is a violation, the result is the same in any order."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from policies.evaluate import Evaluator, evaluate
from policies.model import Finding, Resource, Rule, rule, stack_rule
from policies.rules import RULES
from tests.policies.cases import BAD
from tests.policies.good import GOOD, by_name, spoil


@rule("raises", "Raises", controls=("X-1",), source="test", types=("gcp:pubsub/topic:Topic",))
def _raises(resource: Resource) -> Iterator[str]:
    yield f"{resource.name} first"
    raise KeyError("hunter2")


@stack_rule("raises-too", "Raises too", controls=("X-2",), source="test")
def _raises_too(resources: Sequence[Resource]) -> Iterator[Finding]:
    raise ValueError("hunter2")


def test_raising_rule_is_a_violation_of_that_rule() -> None:
    verdicts = evaluate([by_name("jobs")], [_raises])

    assert [one.rule.id for one in verdicts] == ["raises", "raises"]
    assert [one.urn for one in verdicts] == [by_name("jobs").urn] * 2
    assert verdicts[0].message == "jobs first"
    assert verdicts[1].message == (
        'pubsub.Topic "jobs": rule raises could not be judged (KeyError), which counts as a violation; '
        "report the input that it failed on."
    )


def test_raising_stack_rule_blames_the_stack() -> None:
    (verdict,) = evaluate(GOOD, [_raises_too])

    assert verdict.urn == by_name("aiprod-prod").urn
    assert "rule raises-too could not be judged (ValueError)" in verdict.message
    assert "hunter2" not in verdict.message


def test_rule_is_not_asked_about_other_types() -> None:
    assert evaluate([by_name("cache")], [_raises]) == []


def test_every_rule_survives_values_of_the_wrong_kind() -> None:
    """Whatever a program passes, a rule answers or is reported; evaluation itself never raises."""
    for wrong in (7, "text", ["text"], {"a": 1}, None, True):
        odd = [replace(one, props=dict.fromkeys(one.props, wrong)) for one in GOOD]
        assert {one.rule.id for one in evaluate(odd)} <= {rule.id for rule in RULES}


def test_result_is_independent_of_the_order_of_the_resources() -> None:
    changed = [one for cases in BAD.values() for case in cases[:1] for one in case[0]]
    resources = spoil(*{one.urn: one for one in changed}.values())
    expected = evaluate(resources)
    for seed in range(5):
        shuffled = random.Random(seed).sample(resources, len(resources))
        assert evaluate(shuffled) == expected
    assert len({verdict.rule.id for verdict in expected}) > 40


def test_parts_make_the_whole() -> None:
    resources = spoil(replace(by_name("postgres"), props={}), replace(by_name("processor"), props={}))
    evaluator = Evaluator()
    parts = [*(found for one in resources for found in evaluator.resource(one)), *evaluator.stack(resources)]
    assert sorted(parts, key=str) == sorted(evaluator.all(resources), key=str)
    assert parts


def test_nothing_is_found_in_nothing() -> None:
    assert evaluate([]) == []


def test_rules_are_indexed_by_type() -> None:
    """Each rule is asked only about its types, so that a preview's cost does not grow with the rules."""
    asked: list[str] = []

    def check(resource: Resource) -> Iterator[str]:
        asked.append(resource.name)
        yield from ()

    counting = Rule("c", "C", "mandatory", ("X",), "test", frozenset({"gcp:pubsub/topic:Topic"}), check)
    evaluate(GOOD, [counting])
    assert sorted(asked) == ["jobs", "jobs-dead"]

"""Every rule has a bad case that it reports, passes the good platform, and never fails on unknown values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest

from policies.evaluate import Evaluator, evaluate
from policies.model import SECRET, UNKNOWN, Resource, Rule
from policies.rules import RULES
from tests.policies.cases import BAD, Case
from tests.policies.good import GOOD, bad, spoil

_CASES = [
    pytest.param(rule, case, id=f"{rule.id}-{number}")
    for rule in RULES
    for number, case in enumerate(BAD.get(rule.id, ()))
]


def test_good_platform_violates_nothing() -> None:
    assert [verdict.message for verdict in evaluate(GOOD)] == []


def test_every_rule_has_a_bad_case_and_every_case_a_rule() -> None:
    assert sorted(BAD) == sorted(rule.id for rule in RULES)
    assert all(BAD.values())


def test_every_rule_is_asked_about_something_good() -> None:
    """A rule that meets no resource of its types in the good platform has no good case."""
    present = {one.type for one in GOOD}
    only_bad = {rule.id for rule in RULES if rule.types is not None and rule.types.isdisjoint(present)}
    # These types are themselves the violation.
    assert only_bad == {"iam-no-account-key", "iam-additive-on-project", "type-understood"}


def test_rules_are_well_formed() -> None:
    assert [rule_id for rule_id, count in Counter(rule.id for rule in RULES).items() if count > 1] == []
    for rule in RULES:
        assert (rule.check is None) != (rule.check_stack is None), rule.id
        assert rule.controls, rule.id
        assert rule.source, rule.id
        assert rule.title, rule.id
        assert not rule.title.endswith("."), rule.id
    assert sum(rule.level == "mandatory" for rule in RULES) >= 100


@pytest.mark.parametrize(("rule", "case"), _CASES)
def test_fails_when_the_platform_breaks_a_rule(rule: Rule, case: Case) -> None:
    changed, gone = case
    resources = [one for one in spoil(*changed) if one.name not in gone]

    messages = [verdict.message for verdict in evaluate(resources, [rule])]

    assert messages
    for message in messages:
        assert "could not be judged" not in message
        assert message.endswith(".")
        assert "\n" not in message
        assert "hunter2" not in message
        assert any(f'"{one.name}"' in message for one in resources)


@pytest.mark.parametrize("marker", [UNKNOWN, SECRET], ids=["unknown", "secret"])
def test_no_rule_fails_on_a_value_that_cannot_be_read(marker: object) -> None:
    """Each value of each good resource in turn, over all rules."""
    evaluator = Evaluator()
    for index, resource in enumerate(GOOD):
        for path, props in _with_each_value(resource.props, marker):
            changed = _copy(resource, props)
            stack = evaluator.stack([*GOOD[:index], changed, *GOOD[index + 1 :]])
            found = [*evaluator.resource(changed), *stack]
            assert [f"{resource.name} {path}: {one.rule.id}: {one.message}" for one in found] == []


def test_no_rule_fails_on_a_resource_of_which_nothing_is_known() -> None:
    hollow = [_copy(one, dict.fromkeys(one.props, UNKNOWN)) for one in GOOD]
    assert [verdict.message for verdict in evaluate(hollow)] == []


@pytest.mark.parametrize(
    "change",
    [
        {"settings.userLabels.environment": "dev", "deletionProtection": False},
        {"settings.userLabels.environment": "dev", "settings.availabilityType": "ZONAL"},
        {"settings.userLabels.environment": "dev", "settings.finalBackupConfig": None},
    ],
)
def test_dev_may_be_smaller(change: Mapping[str, Any]) -> None:
    rules = [rule for rule in RULES if rule.id.startswith("sql-") and rule.level == "mandatory"]
    only = [bad("postgres", change), bad("replica", {"settings.userLabels.environment": "dev"})]
    assert [verdict.message for verdict in evaluate(only, rules)] == []


def _copy(resource: Resource, props: Mapping[str, Any]) -> Resource:
    return Resource(
        urn=resource.urn,
        type=resource.type,
        name=resource.name,
        props=props,
        parent=resource.parent,
        property_dependencies=resource.property_dependencies,
        protect=resource.protect,
        provider=resource.provider,
    )


def _with_each_value(value: Any, marker: object) -> Iterator[tuple[str, Any]]:
    """Copies of a tree of values, each with one value (a leaf or a whole branch) replaced."""
    items: list[tuple[Any, Any]] = []
    if isinstance(value, Mapping):
        items = list(cast("Mapping[str, Any]", value).items())
    elif isinstance(value, list):
        items = list(enumerate(cast("list[Any]", value)))
    for key, item in items:
        for path, changed in [("", marker), *_with_each_value(item, marker)]:
            copy: Any = (
                dict(cast("Any", value)) if isinstance(value, Mapping) else list(cast("list[Any]", value))
            )
            copy[key] = changed
            yield f"{key}.{path}", copy

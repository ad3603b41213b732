"""What Google takes in a rule beyond its kind: RE2's syntax alone, exclusions that name something."""

from __future__ import annotations

import re
from typing import Literal

import pytest

from components.edge.armor_compiler import compile_rules
from components.edge.armor_rules import DenyExpression, Exclusion, WafSet


def own(pattern: str) -> DenyExpression:
    return DenyExpression(
        position=0, expression=f"request.path.matches('{pattern}')", description="Own pattern"
    )


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(?>a)", "must hold RE2's syntax"),
        ("a*+", "must hold RE2's syntax"),
        ("a++", "must hold RE2's syntax"),
        ("a{2}+", "must hold RE2's syntax"),
        ("[a]?+", "must hold RE2's syntax"),
        ("(?#a)b", "must hold RE2's syntax"),
        ("(?P<a>b)(?P=a)", "must not look around or refer back"),
        ("a{1,2000}", "must repeat at most 1000 times, got 2000"),
        ("a{1001}", "must repeat at most 1000 times, got 1001"),
    ],
)
def test_fails_when_a_pattern_is_python_s_and_not_re2_s(pattern: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as refused:
        compile_rules([own(pattern)])
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("pattern", ["a+", "[*+?]+", "[+]", "a{1,1000}", "[{]2000[}]+", "(?i:a)+?", "[]+*]+"])
def test_takes_patterns_that_only_look_alike(pattern: str) -> None:
    assert compile_rules([own(pattern)])


@pytest.mark.parametrize("operator", ["EQUALS", "STARTS_WITH", "ENDS_WITH", "CONTAINS"])
def test_fails_when_an_exclusion_s_value_is_empty(
    operator: Literal["EQUALS", "STARTS_WITH", "ENDS_WITH", "CONTAINS"],
) -> None:
    exclusion = Exclusion(part="header", operator=operator, value="")
    rule = WafSet(rule_set="xss-v33-stable", sensitivity=1, exclusions=(exclusion,))
    with pytest.raises(ValueError, match="value must not be empty") as refused:
        compile_rules([rule])
    assert "\n" not in str(refused.value)

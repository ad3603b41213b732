"""What Google takes in a rule beyond its kind: RE2's syntax, guarded headers, exclusions with a name."""

from __future__ import annotations

import re
from typing import Any, Literal

import pytest

from components.edge.armor_compiler import compile_rules
from components.edge.armor_rules import AllowAddresses, DenyExpression, Exclusion, WafSet
from facts.refusal import RefusedError


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


@pytest.mark.parametrize("ranges", [("0.0.0.0/0",), ("10.0.0.0/7",), ("2001::/16",)])
def test_fails_when_a_listed_range_is_a_part_of_the_world(ranges: tuple[str, ...]) -> None:
    with pytest.raises(RefusedError, match=r"ranges allowed must be /(8|19) or narrower, got"):
        compile_rules([AllowAddresses(ranges=ranges)])


@pytest.mark.parametrize(
    "expression",
    [
        "request.headers['x'] == 'a'",
        "has(request.headers['y']) && request.headers['x'] == 'a'",
        "has(request.headers['x']) || request.headers[\"z\"].contains('a')",
    ],
)
def test_fails_when_a_header_is_read_that_may_be_absent(expression: str) -> None:
    with pytest.raises(RefusedError, match=r"must ask has\(request\.headers\['[xz]'\]\) before it reads"):
        compile_rules([DenyExpression(position=0, expression=expression, description="x")])


@pytest.mark.parametrize(
    "expression",
    ["has(request.headers['x']) && request.headers['x'] == 'a'", "!has(request.headers['x'])"],
)
def test_a_header_that_is_asked_for_first_may_be_read(expression: str) -> None:
    assert compile_rules([DenyExpression(position=0, expression=expression, description="x")])


def test_fails_when_a_set_is_unknown_or_a_signature_is_left_out_twice() -> None:
    unknown: Any = "foo-v33-stable"
    with pytest.raises(RefusedError, match=r"rule_set must be one of .*got 'foo-v33-stable'"):
        compile_rules([WafSet(rule_set=unknown, sensitivity=1)])
    signature = ("owasp-crs-v030301-id941330-xss",)
    twice = WafSet(rule_set="xss-v33-stable", sensitivity=1, opt_out=signature, file_opt_out=signature)
    with pytest.raises(RefusedError, match="file_opt_out must name what opt_out does not"):
        compile_rules([twice])

"""Sets in the compiled policy: groups, signatures left out in files, paths on which a set does not judge."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.edge.armor_compiler import CompiledRule, compile_rules
from components.edge.armor_limits import split_subexpressions
from components.edge.armor_rules import (
    DenyExpression,
    Exclusion,
    Rule,
    WafGroup,
    WafSet,
    WafSetName,
    waf_sets,
)

XSS = "owasp-crs-v030301-id941100-xss"
OTHER_XSS = "owasp-crs-v030301-id941180-xss"
NAMES: tuple[WafSetName, ...] = get_args(WafSetName)


def compiled(rule: Rule) -> CompiledRule:
    return compile_rules([rule])[0]


def test_signatures_left_out_in_files_still_judge_json_and_forms() -> None:
    rule = WafSet(rule_set="xss-v33-stable", sensitivity=1, opt_out=(XSS,), file_opt_out=(OTHER_XSS,))
    reduced, full, absent, readable = split_subexpressions(compiled(rule).expression or "")
    assert (XSS in reduced, OTHER_XSS in reduced) == (True, True)
    assert (XSS in full, OTHER_XSS in full) == (True, False)
    assert "!has(request.headers['content-type'])" in absent
    assert "json|x-www-form-urlencoded" in readable


def test_set_does_not_judge_exempt_paths() -> None:
    rule = WafSet(rule_set="rce-v33-stable", sensitivity=1, exempt_paths=("/webhooks/a", "/webhooks/b"))
    assert compiled(rule).expression == (
        "(evaluatePreconfiguredWaf('rce-v33-stable', {'sensitivity': 1})) && "
        "!request.path.matches('^(?:/webhooks/a|/webhooks/b)$')"
    )


def test_group_asks_each_of_its_sets_in_one_rule() -> None:
    exclusion = Exclusion(part="query_param", operator="EQUALS", value="prompt")
    group = WafGroup(
        sets=(
            WafSet(rule_set="nodejs-v33-stable", sensitivity=1, exclusions=(exclusion,)),
            WafSet(rule_set="php-v33-stable", sensitivity=2, exclusions=(exclusion,)),
        ),
        preview=True,
    )
    made = compiled(group)
    assert made.expression == (
        "evaluatePreconfiguredWaf('nodejs-v33-stable', {'sensitivity': 1}) || "
        "evaluatePreconfiguredWaf('php-v33-stable', {'sensitivity': 2})"
    )
    assert made.description == "WAF nodejs, php"
    assert made.preview
    assert [each["target_rule_set"] for each in made.exclusions] == ["nodejs-v33-stable", "php-v33-stable"]


@given(names=st.lists(st.sampled_from(NAMES), min_size=2, max_size=5, unique=True))
def test_group_stands_where_its_first_set_would(names: Sequence[WafSetName]) -> None:
    sets = [WafSet(rule_set=name, sensitivity=1) for name in names]
    assert compiled(WafGroup(sets=sets)).priority == min(compiled(each).priority for each in sets)


@given(
    names=st.lists(st.sampled_from(NAMES), min_size=2, max_size=5, unique=True), position=st.integers(0, 9)
)
def test_no_group_comes_before_own_denials(names: Sequence[WafSetName], position: int) -> None:
    own = DenyExpression(position=position, expression="request.path == '/x'", description="Own")
    group = WafGroup(sets=[WafSet(rule_set=name, sensitivity=1) for name in names])
    assert compile_rules([group, own])[0].description == "Own"


def test_exceptions_by_set_reach_their_sets() -> None:
    made = waf_sets(
        {"xss-v33-stable": 1, "php-v33-stable": 1},
        file_opt_outs={"xss-v33-stable": (XSS,)},
        exempt_paths={"php-v33-stable": ("/hook",)},
    )
    assert [(each.file_opt_out, each.exempt_paths) for each in made] == [((XSS,), ()), ((), ("/hook",))]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (WafGroup(sets=(WafSet(rule_set="php-v33-stable", sensitivity=1),)), "sets must hold 2 to 5 items"),
        (
            WafGroup(
                sets=(
                    WafSet(rule_set="php-v33-stable", sensitivity=1, preview=True),
                    WafSet(rule_set="java-v33-stable", sensitivity=1),
                )
            ),
            "preview must be the group's, got it for php-v33-stable",
        ),
        (
            WafGroup(
                sets=(
                    WafSet(rule_set="php-v33-stable", sensitivity=1),
                    WafSet(rule_set="java-v33-stable", sensitivity=1, exempt_paths=("/x",)),
                )
            ),
            "exempt_paths must not be given in a group, got them for java-v33-stable",
        ),
        (
            WafSet(rule_set="xss-v33-stable", sensitivity=1, exempt_paths=("/a.*",)),
            "exempt_paths must hold a path each, got '/a.*'",
        ),
        (
            WafSet(rule_set="php-v33-stable", sensitivity=1, file_opt_out=(XSS,)),
            "file_opt_out must hold a signature of php-v33-stable",
        ),
        (
            WafGroup(
                sets=(
                    WafSet(rule_set="xss-v33-stable", sensitivity=1, file_opt_out=(XSS,)),
                    WafSet(
                        rule_set="php-v33-stable",
                        sensitivity=1,
                        file_opt_out=("owasp-crs-v030301-id933100-php",),
                    ),
                )
            ),
            "must have at most 5 subexpressions, got 8",
        ),
    ],
)
def test_fails_on_what_no_rule_can_hold(rule: Rule, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        compile_rules([rule])

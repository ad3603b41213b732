"""Priorities, expressions and limits of Cloud Armor rules, without the provider."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.edge.armor_compiler import compile_rules, split_subexpressions
from components.edge.armor_rules import (
    AllowProbes,
    BodyLimit,
    DenyExpression,
    DenyRegions,
    DenyRequests,
    Exclusion,
    GlobalBan,
    PathRateLimit,
    Rule,
    WafSet,
    WafSetName,
)

SETS = get_args(WafSetName)
RANGES = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
positions = st.integers(0, 9)
previews = st.booleans()
rules_strategy = st.one_of(
    st.builds(AllowProbes, paths=st.just(("/health",)), preview=previews),
    st.builds(DenyRegions, regions=st.just(("IR", "KP")), exempt_ranges=st.just(RANGES), preview=previews),
    st.builds(DenyRequests, allowed_methods=st.just(("GET",)), preview=previews),
    st.builds(BodyLimit, max_bytes=st.integers(1, 2**31 - 1), preview=previews),
    st.builds(
        DenyExpression,
        position=positions,
        expression=st.just("request.path == '/x'"),
        description=st.just("Own"),
        status=st.sampled_from((403, 404, 502)),
        preview=previews,
    ),
    st.builds(WafSet, rule_set=st.sampled_from(SETS), sensitivity=st.integers(1, 4), preview=previews),
    st.builds(
        PathRateLimit,
        position=positions,
        path_prefix=st.just("/auth/"),
        count=st.integers(1, 1_000_000),
        interval_seconds=st.sampled_from((10, 60, 3600)),
        preview=previews,
    ),
    st.builds(
        GlobalBan,
        count=st.integers(1, 10_000),
        interval_seconds=st.just(60),
        ban_seconds=st.just(600),
        preview=previews,
    ),
)


def expression_of(rule: Rule) -> str:
    expression = compile_rules([rule])[0].expression
    assert expression is not None
    return expression


def slot_of(rule: Rule) -> tuple[str, object]:
    """What a rule may share with no other: its kind, and its set or position where a kind may repeat."""
    return type(rule).__name__, getattr(rule, "rule_set", getattr(rule, "position", None))


@given(st.lists(rules_strategy, max_size=25))
def test_nothing_but_a_probe_passes_before_the_waf(rules: list[Rule]) -> None:
    slots = [slot_of(rule) for rule in rules]
    if len(set(slots)) < len(slots):
        with pytest.raises(ValueError, match="one priority each"):
            compile_rules(rules)
        return
    compiled = compile_rules(rules)
    priorities = [rule.priority for rule in compiled]
    assert priorities == sorted(set(priorities))
    assert max(priorities, default=0) < 2147483647
    last_waf = max(
        (r.priority for r in compiled if "evaluatePreconfiguredWaf" in (r.expression or "")), default=0
    )
    for rule in compiled:
        if rule.action in ("throttle", "rate_based_ban"):
            assert rule.priority > last_waf
        elif rule.action == "allow":
            assert rule.expression is not None
            assert "request.path.matches('^(?:/health)$')" in rule.expression


@given(st.lists(rules_strategy, max_size=10), rules_strategy)
def test_adding_a_rule_moves_no_other(rules: list[Rule], added: Rule) -> None:
    try:
        before, after = compile_rules(rules), compile_rules([*rules, added])
    except ValueError:
        return
    assert set(map(repr, before)) < set(map(repr, after))


def test_probes_pass_only_by_get_or_head_without_a_query() -> None:
    assert expression_of(AllowProbes(paths=("/health",))) == (
        "request.path.matches('^(?:/health)$') && request.method.matches('^(?:GET|HEAD)$') "
        "&& request.query == ''"
    )


def test_exempted_ranges_stand_inside_the_regions_and_the_ban() -> None:
    assert expression_of(DenyRegions(regions=("KP", "IR"), exempt_ranges=("192.0.2.0/24",))) == (
        "origin.region_code.matches('^(?:IR|KP)$') && !inIpRange(origin.ip, '192.0.2.0/24')"
    )
    ban = GlobalBan(count=1, interval_seconds=60, ban_seconds=60, exempt_ranges=("192.0.2.0/24",))
    assert expression_of(ban) == "!inIpRange(origin.ip, '192.0.2.0/24')"


def test_headers_are_read_only_where_they_exist() -> None:
    assert expression_of(BodyLimit(max_bytes=10, exempt_path_prefixes=("/uploads/",))) == (
        "has(request.headers['content-length']) && int(request.headers['content-length']) > 10 "
        "&& !request.path.startsWith('/uploads/')"
    )
    assert expression_of(
        DenyRequests(allowed_methods=("GET",), headers=("x-a", "x-b"), agent_words=("sqlmap", "a.b"))
    ) == (
        "!request.method.matches('^(?:GET)$') || has(request.headers['x-a']) || has(request.headers['x-b'])"
        " || (has(request.headers['user-agent'])"
        " && request.headers['user-agent'].matches('(?i:sqlmap|a[.]b)'))"
    )


def test_waf_set_carries_sensitivity_and_opt_outs() -> None:
    waf = WafSet(rule_set="xss-v33-stable", sensitivity=2, opt_out=("owasp-crs-v030301-id941330-xss",))
    assert expression_of(waf) == (
        "evaluatePreconfiguredWaf('xss-v33-stable', "
        "{'sensitivity': 2, 'opt_out_rule_ids': ['owasp-crs-v030301-id941330-xss']})"
    )


def test_operators_in_quoted_text_are_text() -> None:
    assert split_subexpressions("request.path == 'a && b' && (x || y)") == [
        "request.path == 'a && b'",
        "(x",
        "y)",
    ]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (DenyRegions(regions=("XX", "usa")), "regions must hold an ISO 3166-1 alpha-2 code each, got 'usa'"),
        (DenyRegions(regions=()), "regions must hold 1 to 100 items, got 0"),
        (
            DenyRequests(allowed_methods=("get",)),
            "allowed_methods must hold a method in capitals each, got 'get'",
        ),
        (BodyLimit(max_bytes=0), "max_bytes must be between 1 and 2147483647 bytes, got 0"),
        (WafSet(rule_set="xss-v33-stable", sensitivity=5), "sensitivity must be between 1 and 4, got 5"),
        (
            WafSet(rule_set="xss-v33-stable", sensitivity=1, opt_out=("941330",)),
            "opt_out must hold a signature id each, got '941330'",
        ),
        (
            DenyExpression(position=10, expression="true", description="x"),
            "position must be between 0 and 9, got 10",
        ),
        (
            PathRateLimit(position=0, path_prefix="/a", count=5, interval_seconds=61),
            "interval_seconds must be one of 10, 30, 60, .*got 61",
        ),
        (
            GlobalBan(count=10_001, interval_seconds=60, ban_seconds=60),
            "count must be between 1 and 10000 requests, got 10001",
        ),
        (
            GlobalBan(count=1, interval_seconds=60, ban_seconds=61),
            "ban_seconds must be one of 60, 120, .*got 61",
        ),
        (
            DenyRegions(regions=("KP",), exempt_ranges=("192.0.2.1/24",)),
            "exempt_ranges must hold CIDR ranges, got '192.0.2.1/24'",
        ),
    ],
)
def test_fails_when_a_value_is_outside_what_google_takes(rule: Rule, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compile_rules([rule])


def test_fails_when_an_expression_has_more_than_five_parts() -> None:
    rule = DenyRegions(regions=("KP",), exempt_ranges=(*RANGES, "10.0.0.0/8"))
    with pytest.raises(ValueError, match="at most 5 subexpressions, got 6"):
        compile_rules([rule])


def test_fails_when_an_expression_has_a_line_break_or_is_too_long() -> None:
    for expression in ("a\nb", "a" * 2049):
        rule = DenyExpression(position=0, expression=expression, description="Own")
        with pytest.raises(ValueError, match="one printable line of at most 2048 characters"):
            compile_rules([rule])
    long_part = DenyExpression(position=0, expression="a" * 1025, description="Own")
    with pytest.raises(ValueError, match="at most 1024 characters, got 1025"):
        compile_rules([long_part])


def test_fails_when_a_description_is_above_64_characters() -> None:
    rule = DenyExpression(position=0, expression="true", description="x" * 65)
    with pytest.raises(ValueError, match="1 to 64 characters, got 65"):
        compile_rules([rule])


def test_fails_when_an_exclusion_has_no_value_or_one_too_many() -> None:
    for exclusion in (
        Exclusion(part="header", operator="EQUALS"),
        Exclusion(part="header", operator="EQUALS_ANY", value="x"),
    ):
        rule = WafSet(rule_set="xss-v33-stable", sensitivity=1, exclusions=(exclusion,))
        with pytest.raises(ValueError, match="value must be given unless operator is EQUALS_ANY"):
            compile_rules([rule])

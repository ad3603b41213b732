"""Priorities, expressions and limits of Cloud Armor rules, without the provider."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.edge.armor_compiler import compile_rules
from components.edge.armor_limits import split_subexpressions
from components.edge.armor_rules import (
    AllowAddresses,
    AllowProbes,
    BodyLimit,
    DenyAddresses,
    DenyExpression,
    DenyHeaders,
    DenyMethods,
    DenyRegions,
    Exclusion,
    GlobalBan,
    PathRateLimit,
    Rule,
    WafGroup,
    WafSet,
    WafSetName,
    waf_sets,
)
from components.edge.armor_tier import AutoDeploy, Enterprise, Standard

SETS = get_args(WafSetName)
RANGES = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
TIERS = (Standard(), Enterprise(plan="CA_ENTERPRISE_PAYGO", auto_deploy=AutoDeploy()))
# Whatever sets are added later, a rate rule stays behind all of them.
LAST_WAF_PRIORITY = max(
    rule.priority for rule in compile_rules([WafSet(rule_set=name, sensitivity=1) for name in SETS])
)
positions = st.integers(0, 9)
previews = st.booleans()
rules_strategy = st.one_of(
    st.builds(AllowProbes, paths=st.just(("/health",)), preview=previews),
    st.builds(AllowAddresses, ranges=st.just(RANGES)),
    st.builds(DenyRegions, regions=st.just(("IR", "KP")), preview=previews),
    st.builds(DenyMethods, allowed=st.just(("GET",)), preview=previews),
    st.builds(DenyHeaders, headers=st.just(("x-a",)), preview=previews),
    st.builds(DenyAddresses, position=positions, ranges=st.just(RANGES), preview=previews),
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
        WafGroup,
        sets=st.lists(st.sampled_from(SETS), min_size=2, max_size=5, unique=True).map(
            lambda names: tuple(WafSet(rule_set=name, sensitivity=1) for name in names)
        ),
        preview=previews,
    ),
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


def own(expression: str) -> DenyExpression:
    return DenyExpression(position=0, expression=expression, description="Own")


def slot_of(rule: Rule) -> tuple[str, object]:
    """What a rule may share with no other: its kind, and its set or position where a kind may repeat."""
    if isinstance(rule, WafGroup):
        return "WafSet", min((each.rule_set for each in rule.sets), key=SETS.index)
    return type(rule).__name__, getattr(rule, "rule_set", getattr(rule, "position", None))


@given(st.lists(rules_strategy, max_size=25), st.sampled_from(TIERS))
def test_nothing_but_a_probe_passes_before_the_waf(rules: list[Rule], tier: Standard | Enterprise) -> None:
    slots = [slot_of(rule) for rule in rules]
    if len(set(slots)) < len(slots):
        with pytest.raises(ValueError, match=r"one priority each|AllowAddresses once"):
            compile_rules(rules, 1000, tier)
        return
    compiled = compile_rules(rules, 1000, tier)
    priorities = [rule.priority for rule in compiled]
    assert priorities == sorted(set(priorities))
    assert max(priorities, default=0) < 2147483647
    waf = [r.priority for r in compiled if "evaluatePreconfiguredWaf" in (r.expression or "")]
    for rule in compiled:
        if rule.action in ("throttle", "rate_based_ban"):
            assert all(rule.priority > priority for priority in waf)
            assert rule.priority > LAST_WAF_PRIORITY
        elif rule.action == "allow":
            assert rule.expression is not None
            assert "request.path.matches('^(?:/health)$')" in rule.expression
            assert "request.query == ''" in rule.expression
        else:
            assert rule.action in ("deny(403)", "deny(404)", "deny(502)")


@given(st.lists(rules_strategy, max_size=10), rules_strategy)
def test_adding_a_rule_moves_no_other(rules: list[Rule], added: Rule) -> None:
    try:
        before, after = compile_rules(rules, 1000), compile_rules([*rules, added], 1000)
    except ValueError:
        return
    places = {(rule.priority, rule.action, rule.description) for rule in after}
    assert {(rule.priority, rule.action, rule.description) for rule in before} <= places
    assert len(after) == len(before) + (not isinstance(added, AllowAddresses))


def test_probes_pass_only_by_get_or_head_without_a_query() -> None:
    assert expression_of(AllowProbes(paths=("/health",))) == (
        "request.path.matches('^(?:/health)$') && request.method.matches('^(?:GET|HEAD)$') "
        "&& request.query == ''"
    )


def test_listed_addresses_are_exempted_inside_the_regions_and_the_ban() -> None:
    listed = AllowAddresses(ranges=("192.0.2.0/24",))
    ban = GlobalBan(count=1, interval_seconds=60, ban_seconds=60)
    auth = PathRateLimit(position=0, path_prefix="/auth/", count=1, interval_seconds=60)
    compiled = compile_rules([ban, auth, DenyRegions(regions=("KP", "IR")), listed])
    assert [rule.expression for rule in compiled] == [
        "origin.region_code.matches('^(?:IR|KP)$') && !inIpRange(origin.ip, '192.0.2.0/24')",
        "request.path.startsWith('/auth/')",
        "!inIpRange(origin.ip, '192.0.2.0/24')",
    ]
    assert compile_rules([listed]) == ()
    assert compile_rules([ban])[0].expression is None


def test_headers_are_read_only_where_they_exist() -> None:
    assert expression_of(BodyLimit(max_bytes=10, exempt_path_prefixes=("/uploads/",))) == (
        "has(request.headers['content-length']) && int(request.headers['content-length']) > 10 "
        "&& !request.path.startsWith('/uploads/')"
    )
    assert expression_of(DenyHeaders(headers=("x-a", "x-b"), agent_words=("sqlmap", "a.b"))) == (
        "has(request.headers['x-a']) || has(request.headers['x-b'])"
        " || (has(request.headers['user-agent'])"
        " && request.headers['user-agent'].matches('(?i:sqlmap|a[.]b)'))"
    )


def test_methods_are_denied_but_for_the_allowed_ones() -> None:
    assert expression_of(DenyMethods(allowed=("GET", "POST"))) == "!request.method.matches('^(?:GET|POST)$')"


def test_addresses_are_denied_without_an_expression() -> None:
    (rule,) = compile_rules([DenyAddresses(position=3, ranges=RANGES)], expression_quota=0)
    assert (rule.priority, rule.action, rule.expression, rule.ranges) == (430, "deny(403)", None, RANGES)


def test_suggested_rules_are_deployed_only_where_asked_for() -> None:
    tier = Enterprise(plan="CA_ENTERPRISE_ANNUAL", auto_deploy=AutoDeploy(preview=False))
    (rule,) = compile_rules([], tier=tier)
    assert (rule.priority, rule.expression, rule.preview) == (
        600,
        "evaluateAdaptiveProtectionAutoDeploy()",
        False,
    )
    assert compile_rules([], tier=Enterprise(plan="CA_ENTERPRISE_ANNUAL")) == ()


def test_exclusions_of_one_target_are_gathered() -> None:
    one = ("owasp-crs-v030301-id942100-sqli",)
    rule = WafSet(
        rule_set="sqli-v33-stable",
        sensitivity=1,
        exclusions=(
            Exclusion(part="header", operator="EQUALS", value="x-a"),
            Exclusion(part="cookie", operator="EQUALS_ANY", signatures=one),
            Exclusion(part="header", operator="EQUALS", value="x-b"),
        ),
    )
    assert list(compile_rules([rule])[0].exclusions) == [
        {
            "target_rule_set": "sqli-v33-stable",
            "request_headers": [
                {"operator": "EQUALS", "value": "x-a"},
                {"operator": "EQUALS", "value": "x-b"},
            ],
        },
        {
            "target_rule_set": "sqli-v33-stable",
            "target_rule_ids": list(one),
            "request_cookies": [{"operator": "EQUALS_ANY"}],
        },
    ]


def test_sets_carry_their_own_exclusions_and_opt_outs() -> None:
    exclusion = Exclusion(part="uri", operator="EQUALS_ANY")
    signature = "owasp-crs-id942550-sqli"
    assert waf_sets(
        {"xss-v33-stable": 1, "json-sqli-canary": 2},
        exclusions={"xss-v33-stable": (exclusion,)},
        opt_outs={"json-sqli-canary": (signature,)},
    ) == [
        WafSet(rule_set="xss-v33-stable", sensitivity=1, exclusions=(exclusion,)),
        WafSet(rule_set="json-sqli-canary", sensitivity=2, opt_out=(signature,)),
    ]


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
            DenyMethods(allowed=("get",)),
            "allowed must hold a method in capitals each, got 'get'",
        ),
        (BodyLimit(max_bytes=0), "max_bytes must be between 1 and 2147483647 bytes, got 0"),
        (WafSet(rule_set="xss-v33-stable", sensitivity=5), "sensitivity must be between 1 and 4, got 5"),
        (
            WafSet(rule_set="xss-v33-stable", sensitivity=1, opt_out=("941330",)),
            "opt_out must hold a signature of xss-v33-stable, the set that is used, each, got '941330'",
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
            DenyAddresses(position=0, ranges=("192.0.2.1/24",)),
            "ranges must hold CIDR ranges, got '192.0.2.1/24'",
        ),
        (
            DenyAddresses(position=0, ranges=tuple(f"192.0.2.{last}/32" for last in range(11))),
            "ranges must hold 1 to 10 items, got 11",
        ),
        (DenyHeaders(), "headers must hold 1 to 3 items, got 0"),
        (DenyHeaders(headers=("a", "b", "c", "d")), "headers must hold 1 to 3 items, got 4"),
        *(
            (AllowProbes(paths=(path,)), "paths must hold an absolute path of plain parts below / each, got")
            for path in ("health", "/", "/health/../admin", "/health/", "//admin")
        ),
    ],
)
def test_fails_when_a_value_is_outside_what_google_takes(rule: Rule, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compile_rules([rule])


def test_fails_when_an_expression_has_more_than_five_parts() -> None:
    parts = " || ".join(["origin.asn == 1"] * 6)
    with pytest.raises(ValueError, match="at most 5 subexpressions, got 6"):
        compile_rules([own(parts)])
    with pytest.raises(ValueError, match="ranges must hold 1 to 4 items, got 5"):
        compile_rules([AllowAddresses(ranges=(*RANGES, "10.0.0.0/8"))])


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("request.path.beginsWith('/a')", "calls beginsWith, which is no function here"),
        ("request.body == 'a'", "uses request.body, which is no attribute here"),
        ("client.ip == 'a'", "uses client, which is no variable here"),
        ("origin.asn == '1'", "compares origin.asn, a number, with a text"),
        ("request.method in ['GET']", "uses `in`, which is no operator here"),
        ("inIpRange(origin.ip, '192.0.2.300')", "gives inIpRange '192.0.2.300'"),
        ("request.path.matches('(?=a)')", "must not look around or refer back"),
        ("request.path.matches('(a|b)')", "must not hold a group that captures"),
        ("request.path.matches('[a')", "must hold regular expressions"),
        ("request.path ==", "is no expression"),
        ("evaluateThreatIntelligence('iplist-known-malicious-ips')", "on the tier Standard"),
    ],
)
def test_fails_when_google_would_not_compile_an_expression(expression: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as refused:
        compile_rules([own(expression)])
    assert "\n" not in str(refused.value)


def test_enterprise_takes_its_functions() -> None:
    rule = own("evaluateThreatIntelligence('iplist-known-malicious-ips')")
    assert compile_rules([rule], tier=Enterprise(plan="CA_ENTERPRISE_PAYGO"))


@pytest.mark.parametrize("status", [200, 413, 429])
def test_fails_when_a_denial_has_a_status_that_google_lacks(status: Any) -> None:
    rule = DenyExpression(position=0, expression="true", description="Own", status=status)
    with pytest.raises(ValueError, match=rf"status must be one of 403, 404, 502, got {status}: "):
        compile_rules([rule])


@pytest.mark.parametrize(
    ("rule_set", "signature"),
    [
        ("sqli-v33-stable", "owasp-crs-v030301-id941330-xss"),
        ("sqli-v33-stable", "owasp-crs-v042200-id942100-sqli"),
        ("cve-canary", "owasp-crs-id942550-sqli"),
    ],
)
def test_fails_when_an_exclusion_is_for_a_set_that_is_not_used(rule_set: WafSetName, signature: str) -> None:
    exclusion = Exclusion(part="uri", operator="EQUALS_ANY", signatures=(signature,))
    rule = WafSet(rule_set=rule_set, sensitivity=1, exclusions=(exclusion,))
    with pytest.raises(ValueError, match=f"signatures must hold a signature of {rule_set}, the set that is"):
        compile_rules([rule])
    refused = rf"must be for a set that is used \(php-v33-stable\), got '{rule_set}': remove it"
    with pytest.raises(ValueError, match=f"exclusions {refused}"):
        waf_sets({"php-v33-stable": 1}, exclusions={rule_set: (exclusion,)})
    with pytest.raises(ValueError, match=f"opt_outs {refused}"):
        waf_sets({"php-v33-stable": 1}, opt_outs={rule_set: (signature,)})


def test_fails_when_a_target_has_more_than_ten_exclusions_of_one_part() -> None:
    many = tuple(Exclusion(part="header", operator="EQUALS", value=f"x-{index}") for index in range(11))
    rule = WafSet(rule_set="xss-v33-stable", sensitivity=1, exclusions=many)
    with pytest.raises(ValueError, match="at most 10 of one part, got 11 of header"):
        compile_rules([rule])


def test_fails_when_a_threshold_is_no_share_or_nothing_expires() -> None:
    with pytest.raises(ValueError, match=r"confidence must be above 0 and at most 1, got 1\.5"):
        AutoDeploy(confidence=1.5)
    with pytest.raises(ValueError, match="expiration_seconds must be at least 1 second, got 0"):
        AutoDeploy(expiration_seconds=0)


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

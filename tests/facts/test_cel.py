"""Expressions: what Google's services take and what they refuse, each with its words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facts.cel import ARMOR, check_attributes, check_expression, outside_quotes
from facts.refusal import RefusedError

ARMOR_TAKES = (
    "origin.region_code == 'KP' && !request.path.matches('/a')",
    "inIpRange(origin.ip, '10.0.0.0/8') || inIpRange(origin.user_ip, '10.0.0.0/8')",
    "has(request.headers['cookie']) && request.headers['cookie'].contains('a=b')",
    "request.headers['user-agent'].lower().contains('sqlmap')",
    "request.path.lower().urlDecode().startsWith('/admin')",
    "size(request.query) > 10 && int(request.headers['content-length']) > 100",
    "evaluatePreconfiguredWaf('sqli-v33-stable', {'sensitivity': 1, 'opt_out_rule_ids': ['a']})",
    "evaluatePreconfiguredExpr('xss-stable', ['owasp-crs-v030001-id941150-xss'])",
    "evaluateThreatIntelligence('iplist-tor-exit-nodes')",
    "token.recaptcha_session.score < 0.5",
    "request.method in ['TRACE', 'TRACK']",
    "origin.asn == 123 || origin.tls_ja4_fingerprint == 'x'",
    "request.query.contains('has(x) and y = z')",
)
ARMOR_REFUSES = (
    ("origin.region_code == 'KP", "has an unclosed quote"),
    ("origin.region_code = 'KP'", "must compare with =="),
    ("origin.region_code == 'KP' and true", "must say &&, || and ! for and, or and not"),
    ("origin.region_code == 'KP' &&", "is no expression: mismatched input 'the end' at character 30"),
    ("(origin.region_code == 'KP'", "is no expression"),
    ("", "is empty"),
    ("inIpRanges(origin.ip, '10.0.0.0/8')", "calls inIpRanges, which is no function here; did you mean"),
    ("request.path.containz('a')", "calls containz, which is no function here; did you mean contains?"),
    ("(" * 200 + "true" + ")" * 200, "is nested too deeply"),
)


@pytest.mark.parametrize("text", ARMOR_TAKES)
def test_armor_takes(text: str) -> None:
    check_expression(text, ARMOR)
    check_attributes(text, ARMOR)


@pytest.mark.parametrize(("text", "wrong"), ARMOR_REFUSES)
def test_armor_refuses(text: str, wrong: str) -> None:
    with pytest.raises(RefusedError) as refused:
        check_expression(text, ARMOR)
    assert str(refused.value).startswith(wrong)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("request.uri == '/'", "uses request.uri, which is no attribute here"),
        ("origin.region == 'KP'", "uses origin.region, which is no attribute here; did you mean origin."),
        ("source.ip == '1.2.3.4'", "uses source, which is no variable here"),
    ],
)
def test_armor_has_attributes_of_its_own(text: str, wrong: str) -> None:
    check_expression(text, ARMOR)
    with pytest.raises(RefusedError) as refused:
        check_attributes(text, ARMOR)
    assert str(refused.value).startswith(wrong)


@pytest.mark.parametrize(
    "text",
    [
        "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['roles/viewer'])",
        "resource.name.startsWith('projects/_/buckets/x/objects/')",
        "request.time < timestamp('2027-01-01T00:00:00Z')",
        "resource.name.extract('/secrets/{name}/') == 'x'",
        "assertion.repository_id == '1' && assertion.ref in ['a'] && has(assertion.environment)",
        "destination.port == 22 || !(resource.type == 'x' ? true : false)",
    ],
)
def test_conditions_are_parsed_whatever_their_functions(text: str) -> None:
    check_expression(text)


@given(st.text(max_size=80))
def test_any_text_is_taken_or_refused_in_one_sentence(text: str) -> None:
    said = "fine"
    try:
        check_expression(text, ARMOR)
    except RefusedError as refused:
        said = str(refused)
    assert said
    assert len(said.splitlines()) == 1


@given(st.text(alphabet="ab'\"\\ .()=&", max_size=40))
def test_what_stands_in_quotes_is_never_looked_at(text: str) -> None:
    bare = outside_quotes(f"x == '{text.replace(chr(92), '').replace(chr(39), '')}'")
    assert bare == "x == ''"

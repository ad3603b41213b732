"""Expressions: what Google's services take and what they refuse, each with its words."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from facts.cel import ARMOR, check_attributes, check_expression, check_types, outside_quotes
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
    "token.recaptcha_action.score >= 0.8 && (token.recaptcha_action.valid)",
    "evaluateAdaptiveProtectionAutoDeploy()",
    "!(token.recaptcha_exemption.valid) || true",
    "inIpRange(origin.ip, '2001:db8::/32')",
    "request.headers['host'].lower() == '5' && request.path != 'origin.asn == true'",
    "request.method.matches('^(TRACE|TRACK)$')",
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
    ("request.method in ['TRACE']", "uses `in`, which is no operator here"),
    ("origin.asn == 1 ? true : false", "uses a conditional, which is no operator here"),
    ("['a'].exists(x, x == request.path)", "uses a macro over a list, which is no operator here"),
    ("origin.asn % 2 == 0", "uses %, which is no operator here"),
    ("inIpRanges(origin.ip, '10.0.0.0/8')", "calls inIpRanges, which is no function here; did you mean"),
    ("request.path.containz('a')", "calls containz, which is no function here; did you mean contains?"),
    ("(" * 200 + "true" + ")" * 200, "is nested too deeply"),
)


@pytest.mark.parametrize("text", ARMOR_TAKES)
def test_armor_takes(text: str) -> None:
    check_expression(text, ARMOR)
    check_attributes(text, ARMOR)
    check_types(text)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("origin.asn == '5'", "compares origin.asn, a number, with a text"),
        ("origin.region_code == 5", "compares origin.region_code, a text, with a number"),
        ("request.headers['a'] != true", "compares request.headers[''], a text, with a truth value"),
        ("token.recaptcha_action.valid == 'yes'", "compares token.recaptcha_action.valid, a truth value"),
        ("request.path", "holds request.path where true or false is needed"),
        ("origin.asn == 1 && !request.path", "holds request.path where true or false is needed"),
        ("'a'", "holds '' where true or false is needed"),
        ("request.path.startsWith(1)", "calls startsWith without a text between its brackets"),
        ("request.path.matches()", "calls matches without a text between its brackets"),
        ("inIpRange(origin.ip, '10.0.0.0/33')", "gives inIpRange '10.0.0.0/33', which is no range"),
    ],
)
def test_armor_types_fit(text: str, wrong: str) -> None:
    check_expression(text, ARMOR)
    with pytest.raises(RefusedError) as refused:
        check_types(text)
    assert str(refused.value).startswith(wrong)


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
        ("token.recaptcha_session.level < 1", "uses token.recaptcha_session.level, which is no attribute"),
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
@example("0\x0b")
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

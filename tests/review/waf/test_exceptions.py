"""Declared exceptions: all are found, and each needs its written reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from review.waf.exceptions import Reason, load_reasons, waivers
from review.waf.proof import prove
from review.waf.rulesets import NotEvaluatedError
from sandbox.errors import UsageError
from tests.review.waf.examples import core_rules, deny, policy, request_of, sets

CALL = "evaluatePreconfiguredWaf('sqli-v33-stable', {'opt_out_rule_ids': ['id942350', 'id942360']})"
REMEDY = "write it into review/waf/exceptions.yaml"
WAIVED = {
    "exclusions": [
        {
            "targetRuleSet": "sqli-v33-stable",
            "requestQueryParams": [{"operator": "ENDS_WITH", "value": "text"}],
        },
        {
            "targetRuleSet": "xss-v33-stable",
            "targetRuleIds": ["owasp-crs-v030301-id941100-xss"],
            "requestHeaders": [{"operator": "EQUALS_ANY"}],
        },
    ]
}


def test_signatures_fields_and_conditions_are_exceptions() -> None:
    made = policy(
        sets(1000),
        deny(1010, CALL, preconfiguredWafConfig=WAIVED),
        deny(1020, f"({CALL}) && request.path != '/hooks'"),
        deny(1030, f"{CALL} || evaluatePreconfiguredWaf('xss-v33-stable')"),
        deny(1040, "request.path != '/x'"),
    )
    found = [(item.rule.priority, item.rule_set, item.what) for item in waivers(made, ())]
    signatures = [("sqli-v33-stable", "signature 942350"), ("sqli-v33-stable", "signature 942360")]
    assert found == [
        *((1010, *one) for one in signatures),
        (1010, "sqli-v33-stable", "query_param ENDS_WITH text"),
        (1010, "xss-v33-stable", "header EQUALS_ANY in 941100"),
        *((1020, *one) for one in signatures),
        (1020, "sqli-v33-stable", "requests outside its conditions"),
        *((1030, *one) for one in signatures),
    ]


def test_signature_that_another_call_asks_is_waived_under_conditions_only() -> None:
    other = "evaluatePreconfiguredWaf('sqli-v33-stable', {'opt_out_rule_ids': ['id942350']})"
    made = policy(deny(1010, f"{CALL} || ({other} && !has(request.headers['content-type']))"))
    assert [item.what for item in waivers(made, ())] == [
        "signature 942350",
        "signature 942360 outside its conditions",
    ]


@pytest.mark.parametrize(
    ("expression", "conditional"),
    [
        ("evaluatePreconfiguredWaf('xss-v33-stable')", set[str]()),
        ("request.path == '||' && evaluatePreconfiguredWaf('xss-v33-stable')", {"xss-v33-stable"}),
        ("evaluatePreconfiguredWaf('xss-v33-stable') || request.path == '/x'", set[str]()),
        ("(evaluatePreconfiguredWaf('xss-v33-stable') || request.path == '/x') && true", {"xss-v33-stable"}),
        ("evaluatePreconfiguredWaf('a') || (evaluatePreconfiguredWaf('b') && true)", {"b"}),
        ("(evaluatePreconfiguredWaf('a') || evaluatePreconfiguredWaf('b')) || true", set[str]()),
        ("(evaluatePreconfiguredWaf('a') || true) && (evaluatePreconfiguredWaf('b') || true)", {"a", "b"}),
    ],
)
def test_set_that_is_not_asked_for_every_request_is_an_exception(
    expression: str, conditional: set[str]
) -> None:
    found = {item.rule_set for item in waivers(policy(deny(1010, expression)), ())}
    assert found == conditional


def test_proof_does_not_hold_while_an_exception_has_no_reason() -> None:
    made, requests = policy(deny(1010, CALL)), [request_of()]
    first = "rule 1010: sqli-v33-stable without signature 942350 and 1 more exceptions have no reason"
    assert prove(made, core_rules(), requests).shortfalls == [f"{first}: {REMEDY}"]
    one = Reason(rule_set="sqli-v33-stable", what=("signature 942350",), reason="a")
    second = "rule 1010: sqli-v33-stable without signature 942360 has no reason"
    assert prove(made, core_rules(), requests, [one]).shortfalls == [f"{second}: {REMEDY}"]
    every = Reason(rule_set="*", what=("signature 942360",), reason="b")
    proof = prove(made, core_rules(), requests, [one, every])
    assert proof.shortfalls == []
    assert [item.reason for item in proof.waivers] == ["a", "b"]


def test_written_reasons_are_read() -> None:
    assert all(reason.reason for reason in load_reasons())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("- rule_set: a", "bad.yaml: 0.what: Field required"),
        ("- {rule_set: a, what: [b], reason: c, more: d}", "bad.yaml: 0.more: Extra inputs"),
        ("- {rule_set: a, what: [], reason: c}", "bad.yaml: 0.what: Tuple should have at least 1 item"),
        ("[", "bad.yaml cannot be read"),
    ],
)
def test_fails_when_reasons_are_no_good(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as raised:
        load_reasons(path)
    assert str(raised.value).startswith(sentence)


def test_unevaluated_sets_still_list_their_exceptions() -> None:
    proof = prove(policy(deny(1010, CALL)), NotEvaluatedError("not installed"), [request_of()])
    assert len(proof.waivers) == 2

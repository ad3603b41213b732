"""The proof as JSON, Markdown, HTML and on a terminal."""

from __future__ import annotations

import io
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Protocol, cast

from jsonschema import Draft202012Validator
from rich.console import Console

import review.waf
from review.waf.difference import Difference, compare
from review.waf.document import document
from review.waf.html import render_html
from review.waf.page import render
from review.waf.proof import Proof, prove
from review.waf.rulesets import NotEvaluatedError
from review.waf.screen import print_proof
from tests.review.waf.examples import deny, policy, request_of, sets

NASTY = "<img src=x onerror=alert(1)>"
SCHEMA: dict[str, Any] = json.loads(
    (Path(review.waf.__file__).parent / "report.schema.json").read_text(encoding="utf-8")
)


class _Error(Protocol):
    message: str
    json_path: str


def made(*rules: dict[str, Any]) -> Proof:
    waived = {"exclusions": [{"targetRuleSet": "*", "requestUris": [{"operator": "EQUALS", "value": "/a"}]}]}
    requests = [
        request_of("sqli", kind="attack", expect="deny", path="/a", reason=NASTY),
        request_of("wrong", kind="contract", path="/no", reason="a | b"),
        request_of("plain", group="json"),
    ]
    kept = [
        deny(1, "request.path == '/no'", description=NASTY),
        deny(2, "request.path == '/jobs'", preview=True),
        sets(1000, preconfiguredWafConfig=waived),
        sets(1010, "cve-canary"),
    ]
    return prove(policy(*kept, *rules), NotEvaluatedError("not installed"), requests)


def compared() -> tuple[Proof, Difference]:
    before, after = made(), made(deny(5, "request.path == '/a'"))
    return after, compare("main", before, after)


def schema_errors(instance: Any) -> list[str]:
    Draft202012Validator.check_schema(SCHEMA)
    validator: Any = Draft202012Validator(SCHEMA)
    errors = cast("list[_Error]", list(validator.iter_errors(instance)))
    return [f"{error.json_path}: {error.message}" for error in errors]


def test_document_is_what_its_schema_says() -> None:
    after, difference = compared()
    assert schema_errors(document(made(), "dev")) == []
    assert schema_errors(document(after, "dev", difference)) == []
    assert schema_errors(document(after, "dev", Difference(base="main", note="base has no policy"))) == []
    assert schema_errors({**document(after, "dev"), "more": 1})


def test_document_says_what_was_not_evaluated_and_what_is_waived() -> None:
    found = document(made(), "dev")
    assert found["holds"] is False
    assert found["core_rule_set"] == {"version": None, "engine": None, "missing": "not installed"}
    assert found["numbers"]["sets_not_evaluated"] == 2
    rules = {rule["priority"]: rule for rule in found["rules"]}
    assert rules[1000]["not_evaluated"] == [{"reason": "not installed", "expected": False}]
    assert rules[1000]["waived"] == [{"rule_set": "*", "what": "uri EQUALS /a", "reason": ""}]
    assert [verdict["id"] for verdict in found["exceptions"]] == ["sqli", "wrong"]
    assert found["previewed"] == [{"request": "plain", "priority": 2, "action": "deny(403)"}]


def test_page_puts_what_falls_short_first_and_escapes_all_texts() -> None:
    after, difference = compared()
    text = render(after, "dev", difference)
    lines = text.splitlines()
    assert lines[0] == "<!-- waf-proof -->"
    assert lines[1] == "## WAF proof of dev: policy armor does not hold"
    assert "Does not hold, because:" in lines[:8]
    assert NASTY not in text
    assert "a \\| b" in text
    assert (
        "compared with main: 1 rules added, 0 removed, 0 changed; 1 requests are answered otherwise" in text
    )


def test_page_stays_under_the_limit_of_a_comment() -> None:
    requests = [request_of(f"wrong-{at}", kind="contract", path="/no") for at in range(3000)]
    proof = prove(policy(deny(1, "true")), NotEvaluatedError("not installed"), requests)
    text = render(proof, "dev")
    assert len(text) < 65_536
    assert "more lines were left out" in text
    assert "3000 contract requests are denied" in text


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html_shows_attacks_as_text_and_loads_nothing() -> None:
    after, difference = compared()
    parser = _Tags()
    parser.feed(render_html(after, "dev", difference))
    assert parser.seen.isdisjoint({"img", "script", "link", "iframe"})
    assert NASTY in parser.text
    for title in ("Figures", "Classes", "Rules", "Not as expected", "Declared exceptions", "All requests"):
        assert title in parser.text


def test_terminal_ends_with_the_verdict() -> None:
    after, difference = compared()
    shown = io.StringIO()
    print_proof(after, "dev", difference, Console(file=shown, width=200))
    lines = shown.getvalue().splitlines()
    assert lines[0] == lines[-1] == "WAF proof of dev: policy armor does not hold"
    assert any(line.startswith("falls short: rule 1000") for line in lines)
    assert any("not evaluated: not installed" in line for line in lines)

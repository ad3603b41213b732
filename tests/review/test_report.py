"""The report as data: what it says, its schema, and that no secret leaves with it."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from review import markdown
from review.report import Notes, RuleRow, build, document, scrubber
from review.terminal import print_report
from sandbox.model import Op
from sandbox.values import Secret
from tests.review.outcomes import BUCKET, DATABASE, many, sample, state, step
from tests.review.report_schema import schema_errors

RULES = [RuleRow("sql-backups", "Backups are kept", "mandatory"), RuleRow("labels", "Labels", "advisory")]


def rendered(secret: str) -> dict[str, str]:
    outcome = sample(secret)
    report = build(outcome, rules=RULES, notes=Notes(lightly_checked=(BUCKET,)))
    terminal = io.StringIO()
    print_report(report, Console(file=terminal, width=200))
    return {
        "terminal": terminal.getvalue(),
        "markdown": markdown.render(report),
        "json": json.dumps(document(report), ensure_ascii=False),
        "repr": repr(report),
    }


def test_report_fits_its_schema() -> None:
    report = build(sample(), rules=RULES, notes=Notes(example_values=("aiprod:project_id",)))
    assert schema_errors(document(report)) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("engine",), "real"),
        (("summary",), {"creates": 1}),
        (("steps", 0, "op"), "creation"),
        (("steps", 0, "extra"), 1),
        (("resources", 0, "urn"), "bucket"),
        (("policies", "violations", 0, "level"), "nice"),
        (("unknown",), 1),
    ],
)
def test_report_schema_refuses_what_a_report_is_not(path: tuple[str | int, ...], value: Any) -> None:
    instance: Any = document(build(sample(), rules=RULES))
    holder = instance
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = value
    assert schema_errors(instance)


def test_report_counts_a_replacement_once() -> None:
    assert build(sample()).summary == {"same": 2, "update": 1, "replace": 1, "create": 1, "delete": 1}


def test_report_keeps_inputs_in_camel_case_and_hides_secrets_and_engine_marks() -> None:
    rows = {row.name: row for row in build(sample()).resources}
    assert rows["main"].inputs == {"settings": {"tier": "large"}, "rootPassword": "[secret]"}
    assert rows["results"].inputs == {"name": "[unknown]"}
    assert rows["main"].type == DATABASE
    assert rows["main"].protect
    assert rows["results"].dependencies == (rows["main"].urn,)


def test_report_says_why_a_replacement() -> None:
    replace = next(step for step in document(build(sample()))["steps"] if step["op"] == "replace")
    assert replace["replace_reasons"] == ["location"]
    assert replace["diff"][0] == {"path": "location", "kind": "update-replace", "old": "EU", "new": "US"}
    assert replace["diff"][1]["new"] == ["[secret]"]


def test_report_is_refused_by_errors_and_mandatory_rules_only() -> None:
    outcome = sample()
    assert build(outcome).refused
    outcome.refusals = []
    assert build(outcome).refused
    outcome.violations = [item for item in outcome.violations if item.level == "advisory"]
    assert not build(outcome).refused


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=8, max_size=40))
def test_report_never_shows_a_secret(text: str) -> None:
    secret = f"s3cr3t{text.strip()}end"
    for name, output in rendered(secret).items():
        assert secret not in output, name
        assert json.dumps(secret)[1:-1] not in output, name
        assert "s3cr3t" not in output, name


@pytest.mark.parametrize("name", ["terminal", "markdown", "json"])
def test_every_output_says_sandbox(name: str) -> None:
    assert "sandbox" in rendered("hunter2-hunter2")[name]


def test_scrubber_takes_secrets_out_of_sentences() -> None:
    scrub = scrubber([{"a": Secret({"b": ["long-secret", "long-secret-too"]})}], [Secret("four")])
    assert scrub("got long-secret-too and long-secret, four") == "got [secret] and [secret], [secret]"


def test_scrubber_leaves_values_that_are_not_secret() -> None:
    holder = {"a": "plain", "b": Secret("abc"), "c": Secret({"x": "plain", "y": "true"})}
    assert scrubber([holder])("plain abc true") == "plain abc true"


def test_terminal_report_shows_tree_changes_reasons_verdicts_and_totals() -> None:
    text = rendered("hunter2-hunter2")["terminal"]
    assert "└── " in text
    assert "~ update main  gcp:sql:DatabaseInstance" in text
    assert '~ settings.tier: "small" → "large"' in text
    assert 'location: "EU" → "US"  (forces a replacement)' in text
    assert "replaced because of location" in text
    assert "settings.token: secret, not compared" in text
    assert "policy sql-backups (mandatory) on main: keeps no backups of [secret]" in text
    assert "policies: 2 rules, 0 hold, 2 broken" in text
    assert "refused [main]: settings.tier must be a known tier, got [secret]: choose one" in text
    assert "1 to create, 1 to update, 1 to replace, 1 to delete, 2 unchanged; 1.2 s" in text
    assert "checked against the schema only: gcp:storage:Bucket" in text


def test_terminal_report_folds_what_stays() -> None:
    outcome = sample()
    outcome.steps = outcome.steps[:2]
    terminal = io.StringIO()
    print_report(build(outcome), Console(file=terminal, width=200))
    assert "nothing changes, 2 unchanged" in terminal.getvalue()
    assert "uploads" not in terminal.getvalue()


def test_terminal_tree_counts_everything_that_stays() -> None:
    outcome = sample()
    stays = [item for item in outcome.steps if item.op == "same"]
    (update,) = [item for item in outcome.steps if item.op == "update"]
    quiet = [step(Op.SAME, row, row) for row in (state(BUCKET, f"quiet-{index}") for index in range(7))]
    outcome.steps = [*stays, update, *quiet]
    outcome.resources = [row for row in outcome.resources if row.name not in {"uploads", "results"}]
    terminal = io.StringIO()
    print_report(build(outcome), Console(file=terminal, width=200))
    assert "│" not in terminal.getvalue()
    assert "7 unchanged" in terminal.getvalue()
    assert "quiet" not in terminal.getvalue()


def test_markdown_stays_under_githubs_limit_and_counts_what_it_left_out() -> None:
    text = markdown.render(build(many(3_000)))
    assert len(text.encode("utf-16-le")) // 2 < markdown.LIMIT
    shown = text.count("**create**")
    assert 100 < shown < 3_000
    assert f"**{3_000 - shown} more lines were left out" in text


def test_markdown_puts_refusals_before_what_may_be_left_out() -> None:
    outcome = many(3_000)
    outcome.refusals = sample().refusals
    assert "got [secret]" not in markdown.render(build(outcome))
    assert "settings.tier must be a known tier" in markdown.render(build(outcome))


@pytest.mark.parametrize(
    ("value", "span"),
    [("a", "`a`"), ("a`b", "``a`b``"), ("`a`", "`` `a` ``"), ("a\nb", "`a b`"), ("", "`  `")],
)
def test_markdown_code_cannot_be_left(value: str, span: str) -> None:
    assert markdown.code(value) == span


def test_markdown_sentences_mention_nobody_and_hold_no_markup() -> None:
    text = markdown.plain("ask @octocat about #12 <b>now</b> a|b")
    assert "@octocat" not in text
    assert "#12" not in text
    assert "\\<b\\>" in text
    assert "a\\|b" in text

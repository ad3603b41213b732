"""What Google accepts and what then does not work is a warning, on both engines, and refuses nothing."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from review import markdown
from review.report import Notes, QuietRow, build, document
from review.terminal import print_report
from tests.review.engines import TARGETS, Mini
from tests.review.outcomes import sample
from tests.review.report_schema import schema_errors

QUIET = """\
import pulumi_gcp as gcp

topic = gcp.pubsub.Topic("events", name="events", project="some-project")
sink = gcp.logging.ProjectSink(
    "sink",
    name="sink",
    project="some-project",
    destination=topic.id.apply("pubsub.googleapis.com/{}".format),
)
"""
WORKS = f"""\
{QUIET}
gcp.pubsub.TopicIAMMember(
    "writer",
    project="some-project",
    topic=topic.name,
    role="roles/pubsub.publisher",
    member=sink.writer_identity,
)
"""
SENTENCE = "delivers nothing: grant "


@pytest.fixture(params=TARGETS)
def mini(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mini:
    monkeypatch.chdir(tmp_path)
    return Mini(tmp_path, request.param, QUIET)


def test_an_up_warns_until_it_works(mini: Mini, capsys: pytest.CaptureFixture[str]) -> None:
    code, report = mini.run("up")
    assert code == 0
    (found,) = report["quiet_failures"]
    assert found["rule"] == "LOG-020"
    assert SENTENCE in found["message"]
    assert "warning LOG-020: accepted, but " in capsys.readouterr().out
    mini.write(WORKS)
    code, report = mini.run("up")
    assert (code, report["quiet_failures"]) == (0, [])
    assert "warning" not in capsys.readouterr().out


def test_a_preview_that_plays_its_update_warns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    mini = Mini(tmp_path, "sandbox", QUIET)
    assert [found["rule"] for found in mini.run("preview")[1]["quiet_failures"]] == ["LOG-020"]
    mini.write(WORKS)
    assert mini.run("preview")[1]["quiet_failures"] == []


def test_a_refused_run_says_nothing_of_what_would_not_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mini = Mini(
        tmp_path, "sandbox", f'{QUIET}\ngcp.pubsub.Topic("bad", name="goog", project="some-project")\n'
    )
    code, report = mini.run("up")
    assert (code, report["quiet_failures"]) == (1, [])


def test_every_output_shows_the_warning_without_a_secret() -> None:
    row = QuietRow("LOG-020", "sinks/hunter2-hunter2", "sinks/hunter2-hunter2 delivers nothing.", "a thread")
    report = build(sample(), notes=Notes(quiet=(row,)))
    assert schema_errors(document(report)) == []
    terminal = io.StringIO()
    print_report(report, Console(file=terminal, width=200))
    for text in (terminal.getvalue(), markdown.render(report), str(document(report))):
        assert "LOG-020" in text
        assert "delivers nothing" in text
        assert "hunter2" not in text

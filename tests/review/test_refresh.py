"""`refresh`: what was changed behind a stack's back is shown and taken over; the next `up` brings it back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from review.cli import main
from tests.review.engines import TARGETS, Mini, changes

TOPIC = "gcp:pubsub/topic:Topic"
PROGRAM = """\
import pulumi_gcp as gcp

for name in ("kept", "changed", "gone"):
    gcp.pubsub.Topic(name, name=f"topic-{name}", project="some-project", labels={"a": "b"})
"""
DRIFT = {
    "drift": [
        {
            "type": TOPIC,
            "id": "projects/some-project/topics/topic-changed",
            "inputs": {"labels.a": "c", "messageRetentionDuration": "3600s"},
        },
        {"type": TOPIC, "id": "projects/some-project/topics/topic-gone", "gone": True},
    ]
}

BAD: list[tuple[Any, str]] = [
    ([{"type": TOPIC, "id": "projects/p/topics/none", "inputs": {"a": 1}}], "is not the id of a live"),
    ([{"type": TOPIC, "id": "x"}], "must have either changed inputs or outputs, or gone: true"),
    ([{"type": TOPIC, "id": "x", "inputs": {"a": 1}, "gone": True}], "must have either changed"),
    ([{"type": TOPIC, "id": "x", "gone": "yes"}], "must have either changed"),
    ([{"type": TOPIC, "id": "x", "input": {}}], "is not a key of a drift"),
    ([{"type": "aws:s3:Bucket", "id": "x", "gone": True}], "must be a type of pulumi-gcp"),
    ([{"type": "gcp:kms/keyRing:KeyRing", "id": "x", "gone": True}], "Google never deletes key rings"),
    (
        [{"type": TOPIC, "id": "projects/some-project/topics/topic-kept", "inputs": {"name.x[": 1}}],
        "cannot be changed so",
    ),
    ({"a": 1}, "`drift` must be a list"),
]


@pytest.fixture
def mini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Mini:
    monkeypatch.chdir(tmp_path)
    return Mini(tmp_path, getattr(request, "param", "sandbox"), PROGRAM)


@pytest.mark.parametrize("mini", TARGETS, indirect=True)
def test_drift_is_shown_taken_over_and_brought_back(mini: Mini, capsys: pytest.CaptureFixture[str]) -> None:
    assert mini.run("up")[0] == 0
    code, report = mini.run("refresh")
    assert (code, report["mode"], changes(report)) == (0, "refresh", {})
    assert "no drift" in capsys.readouterr().out

    code, report = mini.run("refresh", DRIFT)
    assert code == 0
    assert changes(report) == {
        "changed": (
            "update",
            [("labels.a", "update", "b", "c"), ("messageRetentionDuration", "add", None, "3600s")],
        ),
        "gone": ("delete", []),
    }
    shown = capsys.readouterr().out
    assert '~ labels.a: "b" → "c"' in shown
    assert "1 drifted, 1 gone" in shown
    assert changes(mini.run("refresh", DRIFT)[1]) == {}, "the same drift again changes nothing"

    code, report = mini.run("up")
    assert code == 0
    assert {name: op for name, (op, _) in changes(report).items()} == {"changed": "update", "gone": "create"}
    assert changes(mini.run("refresh")[1]) == {}


def test_drift_that_no_refresh_has_seen_is_not_taken_for_a_change(mini: Mini) -> None:
    mini.run("up")
    assert set(mini.run("up", DRIFT)[1]["summary"]) == {"same"}
    assert set(changes(mini.run("refresh")[1])) == {"changed", "gone"}


def test_drift_is_told_by_the_exit_code_and_stays_where_it_is(
    mini: Mini, capsys: pytest.CaptureFixture[str]
) -> None:
    mini.run("up")
    assert main(["drift"]) == 0
    (mini.folder / "fixture.json").write_text(json.dumps(DRIFT))
    before = {path: path.read_bytes() for path in (mini.folder / ".sandbox").glob("*.json")}
    assert main(["drift", "--fixture", "fixture.json"]) == 1
    assert "1 drifted, 1 gone" in capsys.readouterr().out
    assert main(["drift", "--fixture", "fixture.json"]) == 1, "the first look took nothing over"
    assert {path: path.read_bytes() for path in (mini.folder / ".sandbox").glob("*.json")} == before


def test_drift_is_not_looked_for_on_the_cli_without_a_cloud(
    mini: Mini, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["drift", "--target", "sandbox-cli"]) == 2
    assert "TARGET=sandbox or TARGET=gcp" in capsys.readouterr().err


def test_a_refresh_of_nothing_leaves_no_files(mini: Mini) -> None:
    code, report = mini.run("refresh")
    assert (code, report["summary"]) == (0, {})
    assert not list((mini.folder / ".sandbox").glob("*.json"))


@pytest.mark.parametrize(("drift", "sentence"), BAD)
def test_fails_when_the_drift_cannot_be(
    mini: Mini, capsys: pytest.CaptureFixture[str], drift: Any, sentence: str
) -> None:
    mini.run("up")
    capsys.readouterr()
    assert mini.run("refresh", {"drift": drift})[0] == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert sentence in told[0]

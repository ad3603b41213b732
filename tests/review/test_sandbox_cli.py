"""TARGET=sandbox-cli: how a refusal ends, with a scripted CLI and with the real one."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from review.cli import main
from tests.review.report_schema import schema_errors

STACK = "urn:pulumi:dev::mini::pulumi:pulumi:Stack::mini-dev"
TOPIC = "urn:pulumi:dev::mini::gcp:pubsub/topic:Topic::jobs"
ENDED = "an unhandled error occurred: program exited with non-zero exit code: 1\n"
HEAD = "import pulumi\nimport pulumi_gcp as gcp\n"
MAKES = 'gcp.pubsub.Topic("jobs", project="some-project")\n'


def said(message: str, urn: str = "") -> dict[str, Any]:
    return {"diagnosticEvent": {"severity": "error", "message": message, **({"urn": urn} if urn else {})}}


def began(urn: str) -> dict[str, Any]:
    return {"resourcePreEvent": {"metadata": {"op": "create", "urn": urn, "logical": True}}}


CASES: dict[str, tuple[str, list[dict[str, Any]], int, str, str]] = {
    "the program refuses what was written": (
        'raise pulumi.RunError("mini:x must be y, got z")\n',
        [began(STACK), said("mini:x must be y, got z\n"), said(ENDED)],
        2,
        "usage",
        "mini:x must be y, got z",
    ),
    "the program refuses after its first resource": (
        f'{MAKES}raise pulumi.RunError("half-way")\n',
        [began(STACK), began(TOPIC), said("half-way\n"), said(ENDED)],
        1,
        "program",
        "half-way",
    ),
    "the program raises": (
        'raise RuntimeError("out of ideas")\n',
        [
            began(STACK),
            said("Program failed with an unhandled exception:\nTraceback:\nRuntimeError: out of ideas\n\n"),
        ],
        1,
        "program",
        "RuntimeError: out of ideas",
    ),
    "the cloud refuses": (
        'gcp.pubsub.Topic("jobs", project="some-project", name="goog")\n',
        [began(STACK), began(TOPIC), said("`name` must not. (Error 400: INVALID_ARGUMENT)\n", TOPIC)],
        1,
        "cloud",
        "`name` must",
    ),
}

SCRIPT = """\
#!{python}
import pathlib, sys
here = pathlib.Path(__file__).parent
if "--event-log" in sys.argv:
    log = pathlib.Path(sys.argv[sys.argv.index("--event-log") + 1])
    log.write_text((here / "events").read_text())
    print("error: update failed")
    sys.exit(255)
if "export" in sys.argv:
    print('{{"version": 3, "deployment": {{}}}}')
"""


@pytest.fixture
def mini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: mini\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(folder: Path, case: str) -> None:
    program, _, code, kind, message = CASES[case]
    (folder / "__main__.py").write_text(HEAD + program)
    assert main(["up", "--target", "sandbox-cli", "--json", "report.json"]) == code
    report = json.loads((folder / "report.json").read_text())
    assert schema_errors(report) == []
    (error,) = report["errors"]
    assert error["kind"] == kind
    assert error["message"].startswith(message)


@pytest.mark.parametrize("case", CASES)
def test_fails_as_the_built_in_engine_does(mini: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    folder = mini / "scripted"
    folder.mkdir()
    script = folder / "pulumi"
    script.write_text(SCRIPT.format(python=sys.executable))
    script.chmod(0o755)
    (folder / "events").write_text("".join(json.dumps(event) + "\n" for event in CASES[case][1]))
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    check(mini, case)


@pytest.mark.real_cli
@pytest.mark.parametrize("case", CASES)
def test_real_cli_fails_as_the_built_in_engine_does(mini: Path, case: str) -> None:
    check(mini, case)


@pytest.mark.parametrize("case", CASES)
def test_built_in_engine_fails_so(mini: Path, case: str) -> None:
    program, _, code, kind, _ = CASES[case]
    (mini / "__main__.py").write_text(HEAD + program)
    assert main(["up", "--json", "report.json"]) == code
    (error,) = json.loads((mini / "report.json").read_text())["errors"]
    assert error["kind"] == kind

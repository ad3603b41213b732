"""What is written is what the program says; a program that says more is refused until it is written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from review.cli import main
from review.contract.command import JSON_FILE, files
from review.contract.document import SCHEMA_ID
from review.contract.program import Given
from tests.stack_files import ROOT

DOCS = ROOT / "docs"
WRITTEN = json.loads((DOCS / JSON_FILE).read_text(encoding="utf-8"))
PARTS = ("components", "facts", "operations", "policies", "stacks", "docs")


def _errors(document: Any) -> list[str]:
    schema = json.loads((DOCS / SCHEMA_ID).read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    validator: Any = Draft202012Validator(schema)
    return [error.message for error in validator.iter_errors(document)]


def test_page_document_and_schema_are_what_the_program_says(environments: Mapping[str, Given]) -> None:
    for name, text in files(list(environments.values())).items():
        assert (DOCS / name).read_text(encoding="utf-8") == text, f"docs/{name}: run make contract"


def test_document_is_what_its_schema_says() -> None:
    assert _errors(WRITTEN) == []
    assert list(WRITTEN["environments"]) == ["dev", "staging", "prod"]


def _workload(document: dict[str, Any]) -> dict[str, Any]:
    return document["environments"]["prod"]["workloads"][0]


REFUSED: dict[str, Callable[[dict[str, Any]], object]] = {
    "an unknown part": lambda found: found.update(more=1),
    "no environments": lambda found: found.pop("environments"),
    "a workload of another kind": lambda found: _workload(found).update(kind="function"),
    "a workload without an image": lambda found: _workload(found).pop("image"),
    "a variable with more than a value": lambda found: _workload(found)["environment"][0].update(secret=1),
    "a secret with a value": lambda found: _workload(found)["secrets"][0].update(value="x"),
    "an unknown version policy": lambda found: _workload(found)["secrets"][0].update(version="3"),
    "a port that is text": lambda found: _workload(found).update(ports=["8080"]),
    "an endpoint that is not absolute": lambda found: found["demands"]["endpoints"][0].update(path="health"),
    "an endpoint with a negative time": lambda found: found["demands"]["endpoints"][0].update(maximum_ms=-1),
    "a message without a schema": lambda found: found["messages"]["job"].pop("json_schema"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_schema_refuses(case: str) -> None:
    changed = deepcopy(WRITTEN)
    REFUSED[case](changed)
    assert _errors(changed) != []


def test_nothing_written_is_a_secret_or_a_digest() -> None:
    for name in (JSON_FILE, "service-contract.md"):
        text = (DOCS / name).read_text(encoding="utf-8")
        for word in ("xoxb", "[secret]", "@sha256:", "BEGIN CERTIFICATE", "PRIVATE KEY"):
            assert word not in text, f"{name} holds {word}"


def _copy(folder: Path) -> Path:
    """The program with dev alone, free to be changed."""
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (
        *ROOT.glob("*.py"),
        ROOT / "Pulumi.yaml",
        ROOT / "Pulumi.dev.yaml",
        ROOT / "example-values.yaml",
    ):
        shutil.copy(path, folder)
    return folder


ADDED = '"GOOGLE_CLOUD_PROJECT": layers.settings.project_id,'
CHANGES = {
    '"NEW_SETTING": "on",': "aiprod-v33-api gets NEW_SETTING, of which the contract says nothing: describe",
    '"BUCKET_MORE": "x",': "docs/contract.json must be what the program says, got another text: run make",
}


def test_a_program_that_hands_over_more_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = _copy(tmp_path)
    shutil.rmtree(program / "docs")
    assert main(["contract", "--program", str(program)]) == 0
    assert "contract of dev written: docs/service-contract.md" in capsys.readouterr().out
    path = program / "stacks" / "compute.py"
    text = path.read_text(encoding="utf-8")
    assert text.count(ADDED) == 1
    for addition, said in CHANGES.items():
        path.write_text(text.replace(ADDED, ADDED + addition), encoding="utf-8")
        assert main(["contract", "--check", "--program", str(program)]) == 1
        assert said in capsys.readouterr().out
    path.write_text(text, encoding="utf-8")
    assert main(["contract", "--check", "--program", str(program)]) == 0
    assert "contract of dev is as written" in capsys.readouterr().out


def test_a_message_that_lost_a_field_is_not_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = _copy(tmp_path)
    written = program / "docs" / JSON_FILE
    before = deepcopy(WRITTEN)
    before["messages"]["job"]["json_schema"]["properties"]["extra"] = {"type": "string"}
    before["messages"]["gone"] = before["messages"]["job"]
    written.write_text(json.dumps(before), encoding="utf-8")
    assert main(["contract", "--program", str(program)]) == 1
    said = capsys.readouterr().out
    assert (
        "message job: $.extra is gone, unknown to its consumers: take it back, or raise schema_version"
        in said
    )
    assert "message gone is gone: keep its schema until no message of it can be left" in said
    assert json.loads(written.read_text(encoding="utf-8")) == before


def test_fails_when_a_stack_runs_no_image(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = _copy(tmp_path)
    path = program / "Pulumi.dev.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index("  aiprod:release:")], encoding="utf-8")
    assert main(["contract", "--program", str(program)]) == 2
    said = capsys.readouterr().err
    assert "the program of dev runs no image, so it has no contract: give it a release" in said

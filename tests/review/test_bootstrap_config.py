"""`bootstrap-config`: two lines of the stack file change, nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from review.bootstrap_config import written
from review.cli import main
from sandbox.errors import UsageError
from tests.stack_files import ROOT, STACKS

KEY = "gcpkms://projects/some-project/locations/europe-west1/keyRings/r/cryptoKeys/k"
OUTPUTS = {"secrets_provider": KEY, "project_number": "123456789012", "backend": "gs://b"}


def write(text: str, **outputs: Any) -> str:
    return written(text, "Pulumi.dev.yaml", "aiprod", {**OUTPUTS, **outputs})


@pytest.mark.parametrize("stack", STACKS)
def test_only_two_lines_of_a_real_stack_file_change_and_the_second_run_changes_nothing(stack: str) -> None:
    before = (ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    after = write(before)
    assert [line for line in after.splitlines() if line not in before.splitlines()] == [
        f"secretsprovider: {KEY}",
        '  aiprod:project_number: "123456789012"',
    ]
    assert len(after.splitlines()) == len(before.splitlines()) + 1
    assert write(after) == after
    assert yaml.safe_load(after)["config"]["aiprod:project_number"] == "123456789012"


def test_a_placeholder_is_replaced_and_a_comment_beside_it_stays() -> None:
    after = write(
        "secretsprovider: gcpkms://REPLACE_ME # key\nconfig:\n  aiprod:project_number: REPLACE_ME # number\n"
    )
    assert (
        after == f'secretsprovider: {KEY} # key\nconfig:\n  aiprod:project_number: "123456789012" # number\n'
    )


@pytest.mark.parametrize(
    ("text", "outputs", "sentence"),
    [
        ("config:\n  aiprod:project_number: '999999'\n", {}, "is 999999 and bootstrap says 123456789012"),
        ("secretsprovider: gcpkms://other\nconfig:\n  aiprod:project_number: ''\n", {}, "is gcpkms://other"),
        ("config:\n  aiprod:host: a\n", {}, "aiprod:project_number is missing: add it"),
        ("config: {aiprod:project_number: REPLACE_ME}\n", {}, "aiprod:project_number is missing"),
        ("config: [", {}, "aiprod:project_number is missing"),
        ("config:\n  aiprod:project_number: x\n", {"project_number": None}, "output project_number is not"),
        (
            "config:\n  aiprod:project_number: x\n",
            {"secrets_provider": "passphrase"},
            "got passphrase: run bootstrap again",
        ),
    ],
)
def test_fails_when_it_would_replace_a_real_value_or_has_none(
    text: str, outputs: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        write(text, **outputs)


def _pulumi(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    project = folder / "project"
    (project / "bootstrap").mkdir(parents=True)
    (project / "Pulumi.yaml").write_text("name: aiprod\nruntime: python\n")
    (project / "__main__.py").touch()
    (project / "Pulumi.dev.yaml").write_text("config:\n  aiprod:project_number: REPLACE_ME\n")
    (folder / "pulumi").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.chdir(project)
    return project


def test_the_command_reads_the_stack_of_bootstrap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = _pulumi(
        tmp_path,
        monkeypatch,
        'test "$*" = "stack output --json --stack dev --non-interactive" || exit 9\n'
        'test "$(basename "$PWD")" = bootstrap || exit 8\n'
        f'echo \'{{"secrets_provider": "{KEY}", "project_number": "123456"}}\'',
    )
    assert main(["bootstrap-config", "--stack", "dev"]) == 0
    expected = f'secretsprovider: {KEY}\nconfig:\n  aiprod:project_number: "123456"\n'
    assert (project / "Pulumi.dev.yaml").read_text() == expected
    assert main(["bootstrap-config", "--stack", "dev"]) == 0
    assert "says what bootstrap says already" in capsys.readouterr().out


@pytest.mark.parametrize("stack", ["dev", "produktion"])
def test_fails_when_there_are_no_outputs(
    stack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = _pulumi(tmp_path, monkeypatch, "echo 'error: no stack' >&2; exit 255")
    assert main(["bootstrap-config", "--stack", stack]) == 2
    sentence = capsys.readouterr().err
    assert "run bootstrap first" in sentence if stack == "dev" else "is unknown" in sentence
    assert "REPLACE_ME" in (project / "Pulumi.dev.yaml").read_text()


def test_fails_when_the_cli_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _pulumi(tmp_path, monkeypatch, "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    assert main(["bootstrap-config", "--stack", "dev"]) == 2
    assert "the Pulumi CLI is not on PATH" in capsys.readouterr().err

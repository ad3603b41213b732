"""`bootstrap-config`: one line of the stack file changes, nothing else."""

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
    return written(text, "Pulumi.dev.yaml", {**OUTPUTS, **outputs})


@pytest.mark.parametrize("stack", STACKS)
def test_only_one_line_of_a_real_stack_file_changes_and_the_second_run_changes_nothing(stack: str) -> None:
    before = (ROOT / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    after = write(before)
    assert [line for line in after.splitlines() if line not in before.splitlines()] == [
        f"secretsprovider: {KEY}",
    ]
    assert len(after.splitlines()) == len(before.splitlines()) + 1
    assert write(after) == after
    assert yaml.safe_load(after)["secretsprovider"] == KEY


def test_a_placeholder_is_replaced_and_a_comment_beside_it_stays() -> None:
    after = write("secretsprovider: gcpkms://REPLACE_ME # key\nconfig:\n  aiprod:host: a # host\n")
    assert after == f"secretsprovider: {KEY} # key\nconfig:\n  aiprod:host: a # host\n"


@pytest.mark.parametrize(
    ("text", "outputs", "sentence"),
    [
        (
            "secretsprovider: gcpkms://other\nconfig: {}\n",
            {},
            "secretsprovider is gcpkms://other and bootstrap",
        ),
        ("config: [", {}, "is not valid YAML"),
        ("{config: {}}", {}, "cannot be edited line by line|is not valid YAML"),
        ("config: {}\n", {"secrets_provider": None}, "got nothing: run bootstrap again"),
        ("config: {}\n", {"secrets_provider": "passphrase"}, "got passphrase: run bootstrap again"),
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
    (project / "Pulumi.dev.yaml").write_text("config:\n  aiprod:host: REPLACE_ME\n")
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
    assert main(["bootstrap-config", "--target", "gcp", "--stack", "dev"]) == 0
    expected = f"secretsprovider: {KEY}\nconfig:\n  aiprod:host: REPLACE_ME\n"
    assert (project / "Pulumi.dev.yaml").read_text() == expected
    assert main(["bootstrap-config", "--target", "gcp", "--stack", "dev"]) == 0
    assert "says what bootstrap says already" in capsys.readouterr().out


@pytest.mark.parametrize("stack", ["dev", "produktion"])
def test_fails_when_there_are_no_outputs(
    stack: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = _pulumi(tmp_path, monkeypatch, "echo 'error: no stack' >&2; exit 255")
    assert main(["bootstrap-config", "--target", "gcp", "--stack", stack]) == 2
    sentence = capsys.readouterr().err
    assert "run bootstrap first" in sentence if stack == "dev" else "is unknown" in sentence
    assert "REPLACE_ME" in (project / "Pulumi.dev.yaml").read_text()


def test_fails_when_the_cli_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _pulumi(tmp_path, monkeypatch, "exit 0")
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    assert main(["bootstrap-config", "--target", "gcp", "--stack", "dev"]) == 2
    assert "the Pulumi CLI is not on PATH" in capsys.readouterr().err

"""The command line: exit codes, wrong use, and what it does not load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from review.cli import main


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nothing"], "No such command 'nothing'."),
        (["preview", "--stak", "dev"], "No such option"),
        (["diff"], "Missing option '--base'."),
        (["preview", "--state", "absent.json"], "File 'absent.json' does not exist."),
        (["up", "--target", "aws"], "'aws' is not one of 'sandbox', 'sandbox-cli', 'gcp'."),
        (["preview", "--target", "gcp", "--json", "x.json"], "x.json belongs to another --target"),
        (["up"], "Pulumi.yaml does not exist: run this in the folder of a Pulumi project"),
    ],
)
def test_fails_when_used_wrongly(
    arguments: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert sentence in captured.err
    assert captured.err.startswith("sandbox: ")
    assert len(captured.err.splitlines()) == 1


def test_help_names_every_command_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for word in ("preview", "up", "down", "diff", "sandbox", "0 fine", "2 wrong use"):
        assert word in text


def test_command_line_loads_neither_pulumi_nor_rich_before_it_must() -> None:
    program = (
        "import sys; from review.cli import main; main(['--help'])\n"
        "print(sorted({'pulumi', 'rich', 'sandbox.engine', 'sandbox.host'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"

"""A command that is really interrupted or killed, in a process of its own; then the same command again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
TOPICS = 6
PROGRAM = f"""\
import pathlib, time
import pulumi
import pulumi_gcp as gcp

here = pathlib.Path(__file__).resolve().parent

def wait(_):
    if not pulumi.runtime.is_dry_run() and (here / "HELD").exists() and (here / WAITS).exists():
        (here / "half").touch()
        time.sleep(60)

before = None
for number in range({TOPICS}):
    before = gcp.pubsub.Topic(
        f"topic-{{number}}",
        project="some-project",
        labels={{"after": before.name.apply(str.lower)}} if before else {{}},
    )
    if number == 2:
        before.id.apply(wait)
"""
PATIENCE_SECONDS = 60


class Mini:
    """A program that stops in the middle of its update as long as the file `HELD` is there."""

    def __init__(self, folder: Path, waits: str) -> None:
        self.folder = folder
        (folder / "Pulumi.yaml").write_text("name: mini\nruntime: python\n")
        (folder / "Pulumi.dev.yaml").write_text("config: {}\n")
        (folder / "__main__.py").write_text(PROGRAM.replace("WAITS", repr(waits)))
        (folder / "HELD").touch()

    def start(self, *options: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "review", "up", "--json", "report.json", *options],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def strike(self, number: signal.Signals, *options: str) -> tuple[int, str]:
        """Start an `up`, and send the signal to it and all it started, as a terminal does, half-way."""
        process = self.start(*options)
        end = time.monotonic() + PATIENCE_SECONDS
        while not (self.folder / "half").exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < end
            time.sleep(0.02)
        os.killpg(process.pid, number)
        _, said = process.communicate(timeout=PATIENCE_SECONDS)
        (self.folder / "HELD").unlink()
        return process.returncode, said

    def up(self, *options: str) -> dict[str, Any]:
        process = self.start(*options)
        output, said = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, output + said
        assert "Traceback" not in output + said
        report: dict[str, Any] = json.loads((self.folder / "report.json").read_text())
        return report

    def made(self) -> list[str]:
        """What stands at the stand-in cloud of the built-in engine."""
        cloud = json.loads((self.folder / ".sandbox" / "dev.cloud.json").read_text())
        return sorted(record["id"] for record in cloud["resources"])

    def converges(self, *options: str) -> None:
        report = self.up(*options)
        topics = [row for row in report["resources"] if row["type"] == "gcp:pubsub/topic:Topic"]
        assert len(topics) == TOPICS
        assert set(self.up(*options)["summary"]) == {"same"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["SIGINT", "SIGKILL"])
def test_an_update_that_is_played_leaves_everything_as_it_was(tmp_path: Path, number: signal.Signals) -> None:
    mini = Mini(tmp_path, waits="Pulumi.yaml")
    code, said = mini.strike(number)
    assert code == (130 if number is signal.SIGINT else -number)
    if number is signal.SIGINT:
        assert said.splitlines()[-1] == "sandbox: interrupted; the state is as it was before"
    assert "Traceback" not in said
    assert {path.name for path in (tmp_path / ".sandbox").iterdir()} <= {"dev.lock", "passphrase"}
    mini.converges()
    assert len(mini.made()) == TOPICS


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["SIGINT", "SIGKILL"])
def test_an_update_that_keeps_its_steps_is_gone_on_with(tmp_path: Path, number: signal.Signals) -> None:
    mini = Mini(tmp_path, waits=".sandbox/dev.journal")
    code, said = mini.strike(number, "--fault", "quota@99")
    assert code == (130 if number is signal.SIGINT else -number)
    if number is signal.SIGINT:
        assert said.splitlines()[-1] == (
            "sandbox: interrupted; what was done until then is kept, "
            "and the same command again goes on from there"
        )
    assert "Traceback" not in said
    assert (tmp_path / ".sandbox" / "dev.journal").exists()
    mini.converges()
    assert len(mini.made()) == TOPICS


@pytest.mark.real_cli
def test_the_real_cli_is_waited_for(tmp_path: Path) -> None:
    mini = Mini(tmp_path, waits="Pulumi.yaml")
    code, said = mini.strike(signal.SIGINT, "--target", "sandbox-cli")
    assert code == 130
    assert "what was done until then is kept" in said.splitlines()[-1]
    mini.converges("--target", "sandbox-cli")

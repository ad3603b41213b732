"""The same scenario on the real Pulumi CLI: same program, same cloud, same steps, same state."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.plugin import install
from sandbox.project import load_project, load_stack
from tests.end_to_end.conftest import Platform

pytestmark = [
    pytest.mark.real_cli,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="the real Pulumi CLI is not on PATH"),
]
CHANGES = {"create", "update", "replace", "delete"}


class RealCli:
    """The CLI on a local backend, with the stand-in cloud as its providers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        here = folder / ".real"
        offline = install(here / "bin", here / "world.json")
        (here / "state").mkdir()
        path = [str(here / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")},
            **offline,
            "PATH": os.pathsep.join(path),
            "PULUMI_BACKEND_URL": f"file://{here / 'state'}",
            "PULUMI_HOME": str(here / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "test",
        }
        self.run("stack", "init", "dev")

    def run(self, *arguments: str) -> str:
        command = ["pulumi", *arguments, "--non-interactive", "--color", "never"]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return done.stdout

    def steps(self) -> dict[str, tuple[str, list[str]]]:
        """What a preview would change: operation and property paths by URN."""
        digest = json.loads(self.run("preview", "--stack", "dev", "--json"))
        return {
            step["urn"]: (step["op"], sorted(step.get("detailedDiff") or {}))
            for step in digest["steps"]
            if step["op"] in CHANGES
        }

    def resources(self) -> dict[str, Mapping[str, Any]]:
        deployment = json.loads(self.run("stack", "export", "--stack", "dev"))["deployment"]
        return {item["urn"]: item for item in deployment["resources"]}


def fill_examples(platform: Platform) -> None:
    """Write the example values into the stack file: the real CLI fills in nothing."""
    program = load_project(platform.folder)
    settings = load_stack(program, "dev")
    text = program.stack_file("dev").read_text(encoding="utf-8")
    document = yaml.safe_load(text)
    for key, value in settings.values.items():
        if key in document["config"]:
            kind = program.declarations[key].type if key in program.declarations else "object"
            document["config"][key] = value if kind == "string" else json.loads(value)
    program.stack_file("dev").write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    project = platform.folder / "Pulumi.yaml"
    # The interpreter of this test stands in for the project's own environment.
    project.write_text(project.read_text().replace("    virtualenv: .venv\n", ""))


def sandbox_steps(platform: Platform) -> dict[str, tuple[str, list[str]]]:
    preview = platform.run("preview")
    assert preview.code == 0, preview.output
    return {
        step["urn"]: (step["op"], sorted(item["path"] for item in step["diff"]))
        for step in preview.steps(*CHANGES)
    }


def shape(row: Mapping[str, Any]) -> tuple[str, str, bool, list[str]]:
    parent, protect = row.get("parent") or "", bool(row.get("protect"))
    return row["type"], parent, protect, sorted(row.get("dependencies") or [])


def test_real_cli_takes_the_same_steps_to_the_same_state(platform: Platform) -> None:
    fill_examples(platform)
    release = platform.without_release("dev")
    cli = RealCli(platform.folder)

    def both(expected: set[str]) -> None:
        real, ours = cli.steps(), sandbox_steps(platform)
        assert {op for op, _ in real.values()} == expected
        assert ours == real
        cli.run("up", "--stack", "dev", "--yes", "--skip-preview")
        assert platform.run("up").code == 0
        stored = json.loads((platform.folder / ".sandbox" / "dev.json").read_text(encoding="utf-8"))
        mine = {row["urn"]: shape(row) for row in stored["deployment"]["resources"]}
        assert mine == {urn: shape(row) for urn, row in cli.resources().items()}
        assert cli.steps() == {} == sandbox_steps(platform)

    both({"create"})
    platform.edit("dev", lambda config: config.update({"aiprod:release": release}))
    both({"create", "update"})
    platform.edit("dev", lambda config: config["aiprod:redis"].update(memory_size_gb=5))
    both({"update"})

    cli.run("destroy", "--stack", "dev", "--yes", "--skip-preview", "--exclude-protected")
    assert platform.run("down").code == 0
    kept = {urn for urn, row in cli.resources().items() if row["type"].startswith("gcp:")}
    stored = json.loads((platform.folder / ".sandbox" / "dev.json").read_text(encoding="utf-8"))
    assert kept == {row["urn"] for row in stored["deployment"]["resources"] if row["type"].startswith("gcp:")}

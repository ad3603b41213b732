"""The page of the rollback: its commands exist, its shell is sound, and the page of all pages names it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from operations.release.__main__ import main
from operations.release.decide import Rules
from tests.stack_files import ROOT

PAGE = (ROOT / "docs" / "runbooks" / "deploy-rollback.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)
TOLD = PAGE.replace("$REGION", "r").replace("$REVISION", "api-00001-abc")
LINES = [line.strip() for block in BLOCKS for line in block.splitlines()]
# Verb -> the options used of it, as the Google Cloud CLI 578.0.0 has them (`gcloud help`).
GCLOUD = {
    "run services describe": {"--project", "--region", "--format"},
    "run services update-traffic": {"--project", "--region", "--to-revisions"},
    "run revisions list": {"--project", "--region", "--service", "--limit"},
}


@pytest.mark.parametrize("command", [line for line in LINES if line.startswith("gcloud ")])
def test_every_gcloud_command_is_one_of_the_table(command: str) -> None:
    verb = next(known for known in GCLOUD if command.startswith(f"gcloud {known} "))
    assert set(re.findall(r"(?<= )--[a-z-]+", command)) <= GCLOUD[verb]
    assert '--project="$PROJECT"' in command


@pytest.mark.parametrize("words", re.findall(r'ARGS="?([a-z0-9 =-]+)"?', TOLD))
def test_every_word_is_one_that_the_command_takes(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = (
        "p",
        "service projects/p/locations/r/services/api",
        "objective projects/p/services/a/x",
        "latency 1",
    )
    script = tmp_path / "review"
    script.write_text("#!/bin/sh\n" + "".join(f"echo '{fact}'\n" for fact in facts))
    script.chmod(0o755)
    monkeypatch.setenv("REVIEW", str(script))
    assert main([*words.split(), "--stack", "prod", "--target", "sandbox"]) == 0


def test_the_deployment_gives_back_what_is_halfway_and_nothing_else() -> None:
    """By this command alone: another one's failure says nothing about the traffic."""
    workflow = (ROOT / ".github/workflows/deploy-stack.yml").read_text("utf-8")
    commands = re.findall(r"run: (make release .*)", workflow)
    assert [line.partition("TARGET=gcp")[2].strip() for line in commands] == [
        "ARGS=hold",
        'ARGS="--when-quiet $WHEN_QUIET"',
        "ARGS='back --only-halfway'",
    ]


def test_the_deployment_offers_what_a_quiet_release_may_do() -> None:
    read = {
        name: yaml.safe_load((ROOT / ".github/workflows" / name).read_text("utf-8"))
        for name in ("deploy.yml", "deploy-stack.yml")
    }
    # YAML 1.1 takes the key `on` for a truth value.
    offered = read["deploy.yml"][True]["workflow_dispatch"]["inputs"]["when_quiet"]
    taken = read["deploy-stack.yml"][True]["workflow_call"]["inputs"]["when_quiet"]
    assert offered["default"] == taken["default"] == Rules(latency_ms=1.0).when_quiet
    for choice in offered["options"]:
        assert main(["walk", "--stack", "prod", "--target", "sandbox", "--when-quiet", choice]) == 0


def test_shell_of_the_page_is_sound() -> None:
    script = "#!/bin/sh\nSTACK=prod PROJECT=p REGION=r REVISION=v\n" + "\n".join(BLOCKS)
    done = subprocess.run(
        [f"{sys.prefix}/bin/shellcheck", "-"], input=script, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_overview_names_the_page() -> None:
    assert "[deploy-rollback](deploy-rollback.md)" in (ROOT / "docs/runbooks/README.md").read_text("utf-8")

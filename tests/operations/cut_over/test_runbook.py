"""The page of the cut-over: its commands exist, its shell is sound, and it leads where others lead from."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.stack_files import ROOT

PAGE = (ROOT / "docs" / "runbooks" / "database-cut-over.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)
# Verb -> the options used of it, as the Google Cloud CLI 578.0.0 has them (`gcloud help`).
GCLOUD = {
    "sql instances describe": {"--project", "--format"},
    "sql instances patch": {"--project", "--database-flags"},
    "sql backups list": {"--project", "--instance", "--limit"},
    "sql backups create": {"--project", "--instance"},
    "sql users create": {"--project", "--instance"},
    "sql users set-password": {"--project", "--instance", "--prompt-for-password"},
    "sql users delete": {"--project", "--instance"},
    "sql databases create": {"--project", "--instance"},
    "sql databases delete": {"--project", "--instance"},
    "run services update-traffic": {"--project", "--region", "--to-revisions"},
}
COMMANDS = [
    line.strip() for block in BLOCKS for line in block.splitlines() if line.strip().startswith("gcloud ")
]
STEPS = re.findall(r"make cut-over STEP=(\w+)", PAGE)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_gcloud_command_is_one_of_the_table(command: str) -> None:
    verb = next(known for known in GCLOUD if command.startswith(f"gcloud {known} "))
    assert set(re.findall(r"(?<= )--[a-z-]+", command)) <= GCLOUD[verb]
    assert '--project="$PROJECT"' in command


def test_the_table_holds_no_command_that_the_page_does_not_use() -> None:
    assert {verb for verb in GCLOUD if any(c.startswith(f"gcloud {verb} ") for c in COMMANDS)} == set(GCLOUD)


def test_shellcheck_finds_nothing_in_its_blocks() -> None:
    variables = sorted(set(re.findall(r"\$([A-Z_]+)", PAGE)))
    script = "#!/usr/bin/env bash\n" + "".join(f"{name}=x\n" for name in variables) + "\n".join(BLOCKS)
    done = subprocess.run(
        [ROOT / ".venv" / "bin" / "shellcheck", "--shell=bash", "-"],
        input=script,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("step", sorted({*STEPS}))
def test_every_step_of_the_page_is_a_step_of_the_program(step: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "operations.cut_over", step, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert f"| `{step}` |" in PAGE


def test_every_step_of_the_program_is_on_the_page() -> None:
    help_text = subprocess.run(
        [sys.executable, "-m", "operations.cut_over", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = set(re.findall(r"^    (\w+)(?:  |$)", help_text, flags=re.MULTILINE))
    assert found == {*STEPS}
    assert len(found) == 8


def test_the_page_has_the_parts_of_every_page_and_is_linked() -> None:
    for heading in ("## Symptom", "## Meaning", "## First commands", "## Fix", "## Escalation"):
        assert heading in PAGE
    for place, link in (
        ("docs/adoption.md", "runbooks/database-cut-over.md"),
        ("docs/runbooks/README.md", "database-cut-over.md"),
    ):
        assert f"]({link})" in (ROOT / place).read_text(encoding="utf-8")


def test_no_command_carries_a_password() -> None:
    assert "--password=" not in PAGE
    assert not re.search(r"password=\S", PAGE)

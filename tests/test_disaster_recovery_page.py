"""The disaster recovery page: its tables are those of the stack files, its parts whole, its commands real."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from review.region_plan import load_plan
from tests.components.observability.test_alert_tables import ALL
from tools.recovery_page import PAGE, STACKS, render

ROOT = Path(__file__).parent.parent
TEXT = PAGE.read_text(encoding="utf-8")
SCENARIOS = re.findall(r"^## ([1-5] [^\n]+)$", TEXT, re.MULTILINE)
SHELL = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)


def part(title: str) -> str:
    """What stands under a heading."""
    return TEXT.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_the_tables_are_those_of_the_stack_files() -> None:
    assert render(TEXT) == TEXT, "run python -m tools.recovery_page"
    assert all(f"### {stack}\n" in TEXT for stack in STACKS)


def test_there_are_five_scenarios() -> None:
    assert [title[0] for title in SCENARIOS] == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("title", SCENARIOS)
def test_a_scenario_says_all_that_a_tired_person_needs(title: str) -> None:
    text = part(title)
    for word in ("Notice", "Decide", "Steps", "Verify", "Home", "Tell"):
        assert f"**{word}**" in text, f"{title} does not say {word}"
    assert f"(#{title.lower().replace(' ', '-')})" in TEXT, f"nothing leads to {title}"


def test_every_alert_named_exists() -> None:
    for title in SCENARIOS:
        notice = part(title).partition("**Notice**")[2].partition("**Decide**")[0]
        named = set(re.findall(r"`([a-z-]+)`", notice))
        assert named <= set(ALL), f"{title} names {sorted(named - set(ALL))}"


def test_every_make_target_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?:`|\n)make ([a-z-]+)", TEXT):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize("block", SHELL, ids=range(len(SHELL)))
def test_shell_is_sound(block: str, tmp_path: Path) -> None:
    script = tmp_path / "block.sh"
    given = 'PROJECT="$1" REGION="$2" CLONE="$3" MOMENT="$4"\n'
    script.write_text(f"#!/bin/bash\n{given}{block}", encoding="utf-8")
    check = Path(sys.executable).parent / "shellcheck"
    done = subprocess.run([check, "--exclude=SC2034", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_phases_of_the_page_are_those_that_are_played() -> None:
    first = load_plan(ROOT / "recovery" / "prod.yaml")["europe-west1"][0]
    text = part("3 Loss of the first region")
    assert {"lost_region", "api.second_region"} < set(first.settings)
    for word in ("`lost_region`", "`promoted`", "`api.second_region`", "`stand_ins: true`"):
        assert word in text

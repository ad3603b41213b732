"""Bootstrap on the built-in engine and on the real CLI: the same steps, the same resources, then nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
NOT_COPIED = shutil.ignore_patterns(".*", "build", "tests", "docs", "bench", "__pycache__", "*.egg-info")


def up(folder: Path, stack: str, target: str) -> dict[str, Any]:
    file = folder / "report.json"
    file.unlink(missing_ok=True)
    where = ["--program", "bootstrap", "--stack", stack, "--target", target]
    done = subprocess.run(
        [sys.executable, "-m", "review", "up", *where, "--json", str(file)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr
    return json.loads(file.read_text(encoding="utf-8"))


def steps(report: dict[str, Any]) -> list[tuple[str, str, str]]:
    return sorted((step["op"], step["type"], step["name"]) for step in report["steps"])


def resources(report: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """By type and name; the order of dependencies says nothing."""
    return {
        (item["type"], item["name"]): {**item, "dependencies": sorted(item["dependencies"])}
        for item in report["resources"]
    }


@pytest.mark.real_cli
@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_the_real_cli_does_the_same_and_the_same_again_nothing(stack: str, tmp_path: Path) -> None:
    copy = tmp_path / "platform"
    shutil.copytree(ROOT, copy, ignore=NOT_COPIED)
    ours, theirs = up(copy, stack, "sandbox"), up(copy, stack, "sandbox-cli")
    assert steps(ours) == steps(theirs)
    assert resources(ours) == resources(theirs)
    for target in ("sandbox", "sandbox-cli"):
        assert set(up(copy, stack, target)["summary"]) == {"same"}

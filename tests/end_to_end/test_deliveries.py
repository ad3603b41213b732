"""A work queue of each delivery in the sandbox: it comes up, stays, takes a change and goes."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from review.cli import main
from tests.end_to_end.conftest import REPOSITORY

PROGRAM = Path(__file__).parent / "deliveries"


def run(command: str, folder: Path) -> dict[str, Any]:
    report = folder.parent / "report.json"
    code = main([command, "--program", str(folder), "--stack", "dev", "--json", str(report)])
    found = json.loads(report.read_text(encoding="utf-8"))
    assert (code, found["errors"]) == (0, []), found["errors"]
    return found


def steps(report: dict[str, Any]) -> Counter[str]:
    return Counter(step["op"] for step in report["steps"])


def test_every_delivery_comes_up_stays_takes_a_change_and_goes(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(PROGRAM, tmp_path / "deliveries"))
    for room in ("components", "facts"):
        (folder / room).symlink_to(REPOSITORY / room)
    made = run("up", folder)
    assert steps(made).keys() == {"create"}
    assert made["quiet_failures"] == []
    assert steps(run("up", folder)).keys() <= {"same", "read"}
    source = folder / "__main__.py"
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace("max_delivery_attempts=5", "max_delivery_attempts=6"), encoding="utf-8")
    changed = run("up", folder)
    assert (steps(changed)["update"], steps(changed)["create"], steps(changed)["replace"]) == (4, 0, 0)
    assert steps(run("down", folder)).keys() == {"delete"}

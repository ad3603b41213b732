"""A task queue in the sandbox: it comes up, stays, takes a change, and goes with its name blocked."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.end_to_end.conftest import REPOSITORY
from tests.end_to_end.test_deliveries import run, steps

PROGRAM = Path(__file__).parent / "tasks"


def changed(folder: Path, old: str, new: str) -> None:
    source = folder / "__main__.py"
    text = source.read_text(encoding="utf-8")
    assert old in text
    source.write_text(text.replace(old, new), encoding="utf-8")


def test_queue_comes_up_stays_takes_a_change_and_goes(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(PROGRAM, tmp_path / "tasks"))
    for room in ("components", "facts"):
        (folder / room).symlink_to(REPOSITORY / room)
    made = run("up", folder)
    assert (steps(made).keys(), made["quiet_failures"]) == ({"create"}, [])
    assert steps(run("up", folder)).keys() <= {"same", "read"}
    changed(folder, "per_second=10", "per_second=20")
    update = run("up", folder)
    assert (steps(update)["update"], steps(update)["create"], steps(update)["replace"]) == (1, 0, 0)
    assert steps(run("down", folder)).keys() == {"delete"}
    # Google blocks the name for about a week.
    with pytest.raises(AssertionError, match=r"cloudtasks/queue:Queue"):
        run("up", folder)

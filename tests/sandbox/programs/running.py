"""Programs not written here: a copy of one, and the command line run on it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Final

from review.cli import main

__all__ = ["HERE", "Runner", "copied"]

HERE: Final = Path(__file__).parent


def copied(name: str, folder: Path) -> Path:
    """The program of this name in a folder of its own."""
    return Path(shutil.copytree(HERE / name, folder / name))


class Runner:
    """Runs the command and reads its report."""

    def __init__(self, report: Path) -> None:
        self._report = report

    def __call__(self, command: str, program: Path, *options: str) -> tuple[int, dict[str, Any]]:
        code = main(
            [command, "--program", str(program), "--stack", "dev", "--json", str(self._report), *options]
        )
        return code, json.loads(self._report.read_text(encoding="utf-8"))

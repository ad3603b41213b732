"""The commands on a small program, with the built-in engine and with the real CLI on the stand-in cloud."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from review.cli import main
from tests.review.report_schema import schema_errors

__all__ = ["TARGETS", "Mini", "changes"]

TARGETS = [
    pytest.param("sandbox"),
    pytest.param(
        "sandbox-cli",
        marks=[
            pytest.mark.real_cli,
        ],
    ),
]


class Mini:
    """A small program, and the commands run on it with one of the engines."""

    def __init__(self, folder: Path, target: str, program: str = "") -> None:
        self.folder = folder
        self.target = target
        (folder / "Pulumi.yaml").write_text("name: mini\nruntime: python\n")
        (folder / "Pulumi.dev.yaml").write_text("config: {}\n")
        self.write(program)

    def write(self, program: str) -> None:
        (self.folder / "__main__.py").write_text(program)

    def run(self, command: str, fixture: Any = None) -> tuple[int, dict[str, Any]]:
        (self.folder / "report.json").unlink(missing_ok=True)
        more: list[str] = []
        if fixture is not None:
            (self.folder / "fixture.json").write_text(json.dumps(fixture))
            more = ["--fixture", "fixture.json"]
        code = main([command, "--target", self.target, "--json", "report.json", *more])
        path = self.folder / "report.json"
        report: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        assert not report or schema_errors(report) == []
        return code, report


def changes(report: dict[str, Any]) -> dict[str, tuple[str, list[tuple[str, str, Any, Any]]]]:
    return {
        step["name"]: (
            step["op"],
            [(item["path"], item["kind"], item["old"], item["new"]) for item in step["diff"]],
        )
        for step in report["steps"]
        if step["op"] != "same"
    }

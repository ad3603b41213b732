"""A copy of the project whose stack files a test may change, and the command line run on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from review.cli import main
from tests.review.report_schema import schema_errors

REPOSITORY = Path(__file__).parents[2]
CODE = (
    "__main__.py",
    "config.py",
    "config_capacity.py",
    "config_collector.py",
    "config_database.py",
    "config_edge.py",
    "config_messaging.py",
    "config_release.py",
    "config_sections.py",
    "config_types.py",
    "naming.py",
    "components",
    "operations",
    "stacks",
    "facts",
    "policies",
)


@dataclass(frozen=True, slots=True)
class Result:
    """What one command ended with."""

    code: int
    report: Mapping[str, Any]
    output: str
    error: str

    @property
    def summary(self) -> dict[str, int]:
        return dict(self.report["summary"])

    @property
    def types(self) -> set[str]:
        return {row["type"] for row in self.report["resources"]}

    def steps(self, *ops: str) -> list[Mapping[str, Any]]:
        return [step for step in self.report["steps"] if step["op"] in ops]


class Platform:
    """The platform's program in a folder of its own."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capture = capture
        for name in CODE:
            if (REPOSITORY / name).exists():
                (folder / name).symlink_to(REPOSITORY / name)
        for path in (*REPOSITORY.glob("Pulumi*.yaml"), REPOSITORY / "example-values.yaml"):
            (folder / path.name).write_bytes(path.read_bytes())

    def config(self, stack: str) -> dict[str, Any]:
        return yaml.safe_load(self._file(stack).read_text(encoding="utf-8"))["config"]

    def edit(self, stack: str, change: Callable[[dict[str, Any]], object]) -> None:
        """Change the configuration of a stack."""
        document = yaml.safe_load(self._file(stack).read_text(encoding="utf-8"))
        change(document["config"])
        self._file(stack).write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")

    def without_release(self, stack: str) -> dict[str, Any]:
        """Take the release block out and return it."""
        release: dict[str, Any] = self.config(stack).get("aiprod:release", {})
        self.edit(stack, lambda config: config.pop("aiprod:release", None))
        return release

    def run(self, command: str, *options: str, stack: str = "dev") -> Result:
        """One command of `python -m review`, with its report."""
        path = self.folder / "report.json"
        path.unlink(missing_ok=True)
        self._capture.readouterr()
        code = main([command, "--stack", stack, "--json", str(path), *options])
        captured = self._capture.readouterr()
        report: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        assert not report or schema_errors(report) == []
        assert "sandbox" in captured.out + captured.err
        assert "Traceback" not in captured.out + captured.err
        return Result(code=code, report=report, output=captured.out, error=captured.err)

    def files(self) -> dict[str, bytes]:
        """Everything the sandbox keeps, but for locks, byte for byte."""
        folder = self.folder / ".sandbox"
        return {
            path.name: path.read_bytes()
            for path in sorted(folder.glob("*"))
            if path.suffix != ".lock" and path.is_file()
        }

    def _file(self, stack: str) -> Path:
        return self.folder / f"Pulumi.{stack}.yaml"


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Platform:
    monkeypatch.chdir(tmp_path)
    return Platform(tmp_path, capsys)

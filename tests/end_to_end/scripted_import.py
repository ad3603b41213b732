"""The command `adopt`, and a stack at Google whose import is written down instead of done."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from review import real_cli
from review.cli import main
from sandbox.project import Program


class ScriptedImport:
    """What the import was asked to take, each time, and after which providers; what the state holds."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.providers: list[list[str]] = []
        self.state: list[dict[str, Any]] = []


def adopted(capsys: pytest.CaptureFixture[str], *options: str, stack: str = "prod") -> tuple[int, str]:
    """How `adopt` ends, and all that it says."""
    code = main(["adopt", "--stack", stack, *options])
    captured = capsys.readouterr()
    assert "Traceback" not in captured.out + captured.err
    return code, captured.out + captured.err


def scripted(monkeypatch: pytest.MonkeyPatch) -> ScriptedImport:
    """Every stack at Google is that one."""
    found = ScriptedImport()

    class Scripted(real_cli.RealStack):
        @classmethod
        def open(cls, program: Program, stack: str, say: Callable[[str], None]) -> Scripted:
            return cls(
                program=program, stack=stack, command="pulumi", backend="", secrets_provider="", say=say
            )

        def resources(self) -> Sequence[Mapping[str, Any]]:
            return found.state

        def import_live(self, file: Path, providers: Sequence[str]) -> int:
            document = json.loads(file.read_text(encoding="utf-8"))
            found.asked.append([item["id"] for item in document["resources"] if "id" in item])
            found.providers.append(list(providers))
            return 0

    monkeypatch.setattr(real_cli, "RealStack", Scripted)
    return found

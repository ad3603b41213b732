"""A `down` that meets something protected deletes nothing, on the stand-in cloud's CLI as well."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from review import sandbox_cli
from review.commands import Files
from review.protected import refused_down
from review.workspace import Workspace
from sandbox.plugin.cli import SandboxCli
from sandbox.project import load_project
from sandbox.state import StateStore
from tests.stack_files import ROOT

KEY = ("ring", "gcp:kms/keyRing:KeyRing")
DATABASE = ("postgres", "gcp:sql/databaseInstance:DatabaseInstance")


def test_what_google_keeps_is_in_nobody_s_way() -> None:
    assert refused_down("dev", [KEY]) is None
    assert refused_down("dev", []) is None


def test_everything_else_is_named_by_kind() -> None:
    said = refused_down("prod", [KEY, DATABASE, ("cache", "gcp:redis/instance:Instance")])
    assert said is not None
    assert said.startswith("down of prod would delete 2 protected resources, and nothing was deleted: ")
    assert "cache (Instance), postgres (DatabaseInstance)" in said
    assert "ring" not in said


def test_the_cli_is_not_asked_to_delete_around_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It would delete what comes before the protected resource."""
    kept: dict[str, Any] = {
        "urn": "urn:pulumi:prod::aiprod::gcp:sql/databaseInstance:DatabaseInstance::postgres",
        "type": DATABASE[1],
        "custom": True,
        "protect": True,
        "inputs": {},
        "outputs": {},
        "id": "postgres",
    }
    state: dict[str, Any] = {"version": 3, "deployment": {"manifest": {}, "resources": [kept]}}
    asked: list[str] = []

    def destroy(*_: Any, **__: Any) -> list[Any]:
        asked.append("destroy")
        return []

    def export(*_: Any) -> dict[str, Any]:
        return state

    def made(cli: SandboxCli, *_: Any, **__: Any) -> None:
        cli.passphrase, cli.world = "passphrase", tmp_path / "world.json"

    monkeypatch.setattr(SandboxCli, "__init__", made)

    def judged(_: SandboxCli) -> bool:
        return True

    def violations(_: SandboxCli) -> list[Any]:
        return []

    monkeypatch.setattr(SandboxCli, "judged", property(judged))
    monkeypatch.setattr(SandboxCli, "export", export)
    monkeypatch.setattr(SandboxCli, "destroy", destroy)
    monkeypatch.setattr(SandboxCli, "last_violations", violations)
    monkeypatch.chdir(tmp_path)
    out = StringIO()
    program = load_project(ROOT)
    store = StateStore(tmp_path, project=program.name)
    work = Workspace(program=program, store=store, progress=Console(quiet=True))
    code = sandbox_cli.down(work, "prod", Files(), Console(file=out, width=200))
    assert code == 1
    assert asked == []
    assert "nothing was deleted: postgres (DatabaseInstance)" in out.getvalue()

"""No secret value in what the repository keeps, in what a run shows, or readable in the state it leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from facts.secret_forms import secret_form
from review.workspace import Workspace
from sandbox.values import Secret
from tests.end_to_end.conftest import Platform

REPOSITORY = Path(__file__).parents[2]
ROOMS = ("components", "stacks", "facts", "policies", "bootstrap", "review", "operations", "tools", "docs")


def kept_files() -> Iterator[Path]:
    yield from (path for path in REPOSITORY.iterdir() if path.suffix in {".py", ".yaml", ".md", ".toml"})
    for room in ROOMS:
        yield from (
            path
            for path in (REPOSITORY / room).rglob("*")
            if path.suffix in {".py", ".yaml", ".md"} and ".venv" not in path.parts
        )


def test_no_file_of_the_repository_holds_a_secret() -> None:
    files = list(kept_files())
    assert len(files) > 100
    found = {
        str(path.relative_to(REPOSITORY)): secret_form(path.read_text(encoding="utf-8")) for path in files
    }
    assert {name: kind for name, kind in found.items() if kind is not None} == {}


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_no_generated_password_is_readable_in_state_or_report(platform: Platform, stack: str) -> None:
    up = platform.run("up", "--markdown", str(platform.folder / "report.md"), stack=stack)
    assert up.code == 0, up.output
    ground = Workspace.open(platform.folder, Console(quiet=True)).ground(stack)
    made = [
        state
        for state in ground.snapshot.resources
        if state.type == "random:index/randomPassword:RandomPassword"
    ]
    assert made
    values = [item.value for state in made for item in [state.outputs["result"]] if isinstance(item, Secret)]
    assert len(values) == len(made)
    kept = b"".join(platform.files().values()).decode(errors="replace")
    page = (platform.folder / "report.md").read_text(encoding="utf-8")
    for value in values:
        assert len(value) >= 24
        for text in (kept, page, up.output, up.error, json.dumps(up.report)):
            assert value not in text

"""Bootstrap deployed in the sandbox, with the documented example values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sandbox.cloud import World
from sandbox.host import run
from sandbox.model import Mode, Outcome, Snapshot
from sandbox.project import load_project, load_stack

__all__ = ["FOLDER", "deploy", "inputs"]

FOLDER = Path(__file__).parent.parent.parent / "bootstrap"


def deploy(
    stack: str, mode: Mode = Mode.UPDATE, before: Outcome | None = None, world: World | None = None
) -> Outcome:
    program = load_project(FOLDER)
    return run(
        program,
        stack=stack,
        config=load_stack(program, stack),
        snapshot=Snapshot() if before is None else before.snapshot,
        world=World() if world is None else world,
        mode=mode,
    )


def inputs(outcome: Outcome, type: str) -> list[dict[str, Any]]:
    return [dict(state.inputs) for state in outcome.resources if state.type == type]

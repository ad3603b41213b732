"""Bootstrap deployed in the sandbox, with the documented example values."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from sandbox.cloud import World
from sandbox.host import run
from sandbox.model import Mode, Outcome, Snapshot
from sandbox.project import load_project, load_stack

__all__ = ["FOLDER", "deploy", "inputs", "written"]

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


def written(path: str, value: Any) -> Outcome:
    """A preview of prod in which another value stands at one path."""
    program = load_project(FOLDER)
    settings = load_stack(program, "prod")
    key, *parts = path.split(".")
    text = settings.values[f"aiprod-bootstrap:{key}"]
    if parts:
        whole = json.loads(text)
        place = whole
        for part in parts[:-1]:
            place = place[part]
        place[parts[-1]] = value
        text = json.dumps(whole)
    else:
        text = value
    values = {**settings.values, f"aiprod-bootstrap:{key}": text}
    return run(
        program,
        stack="prod",
        config=replace(settings, values=values),
        snapshot=Snapshot(),
        world=World(),
        mode=Mode.PREVIEW,
    )

"""The real CLI's steps for each scenario: read, made, written (``make golden``)."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sandbox.cloud import World
from sandbox.plugin.cli import CliError, SandboxCli
from sandbox.project import StackSettings, load_project
from tests.sandbox.engine.program.scenarios import SCENARIOS, Behind, Refresh

__all__ = ["PROGRAM", "Steps", "arranged", "change_behind", "golden", "real_steps"]

PROGRAM: Final = Path(__file__).parent / "program"
_FILE: Final = Path(__file__).parent / "golden" / "steps.json"

Steps = dict[str, list[tuple[str, dict[str, str], list[str]]]]
"""Operation, changed paths and replace reasons of each URN's steps, in order."""


def arranged(steps: Iterable[tuple[str, str, Mapping[str, str], Sequence[str]]]) -> Steps:
    """Steps by URN.

    Of a resource that is replaced because another one is, the CLI gives the reasons only with the creation,
    the built-in engine also with the replacement: here both have them.
    """
    found: Steps = {}
    for op, urn, diff, reasons in steps:
        found.setdefault(urn, []).append((op, dict(sorted(diff.items())), sorted(reasons)))
    for rows in found.values():
        created = next((reasons for op, _, reasons in rows if op == "create-replacement"), list[str]())
        rows[:] = [(op, diff, created if op == "replace" else reasons) for op, diff, reasons in rows]
    return dict(sorted(found.items()))


def golden() -> dict[str, list[Steps]]:
    """What the CLI did last."""
    document: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return {
        name: [
            {urn: [(op, diff, reasons) for op, diff, reasons in rows] for urn, rows in phase.items()}
            for phase in phases
        ]
        for name, phases in document["scenarios"].items()
    }


def change_behind(world: World, change: Behind) -> None:
    """What somebody else did at the cloud."""
    if change.inputs is None:
        world.remove(change.type, change.id)
        return
    record = world.get(change.type, change.id)
    outputs = {**(record.outputs if record is not None else {}), **change.inputs, "id": change.id}
    world.add(change.type, change.id, change.inputs, outputs)


def real_steps(name: str, folder: Path) -> list[Steps]:
    """What the CLI does now, phase by phase; what it refuses has the steps done until then."""
    program = load_project(PROGRAM)
    done: list[Steps] = []
    for index, phase in enumerate(SCENARIOS[name]):
        values = {"scenarios:scenario": name, "scenarios:phase": str(index)}
        cli = SandboxCli(program, "dev", StackSettings(values=values), folder)
        if isinstance(phase, Behind):
            stored = json.loads(cli.world.read_text(encoding="utf-8")) if cli.world.exists() else None
            world = World.from_json(stored) if stored else World()
            change_behind(world, phase)
            cli.world.write_text(json.dumps(world.to_json()), encoding="utf-8")
            done.append({})
            continue
        try:
            # As `up` does: what a preview refuses is not begun.
            if not isinstance(phase, Refresh):
                cli.preview()
            steps = cli.refresh() if isinstance(phase, Refresh) else cli.up()
        except CliError:
            steps = [] if "preview" in cli.last_arguments else cli.last_steps()
        done.append(arranged((step.op, step.urn, step.diff, step.replace_reasons) for step in steps))
    return done


def main() -> None:
    """Run every scenario on the CLI and write the file."""
    version = subprocess.run(["pulumi", "version"], capture_output=True, text=True, check=True)
    found: dict[str, list[Steps]] = {}
    for name, phases in SCENARIOS.items():
        with tempfile.TemporaryDirectory() as folder:
            found[name] = real_steps(name, Path(folder))
        sys.stdout.write(f"{name}: {len(phases)} phases\n")
    document = {
        "cli": version.stdout.strip(),
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "scenarios": found,
    }
    _FILE.parent.mkdir(exist_ok=True)
    _FILE.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""The commands that adopt a live project: a rehearsal, the same on the real CLI, and the import itself."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from review.adoption import Rehearsal, inventory_path, live_path, losses, rehearsed
from review.clone import GRANTS, Clone, beside, refuse_state, rehearsed_clone
from review.commands import FINE, REFUSED, write
from review.inventory import CutOver, Import, load_inventory, phases, unwritten, with_settings
from review.real_cli import RealStack
from review.report import document
from review.workspace import Workspace, add_existing, add_fixture
from sandbox.cloud import World
from sandbox.errors import UsageError
from sandbox.model import Op
from sandbox.plugin.cli import CliError, SandboxCli
from sandbox.project import Program, StackSettings
from sandbox.state import write_atomically

__all__ = ["on_google", "on_the_cli", "rehearse"]


def rehearse(
    work: Workspace,
    stack: str,
    out: Console,
    *,
    fixture: Path | None,
    json_file: Path | None,
    clone: Clone | None = None,
) -> int:
    """Rehearse the adoption of ``stack``, show it and write the import file into ``build``."""
    wanted, found = _shown(work, stack, out, fixture, clone)
    if json_file is not None:
        settings = work.settings(stack)
        reports = [document(work.report(outcome, settings)) for outcome in found.outcomes]
        written = {"adoption": _rows(found), "refusals": list(found.refusals), "reports": reports}
        write(json_file, json.dumps(written, indent=2) + "\n")
    if found.refusals:
        return REFUSED
    file = _write_imports(work.program, stack, found.import_file())
    for sentence in unwritten(work.program, stack, wanted):
        _say(out, f"before the first up: {sentence}", "yellow")
    _say(out, f"sandbox adoption of {stack}: nothing live is deleted or replaced; wrote {file}", "bold green")
    return FINE


def on_the_cli(
    work: Workspace, stack: str, out: Console, *, fixture: Path | None, clone: Clone | None = None
) -> int:
    """The same adoption on the real CLI with the stand-in cloud: import, ``up``, ``up`` again."""
    wanted, found = _shown(work, stack, out, fixture, clone)
    if found.refusals:
        return REFUSED
    settings = with_settings(work.program, work.settings(stack), wanted)
    folder = work.store.folder / "cli-adoption" / stack
    with work.locked(stack):
        shutil.rmtree(folder, ignore_errors=True)
        try:
            later: list[StackSettings] = []
            if clone is not None:
                cli = beside(work, stack, settings, clone, found, folder)
            else:
                first, *later = phases(work.program, settings)
                cli = SandboxCli(work.program, stack, first, folder)
                world = World()
                add_existing(world, first)
                add_fixture(world, fixture or live_path(work.program, stack))
                write_atomically(cli.world, json.dumps(world.to_json()))
            present = cli.urns()
            file = work.program.directory / _write_imports(work.program, stack, found.import_file(present))
            steps = [*cli.import_live(file, found.providers(present)), *cli.up()]
            for phase in later:
                cli = SandboxCli(work.program, stack, phase, folder)
                steps += cli.up()
            again = [step for step in cli.up() if step.op != Op.SAME]
        except CliError as error:
            _say(out, f"refused: {error.sentence}", "red")
            return REFUSED
    bad = losses(((step.op, step.urn) for step in steps), grants=GRANTS if clone else frozenset())
    bad += [f"a further up would {step.op} {step.urn.rsplit('::', 1)[-1]}" for step in again]
    for sentence in bad:
        _say(out, f"refused: {sentence}", "red")
    if bad:
        return REFUSED
    done = sum(1 for step in steps if step.op == Op.IMPORT)
    _say(
        out,
        f"sandbox-cli adoption of {stack}: {done} imported, nothing live deleted or replaced, and a further "
        "up changes nothing",
        "bold green",
    )
    return FINE


def on_google(work: Workspace, real: RealStack, out: Console, *, clone: Clone | None = None) -> int:
    """Import what is not in the real state yet, after a rehearsal; safe to repeat.

    Raises UsageError when the stack file lacks a setting, or the state is not that of the clone's stack.
    """
    if clone is None:
        inventory = load_inventory(inventory_path(work.program, real.stack))
        missing = unwritten(work.program, real.stack, inventory.settings)
        if missing:
            raise UsageError(f"{missing[0]}: write it there and commit it, then adopt")
    _, found = _shown(work, real.stack, out, None, clone)
    if found.refusals:
        return REFUSED
    resources = real.resources()
    if clone is not None:
        refuse_state(resources, found, clone, real.stack)
    present = frozenset(str(item["urn"]) for item in resources)
    imports = found.import_file(present)
    if not imports["resources"]:
        real.say(f"adoption of {real.stack}: everything to import is in the state already")
        return FINE
    file = _write_imports(work.program, real.stack, imports)
    code = real.import_live(file, found.providers(present))
    if code == FINE:
        real.say(f"imported; see what changes in place: make preview STACK={real.stack} TARGET=gcp")
    return code


def _shown(
    work: Workspace, stack: str, out: Console, fixture: Path | None, clone: Clone | None
) -> tuple[Mapping[str, Any], Rehearsal]:
    """What the stack file must say for the adoption, and how it ends."""
    settings = work.settings(stack)
    wanted: Mapping[str, Any] = {}
    if clone is not None:
        found = rehearsed_clone(work, stack, settings, clone)
    else:
        inventory = load_inventory(inventory_path(work.program, stack))
        wanted = inventory.settings
        settings = with_settings(work.program, settings, wanted)
        found = rehearsed(work, stack, settings, inventory, fixture or live_path(work.program, stack))
    out.print(_table(stack, found))
    for sentence in found.refusals:
        _say(out, f"refused: {sentence}", "red")
    return wanted, found


def _write_imports(program: Program, stack: str, imports: Mapping[str, Any]) -> Path:
    file = Path("build") / f"adopt-{stack}.json"
    (program.directory / file).parent.mkdir(exist_ok=True)
    write(program.directory / file, json.dumps(imports, indent=2) + "\n")
    return file


def _rows(found: Rehearsal) -> list[dict[str, Any]]:
    return [
        {
            **adoption.item.model_dump(),
            "urn": adoption.urn or None,
            "changes": list(adoption.changes),
        }
        for adoption in found.adoptions
    ]


def _table(stack: str, found: Rehearsal) -> Table:
    table = Table(title=f"sandbox adoption of {stack}", title_justify="left")
    for column in ("live resource", "type", "decision", "what happens"):
        table.add_column(column, overflow="fold")
    for adoption in found.adoptions:
        item = adoption.item
        match item:
            case Import():
                fate = f"changed in place: {', '.join(adoption.changes)}" if adoption.changes else "unchanged"
            case CutOver():
                fate = f"succeeded by {item.successor.rsplit('/', 1)[-1]}: {item.reason}"
            case _:
                fate = item.reason
        table.add_row(
            Text(item.id.rsplit("/", 1)[-1]), Text(item.type.rsplit(":", 1)[-1]), item.decision, Text(fate)
        )
    return table


def _say(out: Console, text: str, style: str = "") -> None:
    out.print(Text(text, style=style), soft_wrap=True, highlight=False)

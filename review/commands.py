"""Preview, up and down of one stack, in the sandbox."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from review.markdown import render
from review.overrides import unnamed
from review.protected import refused_down
from review.report import Report, document
from review.terminal import print_report
from review.wording import changed_steps
from review.workspace import Ground, Workspace, has_policies
from sandbox.errors import UsageError
from sandbox.faults import Fault, FaultyCloud
from sandbox.model import Mode, Outcome, Refusal
from sandbox.project import StackSettings
from sandbox.state import snapshot_to_json, write_atomically

__all__ = [
    "FINE",
    "REFUSED",
    "WRONG_USE",
    "Files",
    "down",
    "drift",
    "exit_code",
    "preview",
    "refresh",
    "show",
    "up",
    "write",
]

FINE = 0
REFUSED = 1
WRONG_USE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Where the report goes beside the terminal, and where the cloud's facts come from."""

    json: Path | None = None
    markdown: Path | None = None
    fixture: Path | None = None
    allowed: tuple[str, ...] = ()
    """Names of stateful resources that may be lost."""
    lost: tuple[str, ...] = ()
    """Regions of the stand-in cloud that answer no call."""


def preview(
    work: Workspace,
    stack: str,
    files: Files,
    out: Console,
    *,
    state: Path | None,
    save_state: Path | None,
    play: bool | None = None,
) -> int:
    """Show what an ``up`` would do. With ``save_state`` also write the state that it would leave."""
    settings = work.settings(stack)
    ground = work.ground(stack, state=state, fixture=files.fixture, lost=files.lost)
    planned = work.plan(stack, settings, ground, play=True if save_state is not None else play)
    planned.preview.refusals += _unnamed(work, planned.preview, files)
    if save_state is not None and planned.succeeded:
        state_after = snapshot_to_json(planned.after.snapshot, work.store.crypter)
        write(save_state, json.dumps(state_after, indent=2) + "\n")
    return show(work.report(planned.preview, settings, finished=planned.finished), files, out)


def up(work: Workspace, stack: str, files: Files, out: Console, *, faults: Sequence[Fault] = ()) -> int:
    """Preview, then update; nothing is written when either is refused.

    With ``faults`` the update itself runs on a cloud that has them, and what it did before one is kept.
    """
    settings = work.settings(stack)
    with work.locked(stack):
        ground = work.ground(stack, fixture=files.fixture, lost=files.lost)
        ground = work.read_again(stack, settings, ground)
        planned = work.plan(stack, settings, ground, label="up", play=True)
        planned.preview.refusals += _unnamed(work, planned.preview, files)
        if planned.update is None or not planned.succeeded:
            return show(work.report(planned.preview, settings), files, out)
        if faults:
            outcome = _with_faults(work, stack, settings, ground, Mode.UPDATE, faults, out)
            finished = ground.world if outcome.succeeded else None
            return show(work.report(outcome, settings, finished=finished), files, out)
        work.store.save(stack, planned.after.snapshot, planned.after.world.to_json())
    return show(work.report(planned.update, settings, finished=planned.finished), files, out)


def _unnamed(work: Workspace, planned: Outcome, files: Files) -> list[Refusal]:
    """What loses something stateful without being told to, in a program that this repository judges."""
    if not has_policies(work.program):
        return []
    return unnamed(((step.op, step.urn) for step in planned.steps), files.allowed)


def _with_faults(
    work: Workspace,
    stack: str,
    settings: StackSettings,
    ground: Ground,
    mode: Mode,
    faults: Sequence[Fault],
    out: Console,
) -> Outcome:
    cloud = FaultyCloud(faults)
    outcome = work.run_with(stack, settings, ground, mode, cloud)
    for fault in cloud.unmet():
        out.print(f"no call met {fault}: the run made {cloud.calls} calls", markup=False)
    return outcome


def down(work: Workspace, stack: str, files: Files, out: Console, *, faults: Sequence[Fault] = ()) -> int:
    """Delete everything; refused before the first delete when anything is protected that could be deleted.

    With ``faults`` the deletion runs on a cloud that has them, and what it did before one is kept.
    """
    settings = work.settings(stack)
    with work.locked(stack):
        ground = work.ground(stack, fixture=files.fixture, lost=files.lost)
        refused = _protected(work, stack, ground)
        if refused is not None:
            return show(work.report(refused, settings), files, out)
        if faults:
            outcome = _with_faults(work, stack, settings, ground, Mode.DESTROY, faults, out)
            return show(work.report(outcome, settings), files, out)
        outcome = work.destroy(stack, settings, ground)
        if work.store.knows(stack):
            work.store.save(stack, outcome.snapshot, ground.world.to_json())
    return show(work.report(outcome, settings), files, out)


def refresh(work: Workspace, stack: str, files: Files, out: Console) -> int:
    """Show what was changed behind the stack's back, and take it over into the state."""
    settings = work.settings(stack)
    with work.locked(stack):
        ground = work.ground(stack, fixture=files.fixture, lost=files.lost)
        outcome = work.refresh(stack, settings, ground)
        if work.store.knows(stack) and outcome.succeeded:
            work.store.save(stack, outcome.snapshot, ground.world.to_json())
    return show(work.report(outcome, settings), files, out)


def drift(work: Workspace, stack: str, files: Files, out: Console) -> int:
    """Show what was changed behind the stack's back; the answer is REFUSED when something was."""
    settings = work.settings(stack)
    ground = work.ground(stack, fixture=files.fixture, lost=files.lost)
    report = work.report(work.refresh(stack, settings, ground), settings)
    code = show(report, files, out)
    return REFUSED if code == FINE and changed_steps(report) else code


def _protected(work: Workspace, stack: str, ground: Ground) -> Outcome | None:
    message = refused_down(
        stack,
        (
            (state.name, state.type)
            for state in ground.snapshot.resources
            if state.protect and not state.delete
        ),
    )
    if message is None:
        return None
    return Outcome(
        project=work.program.name,
        stack=stack,
        mode=Mode.DESTROY,
        resources=list(ground.snapshot.resources),
        refusals=[Refusal(kind="protect", message=message)],
        snapshot=ground.snapshot,
    )


def show(report: Report, files: Files, out: Console) -> int:
    """Write and print a report; the answer is the exit code."""
    if files.json is not None:
        write(files.json, json.dumps(document(report), indent=2, ensure_ascii=False) + "\n")
    if files.markdown is not None:
        write(files.markdown, render(report))
    print_report(report, out)
    return exit_code(report)


def exit_code(report: Report) -> int:
    """2 for a configuration that cannot be used, 1 for any other refusal."""
    if report.misused:
        return WRONG_USE
    return REFUSED if report.refused else FINE


def write(path: Path, text: str) -> None:
    """Write a report. Raises UsageError when the place is no good."""
    try:
        write_atomically(path, text)
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}): name another file") from error

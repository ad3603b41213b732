"""Preview, up and down of one stack, in the sandbox."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from review.markdown import render
from review.real_cli import KEPT_BY_GOOGLE
from review.report import Report, document
from review.terminal import print_report
from review.workspace import Ground, Workspace
from sandbox.engine.model import Mode, Outcome, Refusal
from sandbox.errors import UsageError
from sandbox.state import snapshot_to_json, write_atomically

__all__ = ["FINE", "REFUSED", "Files", "down", "preview", "up", "write"]

FINE = 0
REFUSED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Where the report goes beside the terminal, and where the cloud's facts come from."""

    json: Path | None = None
    markdown: Path | None = None
    fixture: Path | None = None


def preview(
    work: Workspace, stack: str, files: Files, out: Console, *, state: Path | None, save_state: Path | None
) -> int:
    """Show what an ``up`` would do. With ``save_state`` also write the state that it would leave."""
    settings = work.settings(stack)
    ground = work.ground(stack, state=state, fixture=files.fixture)
    outcome = work.evaluate(stack, settings, ground.copy(), Mode.PREVIEW)
    code = _show(work.report(outcome, settings), files, out)
    if save_state is None or code != FINE:
        return code
    # The state after a deployment holds no unknown values, so the update is played on a copy of the cloud.
    after = work.evaluate(stack, settings, ground.copy(), Mode.UPDATE, label="trial update")
    if not after.succeeded:
        return _show(work.report(after, settings), files, out)
    write(save_state, json.dumps(snapshot_to_json(after.snapshot, work.store.crypter), indent=2) + "\n")
    return FINE


def up(work: Workspace, stack: str, files: Files, out: Console) -> int:
    """Preview, then update; nothing is written when the preview is refused."""
    settings = work.settings(stack)
    with work.locked(stack):
        ground = work.ground(stack, fixture=files.fixture)
        planned = work.evaluate(stack, settings, ground.copy(), Mode.PREVIEW)
        if not planned.succeeded:
            return _show(work.report(planned, settings), files, out)
        outcome = work.evaluate(stack, settings, ground, Mode.UPDATE)
        work.store.save(stack, outcome.snapshot, ground.world.to_json())
    return _show(work.report(outcome, settings), files, out)


def down(work: Workspace, stack: str, files: Files, out: Console) -> int:
    """Delete everything; refused before the first delete when anything is protected that could be deleted."""
    settings = work.settings(stack)
    with work.locked(stack):
        ground = work.ground(stack, fixture=files.fixture)
        refused = _protected(work, stack, ground)
        if refused is not None:
            return _show(work.report(refused, settings), files, out)
        outcome = work.evaluate(stack, settings, ground, Mode.DESTROY, exclude_protected=True)
        work.store.save(stack, outcome.snapshot, ground.world.to_json())
    return _show(work.report(outcome, settings), files, out)


def _protected(work: Workspace, stack: str, ground: Ground) -> Outcome | None:
    held = [
        state
        for state in ground.snapshot.resources
        if state.protect and not state.delete and state.type not in KEPT_BY_GOOGLE
    ]
    if not held:
        return None
    names = ", ".join(sorted(f"{state.name} ({state.type.rsplit(':', 1)[-1]})" for state in held))
    message = (
        f"down of {stack} would delete {len(held)} protected resources, and nothing was deleted: {names}; "
        "take their protection off in the stack file and run up first"
    )
    return Outcome(
        project=work.program.name,
        stack=stack,
        mode=Mode.DESTROY,
        resources=list(ground.snapshot.resources),
        refusals=[Refusal(kind="protect", message=message)],
        snapshot=ground.snapshot,
    )


def _show(report: Report, files: Files, out: Console) -> int:
    if files.json is not None:
        write(files.json, json.dumps(document(report), indent=2, ensure_ascii=False) + "\n")
    if files.markdown is not None:
        write(files.markdown, render(report))
    print_report(report, out)
    return REFUSED if report.refused else FINE


def write(path: Path, text: str) -> None:
    """Write a report. Raises UsageError when the place is no good."""
    try:
        write_atomically(path, text)
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}): name another file") from error

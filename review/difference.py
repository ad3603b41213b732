"""What the working tree does to every stack, compared with another revision.

Base and head are evaluated in this one process: base is deployed on an empty stand-in cloud, and head is
previewed on the state that leaves. Nothing under ``.sandbox`` is read or written.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from review.access import gives_access
from review.commands import Files, exit_code, write
from review.markdown import LIMIT, Page, code, plain, report_lines
from review.report import ENGINE, Report, Verdict, document, violation_document
from review.terminal import print_report
from review.verdicts import judge
from review.wording import totals
from review.workspace import Ground, Workspace, add_fixture, evaluate, report_of, settings_of
from review.worktree import checkout, resolve
from sandbox.cloud import World
from sandbox.errors import UsageError
from sandbox.model import Mode, Snapshot
from sandbox.project import Program, load_project

__all__ = ["MARKER", "Difference", "StackDifference", "diff", "render", "to_document"]

MARKER: Final = "<!-- sandbox-diff -->"
"""First line of the comment, by which the workflow finds it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackDifference:
    """One stack: what head would do on base's state, and the verdicts before."""

    stack: str
    report: Report
    violations_before: tuple[Verdict, ...]
    base_note: str | None = None

    @property
    def unchanged(self) -> bool:
        """Whether there is nothing to look at."""
        return not (self.report.changes or self.report.errors or self.broken or self.mended)

    @property
    def broken(self) -> tuple[Verdict, ...]:
        """Rules that head breaks and base did not."""
        before = {(item.rule, item.urn) for item in self.violations_before}
        return tuple(item for item in self.report.violations if (item.rule, item.urn) not in before)

    @property
    def mended(self) -> tuple[Verdict, ...]:
        """Rules that base broke and head does not."""
        after = {(item.rule, item.urn) for item in self.report.violations}
        return tuple(item for item in self.violations_before if (item.rule, item.urn) not in after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """All stacks."""

    base: str
    duration_seconds: float
    stacks: tuple[StackDifference, ...]
    removed: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether head may not be deployed somewhere."""
        return any(item.report.refused for item in self.stacks)


def diff(work: Workspace, base: str, files: Files, out: Console) -> int:
    """Compare, show, and say whether head is refused."""
    found = compare(work, base, files.fixture)
    if files.json is not None:
        write(files.json, json.dumps(to_document(found), indent=2, ensure_ascii=False) + "\n")
    if files.markdown is not None:
        write(files.markdown, render(found))
    print_difference(found, out)
    return max((exit_code(item.report) for item in found.stacks), default=0)


def compare(work: Workspace, base: str, fixture: Path | None = None) -> Difference:
    """Evaluate base and head for every stack."""
    started = time.monotonic()
    head = work.program
    commit = resolve(head.directory, base)
    with checkout(head.directory, commit) as tree:
        program, note = _base_program(tree)
        stacks = tuple(_stack(work, stack, program, note, fixture) for stack in head.stacks)
        removed = tuple(sorted(set(program.stacks) - set(head.stacks))) if program is not None else ()
    return Difference(
        base=base, duration_seconds=round(time.monotonic() - started, 3), stacks=stacks, removed=removed
    )


def _base_program(tree: Path) -> tuple[Program | None, str | None]:
    if not (tree / "Pulumi.yaml").exists():
        return None, "base has no Pulumi program: compared with an empty state"
    try:
        return load_project(tree), None
    except UsageError as error:
        return None, f"base cannot be read ({error}): compared with an empty state"


def _stack(
    work: Workspace, stack: str, base: Program | None, note: str | None, fixture: Path | None
) -> StackDifference:
    settings = settings_of(work.program, stack)
    ground = Ground(snapshot=Snapshot(), world=World())
    add_fixture(ground.world, fixture)
    before: tuple[Verdict, ...] = ()
    if base is not None:
        ground, before, note = _deploy_base(work, stack, base, ground)
    planned = work.plan(stack, settings, ground, label="preview of head")
    return StackDifference(
        stack=stack,
        report=work.report(planned.preview, settings, finished=planned.finished),
        violations_before=before,
        base_note=note,
    )


def _deploy_base(
    work: Workspace, stack: str, base: Program, ground: Ground
) -> tuple[Ground, tuple[Verdict, ...], str | None]:
    if stack not in base.stacks:
        return ground, (), "base has no such stack: compared with an empty state"
    try:
        settings = settings_of(base, stack)
    except UsageError as error:
        return ground, (), f"base is refused ({error}): compared with an empty state"
    # What base has long deployed lay in the future then; only what head adds must do so today.
    today, ground.world.clock = ground.world.clock, lambda: datetime.min.replace(tzinfo=UTC)
    outcome = evaluate(
        base,
        stack,
        settings,
        ground,
        Mode.UPDATE,
        progress=work.progress,
        analyze=False,
        label="deployment of base",
    )
    ground.world.clock = today
    report = report_of(outcome, settings)
    note = None
    if report.errors:
        note = f"base is refused ({report.errors[0].message}): compared with the state it left"
    return Ground(snapshot=outcome.snapshot, world=ground.world), judge(outcome.resources), note


def print_difference(found: Difference, out: Console) -> None:
    """The difference on a terminal."""
    _line(out, f"sandbox difference with {found.base}: {found.duration_seconds:.1f} s", "bold")
    for item in found.stacks:
        if item.base_note:
            _line(out, f"{item.stack}: {item.base_note}", "yellow")
        if item.unchanged:
            _line(out, f"{item.stack}: {_unchanged(item)}")
            continue
        # A change that touches nobody's rights is shown without the table of them.
        touched = any(step.op != "same" and gives_access(step.type) for step in item.report.steps)
        print_report(item.report, out, access=touched)
        _line(out, f"{item.stack}: {_verdicts(item)}")
    for stack in found.removed:
        _line(out, f"{stack}: {_removed()}", "yellow")


def render(found: Difference, limit: int = LIMIT) -> str:
    """The difference as a comment under GitHub's limit."""
    page = Page(limit)
    page.extend([MARKER, f"## sandbox difference with {code(found.base)}", ""])
    # One line for each stack comes first, so that a long stack never hides another.
    for item in found.stacks:
        page.add(f"- **{item.stack}**: {plain(_unchanged(item) if item.unchanged else totals(item.report))}")
    for stack in found.removed:
        page.add(f"- **{stack}**: {_removed()}")
    for item in found.stacks:
        if not item.unchanged:
            page.extend(_stack_lines(item))
        elif item.base_note:
            page.extend(["", f"{item.stack}: {plain(item.base_note)}"])
    return page.text("sandbox: base and head were evaluated without Google Cloud; nothing was deployed.")


def _stack_lines(item: StackDifference) -> Iterable[str]:
    yield ""
    yield f"### {item.stack}"
    yield ""
    if item.base_note:
        yield plain(item.base_note)
        yield ""
    yield plain(_verdicts(item))
    yield ""
    yield from report_lines(item.report)


def to_document(found: Difference) -> dict[str, Any]:
    """The difference as ``report.schema.json`` describes it under ``$defs/difference``."""
    return {
        "engine": ENGINE,
        "base": found.base,
        "duration_seconds": found.duration_seconds,
        "removed_stacks": list(found.removed),
        "stacks": [
            {
                "stack": item.stack,
                "base_note": item.base_note,
                "report": document(item.report),
                "violations_before": [violation_document(verdict) for verdict in item.violations_before],
            }
            for item in found.stacks
        ],
    }


def _unchanged(item: StackDifference) -> str:
    return f"nothing changes, {item.report.summary.get('same', 0)} resources stay as they are"


def _verdicts(item: StackDifference) -> str:
    return (
        f"policies: {len(item.violations_before)} violations before, {len(item.report.violations)} after "
        f"({len(item.broken)} new, {len(item.mended)} mended)"
    )


def _removed() -> str:
    return "its stack file is gone; what it deployed stays until it is destroyed from base"


def _line(out: Console, text: str, style: str = "") -> None:
    out.print(Text(text, style=style), soft_wrap=True, highlight=False)

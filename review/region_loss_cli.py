"""``region-loss``: what remains of a stack without a region, which steps follow, and whether they work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from review.options import console, stack_option, workspace

if TYPE_CHECKING:
    from rich.console import Console

    from review.region_loss import Engine, Played
    from review.survivors import Survivor
    from review.workspace import Workspace
    from sandbox.model import ResourceState

__all__ = ["region_loss"]

_FINE, _REFUSED = 0, 1
_PAGE = "docs/runbooks/disaster-recovery.md"


@click.command("region-loss")
@stack_option
@click.option(
    "--target",
    type=click.Choice(["sandbox", "sandbox-cli", "gcp"]),
    default="sandbox",
    show_default=True,
    help="The engine that plays it: the built-in one, or the real Pulumi CLI; no cloud in either.",
)
@click.option("--region", help="The region that is lost; the first one when left out.")
def region_loss(stack: str, target: str, region: str | None) -> int:
    """Lose a region in the sandbox: what remains, the steps that follow, and each of them played."""
    if target == "gcp":
        raise click.UsageError(
            "region-loss is played in the sandbox, got --target gcp: leave it out, or use sandbox-cli; "
            f"in earnest follow {_PAGE}"
        )
    return lose(workspace(Path.cwd()), stack, region, target, console())


def lose(work: Workspace, stack: str, region: str | None, target: str, out: Console) -> int:
    """Play the loss of ``region``: 1 when the stack does not survive it.

    Raises UsageError on a region that holds nothing, and on a stack that does not come up.
    """
    from review.region_loss import BuiltIn, RealCli, phases_played
    from review.region_plan import load_plan, plan_path
    from review.survivors import serving, survey
    from sandbox.errors import UsageError

    settings = work.settings(stack)
    engine: Engine = BuiltIn(work, stack) if target == "sandbox" else RealCli(work, stack, settings)
    _, refusals = engine.up(settings, frozenset())
    if refusals:
        raise UsageError(f"{stack} does not come up ({refusals[0]}): run make preview STACK={stack} first")
    states = engine.states()
    lost = _region(states, stack, region or settings.values.get(f"{work.program.name}:region"))
    rows = survey(states, lost)
    _survey(out, stack, lost, rows)
    phases = load_plan(plan_path(work.program, stack)).get(lost, [])
    if not phases:
        return _hopeless(out, stack, lost, rows)
    now = serving(states, lost)
    for sentence in now.broken:
        _say(out, f"until something is done: {sentence}", "yellow")
    refused = engine.refresh(settings, frozenset({lost}))
    _say(out, f"a refresh would be refused: {refused} resources answer no call")
    for number, played in enumerate(phases_played(work, engine, settings, lost, phases), 1):
        _phase(out, number, played)
        if played.refusals:
            return _REFUSED
    _say(
        out,
        f"{target} region-loss of {stack}: every phase works, and a second up changes nothing",
        "bold green",
    )
    return _FINE


def _region(states: Sequence[ResourceState], stack: str, region: str | None) -> str:
    from review.survivors import regions_of
    from sandbox.cloud.lost import check_region
    from sandbox.errors import UsageError

    held = {place: count for place, count in regions_of(states).items() if "-" in place}
    if region is not None:
        check_region(region, option="REGION")
    if region is None or region not in held:
        raise UsageError(
            f"REGION must be one that holds something of {stack}, got {region}: name "
            f"{' or '.join(sorted(held)) or 'none, for nothing of it lies in a region'}"
        )
    return region


def _survey(out: Console, stack: str, lost: str, rows: Sequence[Survivor]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"sandbox: {stack} without {lost}", title_justify="left")
    for column in ("", "kind", "name", "where", "what it means"):
        table.add_column(column, overflow="fold")
    for row in rows:
        fate = Text("remains", style="green") if row.remains else Text("gone", style="red")
        table.add_row(fate, Text(row.kind), Text(row.name), Text(row.where), Text(row.note))
    out.print(table)
    left = sum(row.remains for row in rows)
    _say(out, f"{left} of {len(rows)} remain; grants, networks and alerts are not listed")


def _hopeless(out: Console, stack: str, lost: str, rows: Sequence[Survivor]) -> int:
    """A stack that has no phases for this loss: it says plainly what that means."""
    data = [row for row in rows if row.remains and row.kind == "database"]
    api = [row for row in rows if row.remains and row.kind == "service"]
    _say(
        out,
        f"refused: {stack} does not survive the loss of {lost}: "
        f"{'no service' if not api else f'{len(api)} services'} and "
        f"{'no database' if not data else f'{len(data)} databases'} remain, and recovery/{stack}.yaml says "
        f"nothing of {lost}",
        "red",
    )
    _say(
        out,
        "what it means: nothing answers until the region is back, or until the stack is built anew elsewhere "
        f"from the backups in eu ({_PAGE}, total loss); with a second region as in prod it would be survived",
    )
    return _REFUSED


def _phase(out: Console, number: int, played: Played) -> None:
    _say(out, f"\n{number}. {played.phase.title}", "bold")
    for path, value in played.phase.settings.items():
        _say(out, f"   set {path}: {_shown(value)}")
    for step in played.phase.steps:
        _say(out, f"   - {step}")
    counts = ", ".join(f"{count} {op}d" for op, count in played.counts.items()) or "nothing changed"
    _say(out, f"   played: {counts}")
    for way in played.serves.ways:
        _say(out, f"   {way}")
    for row in _promises(played.states) if played.phase.reachable else ():
        _say(out, f"   {row}")
    for sentence in played.refusals:
        _say(out, f"refused: {sentence}", "red")


def _promises(states: Sequence[ResourceState]) -> list[str]:
    from review.recovery import RECOVERY_HEADS, recovery_rows, resilience_of

    rows = [dict(zip(RECOVERY_HEADS, row, strict=False)) for row in recovery_rows(resilience_of(states))]
    broken = [row["scenario"].lower() for row in rows if "NO" in row.values()]
    if not rows:
        return []
    return [f"promises that do not hold now: {', '.join(broken)}" if broken else "every promise holds"]


def _shown(value: object) -> str:
    import json

    return "(remove it)" if value == "" else json.dumps(value)


def _say(out: Console, text: str, style: str = "") -> None:
    from rich.text import Text

    out.print(Text(text, style=style), soft_wrap=True, highlight=False)

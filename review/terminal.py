"""The report on a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from review.access import counts, rows
from review.recovery import CONNECTION_HEADS, RECOVERY_HEADS, connection_rows, recovery_rows, verdict
from review.report import Report, StepRow, Verdict
from review.wording import SIGNS, changed_steps, headline, short_type, totals, value_change

__all__ = ["print_report", "print_verdicts"]

COLOURS: Final = {"+": "green", "~": "yellow", "-": "red", "±": "magenta", "=": "cyan", "<": "cyan"}


def print_report(report: Report, console: Console, *, access: bool = True) -> None:
    """Component tree, steps, verdicts, refusals and totals; the table of access, or its totals alone."""
    _line(console, headline(report), "bold")
    if report.resources or report.steps:
        console.print(component_tree(report), soft_wrap=True, highlight=False)
    for step in changed_steps(report):
        if step.diff or step.replace_reasons or step.not_compared:
            _print_step(step, console)
    print_verdicts(report.violations, len(report.rules), console)
    for problem in report.errors:
        where = f" [{problem.urn.rsplit('::', 1)[-1]}]" if problem.urn else ""
        _line(console, f"refused{where}: {problem.message}", "red")
    _print_access(report, console, whole=access)
    _print_resilience(report, console)
    _print_notes(report, console)
    _line(
        console, f"sandbox {report.stack}: {totals(report)}", "bold red" if report.refused else "bold green"
    )


def print_verdicts(violations: Iterable[Verdict], rules: int, console: Console) -> None:
    """The broken rules and how many held."""
    items = list(violations)
    for item in items:
        style = "red" if item.level == "mandatory" else "yellow"
        where = item.urn.rsplit("::", 1)[-1] or "the stack"
        _line(console, f"policy {item.rule} ({item.level}) on {where}: {item.message}", style)
    broken = len({item.rule for item in items})
    if rules:
        _line(console, f"policies: {rules} rules, {rules - broken} hold, {broken} broken")


def component_tree(report: Report) -> Tree:
    """What changes, under the components it belongs to; what stays is counted."""
    fates = {step.urn: step for step in report.steps}
    names = {row.urn: (row.name, row.type, row.parent) for row in report.resources}
    for step in report.steps:
        names.setdefault(step.urn, (step.name, step.type, step.parent))
    children: dict[str | None, list[str]] = {}
    for urn, (_, _, parent) in names.items():
        children.setdefault(parent if parent in names else None, []).append(urn)

    root = Tree(Text(f"{report.project}-{report.stack}", style="bold"), guide_style="dim")

    def add(node: Tree, urn: str) -> int:
        """Put ``urn`` under ``node``; how many resources are left out because nothing in them changes."""
        name, type, _ = names[urn]
        step = fates.get(urn)
        sign = SIGNS.get(step.op, " ") if step is not None else " "
        branch = Tree(Text(f"{sign} {name}  {short_type(type)}", style=COLOURS.get(sign, "")))
        branch.guide_style = "dim"
        unchanged = sum(add(branch, child) for child in children.get(urn, ()))
        if sign == " " and not branch.children:
            return unchanged + 1
        if unchanged:
            branch.add(Text(f"{unchanged} unchanged", style="dim"))
        node.children.append(branch)
        return 0

    tops = children.get(None, [])
    stack = next((urn for urn in tops if names[urn][1] == "pulumi:pulumi:Stack"), None)
    tops = [urn for urn in tops if urn != stack] + (children.get(stack, []) if stack is not None else [])
    unchanged = sum(add(root, urn) for urn in tops)
    if unchanged:
        root.add(Text(f"{unchanged} unchanged", style="dim"))
    return root


def _print_step(step: StepRow, console: Console) -> None:
    sign = SIGNS.get(step.op, " ")
    _line(console, f"{sign} {step.op} {step.name}  {short_type(step.type)}", COLOURS.get(sign, ""))
    for change in step.diff:
        mark = SIGNS.get(change.kind.removesuffix("-replace"), "+" if change.kind.startswith("add") else "~")
        forces = "  (forces a replacement)" if change.kind.endswith("-replace") else ""
        _line(console, f"    {mark} {change.path}: {value_change(change)}{forces}")
    if step.replace_reasons:
        _line(console, f"    replaced because of {', '.join(step.replace_reasons)}")
    for effect in step.effects:
        _line(console, f"    ! {effect}", "yellow")
    for path in step.not_compared:
        _line(console, f"    {path}: secret, not compared")


def _print_access(report: Report, console: Console, *, whole: bool) -> None:
    """Who holds what, one line a grant; nothing for a program without access."""
    if not report.access.grants and not report.access.identities:
        return
    if whole:
        _print_grants(report, console)
    _line(console, f"access: {counts(report.access)}")


def _print_grants(report: Report, console: Console) -> None:
    table = Table("identity", "role", "on", "condition", box=None, pad_edge=False, header_style="dim")
    for row in rows(report.access):
        table.add_row(*(Text(cell) for cell in row))
    console.print(table, soft_wrap=True, highlight=False)


def _print_resilience(report: Report, console: Console) -> None:
    """The five scenarios and the connections; nothing for a program without a database."""
    found = report.resilience
    if not found.figures:
        return
    for heads, cells in (
        (RECOVERY_HEADS, recovery_rows(found)),
        (CONNECTION_HEADS, connection_rows(found)),
    ):
        table = Table(*heads, box=None, pad_edge=False, header_style="dim")
        for row in cells:
            table.add_row(*map(Text, row))
        if cells:
            console.print(table, soft_wrap=True, highlight=False)
    _line(console, f"recovery: {verdict(found)}")


def _print_notes(report: Report, console: Console) -> None:
    notes = report.notes
    for row in notes.quiet:
        _line(console, f"warning {row.rule}: accepted, but {row.message}", "yellow")
    if notes.example_values:
        _line(console, f"example values stand for REPLACE_ME in: {', '.join(notes.example_values)}", "yellow")
    if notes.lightly_checked:
        _line(
            console,
            f"checked against the schema only: {', '.join(map(short_type, notes.lightly_checked))}",
            "dim",
        )


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(Text(text, style=style), soft_wrap=True, highlight=False)

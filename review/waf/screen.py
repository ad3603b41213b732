"""The proof on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from review.waf.difference import Difference
from review.waf.document import exceptions
from review.waf.proof import Proof
from review.waf.wording import difference_lines, evidence, figures, headline, outcome, rule_rows, waiver_rows

__all__ = ["print_proof"]

SHOWN: Final = 40
"""Lines of a list; the files have all."""


def print_proof(proof: Proof, stack: str, difference: Difference | None, out: Console) -> None:
    """Table of classes, rules, what is not as expected, figures, and the verdict last."""
    _line(out, headline(proof, stack), "bold")
    _line(out, evidence(proof), "dim")
    _table(out, ("class", "kind", "denied", "allowed", "not as expected"), _classes(proof))
    _table(out, ("priority", "rule", "action", "matched", "decided", ""), rule_rows(proof))
    _list(
        out,
        "not as expected",
        [
            f"{verdict.request.id} ({verdict.request.place}): {outcome(verdict)}"
            for verdict in exceptions(proof)
        ],
    )
    _list(out, "decided only by the default rule", [verdict.request.id for verdict in proof.by_default])
    _list(
        out,
        "would be denied by a previewed rule",
        [
            f"{verdict.request.id}: {action.text} by {rule.label}"
            for verdict in proof.previewed
            for rule, action in verdict.decision.previews
        ],
    )
    _list(
        out,
        "declared exceptions",
        [f"{rule}: {what}: {reason}" for rule, what, reason in waiver_rows(proof)],
    )
    _table(out, ("measured", "found", "wanted"), figures(proof))
    if difference is not None:
        first, *rest = difference_lines(difference, proof)
        _list(out, first, rest, empty=True)
    for sentence in proof.shortfalls:
        _line(out, f"falls short: {sentence}", "red")
    _line(out, headline(proof, stack), "bold red" if proof.shortfalls else "bold green")


def _classes(proof: Proof) -> list[tuple[str, ...]]:
    return [(row.group, row.kind, str(row.denied), str(row.allowed), str(row.wrong)) for row in proof.rows]


def _list(out: Console, title: str, lines: Sequence[str], *, empty: bool = False) -> None:
    if not lines and not empty:
        return
    _line(out, title if empty else f"{title}: {len(lines)}")
    for line in lines[:SHOWN]:
        _line(out, f"  {line}")
    if len(lines) > SHOWN:
        _line(out, f"  and {len(lines) - SHOWN} more, in the report", "dim")


def _table(out: Console, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = Table(*head, box=None, pad_edge=False, header_style="dim")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    out.print(table, soft_wrap=True, highlight=False)


def _line(out: Console, text: str, style: str = "") -> None:
    out.print(Text(text, style=style), soft_wrap=True, highlight=False)

"""The proof as Markdown, for a file or a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from review.markdown import LIMIT, Page, plain
from review.waf.difference import Difference
from review.waf.document import exceptions
from review.waf.proof import Proof
from review.waf.wording import (
    difference_lines,
    evidence,
    figures,
    headline,
    rule_rows,
    section_rows,
    waiver_rows,
)

__all__ = ["MARKER", "render"]

MARKER: Final = "<!-- waf-proof -->"
"""First line of the comment, by which the workflow finds it again."""


def render(proof: Proof, stack: str, difference: Difference | None = None, limit: int = LIMIT) -> str:
    """The page; what does not hold stands first, so that it is never what is left out."""
    page = Page(limit)
    page.extend([MARKER, f"## {headline(proof, stack)}", "", plain(evidence(proof)), ""])
    if proof.shortfalls:
        page.extend(["Does not hold, because:", ""])
        page.extend(f"- {plain(sentence)}" for sentence in proof.shortfalls)
        page.add()
    page.extend(_table(("measured", "found", "wanted"), figures(proof)))
    if difference is not None:
        first, *rest = difference_lines(difference, proof)
        page.extend([f"**{plain(first)}**", "", *(f"- {plain(line)}" for line in rest)])
        page.add()
    page.extend(_table(("class", "kind", "denied", "allowed", "not as expected"), _classes(proof)))
    page.extend(_details("Rules", ("priority", "rule", "action", "matched", "decided", ""), rule_rows(proof)))
    page.extend(
        _details(
            "Not as expected",
            ("request", "class", "expected", "became", "reason"),
            section_rows(exceptions(proof)),
        )
    )
    page.extend(_details("Decided only by the default rule", ("request", "class"), _short(proof)))
    page.extend(
        _details("Would be denied by a previewed rule", ("request", "rule", "action"), _previews(proof))
    )
    page.extend(
        _details("Declared exceptions", ("rule", "what it does not look at", "reason"), waiver_rows(proof))
    )
    return page.text("sandbox: the policy was judged as declared; nothing was deployed to Google Cloud.")


def _classes(proof: Proof) -> list[tuple[str, ...]]:
    return [(row.group, row.kind, str(row.denied), str(row.allowed), str(row.wrong)) for row in proof.rows]


def _short(proof: Proof) -> list[tuple[str, ...]]:
    return [
        (verdict.request.id, f"{verdict.request.kind} {verdict.request.group}")
        for verdict in proof.by_default
    ]


def _previews(proof: Proof) -> list[tuple[str, ...]]:
    return [
        (verdict.request.id, rule.label, action.text)
        for verdict in proof.previewed
        for rule, action in verdict.decision.previews
    ]


def _details(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterable[str]:
    if rows:
        yield f"<details><summary>{title}: {len(rows)}</summary>"
        yield ""
        yield from _table(head, rows)
        yield "</details>"
        yield ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(plain(cell) for cell in row)} |"
    yield ""

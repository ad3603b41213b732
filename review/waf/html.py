"""The proof as one HTML page that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

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

__all__ = ["render_html"]


@dataclass(frozen=True, slots=True)
class Section:
    """A titled table."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


def render_html(proof: Proof, stack: str, difference: Difference | None = None) -> str:
    """The page. Every text of a corpus is escaped: attacks stand in it."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(
        title=headline(proof, stack),
        evidence=evidence(proof),
        holds=not proof.shortfalls,
        shortfalls=proof.shortfalls,
        difference=[] if difference is None else difference_lines(difference, proof),
        sections=[section for section in _sections(proof) if section.rows],
    )


def _sections(proof: Proof) -> list[Section]:
    verdict_head = ("request", "class", "expected", "became", "reason")
    return [
        Section("Figures", ("measured", "found", "wanted"), figures(proof)),
        Section(
            "Classes",
            ("class", "kind", "denied", "allowed", "not as expected"),
            [(row.group, row.kind, str(row.denied), str(row.allowed), str(row.wrong)) for row in proof.rows],
        ),
        Section(
            "Rules",
            ("priority", "rule", "action", "matched", "decided", "remarks"),
            rule_rows(proof),
        ),
        Section("Not as expected", verdict_head, section_rows(exceptions(proof))),
        Section("Decided only by the default rule", verdict_head, section_rows(proof.by_default)),
        Section(
            "Would be denied by a previewed rule",
            ("request", "rule", "action"),
            [
                (verdict.request.id, rule.label, action.text)
                for verdict in proof.previewed
                for rule, action in verdict.decision.previews
            ],
        ),
        Section(
            "Declared exceptions",
            ("rule", "what it does not look at", "reason"),
            waiver_rows(proof),
        ),
        Section("All requests", verdict_head, section_rows(proof.verdicts)),
    ]

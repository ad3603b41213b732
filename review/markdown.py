"""The report as Markdown, for a file or for a comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from review.access import counts, rows
from review.recovery import CONNECTION_HEADS, RECOVERY_HEADS, connection_rows, recovery_rows, verdict
from review.report import Report, StepRow, Verdict
from review.wording import SIGNS, changed_steps, headline, short_type, totals, value_change

__all__ = ["LIMIT", "Page", "code", "render", "report_lines"]

LIMIT: Final = 65_536
"""GitHub refuses a longer comment."""

RESERVE: Final = 400
"""Room for the closing lines."""


class Page:
    """Lines under a limit. What no longer fits is counted and said at the end."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._room = limit - RESERVE
        self._lines: list[str] = []
        self._left_out = 0

    def add(self, line: str = "") -> bool:
        """Add one line, or count it as left out."""
        # GitHub counts characters as UTF-16 does, so a rare sign takes two.
        size = len(line.encode("utf-16-le")) // 2 + 1
        if self._left_out or size > self._room:
            self._left_out += bool(line)
            return False
        self._room -= size
        self._lines.append(line)
        return True

    def extend(self, lines: Iterable[str]) -> None:
        """Add lines one by one."""
        for line in lines:
            self.add(line)

    def text(self, closing: str = "") -> str:
        """The page, with the count of what was left out."""
        lines = list(self._lines)
        if self._left_out:
            lines += ["", f"**{self._left_out} more lines were left out: the comment would be too long.**"]
        if closing:
            lines += ["", closing]
        return "\n".join(lines).rstrip() + "\n"


def render(report: Report, limit: int = LIMIT) -> str:
    """One report as a page."""
    page = Page(limit)
    page.add(f"## {headline(report)}")
    page.add()
    page.extend(report_lines(report))
    return page.text("sandbox: nothing was deployed to Google Cloud.")


def report_lines(report: Report) -> Iterable[str]:
    """Totals and refusals first, so that they are never what is left out."""
    yield f"**{plain(totals(report))}**"
    yield ""
    if report.errors:
        yield "Refused:"
        yield ""
        for problem in report.errors:
            where = f"{code(problem.urn.rsplit('::', 1)[-1])}: " if problem.urn else ""
            yield f"- {where}{plain(problem.message)}"
        yield ""
    yield from verdict_lines(report.violations, len(report.rules))
    yield from _step_lines(changed_steps(report))
    yield from _resilience_lines(report)
    yield from _access_lines(report)
    if report.notes.quiet:
        yield "Accepted, and does not work:"
        yield ""
        for row in report.notes.quiet:
            yield f"- **warning** {code(row.rule)}: {plain(row.message)}"
        yield ""
    if report.notes.example_values:
        keys = ", ".join(code(key) for key in report.notes.example_values)
        yield f"Example values stand for `REPLACE_ME` in {keys}."
        yield ""
    if report.notes.lightly_checked:
        types = ", ".join(code(short_type(token)) for token in report.notes.lightly_checked)
        yield f"Checked against the provider's schema only: {types}."
        yield ""


def verdict_lines(violations: Sequence[Verdict], rules: int) -> Iterable[str]:
    """The broken rules, or one line that all hold."""
    if not violations:
        if rules:
            yield f"Policies: all {rules} rules hold."
            yield ""
        return
    yield f"Policies: {len({item.rule for item in violations})} of {rules} rules broken."
    yield ""
    for item in violations:
        where = code(item.urn.rsplit("::", 1)[-1]) if item.urn else "the stack"
        yield f"- **{item.level}** {code(item.rule)} on {where}: {plain(item.message)}"
    yield ""


def _resilience_lines(report: Report) -> Iterable[str]:
    """The five scenarios and the connections, folded away under the verdict."""
    found = report.resilience
    if not found.figures:
        return
    yield f"<details><summary>Recovery: {plain(verdict(found))}.</summary>"
    yield ""
    for heads, cells in (
        (RECOVERY_HEADS, recovery_rows(found)),
        (CONNECTION_HEADS, connection_rows(found)),
    ):
        yield f"| {' | '.join(heads)} |"
        yield f"|{'---|' * len(heads)}"
        for row in cells:
            yield f"| {' | '.join(plain(cell) for cell in row)} |"
        yield ""
    yield "</details>"
    yield ""


def _access_lines(report: Report) -> Iterable[str]:
    """Who holds what, folded away under its totals."""
    if not report.access.grants and not report.access.identities:
        return
    yield f"<details><summary>Access: {counts(report.access)}.</summary>"
    yield ""
    yield "| identity | role | on | condition |"
    yield "|---|---|---|---|"
    for row in rows(report.access):
        yield f"| {' | '.join(plain(cell) for cell in row)} |"
    yield ""
    yield "</details>"
    yield ""


def _step_lines(steps: Sequence[StepRow]) -> Iterable[str]:
    order = {"replace": 0, "delete": 1, "update": 2, "import": 3, "create": 4}
    for step in sorted(steps, key=lambda item: order.get(item.op, 5)):
        sign = SIGNS.get(step.op, " ")
        yield f"- {sign} **{step.op}** {code(step.name)} {code(short_type(step.type))}"
        for change in step.diff:
            forces = " **forces a replacement**" if change.kind.endswith("-replace") else ""
            yield f"  - {code(change.path)}: {code(value_change(change))}{forces}"
        if step.replace_reasons:
            yield f"  - replaced because of {', '.join(code(reason) for reason in step.replace_reasons)}"
        for effect in step.effects:
            yield f"  - ⚠ {plain(effect)}"
        for path in step.not_compared:
            yield f"  - {code(path)}: secret, not compared"
    if steps:
        yield ""


def code(value: Any) -> str:
    """A code span that no value can break out of."""
    text = " ".join(str(value).split())
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text.startswith("`") or text.endswith("`") or not text else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def plain(text: str) -> str:
    """A sentence on one line, in which nothing is taken for markup, a mention or an issue."""
    joined = " ".join(text.split())
    joined = re.sub(r"([\\`*_\[\]<>|~])", r"\\\1", joined)
    return re.sub(r"([@#])(?=\w)", "\\1\u200b", joined)

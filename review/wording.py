"""The words and signs that the terminal and the Markdown report share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from review.report import Change, Report, StepRow

__all__ = ["SIGNS", "changed_steps", "headline", "short_type", "show", "totals", "value_change"]

SIGNS: Final[Mapping[str, str]] = {
    "same": " ",
    "create": "+",
    "update": "~",
    "delete": "-",
    "replace": "±",
    "create-replacement": "+",
    "delete-replaced": "-",
    "read": "<",
    "read-replacement": "<",
    "refresh": "~",
    "discard": "<",
    "discard-replaced": "<",
    "remove-pending-replace": "-",
    "import": "=",
    "import-replacement": "=",
}
DONE: Final[Mapping[str, str]] = {
    "create": "created",
    "update": "updated",
    "replace": "replaced",
    "delete": "deleted",
    "import": "imported",
    "same": "unchanged",
}
DRIFTED: Final[Mapping[str, str]] = {**DONE, "update": "drifted", "delete": "gone"}
ORDER: Final = ("create", "update", "replace", "delete", "import")
LONGEST_VALUE: Final = 90


def show(value: Any, longest: int = LONGEST_VALUE) -> str:
    """A value on one line, cut in the middle of nothing: its end is replaced by an ellipsis."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def value_change(change: Change) -> str:
    """``old → new`` of one property."""
    if change.kind.startswith("add"):
        return show(change.new)
    if change.kind.startswith("delete"):
        return f"{show(change.old)} → removed"
    return f"{show(change.old)} → {show(change.new)}"


def short_type(token: str) -> str:
    """``gcp:sql/databaseInstance:DatabaseInstance`` as ``gcp:sql:DatabaseInstance``."""
    package, _, rest = token.partition(":")
    module, _, name = rest.rpartition(":")
    return f"{package}:{module.split('/', 1)[0]}:{name}" if module else token


def changed_steps(report: Report) -> Sequence[StepRow]:
    """The steps that stand for a change, one for each resource."""
    return [step for step in report.steps if step.op not in {"same", "read"}]


def headline(report: Report) -> str:
    """What this report is, in one line."""
    return f"sandbox {report.mode} of stack {report.stack} (no cloud is contacted)"


def totals(report: Report) -> str:
    """The counts, in one line."""
    applied = report.mode != "preview"
    done = DRIFTED if report.mode == "refresh" else DONE
    parts = [
        f"{report.summary[op]} {done[op] if applied else f'to {op}'}"
        for op in ORDER
        if report.summary.get(op)
    ]
    same = report.summary.get("same", 0)
    if not parts:
        parts.append("no drift" if report.mode == "refresh" else "nothing changes")
    if same:
        parts.append(f"{same} unchanged")
    refused = "refused; " if report.refused else ""
    return f"{refused}{', '.join(parts)}; {report.duration_seconds:.1f} s"

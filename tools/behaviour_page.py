"""Writes docs/sandbox-behaviours.md from the code. `python -m tools.behaviour_page --check` only compares."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from sandbox.cloud.behaviours import BEHAVIOURS
from sandbox.cloud.behaviours.by_facts import REFUSED, REPLACED
from sandbox.cloud.behaviours.left_out import reason
from tools.refusal_facts import DATA

__all__ = ["PAGE", "catalogue", "enforced", "render"]

PAGE: Final = Path(__file__).parent.parent / "docs" / "sandbox-behaviours.md"
_HEAD: Final = """# What the sandbox refuses

Generated from `sandbox/cloud/behaviours/` by `python -m tools.behaviour_page`; do not edit.

{total} behaviours, {known} of them ids of the catalogue `facts/data/refusals.json`. A *check* is refused by
the provider before any call, *create*, *update* and *delete* by Google with the status given, a
*replacement* is no refusal but destroys in every plan. Each has a refused case in `tests/sandbox/cloud/`,
which must no longer be refused by it once the behaviour is switched off; the legal case is the nearest one
written beside it, or the test platform's own resource of the type.
"""


class _Row(NamedTuple):
    id: str
    types: tuple[str, ...]
    phase: str
    status: str
    title: str
    source: str


def catalogue() -> list[dict[str, Any]]:
    """The catalogue's entries that touch the platform's types, or are enforced."""
    return json.loads(DATA.read_text(encoding="utf-8"))["refusals"]


def enforced() -> dict[str, _Row]:
    """Everything that the sandbox refuses or shows as a replacement, by id."""
    rows = [
        _Row(
            each.id,
            each.types,
            ", ".join(each.phases),
            f"{each.status} {each.reason}" if "check" not in each.phases else "provider",
            each.title,
            each.source,
        )
        for each in BEHAVIOURS.values()
    ]
    rows += [_Row(row.id, (row.type,), "check", "provider", row.title, row.source) for row in REFUSED]
    rows += [_Row(row.id, (row.type,), "replacement", "-", row.title, row.source) for row in REPLACED]
    return {row.id: row for row in sorted(rows)}


def _types(types: tuple[str, ...]) -> str:
    if types == ("*",):
        return "every type"
    names = [type.rsplit(":", 1)[-1] for type in types]
    return ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def render() -> str:
    """The page."""
    entries = {entry["id"]: entry for entry in catalogue()}
    rows = enforced()
    lines = [_HEAD.format(total=len(rows), known=len(rows.keys() & entries.keys()))]
    services: dict[str, list[_Row]] = {}
    for row in rows.values():
        services.setdefault(entries.get(row.id, {}).get("service", "Every service"), []).append(row)
    for service, found in sorted(services.items()):
        lines += [f"## {service}", "", "| id | types | phase | status | what is refused | source |"]
        lines += ["|---|---|---|---|---|---|"]
        lines += [
            f"| {row.id} | {_types(row.types)} | {row.phase} | {row.status} | {_cell(row.title)} | "
            f"{_cell(row.source)} |"
            for row in found
        ]
        lines.append("")
    lines += ["## Left out", "", *_left_out(entries, rows), ""]
    return "\n".join(lines)


def _left_out(entries: dict[str, dict[str, Any]], rows: dict[str, _Row]) -> Iterator[str]:
    yield "Ids of the catalogue that touch the platform's types and are not enforced."
    yield ""
    yield "| id | situation | known from | reason |"
    yield "|---|---|---|---|"
    for id, entry in sorted(entries.items()):
        if id not in rows:
            why = reason(id, entry["refusedBy"])
            yield f"| {id} | {_cell(entry['situation'])} | {entry['confidence']} | {why} |"


def main(arguments: list[str]) -> int:
    """Write the page, or compare it."""
    text = render()
    if "--check" not in arguments:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    print(
        "docs/sandbox-behaviours.md must equal what the code says, got another text; "
        "run python -m tools.behaviour_page"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

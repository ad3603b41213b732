"""Writes docs/ownership.md from what the components declare. `--check` only compares.

Usage: ``python -m tools.ownership_page [--check]``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from components.ownership import BESIDE, OWNED, Owned

__all__ = ["PAGE", "main", "render"]

PAGE = Path(__file__).parent.parent / "docs" / "ownership.md"

_HEAD = """# Who owns what

Generated from `components/ownership.py` by `python -m tools.ownership_page`; do not edit.

Pulumi owns every property of every resource that it makes, but for these: Pulumi sets them once, then their
owner changes them and an `up` leaves them as they are. A test plays each change of this table in the sandbox:
a refresh finds it, and the `up` after it has no step.

| resource | property (`ignore_changes`) | owner | what the owner does | where | drift |
|---|---|---|---|---|---|
"""

_MIDDLE = """
## Changes beside the program

The test plays those that say *yes* in the same way, in prod.

| what | owner | what the owner does | why an `up` has no step for it | played |
|---|---|---|---|---|
"""


def render() -> str:
    """The page."""
    owned = "".join(
        f"| `{_short(row.type)}` | `{row.property}` | {row.owner} | {row.change} | "
        f"{_where(row)} | {row.drift} |\n"
        for row in OWNED
    )
    beside = "".join(
        f"| {row.what} | {row.owner} | {row.change} | {row.why_no_step} | "
        f"{row.played if isinstance(row.played, str) else 'yes'} |\n"
        for row in BESIDE
    )
    return f"{_HEAD}{owned}{_MIDDLE}{beside}"


def _where(row: Owned) -> str:
    if row.released is not None:
        return "where a release owns it" if row.released == "shares" else "where a workflow owns it"
    if row.within:
        return f"in a `{row.within.rpartition(':')[2]}`"
    return "where it is there" if row.told else "everywhere"


def _short(type: str) -> str:
    """`gcp:sql/databaseInstance:DatabaseInstance` as `sql.DatabaseInstance`."""
    _, module, name = type.split(":")
    return f"{module.split('/')[0]}.{name}"


def main(arguments: list[str]) -> int:
    """Write the page, or compare it."""
    text = render()
    if "--check" not in arguments:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    print(
        "docs/ownership.md must equal what components/ownership.py says, got another text; "
        "run python -m tools.ownership_page"
    )
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Writes the tables of docs/runbooks/disaster-recovery.md from what each stack file declares.

`python -m tools.recovery_page --check` only compares.
"""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console

from review.recovery import RECOVERY_HEADS, recovery_rows, resilience_of
from review.region_loss import BuiltIn
from review.workspace import Workspace

__all__ = ["PAGE", "STACKS", "render"]

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "runbooks" / "disaster-recovery.md"
STACKS = ("prod", "staging", "dev")

_BEGIN = "<!-- begin: python -m tools.recovery_page -->"
_END = "<!-- end -->"


def tables() -> str:
    """One table an environment: what its declared stack gives beside what is promised."""
    lines: list[str] = []
    work = Workspace.open(ROOT, Console(quiet=True))
    for stack in STACKS:
        engine = BuiltIn(work, stack)
        _, refusals = engine.up(work.settings(stack), frozenset())
        if refusals:
            raise SystemExit(f"{stack} does not come up: {refusals[0]}")
        lines += ["", f"### {stack}", "", f"| {' | '.join(RECOVERY_HEADS)} |"]
        lines += [f"|{'---|' * len(RECOVERY_HEADS)}"]
        lines += [f"| {' | '.join(row)} |" for row in recovery_rows(resilience_of(engine.states()))]
    return "\n".join(lines) + "\n"


def render(page: str) -> str:
    """``page`` with the tables between its marks written anew."""
    head, _, rest = page.partition(_BEGIN)
    _, _, tail = rest.partition(_END)
    return f"{head}{_BEGIN}\n{tables()}\n{_END}{tail}"


def main() -> None:
    """Write the page; with `--check` end with 1 when it is stale."""
    page = PAGE.read_text(encoding="utf-8")
    wanted = render(page)
    if sys.argv[1:] == ["--check"]:
        if page != wanted:
            raise SystemExit(f"{PAGE.name} is stale: run python -m tools.recovery_page")
        return
    PAGE.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    main()

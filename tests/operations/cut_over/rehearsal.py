"""The whole cut-over on two real servers, with a service that writes all the time; prints what it measured.

`python -m tests.operations.cut_over.rehearsal [ROWS]`. The figures are those of one machine with
both servers, not Google's.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass, fields
from pathlib import Path

import pytest

from tests.operations.cut_over.world import World, servers, world
from tests.operations.cut_over.writer import Writer, writing


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What one rehearsal measured; seconds, but for the counts."""

    versions: str
    rows: int
    copy_seconds: float
    transactions: int
    switch_gap_seconds: float
    back_gap_seconds: float
    lost_rows: int
    rows_written_on_new_and_kept: int


def rehearse(one: World, rows: int) -> Figures:
    """Copy under writes, switch, write, go back, write, finish. Asserts what must hold on the way."""
    one.fill(rows)
    versions = [str(one.on(server, "SHOW server_version")[0][0]) for server in (one.old, one.new)]
    with writing(one) as writer:
        writer.wait("old")
        one.steps("preflight")
        began = time.monotonic()
        one.steps("copy", "wait")
        copied = time.monotonic() - began
        switched = time.monotonic()
        one.steps("switch", "verify")
        writer.wait("new", 100)
        gap = writer.longest_gap(switched)
        returned = time.monotonic()
        one.steps("back", "verify")
        writer.wait("old", 100)
        back_gap = writer.longest_gap(returned)
    one.steps("finish")
    assert one.left() == []
    there = {row[0] for row in one.on(one.old, "SELECT token FROM jobs")}
    return Figures(
        versions=" to ".join(versions),
        rows=sum(int(str(one.on(one.old, f"SELECT count(*) FROM {name}")[0][0])) for name in TABLES),
        copy_seconds=copied,
        transactions=len(writer.stored),
        switch_gap_seconds=gap,
        back_gap_seconds=back_gap,
        lost_rows=sum(token not in there for _, token, _ in writer.stored),
        rows_written_on_new_and_kept=kept(writer, there),
    )


TABLES = ("jobs", "results", "pipeline_jobs", "events")


def kept(writer: Writer, there: set[object]) -> int:
    """Transactions that the new server stored and the old one holds after the way back."""
    return sum(token in there for _, token, place in writer.stored if place == "new")


def show(figures: Figures) -> str:
    """A line for each."""
    lines: list[str] = []
    for one in fields(figures):
        value = getattr(figures, one.name)
        text = f"{value:.2f}" if isinstance(value, float) else str(value)
        lines.append(f"{one.name.replace('_', ' ')}: {text}")
    return "\n".join(lines)


if __name__ == "__main__":
    try:
        with tempfile.TemporaryDirectory() as folder, servers() as both, world(both, Path(folder)) as found:
            measured = rehearse(found, int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
    except pytest.skip.Exception as missing:
        sys.exit(f"cut-over-rehearsal: {missing}")
    sys.stdout.write(f"{show(measured)}\n")

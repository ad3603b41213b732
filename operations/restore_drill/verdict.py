"""What the source held, written down, and what a restored instance is worth beside it.

The source is written to all the time, so "the rows at that time" needs a reference that was taken at that
time.

At a point in time: the source is read below two snapshots, four seconds apart, and the point lies between
them, two seconds from each. A commit becomes visible within milliseconds of the time that the log holds for
it, so the first snapshot holds nothing from after the point and the second lacks nothing from before it. A
table that is the same in both is the same at the point: the clone must have exactly its rows, by number and
checksum ("exact"). A table that was written to in those seconds is compared by the rows that had settled an
hour before, if those are the same in both ("settled"); its younger rows are not proven. What is written to
and has no `created_at` is not proven at all and counted as "unproven".

From a backup nothing was written down at its time, and the source has moved on for hours. Rows that settled
an hour before the backup began and are on the source now must be in the restored instance; it may have more,
for rows are deleted and changed meanwhile ("at least"). A settled part that is the same by checksum is
"settled".

Not proven by either: what changed and changed back between the two snapshots; indexes, sequences and rights;
that the application works. Proven by no drill: that the next restore takes as long.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias, cast

from .data import Table, newest

__all__ = ["MARGIN", "SETTLES", "Verdict", "after_backup", "at_point", "judge"]

# Between a snapshot and the point.
MARGIN = timedelta(seconds=2)
# How long a transaction may be under way with a `created_at` of its start.
SETTLES = timedelta(hours=1)
# How far a clock of the application may be ahead.
_AHEAD = timedelta(minutes=5)

Worth: TypeAlias = Literal["exact", "settled", "atLeast", "unproven"]


@dataclass(kw_only=True, slots=True)
class Verdict:
    """How many tables are proven how far, and what is wrong in words."""

    tables: dict[Worth, int] = field(
        default_factory=lambda: {"exact": 0, "settled": 0, "atLeast": 0, "unproven": 0}
    )
    problems: list[str] = field(default_factory=list[str])
    newest_row_age_seconds: int | None = None

    def as_json(self) -> dict[str, Any]:
        """As the workflow reads it."""
        proven = sum(self.tables.values()) - self.tables["unproven"]
        problems = self.problems if proven or self.problems else ["no table could be compared"]
        return {
            "passed": not problems,
            "problems": problems,
            "tables": self.tables,
            "newestRowAgeSeconds": self.newest_row_age_seconds,
        }


def at_point(
    at: datetime, horizon: datetime, before: Mapping[str, Table], behind: Mapping[str, Table]
) -> dict[str, Any]:
    """The reference of a point in time, from both snapshots around it, as JSON."""
    tables: dict[str, Any] = {}
    for name in sorted({*before, *behind}):
        one, other = before.get(name), behind.get(name)
        if one is None or other is None:
            tables[name] = {"whole": None, "settled": None}
            continue
        tables[name] = {
            "whole": asdict(one.whole) if one.whole == other.whole else None,
            "settled": asdict(one.settled) if one.settled and one.settled == other.settled else None,
        }
    youngest = [found for found in (newest([*before.values()]), newest([*behind.values()])) if found]
    return _reference("point", at, horizon, tables, min(youngest, default=None))


def after_backup(at: datetime, horizon: datetime, now: Mapping[str, Table]) -> dict[str, Any]:
    """The reference of a backup that began at `at`, from the source as it is now, as JSON."""
    tables = {
        name: {"whole": None, "settled": asdict(one.settled) if one.settled else None}
        for name, one in now.items()
    }
    return _reference("backup", at, horizon, tables, None)


def _reference(
    kind: str, at: datetime, horizon: datetime, tables: dict[str, Any], youngest: datetime | None
) -> dict[str, Any]:
    return {
        "kind": kind,
        "at": at.isoformat().replace("+00:00", "Z"),
        "horizon": horizon.isoformat(),
        "tables": tables,
        "newest": None if youngest is None else youngest.isoformat(),
    }


def judge(reference: Mapping[str, Any], restored: Mapping[str, Table]) -> Verdict:
    """The restored instance beside the reference; both were read with the same horizon."""
    verdict, exactly = Verdict(), reference["kind"] == "point"
    tables = cast("Mapping[str, Any]", reference["tables"])
    for name, wanted in tables.items():
        found = restored.get(name)
        if found is not None:
            worth, problem = _table(name, wanted, found, exactly)
            verdict.tables[worth] += problem is None
            verdict.problems += [problem] if problem else []
        elif exactly and wanted["whole"] is not None:
            verdict.problems.append(f"{name}: not there, the source had {wanted['whole']['count']} rows")
        else:
            # Made by a migration since, or in the very seconds.
            verdict.tables["unproven"] += 1
    if exactly:
        verdict.problems += [f"{name}: not on the source" for name in sorted(set(restored) - set(tables))]
    _age(reference, restored, verdict)
    return verdict


def _table(name: str, wanted: Mapping[str, Any], found: Table, exactly: bool) -> tuple[Worth, str | None]:
    whole, settled = wanted["whole"], wanted["settled"]
    if whole is not None:
        return "exact", _differs(name, "rows", whole, asdict(found.whole))
    if settled is None or found.settled is None:
        return "unproven", None
    have = asdict(found.settled)
    if exactly or have == settled:
        return "settled", _differs(name, "settled rows", settled, have)
    if have["count"] < settled["count"]:
        return "atLeast", f"{name}: {have['count']} settled rows, the source has {settled['count']} still"
    return "atLeast", None


def _differs(name: str, what: str, wanted: Mapping[str, Any], have: Mapping[str, Any]) -> str | None:
    if wanted["count"] != have["count"]:
        return f"{name}: {have['count']} {what}, the source had {wanted['count']}"
    if wanted["checksum"] != have["checksum"]:
        return f"{name}: {have['count']} {what} as on the source, but with other content"
    return None


def _age(reference: Mapping[str, Any], restored: Mapping[str, Table], verdict: Verdict) -> None:
    at, youngest = datetime.fromisoformat(str(reference["at"])), newest([*restored.values()])
    if youngest is not None:
        verdict.newest_row_age_seconds = int((at - youngest).total_seconds())
        if youngest > at + _AHEAD:
            verdict.problems.append(f"the newest row is of {youngest.isoformat()}, after the time restored")
    if reference["newest"] is None:
        return
    wanted = datetime.fromisoformat(str(reference["newest"]))
    if youngest is None or youngest < wanted - SETTLES:
        shown = "not there" if youngest is None else f"of {youngest.isoformat()}"
        verdict.problems.append(f"the newest row is {shown}, the source's was of {wanted.isoformat()}")

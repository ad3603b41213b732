"""The indexes that the service's queries need, held against a server: present, valid, used, none twice.

Pure: data of `catalog` in, findings out. An index counts by what it holds, not by its name: a btree without a
condition whose first columns are the wanted ones, in that order or read backward, serves the same queries.
The composite on `pipeline_jobs(id, status)` is in the roadmap and adds nothing to the primary key on `id` for
a search by `id`; it is wanted all the same, and a note says so.

`used` is said of what the server has counted. A young count, or a table so small that PostgreSQL rather reads
all of it, proves nothing: that is `no-data`, and no failure. Each server counts for itself: what only a
replica scans is unused on the primary. PostgreSQL does not say when an index was made: one that is younger
than the count and not yet used is called unused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .catalog import Index, Statistics, Table

__all__ = ["EXPECTED", "Finding", "Thresholds", "Wanted", "duplicates", "judge"]

State = Literal["used", "no-data", "unused", "invalid", "missing", "no-table", "duplicate", "superfluous"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One index that must be there; `optional` where its table may not be."""

    table: str
    columns: tuple[str, ...]
    """Names, with ` DESC` where the order is descending."""
    optional: bool = False


EXPECTED: tuple[Wanted, ...] = (
    Wanted(table="jobs", columns=("status",)),
    Wanted(table="jobs", columns=("created_at DESC",)),
    Wanted(table="jobs", columns=("user_id", "status")),
    Wanted(table="results", columns=("job_id",)),
    Wanted(table="results", columns=("created_at DESC",)),
    Wanted(table="pipeline_jobs", columns=("status",)),
    Wanted(table="pipeline_jobs", columns=("created_at DESC",)),
    Wanted(table="pipeline_jobs", columns=("id", "status")),
    Wanted(table="pipeline_runs", columns=("job_id",), optional=True),
    Wanted(table="pipeline_runs", columns=("created_at DESC",), optional=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """From when on a count of no scans says something."""

    days: float = 7.0
    """Days that the server must have counted, 0 or more."""
    rows: int = 1_000
    """Rows that the table must have, 0 or more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One sentence on one index; `ok` is False where something must be done."""

    state: State
    ok: bool
    table: str
    columns: tuple[str, ...]
    index: str | None
    scans: int | None
    message: str


def judge(
    indexes: Sequence[Index],
    tables: Mapping[str, Table],
    statistics: Statistics,
    *,
    wanted: Sequence[Wanted] = EXPECTED,
    thresholds: Thresholds | None = None,
) -> tuple[Finding, ...]:
    """Every finding: the wanted indexes first, then what is invalid or twice besides."""
    limits = thresholds or Thresholds()
    found = [_wanted(one, indexes, tables, statistics, limits) for one in wanted]
    named = {finding.index for finding in found}
    found += [_invalid(index) for index in indexes if not index.valid and index.name not in named]
    found += duplicates(indexes)
    found += _superfluous(indexes, found)
    return tuple(found)


def _wanted(
    want: Wanted,
    indexes: Sequence[Index],
    tables: Mapping[str, Table],
    statistics: Statistics,
    limits: Thresholds,
) -> Finding:
    what = f"{want.table}({', '.join(want.columns)})"
    if want.table not in tables:
        return Finding(
            state="no-table" if want.optional else "missing",
            ok=want.optional,
            table=want.table,
            columns=want.columns,
            index=None,
            scans=None,
            message=f"table {want.table} is not there"
            + ("; so its index need not be" if want.optional else f", nor is an index on {what}: migrate"),
        )
    serving = [index for index in indexes if _serves(index, want)]
    valid = [index for index in serving if index.valid]
    if not serving:
        return Finding(
            state="missing",
            ok=False,
            table=want.table,
            columns=want.columns,
            index=None,
            scans=None,
            message=f"no index on {what}: make it concurrently, in a migration",
        )
    if not valid:
        return _invalid(serving[0])
    # The narrowest, and of equal ones that which is scanned.
    index = min(valid, key=lambda one: (len(one.keys), -(one.scans or 0), one.name))
    return _usage(want, index, sum(one.scans or 0 for one in valid), tables, statistics, limits)


def _usage(
    want: Wanted,
    index: Index,
    scans: int,
    tables: Mapping[str, Table],
    statistics: Statistics,
    limits: Thresholds,
) -> Finding:
    rows = tables[want.table].rows
    if scans:
        state, message = "used", f"scanned {scans} times in {statistics.days:.1f} days"
    elif index.scans is None:
        state, message = "no-data", "no data yet: only the indexes of the partitions are counted"
    elif statistics.days < limits.days:
        state, message = (
            "no-data",
            f"no data yet: scans are counted for {statistics.days:.1f} days, {limits.days:g} are needed",
        )
    elif rows < limits.rows:
        state, message = (
            "no-data",
            f"no data yet: about {rows} rows, of fewer than {limits.rows} PostgreSQL rather reads all",
        )
    else:
        state, message = (
            "unused",
            f"not scanned in {statistics.days:.1f} days with about {rows} rows: look at the plans of queries",
        )
    return Finding(
        state=state,
        ok=state != "unused",
        table=want.table,
        columns=want.columns,
        index=index.name,
        scans=None if index.scans is None else scans,
        message=message,
    )


def _serves(index: Index, want: Wanted) -> bool:
    """Whether a search and an order by the wanted columns can use the index."""
    if index.table != want.table or index.method != "btree" or index.predicate is not None:
        return False
    first = index.keys[: len(want.columns)]
    plain = tuple(name.removesuffix(" DESC") for name in want.columns)
    if tuple(key.column for key in first) != plain:
        return False
    # Each column in its order with NULLs where that order puts them by default, or all of it read backward.
    orders = tuple(name.endswith(" DESC") for name in want.columns)
    as_is = tuple((key.descending, key.nulls_first) for key in first)
    return as_is in (tuple((down, down) for down in orders), tuple((not down, not down) for down in orders))


def _invalid(index: Index) -> Finding:
    return Finding(
        state="invalid",
        ok=False,
        table=index.table,
        columns=index.columns,
        index=index.name,
        scans=index.scans,
        message=(
            "was not finished: it costs every write and serves no query; DROP INDEX CONCURRENTLY it and make "
            "it again (a unique one fails on values that are there twice)"
        ),
    )


def duplicates(indexes: Sequence[Index]) -> list[Finding]:
    """Valid indexes that another one of the same table makes needless; one of two equal ones is named."""
    valid = [index for index in indexes if index.valid]
    return [
        Finding(
            state="duplicate",
            ok=False,
            table=index.table,
            columns=index.columns,
            index=index.name,
            scans=index.scans,
            message=f"{other.name}({', '.join(other.columns)}) does all it does: DROP INDEX CONCURRENTLY it",
        )
        for index in valid
        if (other := next(_making_needless(index, valid), None)) is not None
    ]


def _making_needless(index: Index, others: Iterable[Index]) -> Iterator[Index]:
    for other in others:
        if other.table != index.table or other.name == index.name or not _covers(other, index):
            continue
        if _covers(index, other) and _kept(index) >= _kept(other):
            continue
        yield other


def _kept(index: Index) -> tuple[bool, bool, int, str]:
    """Of two indexes that do the same, the one with the greater value stays."""
    return index.constraint, index.unique, index.scans or 0, index.name


def _covers(wide: Index, narrow: Index) -> bool:
    """Whether `wide` does all that `narrow` does: its searches, its order, its columns, its uniqueness."""
    if (wide.method, wide.predicate) != (narrow.method, narrow.predicate):
        return False
    ordered = narrow.method == "btree"
    first = wide.keys[: len(narrow.keys)]
    backward = tuple(key.mirrored() for key in first)
    if narrow.keys != first and not (ordered and narrow.keys == backward):
        return False
    # Only a btree serves a search by its first columns as well as an index on these alone.
    longer = len(wide.keys) > len(narrow.keys)
    if longer and not ordered:
        return False
    if narrow.unique or narrow.constraint:
        return not longer and wide.unique and (wide.constraint or not narrow.constraint)
    return narrow.included <= {*wide.included, *(key.column for key in wide.keys)}


def _superfluous(indexes: Sequence[Index], found: Sequence[Finding]) -> Iterator[Finding]:
    """Notes on indexes that begin with the whole key of a unique one: they find at most that one row."""
    twice = {finding.index for finding in found if finding.state == "duplicate"}
    for index in indexes:
        if index.unique or not index.valid or index.method != "btree" or index.name in twice:
            continue
        for other in indexes:
            columns = tuple(key.column for key in other.keys)
            if (
                other.table == index.table
                and other.unique
                and other.valid
                and other.predicate is None
                and len(columns) < len(index.keys)
                and tuple(key.column for key in index.keys[: len(columns)]) == columns
            ):
                yield Finding(
                    state="superfluous",
                    ok=True,
                    table=index.table,
                    columns=index.columns,
                    index=index.name,
                    scans=index.scans,
                    message=f"begins with the whole key of {other.name}, which finds the one row as well",
                )
                break

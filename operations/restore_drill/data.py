"""What is read from a database: for each table its rows, their checksum, and the part that has settled.

Everything is read in transactions that can only read, below a snapshot. The checksum is the sum of a 64-bit
hash of each row's text: it needs no order, sees a row that appears twice, and is the same on every server of
the same version, because what the text depends on is set here. Tables that leave no trace in the write-ahead
log (unlogged, temporary) are left out, as is what belongs to an extension. A row has settled when the later
of `created_at` and `updated_at` is beyond the horizon; a table without a `created_at` has no such part.

The reading user needs `SELECT` on every table, which `operations/database/roles.sql` gives to
`aiprod_reader`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

__all__ = ["Connect", "Connection", "Part", "Table", "clock", "newest", "read", "reading"]

# One statement reads one table; both together end before the caller's 30 minutes do.
_SETTINGS = (
    "SET statement_timeout = '1500s'",
    "SET lock_timeout = '30s'",
    "SET TimeZone = 'UTC'",
    "SET DateStyle = 'ISO, YMD'",
    "SET IntervalStyle = 'iso_8601'",
    "SET bytea_output = 'hex'",
    "SET extra_float_digits = 1",
    "SET search_path = pg_catalog",
    # A policy that hides rows is an error then, not a smaller number.
    "SET row_security = off",
)
_TABLES = """
SELECT n.nspname, c.relname,
       EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'created_at'
               AND a.atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype)),
       EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'updated_at'
               AND a.atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence = 'p'
  AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                  AND d.deptype = 'e')
ORDER BY 1, 2
"""
_HASH = 'hashtextextended(t::text COLLATE "C", 0)::numeric'


class Cursor(Protocol):
    """The part of a database cursor that is used."""

    def execute(self, operation: str, args: Any = ...) -> Any:
        """Send a statement."""
        ...

    def fetchall(self) -> Any:
        """All rows."""
        ...


class Connection(Protocol):
    """The part of a database connection that is used."""

    autocommit: bool

    def cursor(self) -> Any:
        """A new cursor."""
        ...

    def close(self) -> Any:
        """Hang up."""
        ...


# Instance -> a fresh connection to its database.
Connect = Callable[[str], Connection]


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """Some rows of a table."""

    count: int
    checksum: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """One table; `settled` and `newest` are None without a `created_at`, `newest` also without a row."""

    whole: Part
    settled: Part | None
    newest: datetime | None
    # Without it an old row can change and still count as settled.
    updates_leave_a_mark: bool


@contextmanager
def reading(connect: Connect, instance: str) -> Generator[Connection]:
    """A connection with a snapshot of this moment; it sees nothing that is committed later."""
    connection = connect(instance)
    try:
        connection.autocommit = True
        cursor: Cursor = connection.cursor()
        for statement in _SETTINGS:
            cursor.execute(statement)
        cursor.execute("START TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        # The first statement that reads takes the snapshot.
        cursor.execute("SELECT pg_current_snapshot()")
        yield connection
    finally:
        connection.close()


def clock(connection: Connection) -> datetime:
    """The server's clock now, inside any transaction."""
    return _rows(connection, "SELECT clock_timestamp()")[0][0]


def read(connection: Connection, horizon: datetime) -> dict[str, Table]:
    """Every table below the connection's snapshot, by SCHEMA.TABLE."""
    found: dict[str, Table] = {}
    for schema, name, created, updated in _rows(connection, _TABLES):
        settled = "false"
        if created:
            last = "greatest(t.created_at, t.updated_at)" if updated else "t.created_at"
            settled = f"{last} <= '{horizon.isoformat()}'::timestamptz"
        newest = "max(t.created_at)::timestamptz" if created else "NULL::timestamptz"
        # Names are the catalogue's own and quoted.
        statement = (
            f"SELECT count(*), coalesce(sum({_HASH}), 0)::text,",
            f"count(*) FILTER (WHERE {settled}),",
            f"coalesce(sum({_HASH}) FILTER (WHERE {settled}), 0)::text,",
            f"{newest} FROM {_quoted(schema)}.{_quoted(name)} AS t",
        )
        row = _rows(connection, " ".join(statement))[0]
        found[f"{schema}.{name}"] = Table(
            whole=Part(count=row[0], checksum=row[1]),
            settled=Part(count=row[2], checksum=row[3]) if created else None,
            newest=row[4],
            updates_leave_a_mark=bool(updated),
        )
    return found


def newest(tables: Sequence[Table]) -> datetime | None:
    """The youngest row of all."""
    return max((one.newest for one in tables if one.newest is not None), default=None)


def _rows(connection: Connection, statement: str) -> list[Any]:
    cursor: Cursor = connection.cursor()
    cursor.execute(statement)
    return list(cursor.fetchall())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

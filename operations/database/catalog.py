"""What a PostgreSQL server says of the indexes of one schema, as plain data; only catalogs are read."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

__all__ = ["Index", "Key", "Statistics", "Table", "read_indexes", "read_statistics", "read_tables"]

_DESCENDING, _NULLS_FIRST = 1, 2


@dataclass(frozen=True, slots=True)
class Key:
    """One key column of an index: two keys are equal when a search and an order by them are."""

    column: str
    """Name of the column, or the text of an expression."""
    operators: int
    collation: int
    descending: bool
    nulls_first: bool

    def mirrored(self) -> Key:
        """The same key read backward."""
        return Key(self.column, self.operators, self.collation, not self.descending, not self.nulls_first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """One index of a table."""

    table: str
    name: str
    method: str
    keys: tuple[Key, ...]
    included: frozenset[str]
    predicate: str | None
    unique: bool
    constraint: bool
    """Whether a primary key, a unique constraint or an exclusion stands on it."""
    valid: bool
    """Whether it is complete and kept up to date: `indisvalid` and `indisready`."""
    scans: int | None
    """Since the statistics were reset; None for the index of a partitioned table, which has none itself."""

    @property
    def columns(self) -> tuple[str, ...]:
        """As a person writes them."""
        return tuple(f"{key.column}{' DESC' if key.descending else ''}" for key in self.keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table, and about how many rows it has."""

    name: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """How long the server has counted scans: since a reset, or at least since it started."""

    days: float


@dataclass(frozen=True, slots=True)
class _Row:
    table: str
    name: str
    method: str
    columns: list[str]
    operators: list[int]
    collations: list[int]
    options: list[int]
    included: list[str]
    predicate: str | None
    is_unique: bool
    is_constraint: bool
    is_valid: bool
    scans: int | None


# The view's columns are `relname` and `indexrelname`; `tablename` and `indexname` are those of pg_indexes.
_INDEXES = """
SELECT t.relname AS "table", i.relname AS name, m.amname AS method,
       ARRAY(SELECT pg_get_indexdef(x.indexrelid, k, true)
             FROM generate_series(1, x.indnkeyatts) AS k ORDER BY k) AS columns,
       ARRAY(SELECT x.indclass[k - 1]::bigint
             FROM generate_series(1, x.indnkeyatts) AS k ORDER BY k) AS operators,
       ARRAY(SELECT x.indcollation[k - 1]::bigint
             FROM generate_series(1, x.indnkeyatts) AS k ORDER BY k) AS collations,
       ARRAY(SELECT x.indoption[k - 1]::int
             FROM generate_series(1, x.indnkeyatts) AS k ORDER BY k) AS options,
       ARRAY(SELECT pg_get_indexdef(x.indexrelid, k, true)
             FROM generate_series(x.indnkeyatts + 1, x.indnatts) AS k ORDER BY k) AS included,
       pg_get_expr(x.indpred, x.indrelid) AS predicate,
       x.indisunique AS is_unique,
       EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = x.indexrelid
               AND c.contype IN ('p', 'u', 'x')) AS is_constraint,
       x.indisvalid AND x.indisready AS is_valid,
       s.idx_scan AS scans
FROM pg_index AS x
JOIN pg_class AS i ON i.oid = x.indexrelid
JOIN pg_class AS t ON t.oid = x.indrelid
JOIN pg_namespace AS n ON n.oid = t.relnamespace
JOIN pg_am AS m ON m.oid = i.relam
LEFT JOIN pg_stat_user_indexes AS s
       ON s.indexrelid = x.indexrelid AND s.schemaname = n.nspname
      AND s.relname = t.relname AND s.indexrelname = i.relname
WHERE n.nspname = %s AND NOT t.relispartition
ORDER BY t.relname, i.relname
"""
_TABLES = """
SELECT c.relname AS name, greatest(c.reltuples, s.n_live_tup, 0)::bigint AS rows
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_stat_user_tables AS s ON s.relid = c.oid
WHERE n.nspname = %s AND c.relkind IN ('r', 'p')
"""
_STATISTICS = """
SELECT (extract(epoch FROM now() - coalesce(stats_reset, pg_postmaster_start_time())) / 86400)::float8 AS days
FROM pg_stat_database WHERE datname = current_database()
"""


def read_indexes(connection: psycopg.Connection, schema: str) -> tuple[Index, ...]:
    """Every index of the schema, by table and name."""
    with connection.cursor(row_factory=class_row(_Row)) as cursor:
        return tuple(_index(row) for row in cursor.execute(_INDEXES, [schema]))


def read_tables(connection: psycopg.Connection, schema: str) -> dict[str, Table]:
    """The tables of the schema by name."""
    with connection.cursor(row_factory=class_row(Table)) as cursor:
        return {table.name: table for table in cursor.execute(_TABLES, [schema])}


def read_statistics(connection: psycopg.Connection) -> Statistics:
    """How old the server's counts are."""
    with connection.cursor(row_factory=class_row(Statistics)) as cursor:
        found = cursor.execute(_STATISTICS).fetchone()
    return found or Statistics(days=0.0)


def _index(row: _Row) -> Index:
    parts = zip(row.columns, row.operators, row.collations, row.options, strict=True)
    # Methods other than btree know no order: their options are 0.
    keys = (
        Key(column, operators, collation, bool(option & _DESCENDING), bool(option & _NULLS_FIRST))
        for column, operators, collation, option in parts
    )
    return Index(
        table=row.table,
        name=row.name,
        method=row.method,
        keys=tuple(keys),
        included=frozenset(row.included),
        predicate=row.predicate,
        unique=row.is_unique,
        constraint=row.is_constraint,
        valid=row.is_valid,
        scans=row.scans,
    )

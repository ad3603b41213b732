"""What a database holds, in a form that two servers of different versions can be compared by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from psycopg import sql

from .servers import JOURNAL, Pair, Server
from .settings import RefusedError

__all__ = [
    "USER_RELATIONS",
    "Table",
    "carry_sequences",
    "compare",
    "refuse_other_schema",
    "sequences",
    "tables",
]

# What a person made: no system schema, no journal, nothing that an extension brings along.
USER_RELATIONS = f"""
SELECT relation.oid, nspname, relname, relkind, relpersistence, relreplident, relowner, relacl
FROM pg_class AS relation JOIN pg_namespace AS space ON space.oid = relation.relnamespace
WHERE space.nspname NOT LIKE 'pg\\_%' AND space.nspname NOT IN ('information_schema', '{JOURNAL}')
AND NOT EXISTS (
  SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = relation.oid AND deptype = 'e')
"""
_COLUMNS = """
SELECT attname FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attname
"""
# Columns with type, duty and key; defaults name sequences and are left out.
_SHAPE = f"""
SELECT nspname || '.' || relname, attname, format_type(atttypid, atttypmod), attnotnull, attgenerated <> '',
EXISTS (SELECT FROM pg_index WHERE indrelid = relation.oid AND indisprimary AND attnum = ANY (indkey))
FROM ({USER_RELATIONS} AND relation.relkind IN ('r', 'p')) AS relation
JOIN pg_attribute AS attribute ON attrelid = relation.oid AND attnum > 0 AND NOT attisdropped
ORDER BY 1, 2
"""


@dataclass(frozen=True, order=True, slots=True)
class Table:
    """One table; of a partitioned one each leaf."""

    schema: str
    name: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def identifier(self) -> sql.Identifier:
        """Quoted."""
        return sql.Identifier(self.schema, self.name)


def tables(server: Server) -> list[Table]:
    """All that are replicated, sorted."""
    found = server.rows(
        sql.SQL("SELECT nspname, relname FROM ({}) AS found WHERE relkind = 'r'").format(
            sql.SQL(USER_RELATIONS)
        )
    )
    return sorted(Table(*row) for row in found)


def refuse_other_schema(pair: Pair) -> None:
    """Refuse when tables or columns differ: logical replication carries no DDL."""
    old, new = ({tuple(row) for row in server.rows(sql.SQL(_SHAPE))} for server in (pair.old, pair.new))
    if differing := sorted(old ^ new):
        table, column, *_ = differing[0]
        raise RefusedError(
            f"old and new must have the same tables while the copy runs, got {len(differing)} differences "
            f"such as {table}.{column}; make the same change on new, or abort and begin again"
        )


def sequences(server: Server) -> dict[Table, tuple[int | None, int, int, int]]:
    """Last value (None where never used), increment, least and greatest value."""
    found = server.rows(
        "SELECT schemaname, sequencename, last_value, increment_by, min_value, max_value FROM pg_sequences "
        "WHERE schemaname <> 'cut_over' AND schemaname NOT LIKE 'pg\\_%' "
        "AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND deptype = 'e' "
        "AND objid = format('%I.%I', schemaname, sequencename)::regclass)",
    )
    return {Table(row[0], row[1]): (row[2], row[3], row[4], row[5]) for row in found}


def carry_sequences(source: Server, target: Server, margin: int) -> int:
    """Set the target's sequences `margin` steps past the source's; answers how many. Never backwards.

    Replication carries rows, not sequences. The margin keeps numbers apart that were drawn and not stored.
    """
    before = sequences(target)
    carried = 0
    for name, (last, step, least, greatest) in sequences(source).items():
        if name not in before:
            raise RefusedError(f"{target.name} must hold sequence {name}, got none; create it and run again")
        if last is None:
            continue
        wanted = last + step * margin
        if not least <= wanted <= greatest:
            wanted = last
        here = before[name][0]
        if here is None or (wanted - here) * step > 0:
            target.run("SELECT setval(%s::regclass, %s)", (_quoted(source, name), wanted))
        carried += 1
    return carried


def compare(pair: Pair) -> tuple[int, int]:
    """Count and checksum every table on both, which must stand still; answers tables and rows.

    Each row's text gives an MD5, whose halves are summed: rows in another order give the same.
    Errors: RefusedError, naming the first table that differs.
    """
    refuse_other_schema(pair)
    found = tables(pair.old)
    with ThreadPoolExecutor(2) as pool:
        old, new = pool.map(partial(_sums, found=found), (pair.old, pair.new))
    differing = [table for table in found if old[table] != new[table]]
    if differing:
        table = differing[0]
        raise RefusedError(
            f"every table must be equal on both, got {len(differing)} that differ such as {table} with "
            f"{old[table][0]} rows on old and {new[table][0]} on new; look for who wrote to new"
        )
    return len(found), sum(rows for rows, _, _ in old.values())


def _sums(server: Server, found: Sequence[Table]) -> Mapping[Table, tuple[int, str, str]]:
    sums: dict[Table, tuple[int, str, str]] = {}
    for table in found:
        columns = [sql.Identifier(name) for name in server.column(_COLUMNS, (_quoted(server, table),))]
        row = sql.SQL("ROW({})::text").format(sql.SQL(", ").join(columns))
        # OFFSET keeps the planner from computing each sum twice.
        query = sql.SQL(
            "SELECT count(*), coalesce(sum(('x' || left(sum, 16))::bit(64)::bigint), 0)::text, "
            "coalesce(sum(('x' || right(sum, 16))::bit(64)::bigint), 0)::text "
            "FROM (SELECT md5({}) AS sum FROM ONLY {} OFFSET 0) AS rows"
        ).format(row, table.identifier)
        rows, first, second = server.rows(query)[0]
        sums[table] = (rows, first, second)
    return sums


def _quoted(server: Server, table: Table) -> str:
    return table.identifier.as_string(server.connection)

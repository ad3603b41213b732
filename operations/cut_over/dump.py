"""The schema, or schema and rows, from one server to the other by `pg_dump` and `psql`, all or nothing."""

from __future__ import annotations

import shutil
import subprocess
import tempfile

from psycopg import sql

from .servers import Pair
from .settings import RefusedError

__all__ = ["carry"]

_OPTIONS = ["--no-owner", "--no-privileges", "--no-publications", "--no-subscriptions"]
_CHUNK = 1 << 20


def carry(pair: Pair, *, rows: bool) -> None:
    """All or nothing, with the journal's mark `copied` in the same transaction.

    Tables go to the owner of the settings, the roles of `grant_to` may read and write them, those of
    `read_by` read: all of them from the switch on, and not only when the run is finished.
    Errors: RefusedError with the first line that either program complains in.
    """
    command = [_program("pg_dump"), *_OPTIONS, *([] if rows else ["--schema-only"])]
    # Neither reads a start-up file; `psql` ends at the first error, and so does its transaction.
    target = [_program("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
    with tempfile.TemporaryFile() as complaints:
        with (
            subprocess.Popen(
                command, env=pair.old.side.environment(), stdout=subprocess.PIPE, stderr=complaints
            ) as reader,
            subprocess.Popen(
                target, env=pair.new.side.environment(), stdin=subprocess.PIPE, stderr=complaints
            ) as writer,
        ):
            assert reader.stdout is not None
            assert writer.stdin is not None
            try:
                writer.stdin.write(b"BEGIN;\n")
                while chunk := reader.stdout.read(_CHUNK):
                    writer.stdin.write(chunk)
                # Without a complete dump there is no COMMIT, and the end of input rolls back.
                if reader.wait() == 0:
                    writer.stdin.write(_closing(pair).encode())
                writer.stdin.close()
            except BrokenPipeError:
                reader.kill()
            codes = (reader.wait(), writer.wait())
        complaints.seek(0)
        said = complaints.read().decode(errors="replace")
    if any(codes):
        lines = [line for line in said.splitlines() if "error" in line.lower()] or ["no message"]
        raise RefusedError(f"the copy by pg_dump and psql must succeed, got: {lines[0]}; nothing was copied")


def _closing(pair: Pair) -> str:
    """The end of the transaction: ownership, grants, the mark."""
    connection = pair.new.connection
    spaces = [
        sql.Identifier(name)
        for name in pair.old.column(
            "SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' "
            "AND nspname <> 'information_schema'",
        )
    ]
    lines: list[sql.Composable] = []
    owner = pair.settings.owner
    if owner is not None and owner != pair.new.side.connect["user"]:
        role = sql.Identifier(owner)
        lines += [sql.SQL("GRANT USAGE, CREATE ON SCHEMA {} TO {};").format(space, role) for space in spaces]
        lines.append(sql.SQL("REASSIGN OWNED BY CURRENT_USER TO {};").format(role))
    for name in pair.settings.grant_to:
        role = sql.Identifier(name)
        for space in spaces:
            lines += [
                sql.SQL("GRANT USAGE ON SCHEMA {} TO {};").format(space, role),
                sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {} TO {};").format(
                    space, role
                ),
                sql.SQL("GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA {} TO {};").format(
                    space, role
                ),
            ]
    for name in pair.settings.read_by:
        role = sql.Identifier(name)
        for space in spaces:
            lines += [
                sql.SQL("GRANT USAGE ON SCHEMA {} TO {};").format(space, role),
                sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {};").format(space, role),
                sql.SQL("GRANT SELECT ON ALL SEQUENCES IN SCHEMA {} TO {};").format(space, role),
            ]
    lines += [
        sql.SQL("INSERT INTO cut_over.journal (key, value) VALUES ('copied', '') ON CONFLICT DO NOTHING;"),
        sql.SQL("COMMIT;\n"),
    ]
    return sql.SQL("\n").join(lines).as_string(connection)


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise RefusedError(f"{name} must be on PATH, got none; install postgresql-client")
    return found

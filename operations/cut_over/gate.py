"""Which database takes writes.

`default_transaction_read_only` of a database is a setting that its owner may change, without superuser, and
that a replication worker does not ask: it writes past the executor. A session that began before keeps what it
had, so those are ended. A role with a default of its own would come through: the preflight refuses it.
"""

from __future__ import annotations

import time

from psycopg import sql

from .servers import PREFIX, Server
from .settings import RefusedError

__all__ = ["closed", "shut", "unshut"]

_OLDER = """
SELECT activity.pid FROM pg_stat_activity AS activity JOIN pg_roles AS role ON role.rolname = activity.usename
WHERE activity.datname = current_database() AND activity.backend_type = 'client backend'
AND activity.pid <> pg_backend_pid() AND NOT role.rolsuper AND activity.application_name <> %s
AND activity.backend_start < %s::timestamptz
"""


def closed(server: Server) -> bool:
    """Whether new sessions are read-only."""
    settings = server.column(
        "SELECT unnest(setconfig) FROM pg_db_role_setting JOIN pg_database AS base ON base.oid = setdatabase "
        "WHERE setrole = 0 AND base.datname = current_database()"
    )
    return "default_transaction_read_only=on" in settings


def shut(server: Server) -> None:
    """Stop writes: new sessions are read-only and older ones ended, their transactions with them."""
    server.run(
        sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(
            sql.Identifier(server.side.database)
        )
    )
    _end_older(server)


def unshut(server: Server) -> None:
    """Let writes in again; sessions that began meanwhile are ended, for they would stay read-only."""
    server.run(
        sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(
            sql.Identifier(server.side.database)
        )
    )
    _end_older(server)


def _end_older(server: Server, seconds: float = 30) -> None:
    before = server.one("SELECT clock_timestamp()::text")
    until = time.monotonic() + seconds
    while left := server.column(_OLDER, (PREFIX, before)):
        for pid in left:
            server.run("SELECT pg_terminate_backend(%s)", (pid,))
        if time.monotonic() > until:
            raise RefusedError(
                f"{server.name} must have no session from before, got {len(left)} after {seconds:.0f} s; "
                "stop their clients and run the step again"
            )
        time.sleep(0.02)

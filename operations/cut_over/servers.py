"""A connection to one of the two servers, and the journal that the new one keeps."""

from __future__ import annotations

import secrets
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString, TypeAlias

import psycopg
from psycopg import sql

from .settings import RefusedError, Settings, Side, SideName

__all__ = ["JOURNAL", "PREFIX", "Journal", "Pair", "Server", "opened", "reach"]

Query: TypeAlias = LiteralString | sql.SQL | sql.Composed
# Everything that this program makes is called cut_over_RUN...: another run is known by its name.
PREFIX = "cut_over"
JOURNAL = PREFIX
# Text of a row must be the same on both servers, and names must mean one thing.
_SESSION = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "search_path": "pg_catalog",
    "default_transaction_read_only": "off",
    "statement_timeout": "0",
    "client_min_messages": "warning",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """One server with a connection of this program; each statement is a transaction of its own."""

    side: Side
    connection: psycopg.Connection[tuple[Any, ...]]

    @property
    def name(self) -> SideName:
        """How a person calls it."""
        return self.side.name

    @property
    def version(self) -> int:
        """Major version."""
        return self.connection.info.server_version // 10_000

    def rows(self, query: Query, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows."""
        return self.connection.execute(query, values or None).fetchall()

    def one(self, query: Query, values: Sequence[object] = ()) -> Any:
        """First column of the one row."""
        return self.rows(query, values)[0][0]

    def column(self, query: Query, values: Sequence[object] = ()) -> list[Any]:
        """First column of all rows."""
        return [row[0] for row in self.rows(query, values)]

    def run(self, statement: Query, values: Sequence[object] = ()) -> None:
        """No rows."""
        self.connection.execute(statement, values or None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """Both servers."""

    old: Server
    new: Server
    settings: Settings


@contextmanager
def reach(side: Side) -> Generator[Server]:
    """Come in. Errors: RefusedError when the server does not let this program in."""
    try:
        connection = psycopg.connect(
            side.conninfo(), autocommit=True, application_name=PREFIX, connect_timeout=10
        )
    except psycopg.OperationalError as error:
        text = " ".join(str(error).split())
        raise RefusedError(
            f"{side.name} must be reachable by this program, got: {text}; correct it"
        ) from None
    try:
        for key, value in _SESSION.items():
            connection.execute("SELECT set_config(%s, %s, false)", (key, value))
        yield Server(side=side, connection=connection)
    finally:
        connection.close()


@contextmanager
def opened(settings: Settings) -> Generator[Pair]:
    """Come into both. Errors: RefusedError when another program is at it."""
    with reach(settings.old) as old, reach(settings.new) as new:
        # A program that was killed holds its lock until the server notices.
        until = time.monotonic() + 10
        while not new.one("SELECT pg_try_advisory_lock(hashtext('cut_over'))"):
            if time.monotonic() > until:
                raise RefusedError(
                    "one program may run at a time, got another that is at it; wait for its end"
                )
            time.sleep(0.1)
        yield Pair(old=old, new=new, settings=settings)


@dataclass(frozen=True, kw_only=True, slots=True)
class Journal:
    """What was done, kept on the new server in a schema of its own; it says where to go on.

    Keys: `run` and `mode` begin it, `copied` (schema, by dump rows too), `stopped` (before old's writes are),
    `compared`, `switched` (before the new server opens), `returned` (before the old one opens again).
    """

    server: Server

    def entries(self) -> dict[str, str]:
        """All that was written; nothing where no run began."""
        if self.server.one("SELECT to_regclass(%s) IS NULL", (f"{JOURNAL}.journal",)):
            return {}
        return dict(self.server.rows("SELECT key, value FROM cut_over.journal"))

    def begin(self, mode: str) -> dict[str, str]:
        """Give the run a name of eight digits, unless it has one."""
        with self.server.connection.transaction():
            self.server.run("CREATE SCHEMA IF NOT EXISTS cut_over")
            self.server.run(
                "CREATE TABLE IF NOT EXISTS cut_over.journal (key text PRIMARY KEY, value text NOT NULL, "
                "at timestamptz NOT NULL DEFAULT clock_timestamp())"
            )
            if "run" not in self.entries():
                self.write("run", secrets.token_hex(4))
                self.write("mode", mode)
        return self.entries()

    def write(self, key: str, value: str) -> None:
        """Once; a later value of the same key is left out."""
        self.server.run(
            "INSERT INTO cut_over.journal (key, value) VALUES (%s, %s) ON CONFLICT DO NOTHING", (key, value)
        )

    def forget(self, key: str) -> None:
        """Take back what does not hold any more."""
        self.server.run("DELETE FROM cut_over.journal WHERE key = %s", (key,))

    def remove(self) -> None:
        """Forget the run."""
        self.server.run("DROP SCHEMA IF EXISTS cut_over CASCADE")

    def run(self) -> str:
        """Name of the run. Errors: RefusedError when none began."""
        found = self.entries().get("run")
        if found is None:
            raise RefusedError("a cut-over must have begun, got no journal on new; run the step copy first")
        return found

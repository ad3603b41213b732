"""A database as Cloud SQL hands it out: no superuser for anybody, logins that Google made."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from tests.operations.rotation.server import Server

__all__ = ["ADMINISTRATOR", "LOGINS", "SCRIPT", "World", "execute", "prepare"]

SCRIPT = (Path(__file__).parents[3] / "operations" / "database" / "roles.sql").read_text(encoding="utf-8")
# Stands for Cloud SQL's `postgres`, whose name the test server's superuser has.
ADMINISTRATOR = "administrator"
PASSWORD_USERS = ("aiprod_application", "aiprod_application_b")
LOGINS = {
    "api": "aiprod-api@p-example.iam",
    "worker": "aiprod-worker@p-example.iam",
    "batch": "aiprod-batch@p-example.iam",
    "application": PASSWORD_USERS[0],
    "application_b": PASSWORD_USERS[1],
    "reader": "aiprod-verifier@p-example.iam",
    "migration": "aiprod-migration@p-example.iam",
    "rotator": "aiprod-rotator@p-example.iam",
    # Names that only begin or end like one that counts.
    "stranger": "aiprod-api@p-example.iam.example.com",
    "almost": "aiprod-migration@p-example.iam.example.com",
    "impostor": "x-aiprod-migration@p-example.iam",
}


def execute(session: psycopg.Connection, statement: str) -> psycopg.Cursor:
    """A statement that a table of a test holds, or a file."""
    return session.execute(statement.encode())


def prepare(operator: psycopg.Connection) -> None:
    """Roles belong to the whole server: made once."""
    operator.execute("CREATE ROLE cloudsqlsuperuser NOLOGIN CREATEROLE CREATEDB")
    operator.execute(
        sql.SQL("CREATE ROLE {} LOGIN CREATEROLE CREATEDB IN ROLE cloudsqlsuperuser").format(
            sql.Identifier(ADMINISTRATOR)
        )
    )
    for login in LOGINS.values():
        operator.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'p'").format(sql.Identifier(login)))


@dataclass(frozen=True)
class World:
    """One database; `operator` is the server's superuser, whom Cloud SQL gives to nobody."""

    server: Server
    name: str
    operator: psycopg.Connection

    @contextmanager
    def acting(self, role: str, *, owner: bool = False) -> Generator[psycopg.Connection]:
        """A session of one login, by its short name or its own; the migration's begins as the owner."""
        with psycopg.connect(
            host=self.server.folder,
            port=self.server.port,
            user="postgres",
            dbname=self.name,
            autocommit=True,
        ) as session:
            login = LOGINS.get(role, role)
            session.execute(sql.SQL("SET SESSION AUTHORIZATION {}").format(sql.Identifier(login)))
            if owner:
                session.execute("SET ROLE aiprod_owner")
            yield session

    def apply(self, role: str = ADMINISTRATOR) -> None:
        """Run the script as the administrator, or as another login."""
        with self.acting(role) as session:
            execute(session, SCRIPT)

    def migrate(self, *statements: str) -> None:
        """What a migration does, as the owner."""
        with self.acting("migration", owner=True) as session:
            for statement in statements:
                execute(session, statement)

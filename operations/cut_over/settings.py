"""Where the two servers are: a file of settings without secrets, passwords from the environment."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

__all__ = ["RefusedError", "Settings", "Side", "SideName", "load"]

SideName = Literal["old", "new"]
_KEYS = {"old": {"connect", "reached_at"}, "new": {"connect", "reached_at", "owner", "grant_to", "read_by"}}


class RefusedError(Exception):
    """One sentence for a person: what must hold, what was found, what to do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """One of the two servers."""

    name: SideName
    connect: Mapping[str, str]
    """Parameters of libpq with which this program comes in, through a proxy as a rule."""
    reached_at: Mapping[str, str]
    """Parameters with which the other server comes in: the private address, and TLS."""
    password: str

    @property
    def database(self) -> str:
        """Name of the database."""
        return self.connect["dbname"]

    def conninfo(self) -> str:
        """For this program."""
        return make_conninfo("", **self.connect, password=self.password)

    def peer_conninfo(self) -> str:
        """For a subscription of the other server. It holds the password: it must reach no log."""
        named = {key: self.connect[key] for key in ("user", "dbname")}
        return make_conninfo(
            "", **{**named, "connect_timeout": "10", **self.reached_at}, password=self.password
        )

    def environment(self) -> dict[str, str]:
        """For `pg_dump` and `psql`, which find everything here and nothing on their command line."""
        names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "dbname": "PGDATABASE"}
        names |= {
            "sslmode": "PGSSLMODE",
            "sslrootcert": "PGSSLROOTCERT",
            "connect_timeout": "PGCONNECT_TIMEOUT",
        }
        found = {names[key]: value for key, value in self.connect.items() if key in names}
        return {
            **os.environ,
            **found,
            "PGPASSWORD": self.password,
            "PGOPTIONS": "-c default_transaction_read_only=off",
            "PGAPPNAME": "cut_over",
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Both servers, and to whom the tables belong afterwards."""

    old: Side
    new: Side
    owner: str | None
    """Role on the new server that owns what is copied; by default whoever copies."""
    grant_to: tuple[str, ...]
    """Roles on the new server that may read and write the tables."""
    read_by: tuple[str, ...]
    """Roles on the new server that may read the tables."""


def load(path: Path, environment: Mapping[str, str]) -> Settings:
    """Read the file; passwords are CUT_OVER_OLD_PASSWORD and CUT_OVER_NEW_PASSWORD.

    Errors: RefusedError for whatever is missing, unknown or secret in the file.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RefusedError(f"SETTINGS must name a file in TOML, got {path}: {error}; correct it") from None
    if unknown := sorted(set(document) - set(_KEYS)):
        raise RefusedError(f"{path} must hold the tables old and new, got {unknown[0]!r}; remove it")
    old, new = (_side(path, name, document.get(name), environment) for name in ("old", "new"))
    table = cast("dict[str, Any]", document["new"])
    owner = table.get("owner")
    if owner is not None and not isinstance(owner, str):
        raise RefusedError(f"new.owner must be the name of a role, got {owner!r}; correct it")
    return Settings(
        old=old, new=new, owner=owner, grant_to=_roles(table, "grant_to"), read_by=_roles(table, "read_by")
    )


def _roles(table: Mapping[str, object], key: str) -> tuple[str, ...]:
    found = table.get(key, [])
    if not isinstance(found, list) or not all(isinstance(one, str) for one in cast("list[object]", found)):
        raise RefusedError(f"new.{key} must be a list of roles, got {found!r}; correct it")
    return tuple(cast("list[str]", found))


def _side(path: Path, name: SideName, table: object, environment: Mapping[str, str]) -> Side:
    if not isinstance(table, dict):
        raise RefusedError(f"{path} must hold a table [{name}], got none; add it")
    values = cast("dict[str, object]", table)
    if unknown := sorted(set(values) - _KEYS[name]):
        raise RefusedError(
            f"{name} must hold {', '.join(sorted(_KEYS[name]))}, got {unknown[0]!r}; remove it"
        )
    parameters = {key: _parameters(f"{name}.{key}", values.get(key)) for key in ("connect", "reached_at")}
    for needed in ("host", "user", "dbname"):
        if needed not in parameters["connect"]:
            raise RefusedError(f"{name}.connect must name {needed}, got none; add {needed}=...")
    if "host" not in parameters["reached_at"]:
        raise RefusedError(f"{name}.reached_at must name host, got none; add the instance's private address")
    variable = f"CUT_OVER_{name.upper()}_PASSWORD"
    if not environment.get(variable):
        raise RefusedError(f"{variable} must hold the password of {name}, got nothing; export it")
    return Side(name=name, password=environment[variable], **parameters)


def _parameters(field: str, text: object) -> Mapping[str, str]:
    if not isinstance(text, str):
        raise RefusedError(f"{field} must be parameters of libpq such as host=10.1.2.3, got none; add them")
    if re.search(r"passw|passfile", text):
        raise RefusedError(f"{field} must hold no password, got one; put it into the environment")
    try:
        return {key: str(value) for key, value in conninfo_to_dict(text).items()}
    except psycopg.ProgrammingError as error:
        raise RefusedError(
            f"{field} must be parameters of libpq, got {text!r}: {error}; correct it"
        ) from None

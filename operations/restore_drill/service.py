"""The functions that the drill asks about the data: `/reference` reads the source, `/compare` the clone.

Why a function: the clone has a private address only and takes connectors only, and Workflows has no way into
the network. Google builds this from `operations/`; it stands in the operations subnet, admits internal
traffic, which Workflows of the same project is, and only the drill's account may call it. It logs in as that
account (IAM, no password) through Google's own connector, for a socket under /cloudsql needs the instance's
name at deployment and a clone gets its name at night. The account's user comes with the clone, for users are
cloned too.

Both only read. `/reference` never looks at anything but the source, `/compare` at anything but a clone.

RESTORE_DRILL_CONFIG is JSON: project, region, database, user, source, prefix of clones. `addresses` (instance
-> folder and port of a server) is given by tests.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, cast

import flask
import pg8000.dbapi
from google.cloud.sql.connector import Connector, IPTypes, RefreshStrategy

from .data import Connect, Connection, clock, read, reading
from .verdict import MARGIN, SETTLES, after_backup, at_point, judge

__all__ = ["answer", "compare", "reference"]

# A fresh clone says RUNNABLE a little before it lets anybody in.
_TRIES, _PAUSE = 10, 15.0


def answer(request: flask.Request) -> tuple[Any, int]:
    """Errors of the databases are answered with 500, which the drill tells."""
    if request.path == "/health":
        return "", 204
    config = cast("dict[str, Any]", json.loads(os.environ["RESTORE_DRILL_CONFIG"]))
    body = cast("dict[str, Any]", request.get_json())
    instance, connect = str(body.get("instance")), _connector(config)
    if request.path == "/reference":
        if instance != config["source"]:
            return _refused(f"reference is of {config['source']}, got {instance}; name it")
        return reference(connect, instance, backup=body.get("backup")), 200
    if request.path == "/compare":
        if not re.fullmatch(re.escape(config["prefix"]) + r"\d{10}", instance):
            wanted = f"{config['prefix']} and ten digits"
            return _refused(f"compare is of {wanted}, got {instance}; name it")
        found = compare(connect, instance, body["reference"])
        severity = "INFO" if found["passed"] else "ERROR"
        print(
            json.dumps({"severity": severity, "message": "compared a clone", "compared": found}), flush=True
        )
        return found, 200
    return _refused(f"path must be /reference or /compare, got {request.path}; correct it", 404)


def reference(
    connect: Connect, source: str, *, backup: str | None = None, sleep: Callable[[float], None] = time.sleep
) -> dict[str, Any]:
    """What the source holds at a point between two snapshots, or still holds of a backup."""
    with reading(connect, source) as before:
        now = clock(before)
        if backup is not None:
            at = datetime.fromisoformat(backup)
            return after_backup(at, at - SETTLES, read(before, at - SETTLES))
        sleep(MARGIN.total_seconds())
        at, horizon = clock(before), now - SETTLES
        sleep(MARGIN.total_seconds())
        # Both snapshots are taken before either is read, for reading takes minutes.
        with reading(connect, source) as behind:
            return at_point(at, horizon, read(before, horizon), read(behind, horizon))


def compare(
    connect: Connect,
    clone: str,
    given: Mapping[str, Any],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:
    """The verdict on a clone as JSON. Errors: what the last of ten tries to connect raised."""
    with reading(_patient(connect, sleep), clone) as connection:
        restored = read(connection, datetime.fromisoformat(str(given["horizon"])))
    return judge(given, restored).as_json()


def _patient(connect: Connect, sleep: Callable[[float], None]) -> Connect:
    def patient(instance: str) -> Connection:
        for _ in range(_TRIES - 1):
            try:
                return connect(instance)
            except (OSError, TimeoutError, pg8000.dbapi.Error):
                sleep(_PAUSE)
        return connect(instance)

    return patient


def _connector(config: Mapping[str, Any]) -> Connect:
    user, database = str(config["user"]), str(config["database"])
    if "addresses" in config:

        def local(instance: str) -> Connection:
            folder, port = config["addresses"][instance]
            socket = f"{folder}/.s.PGSQL.{port}"
            connection: Any = pg8000.dbapi.Connection(user, database=database, unix_sock=socket, timeout=60)
            return connection

        return local

    def google(instance: str) -> Connection:
        name = f"{config['project']}:{config['region']}:{instance}"
        return cast("Connection", _google().connect(name, "pg8000", user=user, db=database))

    return google


@cache
def _google() -> Connector:
    """One for the life of an instance of the function."""
    return Connector(ip_type=IPTypes.PRIVATE, enable_iam_auth=True, refresh_strategy=RefreshStrategy.LAZY)


def _refused(message: str, status: int = 400) -> tuple[Any, int]:
    return {"error": {"code": status, "message": message}}, status

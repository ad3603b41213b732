"""The function that Cloud Run serves: a Pub/Sub push envelope in, 204 when it is done with.

Cloud Run lets only the subscription's account in (OIDC), before this code runs. 503 asks for another delivery
later, 500 too after telling that something failed; Pub/Sub keeps what fails too often as a dead letter.

ROTATION_CONFIG is JSON, written by the component: `project`, `grace_seconds`, `databases` (secret ->
`instance`, `database`, `users`, `host`, `port`, `ca_file`), `vendors` (secret -> `probe` or null),
`reminders` (secret -> what a person does) and `consumers` (secret -> full names of services and pools).
`endpoints` and `metadata` are given by tests.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

import flask

from .database import DatabaseRotation
from .google import CloudRun, CloudSql, Endpoints, SecretManager
from .lease import BusyError
from .outcome import Outcome, report
from .postgres import make_login
from .schedule import Message, Rotations
from .service import Shared
from .transport import HttpTransport, MetadataToken
from .vendor import HttpProbe, VendorRotation

__all__ = ["build", "handle"]

Config = Mapping[str, Any]


def handle(request: flask.Request) -> tuple[str, int]:
    """Answer one push, or a probe."""
    if request.path == "/health":
        return "", 204
    try:
        message = _message(request.get_json(silent=True))
    except (KeyError, TypeError, ValueError):
        return "the body is no Pub/Sub push envelope", 400
    secret = message.attributes.get("secretId", "").rsplit("/", 1)[-1]
    try:
        for outcome in build(json.loads(os.environ["ROTATION_CONFIG"])).answer(message):
            if not outcome.told:
                report(outcome)
    except BusyError as error:
        report(Outcome(secret=secret, kind="waiting", message=str(error)))
        return "busy", 503
    except LookupError as error:
        # Another delivery would find the same.
        report(Outcome(secret=secret, kind="failed", message=str(error)))
    except Exception as error:
        # The last line before the server: whatever it is, somebody must be told and Pub/Sub must try again.
        report(Outcome(secret=secret, kind="failed", message=f"{type(error).__name__}: {error}"))
        return "failed", 500
    return "", 204


def build(config: Config) -> Rotations:
    """Everything wired by configuration."""
    project, endpoints = str(config["project"]), Endpoints(**config.get("endpoints", {}))
    token = MetadataToken(config["metadata"]) if "metadata" in config else MetadataToken()
    send = HttpTransport(token)
    shared = Shared(
        secrets=SecretManager(send, project, endpoints.secrets),
        run=CloudRun(send, endpoints.run),
        consumers={secret: tuple(names) for secret, names in config["consumers"].items()},
        now=time.time,
        grace_seconds=int(config["grace_seconds"]),
        tell=report,
    )
    sql = CloudSql(send, project, endpoints.sql, time.sleep)
    return Rotations(
        databases={
            secret: DatabaseRotation(
                shared=shared,
                sql=sql,
                login=make_login(
                    host=one["host"],
                    port=int(one.get("port", 5432)),
                    database=one["database"],
                    ca_file=one.get("ca_file"),
                ),
                instance=one["instance"],
                users=(one["users"][0], one["users"][1]),
            )
            for secret, one in config["databases"].items()
        },
        vendors={
            secret: VendorRotation(shared=shared, probe=HttpProbe(**probe) if probe else None)
            for secret, probe in config["vendors"].items()
        },
        reminders=config["reminders"],
    )


def _message(body: Any) -> Message:
    message = cast("Mapping[str, Any]", body["message"])
    return Message(
        attributes=cast("Mapping[str, str]", message.get("attributes") or {}),
        published=datetime.fromisoformat(str(message["publishTime"])),
    )

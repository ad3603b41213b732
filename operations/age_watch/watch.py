"""Looks at every secret of the project and writes one log line for each that is too old, and one at the end.

The last line is written only when all secrets were looked at: its absence is an alarm of its own. It needs
`secretmanager.secrets.list` and `secretmanager.versions.list` and reads no value. A secret without an enabled
version counts as too old: nobody can use it, and nobody rotates it.

AGE_WATCH_PROJECT names the project, AGE_WATCH_EXCEPTIONS is JSON: secret -> last day (UTC) on which its age
raises no alarm; such a line has the kind `spared`. AGE_WATCH_ROOT and AGE_WATCH_METADATA are given by tests.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import flask
import httpx

__all__ = ["LIMIT", "too_old", "watch"]

# SEC-2.1.
LIMIT = timedelta(days=90)
_ROOT = "https://secretmanager.googleapis.com/v1"
_METADATA = "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token"


def watch(request: flask.Request) -> tuple[str, int]:
    """Errors: httpx.HTTPError, which the server answers with 500 and the scheduler repeats."""
    if request.path == "/health":
        return "", 204
    root = f"{os.environ.get('AGE_WATCH_ROOT', _ROOT)}/projects/{os.environ['AGE_WATCH_PROJECT']}"
    exceptions = cast("dict[str, str]", json.loads(os.environ.get("AGE_WATCH_EXCEPTIONS", "{}")))
    seen, now = 0, datetime.now(UTC)
    with httpx.Client(headers={"Authorization": f"Bearer {_token()}"}, timeout=30) as client:
        for secret in _pages(client, f"{root}/secrets", "secrets"):
            name = str(secret["name"]).rsplit("/", 1)[-1]
            versions = list(_pages(client, f"{root}/secrets/{name}/versions", "versions"))
            seen += 1
            aliases = cast("dict[str, str]", secret.get("versionAliases", {}))
            if (said := too_old(versions, now, aliases.get("current"))) is None:
                continue
            if (until := exceptions.get(name)) is not None and now.date() <= date.fromisoformat(until):
                _write("NOTICE", f"{name}: {said}, spared until {until}", "spared", name)
            else:
                _write("ERROR", f"{name}: {said}", "old", name)
    _write("INFO", f"looked at {seen} secrets", "done", None)
    return "", 204


def too_old(versions: list[dict[str, Any]], now: datetime, current: str | None = None) -> str | None:
    """What is wrong with these versions: the one in use is beyond the limit, or there is none.

    In use is what the rotator's alias names, for a younger one that nobody uses keeps no secret young;
    without it the newest enabled one.
    """
    enabled = {
        str(one["name"]).rsplit("/", 1)[-1]: datetime.fromisoformat(str(one["createTime"]))
        for one in versions
        if one["state"] == "ENABLED"
    }
    if not enabled:
        return "no version is enabled"
    used = current if current in enabled else max(enabled, key=lambda number: enabled[number])
    age = now - enabled[used]
    return f"version {used} in use is {age.days} days old" if age > LIMIT else None


def _pages(client: httpx.Client, url: str, key: str) -> Iterator[dict[str, Any]]:
    page = ""
    while True:
        answer = client.get(url, params={"pageSize": "100", **({"pageToken": page} if page else {})})
        body = cast("dict[str, Any]", answer.raise_for_status().json())
        yield from cast("list[dict[str, Any]]", body.get(key, []))
        page = str(body.get("nextPageToken", ""))
        if not page:
            return


def _token() -> str:
    url = os.environ.get("AGE_WATCH_METADATA", _METADATA)
    answer = httpx.get(url, headers={"Metadata-Flavor": "Google"}, timeout=30)
    return str(answer.raise_for_status().json()["access_token"])


def _write(severity: str, message: str, kind: str, secret: str | None) -> None:
    line = {"severity": severity, "message": message, "ageWatch": {"kind": kind, "secret": secret}}
    print(json.dumps(line), flush=True)

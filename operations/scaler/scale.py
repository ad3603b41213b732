"""The function: reads each pool's queues, decides, and sets the pool's number of instances where it differs.

Called once a minute by Cloud Scheduler. One log line for each pool, ERROR where it could not be looked at
or set; a last line when all were. One pool's failure does not keep the others from being scaled, and is
answered with 500.

Google answers a change before it is made, so what it could not make (a quota, a right of the pool's account)
stands in the pool itself: it is read in the next minute and told as a failure, and the pool is scaled on.

SCALER_CONFIG is JSON: `project`, and `pools`: for each physical name `location`, `minimum`, `maximum`,
`jobs_per_instance` and `queues`, subscription -> `promise_seconds`, `job_seconds`. SCALER_ROOT and
SCALER_METADATA are given by tests. Needs `run.workerpools.get` and `.update` on the pools, and to act as
their accounts, which Google asks of everyone who changes a pool.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import flask
import httpx

from .decide import Decision, Pool, Queue, decide
from .monitoring import readings

__all__ = ["scale"]

_METADATA = "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token"
# An instance that does not start is given up after ten minutes at most.
_SETTLED_WITHIN = timedelta(minutes=10)
_LONGEST_TEXT = 500
_LOUD = {"stalled": "WARNING", "unknown": "WARNING", "ceiling": "WARNING"}


class _RefusedError(Exception):
    """Google took the change and did not make it; one sentence."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Scaled:
    name: str
    location: str
    pool: Pool
    queues: Mapping[str, Queue]


def scale(request: flask.Request) -> tuple[str, int]:
    """204 when every pool is as it should be, 500 when one could not be looked at or set."""
    if request.path == "/health":
        return "", 204
    config = cast("dict[str, Any]", json.loads(os.environ["SCALER_CONFIG"]))
    project, failed = str(config["project"]), 0
    with httpx.Client(timeout=20) as client:
        client.headers["Authorization"] = f"Bearer {_token(client)}"
        for name, one in config["pools"].items():
            scaled = _Scaled(
                name=name,
                location=one["location"],
                pool=Pool(
                    minimum=one["minimum"],
                    maximum=one["maximum"],
                    jobs_per_instance=one["jobs_per_instance"],
                ),
                queues={subscription: Queue(**queue) for subscription, queue in one["queues"].items()},
            )
            try:
                _scale(client, project, scaled)
            except (httpx.HTTPError, KeyError, ValueError, _RefusedError) as error:
                failed += 1
                _write("ERROR", f"{name}: {_said(error)}", _failed(name))
    if failed:
        return "", 500
    _write("INFO", "looked at every pool", {"kind": "done"})
    return "", 204


def _scale(client: httpx.Client, project: str, scaled: _Scaled) -> None:
    url = f"{_root('run')}/v2/projects/{project}/locations/{scaled.location}/workerPools/{scaled.name}"
    found = cast("dict[str, Any]", client.get(url).raise_for_status().json())
    # Google leaves out a zero.
    before = int(cast("dict[str, Any]", found.get("scaling", {})).get("manualInstanceCount", 0))
    now = datetime.now(UTC)
    if trouble := _trouble(found, now):
        _write("ERROR", f"{scaled.name}: {before} instances are wanted, but {trouble}", _failed(scaled.name))
    seen = readings(client, _root("monitoring"), project, tuple(scaled.queues), now)
    decision = decide(
        scaled.pool, before, tuple(scaled.queues.values()), [seen[one] for one in scaled.queues]
    )
    if decision.instances != before:
        # The etag: whoever changed the pool since it was read has the last word.
        body = {"scaling": {"manualInstanceCount": decision.instances}, "etag": found.get("etag", "")}
        answer = client.patch(url, params={"updateMask": "scaling.manualInstanceCount"}, json=body)
        if error := answer.raise_for_status().json().get("error"):
            raise _RefusedError(f"Google did not set {decision.instances}: {_text(error.get('message'))}")
    _tell(scaled.name, before, decision)


def _trouble(pool: Mapping[str, Any], now: datetime) -> str:
    """Why Google has not made what the pool asks for; empty where it has, or is still about to."""
    ready = cast("dict[str, Any]", pool.get("terminalCondition", {}))
    if ready.get("state") == "CONDITION_FAILED":
        return f"Google says: {_text(ready.get('message') or ready.get('reason'))}"
    changed = pool.get("updateTime")
    if pool.get("reconciling") and changed:
        waited = now - datetime.fromisoformat(changed)
        if waited > _SETTLED_WITHIN:
            return f"Google has not made them for {waited.total_seconds() / 60:.0f} minutes"
    return ""


def _text(said: object) -> str:
    """What Google wrote, as part of one line."""
    return " ".join(str(said or "nothing").split())[:_LONGEST_TEXT]


def _failed(name: str) -> Mapping[str, object]:
    return {"kind": "failed", "pool": name}


def _tell(name: str, before: int, decision: Decision) -> None:
    message = f"{name}: {before} -> {decision.instances}, {decision.reason}, load {decision.load:.1f}"
    _write(
        _LOUD.get(decision.reason, "INFO"),
        message,
        {
            "kind": decision.reason,
            "pool": name,
            "from": before,
            "to": decision.instances,
            "load": round(decision.load, 2),
        },
    )


def _said(error: Exception) -> str:
    """The service's answer without a header of the request."""
    if isinstance(error, httpx.HTTPStatusError):
        return f"{error.request.method} {error.request.url.path} answered {error.response.status_code}"
    return str(error) if isinstance(error, _RefusedError) else f"{type(error).__name__}: {error}"


def _root(service: str) -> str:
    root = os.environ.get("SCALER_ROOT")
    return f"{root}/{service}" if root else f"https://{service}.googleapis.com"


def _token(client: httpx.Client) -> str:
    url = os.environ.get("SCALER_METADATA", _METADATA)
    answer = client.get(url, headers={"Metadata-Flavor": "Google"})
    return str(answer.raise_for_status().json()["access_token"])


def _write(severity: str, message: str, told: Mapping[str, object]) -> None:
    print(json.dumps({"severity": severity, "message": message, "scaler": dict(told)}), flush=True)

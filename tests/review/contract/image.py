"""A small HTTP server that keeps the contract, and breaks it where a test says so."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from review.contract.demands import load_demands
from tests.loopback import Handler, LoopbackServer

__all__ = ["TOKEN", "Image", "Reply", "exposition", "serving"]

TOKEN = "header.payload.signature"
DEMANDS = load_demands()
JOB = DEMANDS.verification.job_id
_LIMIT = DEMANDS.uploads.max_body_bytes


@dataclass(frozen=True)
class Reply:
    """What is answered, and after how many seconds."""

    status: int = 200
    body: bytes = b"{}"
    type: str | None = "application/json"
    headers: Mapping[str, str] = field(
        default_factory=lambda: {"Cache-Control": "no-store", "X-Request-ID": "r1"}
    )
    seconds: float = 0.0

    def without(self, name: str) -> Reply:
        return replace(self, headers={key: value for key, value in self.headers.items() if key != name})

    def saying(self, value: Any) -> Reply:
        return replace(self, body=json.dumps(value).encode())


Change = Callable[[Reply], Reply]


def exposition() -> str:
    """Exactly as many metrics as demanded, the required ones with their labels."""
    metrics = DEMANDS.metrics
    lines: list[str] = []
    for one in metrics.required:
        labels = ",".join(f'{label}="x"' for label in one.labels)
        name = f"{one.name}_bucket" if one.type == "histogram" else one.name
        labels = f'{labels},le="+Inf"' if one.type == "histogram" else labels
        lines += [f"# HELP {one.name} {one.says}", f"# TYPE {one.name} {one.type}", f"{name}{{{labels}}} 1"]
    for number in range(metrics.minimum - len(metrics.required)):
        lines += [f"# TYPE python_{number} gauge", f"python_{number} {number}.5"]
    return "\n".join(lines) + "\n"


def openapi() -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for one in DEMANDS.endpoints:
        if one.reach == "public":
            paths.setdefault(one.path.replace("{id}", "{job_id}"), {})[one.method.lower()] = {}
    return {"openapi": "3.1.0", "info": {"title": "AIPROD", "version": DEMANDS.api_version}, "paths": paths}


def _good(id: str, *, signed_in: bool) -> Reply:
    one = DEMANDS.endpoint(id)
    reply = Reply(status=one.statuses[0], type=one.content_type)
    if one.token and not signed_in:
        headers = {**reply.headers, "WWW-Authenticate": 'Bearer realm="aiprod"'}
        return replace(reply, status=401, headers=headers).saying({"detail": "no valid token"})
    bodies: Mapping[str, Any] = {
        "health": {"status": "ok", "version": "1"},
        "openapi": openapi(),
        "run": {"job_id": JOB, "dry_run": True, "status": "PENDING"},
        "status": {"job_id": JOB, "status": "COMPLETED"},
    }
    if id == "metrics":
        return replace(reply, body=exposition().encode(), type="text/plain; version=0.0.4; charset=utf-8")
    return reply.saying(bodies[id]) if id in bodies else reply


class Image(LoopbackServer):
    """Serves on a free port of this machine; `changes` by endpoint id, before or after login."""

    def __init__(self, changes: Mapping[str, Change]) -> None:
        self.changes = changes
        self.seen: list[tuple[str, str, Mapping[str, str], bytes]] = []
        super().__init__(_Handler)

    def reply(self, method: str, path: str, headers: Mapping[str, str], body: bytes, length: int) -> Reply:
        self.seen.append((method, path, headers, body))
        signed_in = headers.get("authorization") == f"Bearer {TOKEN}"
        if length > _LIMIT:
            change = self.changes.get("oversize", lambda reply: reply)
            return change(Reply(status=413).saying({"detail": "too large"}))
        for one in DEMANDS.endpoints:
            pattern = re.sub(r"\{[^}]*\}", "[^/]+", one.path)
            if method == one.method and re.fullmatch(pattern, path):
                reply = _good(one.id, signed_in=signed_in)
                key = f"{one.id}+token" if signed_in else one.id
                return self.changes.get(key, lambda reply: reply)(reply)
        return Reply(status=404).saying({"detail": "not found"})


class _Handler(Handler):
    verbs = ("GET", "POST", "PUT", "DELETE")
    server: Image  # pyright: ignore[reportIncompatibleVariableOverride]

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length <= _LIMIT else b""
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.reply(self.command, self.path, headers, body, length)
        time.sleep(reply.seconds)
        self.send_response(reply.status)
        if reply.type is not None:
            self.send_header("Content-Type", reply.type)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)
        if length > _LIMIT:
            # Who answers early lets what is on its way come to its end, else it resets the connection.
            while length > 0 and (chunk := self.rfile.read(min(length, 1 << 20))):
                length -= len(chunk)


@contextmanager
def serving(changes: Mapping[str, Change] | None = None) -> Generator[Image]:
    """An image that answers, until the block ends."""
    with Image(changes or {}) as image:
        yield image

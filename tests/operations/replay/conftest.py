"""The stand-in on a loopback port, a Google Cloud CLI that is logged in, and the command line."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from operations.replay.__main__ import main
from tests.loopback import Handler, LoopbackServer
from tests.operations.replay.pubsub import DEAD, JOBS, KEPT, PROJECT, Json, PubSub, RefusedCallError

TOKEN = "ya29.of-the-person"


@dataclass
class Google:
    """The stand-in and what it was asked; `before` may look at a call and refuse it."""

    pubsub: PubSub
    endpoint: str
    calls: list[tuple[str, Json]] = field(default_factory=list[tuple[str, Json]])
    before: Callable[[str, Json], None] = lambda _path, _body: None
    text: str = ""
    """Instead of every answer, where it is not empty."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def dead(self, count: int = 1, *, data: str = "c2VjcmV0", **more: Any) -> list[str]:
        """Dead letters as Pub/Sub leaves them; their ids."""
        attributes = {
            "kind": "video",
            **more.pop("attributes", {}),
            "CloudPubSubDeadLetterSourceDeliveryCount": "5",
            "CloudPubSubDeadLetterSourceSubscription": "worker",
            "CloudPubSubDeadLetterSourceSubscriptionProject": "aiprod-dev",
            "CloudPubSubDeadLetterSourceTopicPublishTime": more.pop("at", "2026-11-29T20:00:00.123Z"),
        }
        old, self.pubsub.topics = self.pubsub.topics, {DEAD}
        store = self.pubsub._store  # pyright: ignore[reportPrivateUsage]
        ids = [store(DEAD, {"data": data, "attributes": attributes, **more}) for _ in range(count)]
        self.pubsub.topics = old
        return ids

    def sent(self, verb: str) -> list[Json]:
        return [body for path, body in self.calls if path.endswith(f":{verb}")]

    def jobs(self) -> list[Json]:
        """What was published to the topic."""
        return [message for body in self.sent("publish") for message in body["messages"]]

    def kept(self) -> list[str]:
        return [message["messageId"] for message in self.pubsub.waiting(KEPT)]


@pytest.fixture
def google() -> Generator[Google]:
    found: Google

    class Answering(Handler):
        verbs = ("POST",)

        def answer(self) -> None:
            path = self.path.removeprefix("/v1/")
            body = json.loads(self.content())
            code, answer = 200, {}
            with found.lock:
                found.calls.append((path, body))
                try:
                    found.before(path, body)
                    if self.headers["Authorization"] != f"Bearer {TOKEN}":
                        raise RefusedCallError(401, "UNAUTHENTICATED", "no valid credentials")
                    answer = found.pubsub.call(path, body)
                except RefusedCallError as error:
                    code = error.code
                    answer = {"error": {"code": code, "status": error.status, "message": error.message}}
            self.send_data(code, (found.text or json.dumps(answer)).encode())

    server = LoopbackServer(Answering)
    found = Google(PubSub(time.time), f"{server.url}/v1")
    with server:
        yield found


@pytest.fixture
def gcloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """On PATH alone, with `date` and the like."""
    program = tmp_path / "bin" / "gcloud"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\n[ "$*" = "auth print-access-token" ] && echo {TOKEN}\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return program


def options(endpoint: str) -> list[str]:
    """What `make replay` gives."""
    short = {"subscription": KEPT, "topic": JOBS, "project": PROJECT}
    named = [part for key, value in short.items() for part in (f"--{key}", value.rsplit("/", 1)[-1])]
    return ["--endpoint", endpoint, *named, "--again", "make replay QUEUE=jobs STACK=dev TARGET=gcp"]


Say = Callable[..., tuple[int, str, str]]


def _skip(_seconds: float) -> None:
    pass


@pytest.fixture
def say(
    google: Google, gcloud: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Say:
    """Run the command line; its exit code and what it said. Waiting is skipped."""
    assert gcloud.exists()
    monkeypatch.setattr("operations.replay.__main__.time.sleep", _skip)

    def run(*arguments: str) -> tuple[int, str, str]:
        try:
            code = main([*options(google.endpoint), *arguments])
        except SystemExit as error:
            code = int(error.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run

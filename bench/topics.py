"""The engine by itself: many independent topics, previewed, or registered against the echo floor.

``python -m bench.topics preview|echo|state COUNT``: one evaluation in a fresh process. ``state`` brings the
topics up, writes the state, and prints how long loading it and previewing on it takes.
"""

from __future__ import annotations

import atexit
import contextvars
import gc
import json
import sys
import time
from collections.abc import Callable

import pulumi
import pulumi_gcp as gcp

from bench import floor
from sandbox.cloud import World
from sandbox.host import run
from sandbox.model import Mode, Outcome, Snapshot
from sandbox.project import StackSettings
from sandbox.state import PassphraseCrypter, snapshot_from_json, snapshot_to_json

__all__ = ["main"]


def topics(count: int) -> Callable[[], None]:
    """A program of ``count`` topics that do not depend on each other."""

    def program() -> None:
        provider = gcp.Provider("gcp", project="aiprod-bench", region="europe-west1")
        options = pulumi.ResourceOptions(provider=provider)
        for index in range(count):
            gcp.pubsub.Topic(f"topic-{index}", labels={"a": "b"}, opts=options)

    return program


def evaluate(count: int, mode: Mode, snapshot: Snapshot) -> Outcome:
    """One run of the engine."""
    return run(
        topics(count),
        project="bench",
        stack="bench",
        config=StackSettings(values={}),
        snapshot=snapshot,
        world=World.from_resources(snapshot.resources),
        mode=mode,
    )


def main() -> None:
    """Do what the arguments say."""
    what, count = sys.argv[1], int(sys.argv[2])
    if what == "echo":
        contextvars.copy_context().run(floor.run_program, topics(count))
        return
    # As the command line does.
    gc.disable()
    atexit.register(gc.freeze)
    done = evaluate(count, Mode.UPDATE if what == "state" else Mode.PREVIEW, Snapshot())
    assert done.succeeded, done.refusals
    if what == "state":
        crypter = PassphraseCrypter("bench")
        text = json.dumps(snapshot_to_json(done.snapshot, crypter))
        started = time.perf_counter()
        snapshot = snapshot_from_json(json.loads(text), "state", crypter)
        again = evaluate(count, Mode.PREVIEW, snapshot)
        assert set(again.summary()) == {"same"}
        sys.stdout.write(f"{time.perf_counter() - started}\n")


if __name__ == "__main__":
    main()

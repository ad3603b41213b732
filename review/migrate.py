"""`make migrate`: the job of the last `up`, run alone; in the sandbox, what it would run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from review.migration import job_of
from review.real_cli import RealStack
from review.workspace import Ground, Workspace, evaluate
from sandbox.cloud import World
from sandbox.errors import UsageError
from sandbox.model import Mode, Snapshot
from sandbox.project import load_project

__all__ = ["on_google", "rehearse"]

_NONE = "stack {stack} has no migration: without a release there is no schema to bring up"


def on_google(folder: Path, stack: str, say: Callable[[str], None]) -> int:
    """Run it; 1 where the stack has none."""
    job = job_of(RealStack.open(load_project(folder), stack, say).outputs())
    if job is None:
        say(f"migrate: {_NONE.format(stack=stack)}; run `make up STACK={stack} TARGET=gcp` first")
        return 1
    return job.run(say)


def rehearse(work: Workspace, stack: str, say: Callable[[str], None]) -> int:
    """Say what TARGET=gcp would run; the program runs, nothing else does."""
    ground = Ground(snapshot=Snapshot(), world=World())
    outcome = evaluate(
        work.program,
        stack,
        work.settings(stack),
        ground,
        Mode.PREVIEW,
        progress=Console(quiet=True),
        analyze=False,
    )
    for refusal in outcome.refusals:
        raise UsageError(f"the program of {stack} is refused ({refusal.message}): run make preview")
    job = job_of(outcome.outputs)
    if job is None:
        say(f"migrate (sandbox): {_NONE.format(stack=stack)}")
        return 1
    say(
        "migrate (sandbox): nothing is run. TARGET=gcp would run gcloud "
        f"{' '.join(job.arguments())}, with the image that the last up gave it."
    )
    return 0

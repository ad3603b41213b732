"""Migrations of the schema in a real deployment: after what serves nothing, before what serves.

A program that has something to migrate puts out `migration`: project, location and name of a Cloud Run job.
Whoever starts it waits for its end, with the Google Cloud CLI; a job that failed, or that runs already, stops
the deployment while the revisions of before serve on.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from review.interrupted import RunInterruptedError
from sandbox.errors import UsageError

__all__ = ["OUTPUT", "SERVING", "MigrationJob", "gcloud", "job_of", "not_serving"]

OUTPUT: Final = "migration"
"""The stack's output that says where the job is."""
SERVING: Final = ("gcp:cloudrunv2/service:Service", "gcp:cloudrunv2/workerPool:WorkerPool")
"""Kinds whose update starts an image."""
_FIELDS: Final = ("project", "location", "job")
_RUNBOOK: Final = "docs/runbooks/database-migration.md"
_DETACHED: Final = (
    f"interrupted; the job goes on at Google: wait for its end ({_RUNBOOK}), then the same command again"
)


def not_serving(stack: str, project: str) -> Sequence[str]:
    """Options of the CLI for an update that leaves what serves, and what needs it, as it is."""
    urns = (f"urn:pulumi:{stack}::{project}::**{type}::**" for type in SERVING)
    return (*(word for urn in urns for word in ("--exclude", urn)), "--exclude-dependents")


def gcloud() -> str:
    """Where the Google Cloud CLI is. Raises UsageError when it is nowhere."""
    command = shutil.which("gcloud")
    if command is None:
        raise UsageError(
            "the Google Cloud CLI (gcloud) is not on PATH: install it, it starts the migration of the "
            "schema before a release serves"
        )
    return command


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationJob:
    """One job of Cloud Run."""

    project: str
    location: str
    job: str

    def arguments(self) -> Sequence[str]:
        """What starts it and waits for its end."""
        return ("run", "jobs", "execute", self.job, *self._place(), "--wait")

    def run(self, say: Callable[[str], None]) -> int:
        """Start it and wait: 0 when it succeeded, 1 when it failed or runs already."""
        command = gcloud()
        running = self._running(command)
        if running:
            say(f"migration: {running[0]} of job {self.job} runs already: wait for its end, {_RUNBOOK}")
            return 1
        say(f"migration: job {self.job} in {self.location} begins; what serves now serves on")
        try:
            done = subprocess.run([command, *self.arguments()], check=False)
        except KeyboardInterrupt as error:
            raise RunInterruptedError(_DETACHED) from error
        if done.returncode:
            say(
                f"migration: job {self.job} failed, so nothing that serves was changed; see {_RUNBOOK}, then "
                "repeat the command"
            )
            return 1
        say(f"migration: job {self.job} succeeded")
        return 0

    def _running(self, command: str) -> Sequence[str]:
        """Names of executions that have not ended: two at once could both begin the same migration."""
        question = ["run", "jobs", "executions", "list", f"--job={self.job}", *self._place()]
        question += ["--filter=NOT status.completionTime:*", "--format=value(metadata.name)"]
        done = subprocess.run([command, *question], capture_output=True, text=True, check=False)
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["no reason given"]
            raise UsageError(
                f"gcloud cannot list the executions of job {self.job} in {self.location} ({lines[-1]}): log "
                "in with `gcloud auth login`, as one who may read and run the job"
            )
        return done.stdout.split()

    def _place(self) -> Sequence[str]:
        return (f"--region={self.location}", f"--project={self.project}")


def job_of(outputs: Mapping[str, Any]) -> MigrationJob | None:
    """The job that a stack's outputs name; None where there is nothing to migrate."""
    found: Any = outputs.get(OUTPUT)
    if not found:
        return None
    fields = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    values = [fields.get(name) for name in _FIELDS]
    if not all(isinstance(value, str) and value for value in values):
        raise UsageError(
            f"the stack's output {OUTPUT} must name {', '.join(_FIELDS)}, got {sorted(fields) or found!r}: "
            "correct the program"
        )
    return MigrationJob(**dict(zip(_FIELDS, map(str, values), strict=True)))

"""The jobs that stop and start what a stack keeps in office hours; for the scripts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from rich.console import Console

from review.stack_project import project_of, settings_for
from review.workspace import Ground, Workspace, evaluate
from sandbox.cloud import World
from sandbox.errors import UsageError
from sandbox.model import Mode, Snapshot
from sandbox.values import Secret

__all__ = ["MOMENTS", "Schedules", "schedules_of"]

MOMENTS: Final = ("start", "stop")
_JOB: Final = "gcp:cloudscheduler/job:Job"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedules:
    """A Google project, and region and name of each job of one moment."""

    project: str
    jobs: tuple[tuple[str, str], ...]

    def lines(self) -> tuple[str, ...]:
        """The project on the first line, then one job a line."""
        return (self.project, *(f"{region} {name}" for region, name in self.jobs))


def schedules_of(work: Workspace, stack: str, moment: str, *, real: bool) -> Schedules:
    """What the program of ``stack`` declares for ``moment``, start or stop.

    Such a job says so at the beginning of its description. Raises UsageError like ``project_of``, and on a
    stack that runs day and night.
    """
    project = project_of(work, stack, real=real)
    ground = Ground(snapshot=Snapshot(), world=World())
    outcome = evaluate(
        work.program,
        stack,
        settings_for(work, stack, real=real),
        ground,
        Mode.PREVIEW,
        progress=Console(quiet=True),
        analyze=False,
    )
    for refusal in outcome.refusals:
        raise UsageError(f"the program of {stack} is refused ({refusal.message}): run make preview")
    jobs = [
        (_text(row.inputs.get("region")), row.name)
        for row in outcome.resources
        if row.type == _JOB and _text(row.inputs.get("description")).startswith(f"{moment.capitalize()} at ")
    ]
    if not jobs:
        raise UsageError(
            f"STACK must be one that keeps office hours, got {stack!r}, of which nothing stops: name "
            "another, or give its database or workers a schedule"
        )
    return Schedules(project=project, jobs=tuple(sorted(jobs)))


def _text(value: Any) -> str:
    plain = value.value if isinstance(value, Secret) else value
    return plain if isinstance(plain, str) else ""

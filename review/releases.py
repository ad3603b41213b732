"""Which services a release walks, and by what it is judged, as the program declares them; for scripts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rich.console import Console

from review.stack_project import project_of, settings_for
from review.workspace import Ground, Workspace, evaluate
from sandbox.cloud import World
from sandbox.cloud.data import at, plain
from sandbox.errors import UsageError
from sandbox.model import Mode, ResourceState, Snapshot

__all__ = ["Walked", "walked_of"]

_SERVICE: Final = "gcp:cloudrunv2/service:Service"
_OBJECTIVE: Final = "gcp:monitoring/slo:Slo"
_THRESHOLD: Final = "requestBasedSli.distributionCut.range.max"


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """Full names, and the strictest threshold of a latency objective in milliseconds."""

    project: str
    services: tuple[str, ...]
    objectives: tuple[str, ...]
    latency_ms: float

    def lines(self) -> tuple[str, ...]:
        """The project on the first line, then one fact a line with its kind before it."""
        return (
            self.project,
            *(f"service {name}" for name in self.services),
            *(f"objective {name}" for name in self.objectives),
            f"latency {self.latency_ms:g}",
        )


def walked_of(work: Workspace, stack: str, *, real: bool) -> Walked:
    """The services of ``stack`` whose traffic is not the program's, and the objectives that name them.

    Raises UsageError like ``project_of``, and on a stack without such a service or an objective for it.
    """
    project = project_of(work, stack, real=real)
    outcome = evaluate(
        work.program,
        stack,
        settings_for(work, stack, real=real),
        Ground(snapshot=Snapshot(), world=World()),
        Mode.PREVIEW,
        progress=Console(quiet=True),
        analyze=False,
    )
    for refusal in outcome.refusals:
        raise UsageError(f"the program of {stack} is refused ({refusal.message}): run make preview")
    rows = [row for row in outcome.resources if row.type == _SERVICE and "traffics" in row.ignore_changes]
    if not rows:
        raise UsageError(
            f"STACK must be one whose traffic a release owns, got {stack!r}, whose `up` decides it: set "
            "release.traffic.kind to walked, or set the traffic in the stack file"
        )
    names = {str(plain(row.inputs["name"])) for row in rows}
    if len(names) > 1:
        raise UsageError(
            f"a release walks one service in its regions, {stack} has {', '.join(sorted(names))}"
        )
    (name,) = names
    objectives = [
        row for row in outcome.resources if row.type == _OBJECTIVE and f'"{name}"' in str(row.inputs)
    ]
    thresholds = [
        float(found) for row in objectives if (found := at(plain(row.inputs), _THRESHOLD)) is not None
    ]
    if not thresholds:
        raise UsageError(f"service {name} of {stack} must have a latency objective, it has none: declare one")
    return Walked(
        project=project,
        services=tuple(sorted(_path(project, row) for row in rows)),
        objectives=tuple(sorted(_objective(project, row) for row in objectives)),
        latency_ms=min(thresholds),
    )


def _path(project: str, row: ResourceState) -> str:
    return (
        f"projects/{project}/locations/{plain(row.inputs['location'])}/services/{plain(row.inputs['name'])}"
    )


def _objective(project: str, row: ResourceState) -> str:
    service = row.urn.rpartition("::")[2]
    given = plain(row.inputs.get("service"))
    service = given if isinstance(given, str) else service.rsplit("-", 1)[0]
    return f"projects/{project}/services/{service}/serviceLevelObjectives/{plain(row.inputs['sloId'])}"

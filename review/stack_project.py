"""The Google project of a stack, and which secrets and databases the program declares there; for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console

from review.real_cli import project_id, refuse_placeholders
from review.workspace import Ground, Workspace, evaluate
from sandbox.cloud import World
from sandbox.errors import UsageError
from sandbox.model import Mode, ResourceState, Snapshot
from sandbox.project import StackSettings, load_stack

__all__ = ["declared_secrets", "primaries_of", "project_of", "settings_for"]

_SECRET: Final = "gcp:secretmanager/secret:Secret"
_DATABASE: Final = "gcp:sql/databaseInstance:DatabaseInstance"


def project_of(work: Workspace, stack: str, *, real: bool, secret: str | None = None) -> str:
    """The project id, with an example value for REPLACE_ME where Google is not asked.

    Raises UsageError on an unknown stack, on what is left of REPLACE_ME when ``real``, on a stack without a
    project, and on a ``secret`` that the program does not declare.
    """
    settings = settings_for(work, stack, real=real)
    found = project_id(settings.values, work.program.name)
    if found is None:
        raise UsageError(
            f"{work.program.stack_file(stack).name}: {work.program.name}:project_id is missing: set it"
        )
    if secret is not None:
        declared = declared_secrets(work, stack, settings)
        if secret not in declared:
            raise UsageError(
                f"SECRET must be one that {stack} declares, got {secret!r}: name {', '.join(declared)}"
            )
    return found


def settings_for(work: Workspace, stack: str, *, real: bool) -> StackSettings:
    """The configuration of a stack. Raises UsageError where REPLACE_ME is left over and Google is meant."""
    if not real:
        return work.settings(stack)
    settings = load_stack(work.program, stack, examples=False)
    refuse_placeholders(work.program, stack, settings)
    return settings


def declared_secrets(work: Workspace, stack: str, settings: StackSettings) -> tuple[str, ...]:
    """The short ids of all secrets that the program makes, in alphabetical order."""
    made = _made(work, stack, settings)
    return tuple(sorted(str(row.inputs["secretId"]) for row in made if row.type == _SECRET))


def primaries_of(work: Workspace, stack: str, *, real: bool) -> tuple[str, ...]:
    """Physical names of the database instances that the program makes and that follow no other one.

    Raises UsageError like `project_of`.
    """
    made = _made(work, stack, settings_for(work, stack, real=real))
    found = [row.inputs for row in made if row.type == _DATABASE]
    return tuple(sorted(str(one["name"]) for one in found if not one.get("masterInstanceName")))


def _made(work: Workspace, stack: str, settings: StackSettings) -> Sequence[ResourceState]:
    ground = Ground(snapshot=Snapshot(), world=World())
    outcome = evaluate(
        work.program, stack, settings, ground, Mode.PREVIEW, progress=Console(quiet=True), analyze=False
    )
    for refusal in outcome.refusals:
        raise UsageError(f"the program of {stack} is refused ({refusal.message}): run make preview")
    return outcome.resources

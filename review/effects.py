"""What an update does to those who use the resource, beside what it changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from facts.change_effects import effect_of
from sandbox.model import Op, ResourceState, Step
from sandbox.values import redact

__all__ = ["effects"]

_FLAGS = "settings.databaseFlags"


def effects(step: Step) -> tuple[str, ...]:
    """One line for each changed property whose change is felt; only an update has any."""
    if step.op != Op.UPDATE:
        return ()
    return tuple(dict.fromkeys(_lines(step)))


def _lines(step: Step) -> Iterator[str]:
    for item in step.diff:
        path, old, new = item.path, redact(item.old), redact(item.new)
        if path.startswith(_FLAGS):
            # A flag's place in the list moves with its neighbours: the lists are compared as wholes.
            path, old, new = _FLAGS, _flag_list(step.old), _flag_list(step.new)
        found = effect_of(step.type, path, old, new)
        if found is not None:
            yield f"{path} {found}"


def _flag_list(state: ResourceState | None) -> Any:
    settings: Any = redact(state.inputs).get("settings") if state is not None else None
    return cast("dict[str, Any]", settings).get("databaseFlags", []) if isinstance(settings, dict) else None

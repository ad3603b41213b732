"""What the stack file says after the loss of a region, phase by phase: ``recovery/<stack>.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox.errors import UsageError
from sandbox.project import Program

__all__ = ["Phase", "load_plan", "plan_path"]

FOLDER: Final = "recovery"
_Text = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Phase(_Strict):
    """One change of the stack file; ``settings`` are paths in it and stay in later phases.

    ``reachable`` says whether the region answers again; ``steps`` what a person does, in order.
    """

    title: _Text
    reachable: bool
    settings: Annotated[Mapping[str, Any], Field(min_length=1)]
    steps: Annotated[list[_Text], Field(min_length=1)]


class _Plan(_Strict):
    regions: Mapping[str, Annotated[list[Phase], Field(min_length=1)]]


def plan_path(program: Program, stack: str) -> Path:
    """Where the phases of ``stack`` are."""
    return program.directory / FOLDER / f"{stack}.yaml"


def load_plan(path: Path) -> Mapping[str, list[Phase]]:
    """Region to its phases; nothing when there is no file. Raises UsageError when it is no good."""
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path.name} cannot be read as YAML: correct it") from error
    try:
        return _Plan.model_validate(loaded).regions
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise UsageError(
            f"{path.parent.name}/{path.name}: {where}: {first['msg']}, got {first['input']!r:.80}: correct it"
        ) from error

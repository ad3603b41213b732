"""The inventory of a live project: what runs there, what becomes of each, which settings that needs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox.errors import UsageError
from sandbox.project import Program, StackSettings, load_stack

__all__ = [
    "CutOver",
    "Import",
    "Inventory",
    "Item",
    "Leave",
    "load_inventory",
    "phases",
    "setting",
    "unwritten",
    "with_settings",
]

_Text = Annotated[str, Field(min_length=1)]
_Type = Annotated[str, Field(pattern=r"^gcp:[\w-]+/[\w-]+:\w+$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Live(_Strict):
    type: _Type
    id: _Text
    reason: _Text

    @property
    def key(self) -> tuple[str, str]:
        """What tells one live resource from another."""
        return self.type, self.id


class Import(_Live):
    """The platform takes it over as it is: into the state first, then changed in place."""

    decision: Literal["import"]


class CutOver(_Live):
    """The platform makes ``successor``, an id of the same type, beside it; the old one is retired by hand."""

    decision: Literal["cut-over"]
    successor: _Text


class Leave(_Live):
    """Nobody here touches it."""

    decision: Literal["leave"]


Item = Annotated[Import | CutOver | Leave, Field(discriminator="decision")]


class Inventory(_Strict):
    """All live resources of ``project``. ``settings`` maps paths of the stack file to what they must say."""

    project: _Text
    settings: Mapping[str, Any] = {}
    resources: Annotated[tuple[Item, ...], Field(min_length=1)]


def load_inventory(path: Path) -> Inventory:
    """The inventory in ``path``. Raises UsageError when it is missing or no good."""
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} cannot be read: write the inventory of the live project there, as docs/adoption.md says"
        ) from error
    except yaml.YAMLError as error:
        raise UsageError(f"{path.name} is not valid YAML: correct it") from error
    try:
        found = Inventory.model_validate(loaded)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise UsageError(
            f"{path.name}: {where}: {first['msg']}, got {first['input']!r:.80}: correct it"
        ) from error
    seen: set[tuple[str, str]] = set()
    for item in found.resources:
        if item.key in seen:
            raise UsageError(f"{path.name}: resources names {item.id} ({item.type}) twice: keep one decision")
        seen.add(item.key)
    return found


def with_settings(program: Program, settings: StackSettings, wanted: Mapping[str, Any]) -> StackSettings:
    """``settings`` with the values at ``wanted``'s paths (``section.field``) replaced."""
    values = dict(settings.values)
    for path, value in wanted.items():
        key, inner = _key(program, path)
        if not inner:
            values[key] = value if isinstance(value, str) else json.dumps(value)
            continue
        section: dict[str, Any] = json.loads(values.get(key, "{}"))
        place = section
        for part in inner[:-1]:
            place = place.setdefault(part, {})
        place[inner[-1]] = value
        values[key] = json.dumps(section)
    return replace(settings, values=values)


def unwritten(program: Program, stack: str, wanted: Mapping[str, Any]) -> list[str]:
    """What the stack file does not say yet as the inventory's settings want it; a sentence each."""
    settings = load_stack(program, stack)
    return [
        f"{program.stack_file(stack).name}: {path} must be {json.dumps(value)}"
        for path, value in sorted(wanted.items())
        if setting(program, settings, path) != value
    ]


def _key(program: Program, path: str) -> tuple[str, list[str]]:
    section, *inner = path.split(".")
    return f"{program.name}:{section}", inner


def setting(program: Program, settings: StackSettings, path: str) -> Any:
    """The value at ``path`` (``section.field``), or None."""
    key, inner = _key(program, path)
    text = settings.values.get(key)
    if text is None or not inner:
        return text
    place: Any = json.loads(text)
    for part in inner:
        place = cast("dict[str, Any]", place).get(part) if isinstance(place, dict) else None
    return place


def phases(program: Program, settings: StackSettings) -> Iterator[StackSettings]:
    """A first deployment has no release: there are no images and no secret versions yet."""
    release = f"{program.name}:release"
    if release in settings.values:
        yield replace(
            settings, values={key: value for key, value in settings.values.items() if key != release}
        )
    yield settings

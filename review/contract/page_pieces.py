"""Pieces of a Markdown page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from review.contract.program import Given

__all__ = ["ABSENT", "bullets", "code", "days", "merged", "pairs", "section", "stacks", "table"]

ABSENT: Final = "-"
"""What a cell says that says nothing."""


def section(title: str, *rules: str) -> list[str]:
    return [f"## {title}", "", *bullets(rules)]


def bullets(rules: Iterable[str]) -> list[str]:
    items = [f"- {rule}" for rule in rules]
    return [*items, ""] if items else []


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    lines = [f"| {' | '.join(_cell(value) for value in row)} |" for row in rows]
    return [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}", *lines, ""]


def _cell(value: object) -> str:
    if value is None or value in ("", ()):
        return ABSENT
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return str(value).replace("|", "\\|")


def code(values: Iterable[object]) -> str:
    return ", ".join(f"`{value}`" for value in values) or ABSENT


def merged(values: Sequence[tuple[str, str]]) -> str:
    """One value where all places have the same, else each with the places that have it."""
    places: dict[str, list[str]] = {}
    for place, value in values:
        places.setdefault(value, []).append(place)
    if len(places) == 1:
        return next(iter(places))
    return "; ".join(f"{value} ({', '.join(dict.fromkeys(names))})" for value, names in places.items())


def pairs(values: Mapping[str, str]) -> str:
    return ", ".join(f"`{name}: {value}`" for name, value in values.items())


def days(seconds: int | None) -> str:
    return ABSENT if seconds is None else f"{seconds / 86_400:g} days"


def stacks(environments: Sequence[Given]) -> list[str]:
    return [one.stack for one in environments]

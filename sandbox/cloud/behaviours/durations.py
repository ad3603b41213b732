"""Durations as Google's APIs write them: seconds with an ``s``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sandbox.cloud.behaviours.table import Call, Problem

__all__ = ["outside", "seconds"]


def seconds(text: str) -> float | None:
    """The seconds of ``600s``, or None when it is no such duration."""
    match = re.fullmatch(r"(\d+(?:\.\d{1,9})?)s", text)
    return None if match is None else float(match[1])


def outside(call: Call, path: str, low: float, high: float) -> Iterator[Problem]:
    """A problem when the duration at ``path`` is malformed or not within the limits."""
    text = call.text(path)
    if not text:
        return
    value = seconds(text)
    if value is None or not low <= value <= high:
        yield Problem(path, f"`{path}` must be from {low:.0f}s to {high:.0f}s, not {text!r}.")

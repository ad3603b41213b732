"""Pulumi's deployment rules for one machine and one process."""

from __future__ import annotations

from sandbox.engine.model import (
    AnalyzedResource,
    Analyzer,
    Mode,
    Observer,
    Op,
    Outcome,
    PropertyDiff,
    Refusal,
    ResourceState,
    Snapshot,
    Step,
    Violation,
)
from sandbox.engine.run import run

__all__ = [
    "AnalyzedResource",
    "Analyzer",
    "Mode",
    "Observer",
    "Op",
    "Outcome",
    "PropertyDiff",
    "Refusal",
    "ResourceState",
    "Snapshot",
    "Step",
    "Violation",
    "run",
]

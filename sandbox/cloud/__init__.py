"""The stand-in cloud: what Google would accept, refuse and answer, on paper."""

from __future__ import annotations

from sandbox.cloud.cloud import Cloud
from sandbox.cloud.fixture import load_fixture
from sandbox.cloud.quiet import QuietFailure, quiet_failures
from sandbox.cloud.results import CheckFailure, DiffResult
from sandbox.cloud.world import Record, World, WorldFacts

__all__ = [
    "CheckFailure",
    "Cloud",
    "DiffResult",
    "QuietFailure",
    "Record",
    "World",
    "WorldFacts",
    "load_fixture",
    "quiet_failures",
]

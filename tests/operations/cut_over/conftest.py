"""Two servers for all, one database on each for a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.operations.cut_over.world import World, servers, world
from tests.operations.rotation.server import Server


@pytest.fixture(scope="session")
def pair() -> Iterator[tuple[Server, Server]]:
    with servers() as both:
        yield both


@pytest.fixture
def small(pair: tuple[Server, Server], tmp_path: Path) -> Iterator[World]:
    """A live database of a few rows."""
    with world(pair, tmp_path) as one:
        one.fill(200)
        yield one

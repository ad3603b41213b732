"""One database for all, one world for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.operations.rotation.server import Server, running
from tests.operations.rotation.world import World


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with running() as one:
        yield one


@pytest.fixture
def world(server: Server) -> Iterator[World]:
    one = World(server)
    yield one
    one.close()

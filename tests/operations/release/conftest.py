"""One world and what a walk in it said."""

from __future__ import annotations

from typing import Any

import pytest

from operations.release.walk import Walk
from tests.operations.release.stand_in import SERVICES, World, walk_of


class Stage:
    def __init__(self, world: World) -> None:
        self.world = world
        self.said: list[str] = []

    def walk(self, **rules: Any) -> Walk:
        """A process of its own."""
        return walk_of(self.world, self.said, **rules)

    @property
    def shares(self) -> list[dict[str, int]]:
        return [self.world.shares(name) for name in SERVICES]

    @property
    def text(self) -> str:
        return "\n".join(self.said)


@pytest.fixture
def stage() -> Stage:
    return Stage(World())

"""What lets the state be kept after every step of a run, so that one that is cut off loses nothing."""

from __future__ import annotations

from typing import Protocol

from sandbox.engine.model import PendingOperation, ResourceState, Snapshot

__all__ = ["Keeper"]


class Keeper(Protocol):
    """Is told of each change of the state while a run works.

    A slot is a place in the state: the resources of the base have the first ones, in their order, and what
    the run places takes the next.
    """

    def start(self, base: Snapshot, *, settled: bool) -> None:
        """The run starts from ``base``; ``settled`` when it is not what was loaded."""
        ...

    def put(self, slot: int, state: ResourceState) -> None:
        """``state`` stands in ``slot``."""
        ...

    def drop(self, slot: int) -> None:
        """What stood in ``slot`` is gone."""
        ...

    def began(self, number: int, operation: PendingOperation) -> None:
        """The cloud is about to be called."""
        ...

    def ended(self, number: int) -> None:
        """The cloud has answered, and the state says what came of it."""
        ...

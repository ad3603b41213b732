"""Which dead letters go back, in which order, and why the others stay.

Letters of one origin and the same content are one message: the trace of a replay that was killed between
publishing and acknowledging. One of them is published, the others are acknowledged after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .letters import Letter

__all__ = ["MOST_REPLAYS", "Move", "Plan", "Wanted", "make_plan"]

# A message that failed so often after a correction needs a person, not another round.
MOST_REPLAYS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What a person asked for; everything by default."""

    ids: frozenset[str] = frozenset()
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])
    # Since it became a dead letter.
    older_than: timedelta | None = None
    younger_than: timedelta | None = None

    def match(self, letter: Letter, now: datetime) -> bool:
        """Whether it fulfils everything that is given."""
        age = now - letter.died
        return (
            (not self.ids or letter.id in self.ids)
            and all(letter.attributes.get(key) == value for key, value in self.attributes.items())
            and (self.older_than is None or age >= self.older_than)
            and (self.younger_than is None or age < self.younger_than)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """One message to publish, and everything that is acknowledged for it."""

    letter: Letter
    replays: int
    twins: tuple[Letter, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What would be done with the letters that were seen."""

    moves: tuple[Move, ...]
    unwanted: int
    # Replayed as often as allowed.
    worn: tuple[Letter, ...]
    unfit: tuple[Letter, ...]

    @property
    def twins(self) -> int:
        """Letters that are acknowledged without being published."""
        return sum(len(move.twins) for move in self.moves)


def make_plan(letters: Iterable[Letter], wanted: Wanted, now: datetime, most_replays: int) -> Plan:
    """Oldest first, so that messages of one ordering key keep their order."""
    groups: dict[tuple[str, str], list[Letter]] = {}
    for letter in letters:
        groups.setdefault((letter.origin, letter.content), []).append(letter)
    moves: list[Move] = []
    worn: list[Letter] = []
    unfit: list[Letter] = []
    unwanted = 0
    for group in groups.values():
        chosen = [letter for letter in group if wanted.match(letter, now)]
        unwanted += len(group) - len(chosen)
        replays = max(letter.replays for letter in group)
        if not chosen:
            continue
        if replays >= most_replays:
            worn.extend(chosen)
        elif chosen[0].unfit:
            unfit.extend(chosen)
        else:
            moves.append(Move(letter=chosen[0], replays=replays + 1, twins=tuple(chosen[1:])))
    moves.sort(key=lambda move: (move.letter.published, move.letter.died, move.letter.id))
    return Plan(moves=tuple(moves), unwanted=unwanted, worn=tuple(worn), unfit=tuple(unfit))

"""Looks at dead letters without consuming them, and moves those that a person chose.

A look pulls everything it can, holds it under leases so that nothing comes twice, and gives it all back.
Being pulled costs a dead letter nothing: delivery attempts count only where a subscription gives messages up,
and the one that keeps dead letters does not.

A real run looks first, refuses when the number is another one than the person saw, then publishes and
acknowledges message by message. Whatever it still holds in the end, it gives back; a killed run's leases end
by themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from operations.login import LoginError

from .letters import Letter
from .plan import MOST_REPLAYS, Move, Plan, Wanted, make_plan
from .pubsub import ApiError, PubSub, UnreachableError

__all__ = ["ChangedError", "Clock", "LeaseError", "Limits", "Replay", "Report"]

# The longest that Pub/Sub grants.
_LEASE_SECONDS = 600
_RENEW_SECONDS = 300
_A_PULL = 100
_EMPTY_PULLS = 5
# Of this message alone: too large, or not of the topic's schema.
_OF_THE_MESSAGE = 400


class ChangedError(Exception):
    """The number is not the one that a person saw."""


class LeaseError(Exception):
    """The machine slept: others may hold the letters by now."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """Seconds since 1970, and waiting."""

    now: Callable[[], float]
    pause: Callable[[float], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How much and how fast."""

    # Letters looked at, 1 to 10,000, and the bytes of their data that are held in memory.
    letters: int = 1_000
    data_bytes: int = 256 * 1024 * 1024
    # Messages a second, at most 100.
    rate: float = 10.0
    most_replays: int = MOST_REPLAYS


@dataclass(kw_only=True, slots=True)
class Report:
    """What was found, and what a real run did."""

    plan: Plan
    seen: int
    # Whether a limit ended the look before Pub/Sub had nothing more to hand out.
    more: bool
    published: int = 0
    # Published, and still there because the acknowledgement failed.
    doubled: int = 0
    # What the topic did not take, with its words, and what waits behind it in its ordering key.
    refused: list[tuple[Letter, str]] = field(default_factory=list[tuple[Letter, str]])
    behind: int = 0


class Replay:
    """One dead-letter subscription and its topic."""

    def __init__(self, pubsub: PubSub, clock: Clock, limits: Limits) -> None:
        self._pubsub = pubsub
        self._clock = clock
        self._limits = limits
        self._held: dict[str, Letter] = {}
        # When the first of the leases ends.
        self._until = math.inf

    def look(self, wanted: Wanted) -> Report:
        """What a run would do. Nothing is published, acknowledged or kept leased."""
        with self._leases():
            return self._look(wanted)

    def run(self, wanted: Wanted, expected: int) -> Report:
        """Moves. Errors: ChangedError before anything is moved; LeaseError, ApiError, UnreachableError and
        LoginError in between, when what was not moved yet is given back.
        """
        with self._leases():
            report = self._look(wanted)
            if len(report.plan.moves) != expected:
                raise ChangedError(
                    f"{len(report.plan.moves)} messages would be moved now, not the {expected} that were seen"
                )
            self._move(report)
            return report

    def _look(self, wanted: Wanted) -> Report:
        more = self._gather()
        plan = make_plan(
            self._held.values(),
            wanted,
            datetime.fromtimestamp(self._clock.now(), UTC),
            self._limits.most_replays,
        )
        return Report(plan=plan, seen=len(self._held), more=more)

    @contextmanager
    def _leases(self) -> Generator[None]:
        self._held, self._until = {}, math.inf
        try:
            yield
        finally:
            # Leases that cannot be given back end by themselves.
            with suppress(ApiError, UnreachableError, LoginError):
                self._pubsub.lease(self._held.values(), 0)

    def _gather(self) -> bool:
        """Pull until nothing new comes; whether a limit ended it."""
        empty = size = 0
        while empty < _EMPTY_PULLS:
            room = self._limits.letters - len(self._held)
            if room <= 0 or size >= self._limits.data_bytes:
                return True
            asked = self._clock.now()
            letters = self._pubsub.pull(min(_A_PULL, room))
            new = [letter for letter in letters if letter.id not in self._held]
            # A later lease of the same letter is the one that counts.
            self._held.update({letter.id: letter for letter in letters})
            size += sum(len(letter.data) for letter in new)
            if letters:
                self._pubsub.lease(letters, _LEASE_SECONDS)
                self._until = min(self._until, asked + _LEASE_SECONDS)
                self._renew()
            if new:
                empty = 0
            else:
                empty += 1
                self._clock.pause(1.0)
        return False

    def _renew(self) -> None:
        """Hold everything on, when half of the time is over."""
        now = self._clock.now()
        if now > self._until - _RENEW_SECONDS:
            self._pubsub.lease(self._held.values(), _LEASE_SECONDS)
            self._until = now + _LEASE_SECONDS

    def _move(self, report: Report) -> None:
        blocked: set[str] = set()
        due = self._clock.now()
        for move in report.plan.moves:
            if move.letter.ordering_key in blocked:
                report.behind += 1
                continue
            self._clock.pause(max(0.0, due - self._clock.now()))
            due = max(due, self._clock.now()) + 1 / self._limits.rate
            if self._clock.now() >= self._until:
                raise LeaseError("the leases ended before the run did: run it again")
            self._renew()
            if (words := self._one(move, report)) is not None:
                report.refused.append((move.letter, words))
                if move.letter.ordering_key:
                    blocked.add(move.letter.ordering_key)

    def _one(self, move: Move, report: Report) -> str | None:
        """Publish, then acknowledge. The topic's words when it does not take this message."""
        try:
            self._pubsub.publish(move.letter.again(move.replays))
        except ApiError as error:
            if error.status != _OF_THE_MESSAGE:
                raise
            return str(error)
        report.published += 1
        self._acknowledge(move, report)
        return None

    def _acknowledge(self, move: Move, report: Report) -> None:
        """Only after the publication. What cannot be acknowledged is given back and comes twice."""
        letters = (move.letter, *move.twins)
        try:
            self._pubsub.acknowledge(letters)
        except (ApiError, UnreachableError, LoginError):
            report.doubled += len(letters)
            return
        for letter in letters:
            del self._held[letter.id]

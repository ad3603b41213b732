"""Plays a pattern: messages, instances and what Cloud Monitoring shows of them, minute by minute.

Google's delays are the longest documented: a sample a minute, shown two minutes later, acknowledgements
after four. An instance needs 45 seconds to start and is paid for from the first. Which instance is stopped
is drawn: Cloud Run does not say, so it may be a busy one. It takes no more, finishes what ends within its
grace, and gives the rest back, its work lost.

A message that was not acknowledged is delivered again after the back-off. Its worker gives it back when it
fails on it or is stopped; a worker that dies gives nothing back, and Pub/Sub learns of it when the lease is
over. Each of the three costs one of the deliveries that the queue allows, and the last makes a dead letter,
which Google counts among the acknowledged.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from operations.scaler.decide import WINDOW_MINUTES, Decision, Reading, decide
from tools.scaler_simulation.patterns import Job, Pattern

__all__ = ["Minute", "Played", "play"]

_START_SECONDS = 45.0
# Cloud Run ends a container ten seconds after SIGTERM; giving a message back takes some of them.
_GRACE_SECONDS = 8.0
_SHOWN_AFTER = 120.0
# Acknowledgements, their latencies and dead letters show later than the backlog: 181 and 240 seconds.
_HIDDEN_MINUTES = 2
_MINUTE = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Minute:
    """What a person would have seen."""

    backlog: int
    instances: int


@dataclass(kw_only=True)
class Played:
    """What happened."""

    begun: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    """Of each message: when the attempt that succeeded began, and how long it had waited: the time since its
    publication, without the attempts that died of themselves, for those were work.
    """
    instance_seconds: float = 0.0
    seconds: float = 0.0
    stopped: list[Job] = field(default_factory=list[Job])
    """Of each attempt lost because its instance was stopped, the message."""
    dead: list[Job] = field(default_factory=list[Job])
    """Messages that became dead letters."""
    changes: int = 0
    minutes: list[Minute] = field(default_factory=list[Minute])
    decisions: list[Decision] = field(default_factory=list[Decision])

    @property
    def waits(self) -> list[float]:
        """Of each message, in the order in which they were done."""
        return [wait for _, wait in self.begun]

    def wait(self, share: float) -> float:
        """The wait that this share of the messages did not exceed; 0 without a message."""
        return sorted(self.waits)[math.ceil(len(self.waits) * share) - 1] if self.waits else 0.0


@dataclass(kw_only=True, eq=False)
class _Message:
    job: Job
    attempt: int = 0
    failures: int = 0
    died: float = 0.0


@dataclass(kw_only=True, eq=False)
class _Instance:
    began: float
    ready: bool = False
    stopping: bool = False
    # Message -> when this attempt of it began.
    works: dict[_Message, float] = field(default_factory=dict["_Message", float])


class _Sample(NamedTuple):
    """Totals since the beginning, but for the first two."""

    backlog: int
    oldest_age: float
    acknowledged: int
    dead: int
    job_seconds: float


class _World:
    def __init__(self, pattern: Pattern) -> None:
        self.pattern, self.now, self.draw = pattern, 0.0, random.Random(7)
        self.events: list[tuple[float, int, str, object]] = []
        self.order = itertools.count()
        self.waiting: deque[_Message] = deque()
        self.instances: list[_Instance] = []
        self.paid: set[_Instance] = set()
        self.unacknowledged: dict[_Message, float] = {}
        self.samples: list[_Sample] = []
        self.finished, self.job_seconds = 0, 0.0
        self.played = Played()

    def later(self, seconds: float, kind: str, what: object = None) -> None:
        heapq.heappush(self.events, (self.now + seconds, next(self.order), kind, what))

    def scale(self, wanted: int) -> None:
        self.played.changes += wanted != len(self.instances)
        while len(self.instances) < wanted:
            instance = _Instance(began=self.now)
            self.instances.append(instance)
            self.paid.add(instance)
            self.later(_START_SECONDS, "ready", instance)
        while len(self.instances) > wanted:
            self.stop(self.instances.pop(self.draw.randrange(len(self.instances))))

    def stop(self, instance: _Instance) -> None:
        instance.stopping = True
        if instance.works:
            self.later(_GRACE_SECONDS, "grace is over", instance)
        self.leave(instance)

    def give_back(self, instance: _Instance) -> None:
        for message in instance.works:
            self.played.stopped.append(message.job)
            self.fail(message)
        instance.works = {}
        self.leave(instance)

    def leave(self, instance: _Instance) -> None:
        """Gone as soon as it was told to and holds nothing."""
        if instance.stopping and not instance.works and instance in self.paid:
            self.paid.remove(instance)
            self.played.instance_seconds += self.now - instance.began

    def crash(self, instance: _Instance) -> None:
        """It is started again, and is paid for meanwhile."""
        instance.ready = False
        self.later(_START_SECONDS, "ready", instance)
        for message, began in instance.works.items():
            self.fail(message, self.pattern.delivery.lease_left(self.now - began))
        instance.works = {}
        self.leave(instance)

    def fail(self, message: _Message, noticed_in: float = 0.0) -> None:
        message.failures += 1
        if message.failures >= self.pattern.delivery.attempts:
            self.later(noticed_in, "dead", message)
        else:
            self.later(noticed_in + self.pattern.delivery.backoff(message.failures), "deliver", message)

    def assign(self) -> None:
        for instance in self.instances:
            while (
                instance.ready and self.waiting and len(instance.works) < self.pattern.pool.jobs_per_instance
            ):
                message = self.waiting.popleft()
                instance.works[message] = self.now
                self.later(message.job.attempts[message.attempt], "end", (instance, message, self.now))

    def end(self, instance: _Instance, message: _Message, began: float) -> None:
        if instance.works.get(message) != began:
            # Its instance was stopped or died.
            return
        job, attempt = message.job, message.attempt
        if job.succeeds and attempt == len(job.attempts) - 1:
            del instance.works[message], self.unacknowledged[message]
            self.finished += 1
            self.job_seconds += self.now - began
            self.played.begun.append((began, began - job.at - message.died))
            self.leave(instance)
            return
        message.died += self.now - began
        # A message on which every attempt fails goes on to fail, however often it is delivered.
        message.attempt = min(attempt + 1, len(job.attempts) - 1)
        if attempt in job.kills:
            self.crash(instance)
        else:
            del instance.works[message]
            self.fail(message)
            self.leave(instance)

    def minute(self) -> None:
        oldest = self.now - min(self.unacknowledged.values(), default=self.now)
        dead = len(self.played.dead)
        self.samples.append(
            _Sample(len(self.unacknowledged), oldest, self.finished + dead, dead, self.job_seconds)
        )
        self.played.minutes.append(Minute(backlog=len(self.unacknowledged), instances=len(self.instances)))
        shown = self.samples[: max(1, len(self.samples) - int(_SHOWN_AFTER // _MINUTE))]
        decision = decide(self.pattern.pool, len(self.instances), (self.pattern.queue,), (_reading(shown),))
        self.played.decisions.append(decision)
        self.scale(decision.instances)


def _reading(shown: list[_Sample]) -> Reading:
    window = shown[-WINDOW_MINUTES:]
    hidden = max(0, len(window) - 1 - _HIDDEN_MINUTES)
    first, last = window[0], window[hidden]

    def minutes(totals: list[int]) -> list[int]:
        if hidden == 0:
            return [0] * len(window)
        seen = (after - before for before, after in itertools.pairwise(totals[: hidden + 1]))
        return [0, *seen, *[0] * _HIDDEN_MINUTES]

    return Reading(
        backlog=[one.backlog for one in window],
        oldest_age_seconds=window[-1].oldest_age,
        acknowledged=minutes([one.acknowledged for one in window]),
        dead_lettered=minutes([one.dead for one in window]),
        job_seconds_sum=last.job_seconds - first.job_seconds,
        jobs=(last.acknowledged - last.dead) - (first.acknowledged - first.dead),
    )


def play(pattern: Pattern, until: float = math.inf) -> Played:
    """The pattern as long as it lasts and on until every message is done, but not beyond `until`."""
    world = _World(pattern)
    world.scale(pattern.pool.minimum)
    for job in pattern.jobs:
        world.later(job.at, "publish", _Message(job=job))
    world.later(_MINUTE, "minute")
    while world.now < min(until, pattern.seconds) or (world.unacknowledged and world.now < until):
        world.now, _, kind, what = heapq.heappop(world.events)
        match kind, what:
            case "publish", _Message() as message:
                world.unacknowledged[message] = world.now
                world.waiting.append(message)
            case "deliver", _Message() as message:
                world.waiting.append(message)
            case "dead", _Message() as message:
                del world.unacknowledged[message]
                world.played.dead.append(message.job)
            case "ready", _Instance() as instance:
                instance.ready = True
            case "grace is over", _Instance() as instance:
                world.give_back(instance)
            case "end", (_Instance() as instance, _Message() as message, float() as began):
                world.end(instance, message, began)
            case _:
                world.minute()
                world.later(_MINUTE, "minute")
        world.assign()
    world.played.seconds = world.now
    for instance in world.paid:
        world.played.instance_seconds += world.now - instance.began
    return world.played

"""Arrivals that the scaler must serve: when each message comes, how long its job takes, how often it fails.

Drawn from a seed, so a pattern is the same in each run. Promises: CRIT-1.3 wants the oldest interactive
message below 5 minutes, API-3.9 a batch within 30 minutes. The bounds are production's.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from operations.scaler.decide import Pool, Queue
from tools.scaler_simulation.delivery import DECLARED, Delivery

__all__ = ["PATTERNS", "Job", "Pattern", "pattern"]

_HOUR = 3_600.0
_INTERACTIVE = Queue(promise_seconds=300, job_seconds=60)
_BATCH = Queue(promise_seconds=1_800, job_seconds=60)
_POOL = Pool(minimum=1, maximum=20)


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One message: when it is published, and how long each attempt lasts."""

    at: float
    attempts: tuple[float, ...]
    succeeds: bool = True
    """Whether the last attempt does; where none does, the message becomes a dead letter."""
    kills: frozenset[int] = frozenset()
    """Attempts that take their instance with them, by position: nobody gives the message back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pattern:
    """One day or hour of messages."""

    title: str
    pool: Pool
    queue: Queue
    seconds: float
    jobs: tuple[Job, ...]
    delivery: Delivery = DECLARED


def _poisson(
    draw: random.Random, seconds: float, rate: Callable[[float], float], most: float
) -> Iterator[float]:
    """Times of a Poisson process whose rate changes, by thinning."""
    now = 0.0
    while (now := now + draw.expovariate(most)) < seconds:
        if draw.random() * most < rate(now):
            yield now


def _duration(draw: random.Random, mean: float) -> float:
    """Log-normal, as jobs of unequal media are; half of them below 0.88 of the mean; at most 30 minutes."""
    return min(1_800.0, draw.lognormvariate(math.log(mean) - 0.125, 0.5))


def _steady(seed: int) -> Pattern:
    draw = random.Random(f"steady {seed}")
    times = _poisson(draw, 6 * _HOUR, lambda _: 0.06, 0.06)
    return Pattern(
        title="Steady: 3.6 jobs a minute of a minute each, six hours",
        pool=_POOL,
        queue=_INTERACTIVE,
        seconds=6 * _HOUR,
        jobs=tuple(Job(at=at, attempts=(_duration(draw, 60),)) for at in times),
    )


def _diurnal(seed: int) -> Pattern:
    def rate(now: float) -> float:
        return 0.0667 * (1 - math.cos(2 * math.pi * now / (24 * _HOUR))) + 0.002

    draw = random.Random(f"diurnal {seed}")
    times = _poisson(draw, 24 * _HOUR, rate, 0.14)
    return Pattern(
        title="Diurnal: from almost none at night to 8 jobs a minute at noon, a day",
        pool=_POOL,
        queue=_INTERACTIVE,
        seconds=24 * _HOUR,
        jobs=tuple(Job(at=at, attempts=(_duration(draw, 60),)) for at in times),
    )


def _burst(seed: int) -> Pattern:
    draw = random.Random(f"burst {seed}")
    times = sorted(1_800 + draw.random() * 60 for _ in range(500))
    return Pattern(
        title="Burst: a batch of 500 items within a minute, four hours",
        pool=_POOL,
        queue=_BATCH,
        seconds=4 * _HOUR,
        jobs=tuple(Job(at=at, attempts=(_duration(draw, 60),)) for at in times),
    )


def _silent(seed: int) -> Pattern:
    del seed
    return Pattern(
        title="Silent: no message, a day", pool=_POOL, queue=_INTERACTIVE, seconds=24 * _HOUR, jobs=()
    )


def _failing(seed: int) -> Pattern:
    draw = random.Random(f"failing {seed}")

    def job(at: float) -> Job:
        poison, attempts, kills = draw.random() < 0.02, list[float](), set[int]()
        while len(attempts) < DECLARED.attempts:
            if not poison and draw.random() >= 0.3:
                attempts.append(_duration(draw, 60))
                return Job(at=at, attempts=tuple(attempts), kills=frozenset(kills))
            if draw.random() < 0.05:
                kills.add(len(attempts))
            attempts.append(_duration(draw, 60) * draw.random())
        return Job(at=at, attempts=tuple(attempts), succeeds=False, kills=frozenset(kills))

    times = _poisson(draw, 6 * _HOUR, lambda _: 0.05, 0.05)
    return Pattern(
        title="Failing worker: three of ten attempts fail, one of fifty messages always does, six hours",
        pool=_POOL,
        queue=_INTERACTIVE,
        seconds=6 * _HOUR,
        jobs=tuple(job(at) for at in times),
    )


_MAKERS: Mapping[str, Callable[[int], Pattern]] = {
    "steady": _steady,
    "diurnal": _diurnal,
    "burst": _burst,
    "silent": _silent,
    "failing": _failing,
}
PATTERNS = tuple(_MAKERS)
"""Names of the patterns."""


def pattern(name: str, seed: int = 0) -> Pattern:
    """The pattern of this name; another seed draws another day of the same kind."""
    return _MAKERS[name](seed)

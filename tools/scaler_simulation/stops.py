"""What scaling down costs a message: how often its instance is stopped, and whether that alone makes it dead.

Long jobs among those of the pattern in which most instances are stopped for each hour of work. A message that
is given back has used one delivery up, whether its worker failed or was told to go.
"""

from __future__ import annotations

import dataclasses
import math

from tools.scaler_simulation.patterns import Job, pattern
from tools.scaler_simulation.simulate import play

__all__ = ["MINUTES", "Stops", "stops"]

MINUTES = (1, 5, 15, 30, 60)
"""Lengths of job; the last is the longest lease."""
_SEEDS = range(12)
_EVERY_SECONDS = 900


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Stops:
    """Jobs of one length that lose all their work in each stop."""

    deliveries: int
    given_back: int
    """Deliveries that ended because the instance was stopped."""

    @property
    def share(self) -> float:
        """Of the deliveries, those given back."""
        return self.given_back / self.deliveries

    def dead_if_lost(self, attempts: int) -> float:
        """Chance of a message to be given back so many times, when each begins from nothing."""
        return self.share**attempts

    def dead_if_kept(self, attempts: int) -> float:
        """The same where each goes on from where the last one was stopped: so many stops within one job."""
        expected = -math.log(1 - self.share)
        fewer = math.fsum(expected**count / math.factorial(count) for count in range(attempts))
        return max(0.0, 1 - math.exp(-expected) * fewer)


def stops(minutes: int) -> Stops:
    """Played over twelve days of the steady pattern, with one such job each quarter of an hour."""
    seconds = minutes * 60.0
    given_back = done = 0
    for seed in _SEEDS:
        steady = pattern("steady", seed)
        long = {
            Job(at=float(at), attempts=(seconds,))
            for at in range(_EVERY_SECONDS, int(steady.seconds), _EVERY_SECONDS)
        }
        jobs = sorted((*steady.jobs, *long), key=lambda job: job.at)
        # Without an end, so that what is counted does not depend on it.
        endless = dataclasses.replace(steady.delivery, attempts=1_000_000)
        played = play(dataclasses.replace(steady, jobs=tuple(jobs), delivery=endless))
        given_back += sum(job in long for job in played.stopped)
        done += len(long)
    return Stops(deliveries=done + given_back, given_back=given_back)

"""How many instances a worker pool needs, from the last minutes of its queues.

A pure function of what was read: nothing is kept between two runs, so a lost run, a second one at the same
time or a new revision changes nothing. For each queue, in messages that are not acknowledged (those in work
are such):

    arriving = gone and added a second, over 15 minutes, x job time: what arrives keeps so many in work
    waiting  = the others, less what spare instances took since the sample
    load     = (arriving + waiting x job time / drain) / jobs per instance

`drain` is what is left of the promised wait for the oldest message, and never less than the time in which a
change shows: faster than it sees, no controller is steady. The loads of a pool's queues add up.

- Up at once, to what the newest minute asks for.
- Down to the highest of the last minutes only, because whoever is stopped loses the job in work: the longer
  the jobs, the more minutes.
- One instance at least while a queue held a message in those minutes.
- Not up while nothing is finished: a queue that held messages for long enough to finish some, and finished
  none, has workers that fail. More of them would only fail more often. What Pub/Sub moved to the dead letters
  left the queue, and Google counts it as acknowledged, but nobody finished it.

Google samples the backlog each minute and shows a sample within two minutes
(`pubsub.googleapis.com/subscription/num_undelivered_messages`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["WINDOW_MINUTES", "Decision", "Pool", "Queue", "Reading", "Reason", "decide"]

# A sample each minute, two until it shows, one until the next run.
_REACTION_SECONDS = 240
# Of those, what passed since the newest sample.
_UNSEEN_SECONDS = 180
# Of an instance: a smaller remainder of work starts none.
_TOLERANCE = 0.1
_ARRIVAL_MINUTES = 15
# Acknowledgements (181 s) and dead letters (240 s) show later than the backlog (120 s): the newest are
# not there yet.
_HIDDEN_MINUTES = 2
# The configured job time weighs as much as so many measured jobs.
_PRIOR_JOBS = 10
_PATIENCE_MINUTES = (3, 10)
# Nothing finished for so many minutes, or so many job times, is a failure and no long job.
_STALL_MINUTES = 10
_STALL_JOBS = 3
WINDOW_MINUTES = 100
"""Minutes of samples that a decision reads at most."""

Reason = Literal["load", "steady", "floor", "ceiling", "stalled", "unknown"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pool:
    """What a pool may be."""

    minimum: int
    """Fewest instances, 0 or more."""
    maximum: int
    """Most instances, 1 or more."""
    jobs_per_instance: int = 1
    """Messages that an instance works on at once, 1 or more."""

    def __post_init__(self) -> None:
        if not 0 <= self.minimum <= self.maximum or self.maximum < 1 or self.jobs_per_instance < 1:
            raise ValueError(
                "a pool must have 0 <= minimum <= maximum, maximum >= 1 and jobs_per_instance >= 1, "
                f"got {self.minimum}, {self.maximum} and {self.jobs_per_instance}"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Queue:
    """What is known of a queue beforehand."""

    promise_seconds: float
    """Wait until work on a message begins that 95 of 100 must not exceed; above 0."""
    job_seconds: float
    """Mean time of a job until enough were measured; above 0."""

    def __post_init__(self) -> None:
        if self.promise_seconds <= 0 or self.job_seconds <= 0:
            raise ValueError(
                "promise_seconds and job_seconds must be above 0, "
                f"got {self.promise_seconds} and {self.job_seconds}"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What was read of a queue; a queue that could not be read has none."""

    backlog: Sequence[int]
    """Unacknowledged messages: one sample a minute, the newest last; at least one."""
    acknowledged: Sequence[int]
    """Messages that were acknowledged in each of the same minutes, dead letters included."""
    dead_lettered: Sequence[int] = ()
    """Messages that became dead letters in each of the same minutes; none where it is empty."""
    oldest_age_seconds: float = 0.0
    """Age of the oldest message that is not acknowledged."""
    jobs: int = 0
    """Jobs that `job_seconds_sum` was measured on."""
    job_seconds_sum: float = 0.0
    """Their time from delivery to acknowledgement, added up."""

    def __post_init__(self) -> None:
        if not self.backlog or len(self.backlog) != len(self.acknowledged):
            raise ValueError(
                "backlog and acknowledged must have the same minutes, one at least, "
                f"got {len(self.backlog)} and {len(self.acknowledged)}"
            )
        if len(self.dead_lettered) not in {0, len(self.backlog)}:
            raise ValueError(
                "dead_lettered must have the minutes of backlog or none, "
                f"got {len(self.dead_lettered)} for {len(self.backlog)}"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """How many instances from now on, and why."""

    instances: int
    reason: Reason
    load: float
    """Instances' worth of work in the newest minute."""


def decide(
    pool: Pool, instances: int, queues: Sequence[Queue], readings: Sequence[Reading | None]
) -> Decision:
    """The pool's next number of instances, within its bounds.

    A queue that could not be read never takes an instance away: what is there stays, the others may add.
    """
    seen = [(queue, one) for queue, one in zip(queues, readings, strict=True) if one is not None]
    load = sum(_load(pool, queue, one, 0, instances) for queue, one in seen)
    wanted = _rounded(load, any(one.backlog[-1] for _, one in seen))
    reason: Reason = "load"
    if wanted > instances and instances and _stalled(seen):
        wanted, reason = instances, "stalled"
    elif wanted < instances and len(seen) < len(queues):
        wanted, reason = instances, "unknown"
    elif wanted < instances:
        wanted = min(instances, max(wanted, _held(pool, seen)))
    if wanted > pool.maximum:
        return Decision(instances=pool.maximum, reason="ceiling", load=load)
    if wanted < pool.minimum:
        return Decision(instances=pool.minimum, reason="floor", load=load)
    if wanted == instances and reason == "load":
        reason = "steady"
    return Decision(instances=wanted, reason=reason, load=load)


def _rounded(load: float, holding: bool) -> int:
    return max(math.ceil(load - _TOLERANCE), 1 if holding else 0)


def _load(pool: Pool, queue: Queue, reading: Reading, back: int, instances: int = 0) -> float:
    """Instances' worth of work of one queue, `back` minutes before the newest sample."""
    end = max(1, len(reading.backlog) - back)
    job, backlog = _job_seconds(queue, reading), reading.backlog[end - 1]
    arriving = min(backlog, _arrivals(reading, end) * job)
    spare = max(0.0, instances * pool.jobs_per_instance - arriving)
    waiting = max(0.0, backlog - arriving - spare * _UNSEEN_SECONDS / job)
    waited = max(0.0, reading.oldest_age_seconds - job)
    drain = max(queue.promise_seconds - waited, _REACTION_SECONDS)
    return (arriving + waiting * job / drain) / pool.jobs_per_instance


def _arrivals(reading: Reading, end: int) -> float:
    """Messages a second until this minute: what left the queue, and what the backlog grew by."""
    last = end - 1 - _HIDDEN_MINUTES
    begin = max(0, last - _ARRIVAL_MINUTES)
    minutes = last - begin
    if minutes < 1:
        return 0.0
    grown = reading.backlog[last] - reading.backlog[begin]
    return max(0.0, sum(reading.acknowledged[begin + 1 : last + 1]) + grown) / (minutes * 60)


def _job_seconds(queue: Queue, reading: Reading) -> float:
    return (queue.job_seconds * _PRIOR_JOBS + reading.job_seconds_sum) / (_PRIOR_JOBS + reading.jobs)


def _held(pool: Pool, seen: Sequence[tuple[Queue, Reading]]) -> int:
    """What the last minutes ask for at most: as many as half a job takes, which is what a stop loses."""
    least, most = _PATIENCE_MINUTES
    patience = max(
        (min(most, max(least, math.ceil(_job_seconds(*one) / 120))) for one in seen), default=least
    )
    holding = any(sample for _, one in seen for sample in one.backlog[-patience:])
    return max(
        _rounded(sum(_load(pool, queue, one, back) for queue, one in seen), holding)
        for back in range(patience)
    )


def _finished(reading: Reading, minutes: int) -> int:
    """Messages that a worker finished in the last minutes; below 1 where all that left are dead letters.

    A dead letter may show a minute before or after its acknowledgement: those of one minute more count, and
    acknowledgements that came before their time do not.
    """
    left = reading.acknowledged[-minutes:-_HIDDEN_MINUTES]
    return sum(left) - sum(reading.dead_lettered[-minutes - 1 :])


def _stalled(seen: Sequence[tuple[Queue, Reading]]) -> bool:
    """Whether no queue that holds messages finished any, though it was given the time for it."""

    def stalled(queue: Queue, reading: Reading) -> bool:
        long = math.ceil(_STALL_JOBS * _job_seconds(queue, reading) / 60)
        minutes = min(max(_STALL_MINUTES, long), WINDOW_MINUTES)
        if len(reading.backlog) < minutes:
            return False
        return all(reading.backlog[-minutes:]) and _finished(reading, minutes) <= 0

    return all(stalled(queue, one) for queue, one in seen if one.backlog[-1])

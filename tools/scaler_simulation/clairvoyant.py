"""The least that any scaler could pay, one that knows every arrival beforehand among them.

A lower bound, and so harder to come near than the true minimum: work is divided at will, instances start in
no time, any number of them may run. Jobs that begin within the promise must have their work done by then; the
twentieth of the jobs that may be late is the one with the most work, and may be done at the end. So may the
attempts of messages that become dead letters, which nobody waits for.
"""

from __future__ import annotations

from tools.scaler_simulation.patterns import Pattern

__all__ = ["least_instance_seconds"]

_STEP = 5.0


def least_instance_seconds(pattern: Pattern, seconds: float) -> float:
    """Instance-seconds over `seconds`: the floor's, and what must run beside it.

    The floor's instances work whenever there is work, for they are paid anyway; more run only when a deadline
    asks for it. Nothing cheaper meets the deadlines.
    """
    slots, floor = pattern.pool.jobs_per_instance, pattern.pool.minimum
    work = [(sum(job.attempts) / slots, job) for job in pattern.jobs]
    awaited = [(size, job) for size, job in work if job.succeeds]
    late = sorted((size for size, _ in awaited), reverse=True)[: len(awaited) // 20]
    arrivals = sorted((job.at, size) for size, job in work)
    deadlines = sorted(
        (job.at + pattern.queue.promise_seconds + sum(job.attempts), size) for size, job in awaited
    )
    arrived = due = done = beside = now = 0.0
    allowance, coming, ending = (
        sum(late),
        iter([*arrivals, (float("inf"), 0.0)]),
        iter([*deadlines, (float("inf"), 0.0)]),
    )
    next_arrival, next_deadline = next(coming), next(ending)
    while now < seconds:
        now += _STEP
        while next_arrival[0] <= now:
            arrived, next_arrival = arrived + next_arrival[1], next(coming)
        while next_deadline[0] <= now:
            due, next_deadline = due + next_deadline[1], next(ending)
        done = min(arrived, done + floor * _STEP)
        if (behind := due - allowance - done) > 0:
            beside, done = beside + behind, done + behind
    return floor * seconds + beside + max(0.0, arrived - done)

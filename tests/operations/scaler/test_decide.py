"""The arithmetic: bounds, what it never does, and what each reason means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.scaler.decide import Pool, Queue, Reading, decide

QUEUE = Queue(promise_seconds=300, job_seconds=60)
POOL = Pool(minimum=0, maximum=20)


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    minimum = draw(st.integers(0, 10))
    return Pool(
        minimum=minimum,
        maximum=max(1, minimum + draw(st.integers(0, 20))),
        jobs_per_instance=draw(st.integers(1, 8)),
    )


@st.composite
def queues(draw: st.DrawFn) -> Queue:
    return Queue(
        promise_seconds=draw(st.floats(1, 86_400)),
        job_seconds=draw(st.floats(0.01, 3_600)),
    )


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    minutes = draw(st.integers(1, 100))
    size = st.integers(0, 100_000)
    return Reading(
        backlog=draw(st.lists(size, min_size=minutes, max_size=minutes)),
        acknowledged=draw(st.lists(size, min_size=minutes, max_size=minutes)),
        dead_lettered=draw(st.just([]) | st.lists(size, min_size=minutes, max_size=minutes)),
        oldest_age_seconds=draw(st.floats(0, 1e6)),
        jobs=draw(st.integers(0, 1_000)),
        job_seconds_sum=draw(st.floats(0, 1e6)),
    )


situations = st.lists(st.tuples(queues(), st.none() | readings()), min_size=1, max_size=4)


@given(pools(), st.integers(0, 100), situations)
def test_a_decision_is_within_the_bounds_whatever_is_read(
    pool: Pool, instances: int, situation: list[tuple[Queue, Reading | None]]
) -> None:
    found = decide(pool, instances, *zip(*situation, strict=True))
    assert pool.minimum <= found.instances <= pool.maximum


@given(pools(), st.integers(0, 100), situations)
def test_a_queue_that_cannot_be_read_takes_no_instance_away(
    pool: Pool, instances: int, situation: list[tuple[Queue, Reading | None]]
) -> None:
    blind = [*situation, (QUEUE, None)]
    found = decide(pool, instances, *zip(*blind, strict=True))
    assert found.instances >= min(instances, pool.maximum)


@given(pools(), st.integers(0, 100), situations)
def test_a_message_always_has_an_instance(
    pool: Pool, instances: int, situation: list[tuple[Queue, Reading | None]]
) -> None:
    holding = any(one is not None and one.backlog[-1] for _, one in situation)
    found = decide(pool, instances, *zip(*situation, strict=True))
    assert not holding or found.instances >= 1


@given(pools(), st.integers(0, 100), queues(), readings(), st.integers(1, 1_000))
def test_more_messages_never_ask_for_less(
    pool: Pool, instances: int, queue: Queue, reading: Reading, more: int
) -> None:
    fuller = Reading(
        backlog=[*reading.backlog[:-1], reading.backlog[-1] + more],
        acknowledged=reading.acknowledged,
        dead_lettered=reading.dead_lettered,
        oldest_age_seconds=reading.oldest_age_seconds,
        jobs=reading.jobs,
        job_seconds_sum=reading.job_seconds_sum,
    )
    before = decide(pool, instances, (queue,), (reading,))
    after = decide(pool, instances, (queue,), (fuller,))
    assert after.load >= before.load - 1e-6
    assert after.reason == "stalled" or after.instances >= before.instances


@given(pools(), st.integers(0, 100), queues(), st.integers(1, 100))
def test_silence_ends_at_the_floor(pool: Pool, instances: int, queue: Queue, minutes: int) -> None:
    silent = Reading(backlog=[0] * minutes, acknowledged=[0] * minutes)
    assert decide(pool, instances, (queue,), (silent,)).instances == pool.minimum


def minutes(*backlog: int, acknowledged: int = 0, age: float = 0.0) -> Reading:
    return Reading(backlog=backlog, acknowledged=[acknowledged] * len(backlog), oldest_age_seconds=age)


@pytest.mark.parametrize(
    ("instances", "reading", "expected", "reason"),
    [
        # One message wakes a sleeping pool.
        (0, minutes(0, 0, 0, 1), 1, "load"),
        # A burst asks for what drains it within the promise, and for no more than the pool may have.
        (1, minutes(*[0] * 16, 40), 8, "load"),
        (1, minutes(*[0] * 16, 4_000), 20, "ceiling"),
        # The longer the oldest has waited, the more.
        (1, minutes(*[0] * 16, 40, age=200), 10, "load"),
        # Just emptied: the last three minutes keep what they asked for.
        (4, minutes(*[4] * 18, 0, acknowledged=4), 4, "steady"),
        (4, minutes(*[4] * 20, 0, 0, 0, acknowledged=0), 0, "load"),
        # Nothing finished in eleven minutes though work was there: no more of the same.
        (2, minutes(*[50] * 11), 2, "stalled"),
        (2, minutes(0, *[50] * 9), 16, "load"),
        (0, minutes(*[50] * 11), 10, "load"),
    ],
)
def test_situations(instances: int, reading: Reading, expected: int, reason: str) -> None:
    found = decide(POOL, instances, (QUEUE,), (reading,))
    assert (found.instances, found.reason) == (expected, reason)


@pytest.mark.parametrize(
    ("acknowledged", "dead", "reason"),
    [
        # Every message fails: what Google counts as acknowledged went to the dead letters.
        ([3] * 10 + [0, 0], [3] * 10 + [0, 0], "stalled"),
        # A dead letter shows a minute before its acknowledgement, or a minute after it.
        ([0, 0, 7, *[0] * 9], [0, 7, *[0] * 10], "stalled"),
        ([*[0] * 9, 7, 0, 0], [*[0] * 10, 7, 0], "stalled"),
        # An acknowledgement that came before its time, without its dead letter.
        ([*[0] * 11, 7], [0] * 12, "stalled"),
        # Some of them are finished.
        ([3] * 10 + [0, 0], [2] * 10 + [0, 0], "load"),
        ([3] * 10 + [0, 0], [], "load"),
    ],
)
def test_a_dead_letter_is_no_progress(acknowledged: list[int], dead: list[int], reason: str) -> None:
    reading = Reading(backlog=[50] * 12, acknowledged=acknowledged, dead_lettered=dead)
    assert decide(POOL, 2, (QUEUE,), (reading,)).reason == reason


def test_what_becomes_a_dead_letter_was_work() -> None:
    """It arrived, and its attempts keep workers busy."""
    backlog, left = [4] * 20, [4] * 20
    dead = Reading(backlog=backlog, acknowledged=left, dead_lettered=left)
    finished = Reading(backlog=backlog, acknowledged=left)
    assert decide(POOL, 0, (QUEUE,), (dead,)).load == decide(POOL, 0, (QUEUE,), (finished,)).load


def test_the_loads_of_queues_add_up() -> None:
    one = minutes(*[0] * 16, 20)
    single = decide(POOL, 0, (QUEUE,), (one,))
    both = decide(POOL, 0, (QUEUE, QUEUE), (one, one))
    assert both.load == pytest.approx(2 * single.load)


def test_more_jobs_an_instance_need_fewer() -> None:
    wide = Pool(minimum=0, maximum=20, jobs_per_instance=4)
    reading = minutes(*[0] * 16, 40)
    found = decide(wide, 0, (QUEUE,), (reading,))
    assert (found.instances, found.reason) == (2, "load")
    assert found.load == pytest.approx(decide(POOL, 0, (QUEUE,), (reading,)).load / 4)


def test_long_jobs_are_let_go_later() -> None:
    """Half a job is what a stop loses: ten minutes agree before a pool of half-hour jobs shrinks."""
    quiet = [6] * 20 + [0] * 5
    acknowledged = [0] * 25
    reading = Reading(backlog=quiet, acknowledged=acknowledged)
    long = Queue(promise_seconds=1_800, job_seconds=1_800)
    assert decide(POOL, 6, (QUEUE,), (reading,)).instances == 0
    assert decide(POOL, 6, (long,), (reading,)).instances == 6


def test_acknowledgements_that_do_not_show_yet_are_not_missed() -> None:
    """Google shows them after the backlog: twenty a minute go on although the last two read zero."""
    shown = Reading(backlog=[20] * 30, acknowledged=[20] * 30)
    hidden = Reading(backlog=[20] * 30, acknowledged=[20] * 28 + [0, 0])
    assert decide(POOL, 20, (QUEUE,), (hidden,)) == decide(POOL, 20, (QUEUE,), (shown,))


def test_the_longest_jobs_can_stall_too() -> None:
    """Three of forty minutes are longer than what is read: all of that without one is enough."""
    reading = Reading(backlog=[500] * 100, acknowledged=[0] * 100)
    slow = Queue(promise_seconds=1_800, job_seconds=2_400)
    assert decide(POOL, 5, (slow,), (reading,)).reason == "stalled"


@pytest.mark.parametrize(("minimum", "maximum", "jobs"), [(-1, 1, 1), (2, 1, 1), (0, 0, 1), (0, 1, 0)])
def test_a_pool_that_cannot_be_is_refused(minimum: int, maximum: int, jobs: int) -> None:
    with pytest.raises(ValueError, match=f"got {minimum}, {maximum} and {jobs}"):
        Pool(minimum=minimum, maximum=maximum, jobs_per_instance=jobs)


@pytest.mark.parametrize(("promise", "job"), [(0, 1), (1, 0), (-1, 1)])
def test_a_queue_that_cannot_be_is_refused(promise: float, job: float) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        Queue(promise_seconds=promise, job_seconds=job)


@pytest.mark.parametrize(("backlog", "acknowledged"), [([], []), ([1], []), ([1, 2], [1])])
def test_a_reading_of_other_minutes_is_refused(backlog: list[int], acknowledged: list[int]) -> None:
    with pytest.raises(ValueError, match="same minutes"):
        Reading(backlog=backlog, acknowledged=acknowledged)


def test_dead_letters_of_other_minutes_are_refused() -> None:
    with pytest.raises(
        ValueError, match="dead_lettered must have the minutes of backlog or none, got 1 for 2"
    ):
        Reading(backlog=[1, 2], acknowledged=[0, 0], dead_lettered=[1])

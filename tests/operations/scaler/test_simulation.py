"""The scaler on arrivals of every kind: the promise held, the cost near what a clairvoyant would pay."""

from __future__ import annotations

import dataclasses
import itertools
import math

import pytest

from operations.scaler.decide import Decision, Pool, Queue
from review.contract.demands import load_demands
from tests.stack_files import STACKS, settings
from tools import scaler_page
from tools.scaler_simulation import simulate
from tools.scaler_simulation.clairvoyant import least_instance_seconds
from tools.scaler_simulation.delivery import DECLARED
from tools.scaler_simulation.patterns import PATTERNS, Job, Pattern, pattern
from tools.scaler_simulation.simulate import play
from tools.scaler_simulation.stops import MINUTES, Stops, stops

SEEDS = range(12)


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_promise_holds_at_no_more_than_1_3_times_the_least_cost(name: str, seed: int) -> None:
    one = pattern(name, seed)
    played = play(one)
    assert len(played.waits) + len(played.dead) == len(one.jobs)
    # Nothing healthy becomes a dead letter because workers were stopped.
    assert {job for job in one.jobs if not job.succeeds} == {*played.dead}
    assert played.wait(0.95) <= one.queue.promise_seconds
    assert played.instance_seconds <= 1.3 * least_instance_seconds(one, played.seconds)


@pytest.mark.parametrize("stack", STACKS)
def test_messages_are_delivered_as_each_environment_declares_it(stack: str) -> None:
    for purpose in ("jobs", "batch"):
        queue = settings(stack).messaging.queues[purpose]
        assert (DECLARED.attempts, DECLARED.lease_seconds) == (
            queue.max_delivery_attempts,
            queue.ack_deadline_seconds,
        )
        assert (DECLARED.minimum_backoff_seconds, DECLARED.maximum_backoff_seconds) == (
            queue.minimum_backoff_seconds,
            queue.maximum_backoff_seconds,
        )


def test_a_failing_worker_sends_poison_to_the_dead_letters() -> None:
    one = pattern("failing")
    poison = [job for job in one.jobs if not job.succeeds]
    assert len(poison) > 10
    assert any(job.kills for job in one.jobs)
    # An attempt was stopped that would not have failed of itself.
    assert any(job.succeeds for job in play(one).stopped)


def small(*jobs: Job, maximum: int = 1, until: float = 600) -> Pattern:
    return Pattern(
        title="small",
        pool=Pool(minimum=1, maximum=maximum),
        queue=Queue(promise_seconds=300, job_seconds=60),
        seconds=until,
        jobs=jobs,
    )


def test_a_message_that_always_fails_is_given_up_after_its_deliveries_and_their_back_off() -> None:
    """Five attempts of 10 s, with 10, 20, 40 and 80 s between them."""
    poison = Job(at=90.0, attempts=(10.0,) * 5, succeeds=False)
    five = dataclasses.replace(DECLARED, attempts=5)
    played = play(dataclasses.replace(small(poison), delivery=five))
    assert (played.dead, played.waits) == ([poison], [])
    backlog = [minute.backlog for minute in played.minutes]
    # Published at 90 s, dead at 290 s.
    assert backlog == [0, 1, 1, 1, 0, 0, 0, 0, 0, 0]


def test_a_worker_that_dies_is_noticed_when_its_lease_is_over() -> None:
    """Delivered at 100 s, extended at 400 s, dead at 420 s, delivered again at 1,010 s."""
    job = Job(at=100.0, attempts=(320.0, 10.0), kills=frozenset({0}))
    (begun,) = play(small(job, until=1_200)).begun
    assert begun == (1_010.0, 1_010.0 - 100.0 - 320.0)


def test_a_worker_that_dies_starts_again_before_it_works() -> None:
    first, second = Job(at=100.0, attempts=(5.0, 1.0), kills=frozenset({0})), Job(at=101.0, attempts=(1.0,))
    assert play(small(first, second, until=900)).begun[0] == (105.0 + 45.0, 105.0 + 45.0 - 101.0)


def test_who_is_stopped_finishes_what_ends_in_time_and_gives_the_rest_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two work at 180 s, when both are stopped: one job ends at 187 s, the other is given back at 188 s."""
    numbers = iter([2, 2, 0, 1])

    def planned(*_: object) -> Decision:
        return Decision(instances=next(numbers, 1), reason="load", load=0.0)

    monkeypatch.setattr(simulate, "decide", planned)
    short, long = Job(at=110.0, attempts=(77.0,)), Job(at=110.0, attempts=(120.0,))
    one = dataclasses.replace(small(short, long, until=480), pool=Pool(minimum=0, maximum=2))
    played = play(one)
    assert played.stopped == [long]
    assert played.begun == [(110.0, 0.0), (285.0, 175.0)]
    assert played.instance_seconds == (187.0 - 60.0) + (188.0 - 60.0) + (480.0 - 240.0)


def test_a_stop_costs_one_of_the_deliveries(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool that stands for half of each two minutes never ends a job of two: it becomes a dead letter."""
    numbers = itertools.cycle([1, 0])

    def planned(*_: object) -> Decision:
        return Decision(instances=next(numbers), reason="load", load=0.0)

    monkeypatch.setattr(simulate, "decide", planned)
    job = Job(at=0.0, attempts=(120.0,))
    played = play(small(job, until=600))
    assert (played.dead, len(played.stopped)) == ([job], DECLARED.attempts)


@pytest.mark.parametrize("minutes", MINUTES)
def test_no_more_than_one_long_job_of_a_million_dies_of_being_stopped_when_its_work_is_kept(
    minutes: int,
) -> None:
    found = stops(minutes)
    assert found.given_back > 0
    assert found.dead_if_kept(DECLARED.attempts) < 1e-6
    assert found.dead_if_kept(5) <= found.dead_if_lost(5)


def test_a_job_that_need_not_keep_its_work_does_not_die_of_being_stopped() -> None:
    """What the contract leaves to the shorter ones."""
    longest = load_demands().workers.keep_work_after_seconds
    assert longest % 60 == 0
    assert stops(longest // 60).dead_if_lost(DECLARED.attempts) < 1e-6


def test_the_chances_are_those_of_a_poisson_process() -> None:
    """A half given back: ln 2 stops in each job."""
    half = Stops(deliveries=100, given_back=50)
    assert half.dead_if_lost(5) == pytest.approx(0.5**5)
    assert half.dead_if_kept(1) == pytest.approx(0.5)
    assert half.dead_if_kept(2) == pytest.approx(1 - 0.5 * (1 + math.log(2)))


def test_the_figures_are_of_what_was_played() -> None:
    """Two jobs on the one instance: the second waits for the first."""
    played = play(small(Job(at=100.0, attempts=(60.0,)), Job(at=100.0, attempts=(60.0,))))
    assert played.waits == [0.0, 60.0]
    assert (played.seconds, played.instance_seconds) == (600.0, 600.0)
    assert (played.wait(0.5), played.wait(0.95)) == (0.0, 60.0)


@pytest.mark.parametrize("name", ["steady", "burst", "failing"])
def test_no_fixed_number_of_instances_that_keeps_the_promise_is_below_the_bound(name: str) -> None:
    """The bound bounds: whoever holds the promise pays at least as much."""
    one = pattern(name)
    for instances in range(1, 31):
        fixed = dataclasses.replace(one, pool=Pool(minimum=instances, maximum=instances))
        played = play(fixed)
        if played.wait(0.95) <= one.queue.promise_seconds:
            assert played.instance_seconds >= least_instance_seconds(one, played.seconds)


def test_the_bound_is_the_work_that_the_floor_cannot_do_in_time() -> None:
    """Ten jobs of 100 s at once, to begin within 100 s, one instance: it does 200 s of the 1,000."""
    one = Pattern(
        title="ten",
        pool=Pool(minimum=1, maximum=20),
        queue=Queue(promise_seconds=100, job_seconds=100),
        seconds=1_000,
        jobs=tuple(Job(at=0.0, attempts=(100.0,)) for _ in range(10)),
    )
    assert least_instance_seconds(one, 1_000) == pytest.approx(1_000 + 800, abs=10)


@pytest.mark.parametrize("attempts", [5, 100])
def test_workers_that_never_finish_are_not_multiplied(attempts: int) -> None:
    """A vendor that is down for two hours: without the rule the pool would stand at its ceiling. With five
    attempts messages leave all along, as dead letters."""
    steady = pattern("steady")
    down = dataclasses.replace(
        steady,
        jobs=tuple(Job(at=job.at, attempts=(60.0,), succeeds=False) for job in steady.jobs),
        delivery=dataclasses.replace(DECLARED, attempts=attempts),
    )
    played = play(down, until=7_200)
    assert any(one.reason == "stalled" for one in played.decisions)
    assert max(minute.instances for minute in played.minutes) < 0.75 * down.pool.maximum
    assert (len(played.dead) > 100) == (attempts == 5)


@pytest.mark.parametrize("job", [2.0, 15.0, 300.0, 1_200.0])
@pytest.mark.parametrize("slots", [1, 4])
@pytest.mark.parametrize("minimum", [0, 1])
def test_jobs_of_other_sizes_are_all_done_within_the_bounds(job: float, slots: int, minimum: int) -> None:
    """Configured for a minute, whatever they take; from zero instances too."""
    steady = pattern("steady")
    pool = Pool(minimum=minimum, maximum=20, jobs_per_instance=slots)
    jobs = tuple(Job(at=one.at, attempts=(job,)) for one in steady.jobs[:: max(1, int(job / 60))])
    queue = Queue(promise_seconds=max(300.0, 2 * job), job_seconds=60)
    played = play(dataclasses.replace(steady, pool=pool, queue=queue, jobs=jobs))
    assert len(played.waits) == len(jobs)
    assert played.wait(0.95) <= queue.promise_seconds
    assert max(minute.instances for minute in played.minutes) <= 20


def test_the_page_shows_what_the_simulation_says() -> None:
    assert scaler_page.PAGE.read_text() == scaler_page.render()
    assert {path.stem for path in scaler_page.PLOTS.glob("*.png")} == set(PATTERNS)

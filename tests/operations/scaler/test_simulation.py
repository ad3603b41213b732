"""The scaler on arrivals of every kind: the promise held, the cost near what a clairvoyant would pay."""

from __future__ import annotations

import dataclasses

import pytest

from operations.scaler.decide import Pool, Queue
from tools import scaler_page
from tools.scaler_simulation.clairvoyant import least_instance_seconds
from tools.scaler_simulation.patterns import PATTERNS, Job, Pattern, pattern
from tools.scaler_simulation.simulate import play

SEEDS = range(12)


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_promise_holds_at_no_more_than_1_3_times_the_least_cost(name: str, seed: int) -> None:
    one = pattern(name, seed)
    played = play(one)
    assert len(played.waits) == len(one.jobs)
    assert played.wait(0.95) <= one.queue.promise_seconds
    assert played.instance_seconds <= 1.3 * least_instance_seconds(one, played.seconds)


def test_the_figures_are_of_what_was_played() -> None:
    """Two jobs on the one instance: the second waits for the first."""
    one = Pattern(
        title="two",
        pool=Pool(minimum=1, maximum=1),
        queue=Queue(promise_seconds=300, job_seconds=60),
        seconds=600,
        jobs=(Job(at=100.0, attempts=(60.0,)), Job(at=100.0, attempts=(60.0,))),
    )
    played = play(one)
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


def test_workers_that_never_finish_are_not_multiplied() -> None:
    """A vendor that is down for two hours: without the rule the pool would stand at its ceiling."""
    down = pattern("steady")
    jobs = tuple(dataclasses.replace(job, attempts=(*([60.0] * 120), 60.0)) for job in down.jobs[:200])
    played = play(dataclasses.replace(down, jobs=jobs, seconds=3_600), until=7_200)
    assert any(one.reason == "stalled" for one in played.decisions)
    assert max(minute.instances for minute in played.minutes) < 0.75 * down.pool.maximum


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

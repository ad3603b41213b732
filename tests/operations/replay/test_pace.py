"""How fast a replay goes, and how it keeps its leases: on a clock that is told."""

from __future__ import annotations

import pytest

from operations.replay.plan import Wanted
from operations.replay.pubsub import PubSub
from operations.replay.replay import Clock, LeaseError, Limits, Replay
from tests.operations.replay import pubsub as google
from tests.operations.replay.pubsub import DEAD, JOBS, KEPT, Json


class World:
    """Dead letters, and a clock that moves only by waiting."""

    def __init__(self, letters: int) -> None:
        self.time = 1_800_000_000.0
        self.google = google.PubSub(lambda: self.time)
        self.published: list[float] = []
        self.sleeps = 0.0
        for number in range(letters):
            self.google.call(f"{DEAD}:publish", {"messages": [{"data": str(number)}]})

    def send(self, path: str, body: Json) -> Json:
        if path == f"{JOBS}:publish":
            self.published.append(self.time)
            self.time += self.sleeps
        return self.google.call(path, body)

    def replay(self, rate: float) -> Replay:
        pubsub = PubSub(self.send, subscription=KEPT, topic=JOBS, pause=self.pause)
        return Replay(pubsub, Clock(now=lambda: self.time, pause=self.pause), Limits(rate=rate))

    def pause(self, seconds: float) -> None:
        self.time += seconds


@pytest.mark.parametrize("rate", [1.0, 10.0, 100.0])
def test_no_second_sees_more_than_the_rate(rate: float) -> None:
    world = World(30)
    assert world.replay(rate).run(Wanted(), 30).published == 30
    gaps = [after - before for before, after in zip(world.published, world.published[1:], strict=False)]
    assert min(gaps) == pytest.approx(1 / rate, rel=1e-3)


def test_a_run_that_lasts_longer_than_a_lease_holds_on() -> None:
    world = World(900)
    assert world.replay(1.0).run(Wanted(), 900).published == 900
    assert world.published[-1] - world.published[0] > 600
    assert world.google.waiting(KEPT) == []


def test_fails_when_the_machine_slept_longer_than_the_leases() -> None:
    world = World(3)
    world.sleeps = 700
    with pytest.raises(LeaseError, match="the leases ended before the run did: run it again"):
        world.replay(10.0).run(Wanted(), 3)
    # The one that was published comes again; the others were not touched.
    assert (len(world.published), len(world.google.waiting(KEPT))) == (1, 3)


def test_a_look_leaves_no_trace_where_it_may_be_counted() -> None:
    world = World(5)
    before = [dict(message) for message in world.google.waiting(KEPT)]
    world.replay(10.0).look(Wanted())
    assert (world.google.waiting(KEPT), world.google.leased(KEPT)) == (before, 0)

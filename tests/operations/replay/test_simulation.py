"""No message is lost: random schedules of publishing, working, crashing, giving up and replaying.

The replay is the real one; whoever it talks to is the state machine of the loopback server. A schedule kills
it before or after any call, lets time and the worker go on while it waits, and hides messages from its pulls.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from operations.replay.letters import REPLAYS
from operations.replay.plan import Move, Wanted
from operations.replay.pubsub import ApiError, PubSub, UnreachableError
from operations.replay.replay import ChangedError, Clock, LeaseError, Limits, Replay, Report
from tests.operations.replay import pubsub as google
from tests.operations.replay.pubsub import JOBS, KEPT, WORKER, Json

SCHEDULES = int(os.environ.get("REPLAY_SCHEDULES", "10000"))
MOST_REPLAYS = 3


class KilledError(BaseException):
    """The process is gone: nothing of it runs any more, not even what it would do last."""


class Schedule:
    """One world and everything that happens in it."""

    def __init__(self, seed: int, replay: type[Replay]) -> None:
        self.chance = random.Random(seed)
        self.time = 1_800_000_000.0
        self.google = google.PubSub(lambda: self.time, self.chance)
        self.replay = replay
        self.published = 0
        self.processed: Counter[str] = Counter()
        self.kill_in = 0
        self.dead = False
        # How often the worker fails, in tenths, and what it never manages.
        self.trouble = self.chance.randint(4, 9)
        self.poison = self.chance.random() < 0.5
        # How often a call fails, before or after its effect.
        self.faults = self.chance.choice((0.01, 0.01, 0.3))

    def play(self) -> None:
        """Some messages, then a few dozen steps."""
        for _ in range(self.chance.randint(1, 4)):
            self.publish()
        steps: list[Callable[[], None]] = [self.publish, *[self.work] * 8, self.wait, *[self.some_replay] * 2]
        for _ in range(self.chance.randint(15, 90)):
            self.chance.choice(steps)()

    def publish(self) -> None:
        message: Json = {"data": str(self.published), "attributes": {"kind": self.chance.choice("ab")}}
        if self.chance.random() < 0.3:
            message["orderingKey"] = self.chance.choice("xy")
        self.google.call(f"{JOBS}:publish", {"messages": [message]})
        self.published += 1

    def work(self) -> None:
        """A worker takes some, and processes, refuses, dies before or dies after processing."""
        for one in self.google.call(f"{WORKER}:pull", {"maxMessages": 10}).get("receivedMessages", []):
            data, ids = one["message"]["data"], [one["ackId"]]
            if (self.poison and data == "0") or self.chance.randint(0, 9) < self.trouble:
                if self.chance.random() < 0.8:
                    self.google.call(f"{WORKER}:modifyAckDeadline", {"ackIds": ids, "ackDeadlineSeconds": 0})
                continue
            self.processed[data] += 1
            if self.chance.random() < 0.9:
                self.google.call(f"{WORKER}:acknowledge", {"ackIds": ids})

    def wait(self) -> None:
        self.time += self.chance.choice((1, 30, 61, 700))
        self.google.settle()

    def some_replay(self) -> None:
        """A look that consumes nothing, then perhaps a run, perhaps killed, perhaps of something else."""
        wanted = self.chance.choice(
            (Wanted(), Wanted(), Wanted(attributes={"kind": "a"}), Wanted(older_than=timedelta(minutes=5)))
        )
        before = self.kept()
        report = self.go(lambda replay: replay.look(wanted))
        assert report is None or self.kept() >= before
        if report is None or not report.plan.moves:
            return
        self.kill_in = self.chance.choice((0, self.chance.randint(1, 16)))
        self.go(lambda replay: replay.run(wanted, len(report.plan.moves)))
        self.kill_in = 0

    def go(self, action: Callable[[Replay], Report]) -> Report | None:
        """The real program; None when it was killed or refused."""
        self.dead = False
        pubsub = PubSub(self.send, subscription=KEPT, topic=JOBS, pause=self.pause)
        limits = Limits(letters=self.chance.choice((3, 1000)), most_replays=MOST_REPLAYS)
        try:
            return action(self.replay(pubsub, Clock(now=lambda: self.time, pause=self.pause), limits))
        except (KilledError, ChangedError, LeaseError, ApiError, UnreachableError):
            return None

    def send(self, path: str, body: Json) -> Json:
        if self.dead:
            raise KilledError
        self.time += 0.05
        self.kill_in -= 1
        late = self.chance.random() < 0.5
        if self.kill_in == 0 and not late:
            self.dead = True
            raise KilledError
        if self.chance.random() < self.faults:
            raise ApiError(503, "UNAVAILABLE", "try again")
        answer = self.google.call(path, body)
        if self.kill_in == 0:
            self.dead = True
            raise KilledError
        if self.chance.random() < self.faults:
            raise UnreachableError("the answer is lost")
        return answer

    def pause(self, seconds: float) -> None:
        """The world goes on meanwhile; now and then the machine sleeps for longer than a lease."""
        if self.dead:
            raise KilledError
        self.time += seconds + (700 if self.chance.random() < 0.003 else 0)
        self.google.settle()
        if self.chance.random() < 0.1:
            self.work()

    def finish(self) -> None:
        """Nobody acts any more but the worker, until its subscription is empty."""
        for _ in range(2_000):
            if not self.google.waiting(WORKER):
                return
            self.work()
            self.time += 61
            self.google.settle()
        raise AssertionError("the worker's subscription does not empty")

    def kept(self) -> set[str]:
        return {message["data"] for message in self.google.waiting(KEPT)}

    def lost(self) -> set[str]:
        """Neither processed nor kept."""
        return {str(number) for number in range(self.published)} - self.processed.keys() - self.kept()

    def most_replays(self) -> int:
        return max(
            (int(message["attributes"].get(REPLAYS, "0")) for message in self.google.waiting(KEPT)), default=0
        )


class AcknowledgesFirst(Replay):
    """What must never be written."""

    def _one(self, move: Move, report: Report) -> str | None:
        self._pubsub.acknowledge((move.letter, *move.twins))
        self._pubsub.publish(move.letter.again(move.replays))
        return None


def test_every_message_is_processed_or_kept() -> None:
    replayed = 0
    for seed in range(SCHEDULES):
        schedule = Schedule(seed, Replay)
        schedule.play()
        schedule.finish()
        assert not schedule.lost(), f"seed {seed} lost {schedule.lost()}"
        assert schedule.most_replays() <= MOST_REPLAYS, f"seed {seed}"
        replayed += schedule.most_replays() > 0
    # The schedules do what they are there for.
    assert replayed > SCHEDULES / 100


def test_after_a_correction_a_replay_ends_with_every_message_processed() -> None:
    for seed in range(SCHEDULES, SCHEDULES + SCHEDULES // 20):
        schedule = Schedule(seed, Replay)
        schedule.play()
        schedule.trouble, schedule.poison = 0, False
        schedule.finish()
        schedule.google.chance = None
        schedule.time += 700
        pubsub = PubSub(schedule.google.call, subscription=KEPT, topic=JOBS, pause=schedule.pause)
        clock = Clock(now=schedule.google.now, pause=lambda _: None)
        replay = Replay(pubsub, clock, Limits(most_replays=10))
        report = replay.run(Wanted(), len(replay.look(Wanted()).plan.moves))
        assert (report.refused, report.doubled, schedule.kept()) == ([], 0, set())
        schedule.finish()
        assert schedule.processed.keys() == {str(number) for number in range(schedule.published)}


def test_a_replay_that_acknowledges_first_is_found_out() -> None:
    for seed in range(SCHEDULES):
        schedule = Schedule(seed, AcknowledgesFirst)
        schedule.play()
        schedule.finish()
        if schedule.lost():
            return
    pytest.fail("no schedule lost a message")

"""The walk on stand-ins of Cloud Run and Cloud Monitoring: on, back, and interrupted at every moment."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from operations.release.google import Live
from operations.release.walk import StuckError, Walk, standing
from tests.operations.release.stand_in import (
    LATEST,
    NEW,
    OBJECTIVES,
    REGIONS,
    SERVICES,
    STABLE,
    TAGGED,
    World,
    named,
    served,
    walk_of,
)

ON, BACK = {NEW: 100}, {STABLE: 100}


class Stage:
    def __init__(self, world: World, root: str) -> None:
        self.world = world
        self.root = root
        self.said: list[str] = []

    def walk(self, **rules: Any) -> Walk:
        return walk_of(self.world, self.root, self.said, **rules)

    @property
    def shares(self) -> list[dict[str, int]]:
        return [self.world.shares(name) for name in SERVICES]

    @property
    def text(self) -> str:
        return "\n".join(self.said)


@pytest.fixture
def stage() -> Generator[Stage]:
    world = World()
    with served(world) as root:
        yield Stage(world, root)


def test_a_good_revision_gets_everything_in_four_steps_in_every_region(stage: Stage) -> None:
    assert stage.walk().walk() == 0
    steps = [(region, share.get(NEW, 0)) for region, share in stage.world.patches]
    assert steps == [(region, percent) for percent in (1, 10, 50, 100) for region in REGIONS]
    assert stage.shares == [ON, ON]
    # By name: the next revision gets nothing by itself.
    assert all(entry["type"] != LATEST for name in SERVICES for entry in stage.world.traffic[name])
    assert stage.world.minutes >= 4 * 15
    assert f"released: {NEW} instead of {STABLE}" in stage.text
    assert stage.walk().walk() == 0
    assert "nothing to release" in stage.text


@pytest.mark.parametrize("worse", ["errors", "latency", "burn", "quiet", "blind"])
@pytest.mark.parametrize("percent", [1, 10, 50, 100])
def test_a_revision_that_is_worse_at_a_step_is_given_back_at_once(
    stage: Stage, worse: str, percent: int
) -> None:
    world = stage.world

    def spoil(_minute: int) -> None:
        if world.shares(SERVICES[0]).get(NEW) != percent:
            return
        match worse:
            case "errors":
                world.failing[NEW] = 0.5
            case "latency":
                world.p95[NEW] = 5_000.0
            case "burn":
                world.burn[OBJECTIVES[0]] = 20.0
            case "quiet":
                world.minute_requests = 0
                world.counted = dict.fromkeys(world.counted, 0.0)
            case _:
                world.refuse = lambda _verb, path: 403 if path.endswith("timeSeries") else None

    world.tick = spoil
    assert stage.walk().walk() == 1
    assert stage.shares == [BACK, BACK]
    assert f"back on {STABLE} ({percent} %: " in stage.text
    reached = [share.get(NEW, 0) for _, share in world.patches]
    assert max(reached) == percent


def test_errors_are_not_waited_for(stage: Stage) -> None:
    stage.world.failing[NEW] = 1.0
    assert stage.walk().walk() == 1
    assert stage.world.minutes == 1
    assert "10 of 10 requests failed, 1.0% are allowed" in stage.text


def test_a_quiet_night_is_promoted_only_when_somebody_said_so(stage: Stage) -> None:
    stage.world.minute_requests = 2
    assert stage.walk(when_quiet="promote").walk() == 0
    assert "not enough traffic to judge" in stage.text
    assert stage.shares == [ON, ON]


@pytest.mark.parametrize("moment", range(1, 75, 3))
def test_a_walk_that_was_killed_goes_on_where_it_stood(stage: Stage, moment: int) -> None:
    """Killed in the middle of the watch, and between the two regions of a step."""
    world = stage.world

    class Killed(BaseException):
        pass

    def kill(minute: int) -> None:
        if minute == moment:
            raise Killed

    world.tick = kill
    try:
        code = stage.walk().walk()
    except Killed:
        before = stage.shares
        assert all(sum(shares.values()) == 100 for shares in before)
        assert stage.walk().status() == int(before != [ON, ON])
        world.tick = lambda _minute: None
        code = stage.walk().walk()
    assert code == 0
    assert stage.shares == [ON, ON]
    # No region ever loses what it had.
    for region in REGIONS:
        reached = [shares.get(NEW, 0) for where, shares in world.patches if where == region]
        assert reached == sorted(reached)


@pytest.mark.parametrize("patch", range(1, 9))
def test_killed_between_two_settings_it_goes_on_as_well(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, patch: int
) -> None:
    world = stage.world

    class Killed(BaseException):
        pass

    walk = stage.walk()
    google = walk._google  # pyright: ignore[reportPrivateUsage]
    set_share = google.share
    done = 0

    def share(live: Live, shares: Any) -> None:
        nonlocal done
        if done == patch - 1:
            done += 1
            raise Killed
        done += 1
        set_share(live, shares)

    monkeypatch.setattr(google, "share", share)
    with pytest.raises(Killed):
        walk.walk()
    assert stage.walk().walk() == 0
    assert stage.shares == [ON, ON]
    assert len(world.patches) == 8


def test_killed_halfway_it_can_be_given_back(stage: Stage) -> None:
    stage.world.traffic = {SERVICES[0]: named(n=50, s=50), SERVICES[1]: named(n=10, s=90)}
    assert stage.walk().status() == 1
    assert stage.walk().back() == 0
    assert stage.shares == [BACK, BACK]


def test_an_interrupted_walk_says_where_traffic_is_left(stage: Stage) -> None:
    def interrupt(minute: int) -> None:
        if minute == 20:
            raise KeyboardInterrupt

    stage.world.tick = interrupt
    assert stage.walk().walk() == 130
    assert stage.shares == [{NEW: 10, STABLE: 90}] * 2
    assert "traffic stays as it is: the same command goes on from there" in stage.text


def test_what_somebody_else_moved_is_left_alone(stage: Stage) -> None:
    def move(minute: int) -> None:
        if minute == 20:
            stage.world.traffic[SERVICES[1]] = named(s=100)

    stage.world.tick = move
    assert stage.walk().walk() == 1
    assert stage.shares == [{NEW: 10, STABLE: 90}, BACK]
    assert "somebody else moved the traffic at 10 %" in stage.text


def test_a_revision_that_comes_in_between_ends_the_walk(stage: Stage) -> None:
    def deploy(minute: int) -> None:
        if minute == 20:
            stage.world.newest[SERVICES[0]] = "api-00003-new"

    stage.world.tick = deploy
    assert stage.walk().walk() == 1
    assert stage.shares == [BACK, BACK]
    assert "revision api-00003-new came in between, in europe-west1" in stage.text


def test_a_region_that_cannot_be_set_takes_the_others_back_and_is_named(stage: Stage) -> None:
    def refuse(verb: str, path: str) -> int | None:
        return 403 if verb == "PATCH" and path.endswith(SERVICES[1]) and stage.world.minutes >= 15 else None

    stage.world.refuse = refuse
    with pytest.raises(StuckError, match=r"could NOT be given back in europe-west4: .* set it by hand now"):
        stage.walk().walk()
    assert stage.shares == [BACK, {NEW: 1, STABLE: 99}]


def test_a_passing_failure_of_google_is_asked_again(stage: Stage) -> None:
    left = [503, 429, 500]

    def refuse(_verb: str, _path: str) -> int | None:
        return left.pop() if left and stage.world.minutes == 20 else None

    stage.world.refuse = refuse
    assert stage.walk().walk() == 0


def test_a_revision_that_did_not_start_gets_nothing(stage: Stage) -> None:
    stage.world.newest[SERVICES[1]] = "api-00003-bad"
    assert stage.walk().walk() == 1
    assert stage.world.patches == []
    assert "europe-west4: revision api-00003-bad did not start" in stage.text


def test_nothing_is_begun_while_the_budget_burns(stage: Stage) -> None:
    stage.world.burn[OBJECTIVES[1]] = 6.0
    assert stage.walk().walk() == 1
    assert stage.world.patches == []
    assert "not begun: objective api-latency burns its budget 6.0 times too fast" in stage.text


def test_what_follows_the_newest_is_held_and_tags_stay(stage: Stage) -> None:
    world = stage.world
    world.traffic[SERVICES[0]] = [{"type": LATEST, "percent": 100}, TAGGED]
    world.traffic[SERVICES[1]] = []
    assert stage.walk().hold() == 0
    assert stage.shares == [ON, ON]
    assert TAGGED in world.traffic[SERVICES[0]]
    patches = len(world.patches)
    assert stage.walk().hold() == 0
    assert len(world.patches) == patches
    del world.traffic[SERVICES[1]]
    assert stage.walk().hold() == 0
    assert "not there yet, nothing to hold" in stage.text


def test_after_a_release_the_way_back_is_the_revision_before(stage: Stage) -> None:
    assert stage.walk().walk() == 0
    assert stage.walk().back() == 0
    assert stage.shares == [BACK, BACK]
    # And from there the newest one is what waits.
    assert stage.walk().status() == 0
    assert f"{NEW} waits" in stage.text


@pytest.mark.parametrize(
    ("shares", "kind", "stable", "percent"),
    [
        ({"n": 100}, "settled", "n", 100),
        ({"s": 100}, "begins", "s", 0),
        ({"n": 10, "s": 90}, "halfway", "s", 10),
        ({"n": 37, "s": 63}, "halfway", "s", 37),
        ({"n": 99, "s": 1}, "halfway", "s", 99),
        ({"old": 10, "s": 90}, "halfway", "s", 0),
    ],
)
def test_where_a_service_stands_follows_from_its_shares(
    shares: dict[str, int], kind: str, stable: str, percent: int
) -> None:
    found = standing(live(shares))
    assert (found.kind, found.new, found.stable, found.percent) == (kind, "n", stable, percent)


@pytest.mark.parametrize(
    "shares", [{"a": 50, "b": 50}, {"n": 10, "a": 45, "b": 45}, {"n": 1, "a": 49, "b": 50}]
)
def test_fails_when_shares_are_those_of_no_walk(shares: dict[str, int]) -> None:
    with pytest.raises(
        StuckError, match="traffic must be on one revision, or on the newest and one before it"
    ):
        standing(live(shares))


def live(shares: dict[str, int]) -> Live:
    return Live(SERVICES[0], "n", "n", shares, False, (), "1")

"""The walk on stand-ins of Cloud Run and Cloud Monitoring: on, back, and interrupted at every moment."""

from __future__ import annotations

from typing import Any

import pytest

from operations.release.google import Live
from operations.release.record import Record
from operations.release.standing import StuckError
from tests.operations.release.conftest import Stage
from tests.operations.release.stand_in import (
    LATEST,
    NEW,
    OBJECTIVES,
    REGIONS,
    SERVICES,
    STABLE,
    TAGGED,
    named,
)

ON, BACK = {NEW: 100}, {STABLE: 100}


def test_a_good_revision_gets_everything_in_four_steps_in_every_region(stage: Stage) -> None:
    assert stage.walk().walk() == 0
    steps = [(region, share.get(NEW, 0)) for region, share in stage.world.patches]
    assert steps == [(region, percent) for percent in (1, 10, 50, 100, 100) for region in REGIONS]
    assert stage.shares == [ON, ON]
    # Its last call closed the record, and what others keep beside it stands.
    found = [stage.world.record(name) for name in SERVICES]
    assert [(one.stable, one.walked, one.state) for one in found if one] == [(STABLE, NEW, "released")] * 2
    assert all(stage.world.annotations[name]["team"] == "platform" for name in SERVICES)
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
        assert all(sum(shares.values()) == 100 for shares in stage.shares)
        # At 100 % too: nobody watched that step to its end.
        assert stage.walk().status() == 1
        minutes = world.minutes
        world.tick = lambda _minute: None
        code = stage.walk().walk()
        assert world.minutes - minutes >= 15
    assert code == 0
    assert stage.shares == [ON, ON]
    # No region ever loses what it had.
    for region in REGIONS:
        reached = [shares.get(NEW, 0) for where, shares in world.patches if where == region]
        assert reached == sorted(reached)


@pytest.mark.parametrize("patch", range(1, 11))
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

    def share(live: Live, shares: Any, record: Record | None = None) -> None:
        nonlocal done
        if done == patch - 1:
            done += 1
            raise Killed
        done += 1
        set_share(live, shares, record)

    monkeypatch.setattr(google, "share", share)
    with pytest.raises(Killed):
        walk.walk()
    assert stage.walk().walk() == 0
    assert stage.shares == [ON, ON]
    assert stage.walk().status() == 0
    for region in REGIONS:
        reached = [shares.get(NEW, 0) for where, shares in world.patches if where == region]
        assert reached == sorted(reached)


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
    assert "europe-west4: somebody else moved the traffic: look at it first" in stage.text


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
    assert stage.walk().status() == 0
    assert "europe-west4: there is no service yet" in stage.text
    # Nothing serves before the first revision started.
    world.traffic[SERVICES[0]], world.ready[SERVICES[0]] = [], ""
    assert stage.walk().hold() == 0
    assert len(world.patches) == patches

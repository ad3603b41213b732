"""Answers that are lost, operations that end in error, two walks at once: what stands tells whose it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from operations.login import LoginError
from operations.release.google import Google, GoogleError
from operations.release.record import ANNOTATION, Record, record_of
from operations.release.standing import StuckError
from tests.operations.release.conftest import Stage
from tests.operations.release.stand_in import NEW, OBJECTIVES, SERVICES, STABLE, named

ON, BACK = {NEW: 100}, {STABLE: 100}
Answer = Callable[..., Any]
RECORD = Record(stable=STABLE, walked=NEW, state="walking", walk="w", by="p")


def google_of(stage: Stage) -> Google:
    return stage.walk()._google  # pyright: ignore[reportPrivateUsage]


def lose(stage: Stage, nth: int, status: int | type[Exception]) -> None:
    """The nth PATCH is carried out, and its answer is another one."""
    answer, count = stage.world.answer, 0

    def losing(verb: str, path: str, query: Any, body: Any) -> Any:
        nonlocal count
        found = answer(verb, path, query, body)
        count += verb == "PATCH"
        if verb != "PATCH" or count != nth:
            return found
        if isinstance(status, int):
            return status
        raise status("lost")

    stage.world.answer = losing


@pytest.mark.parametrize("status", [503, 500, LoginError])
@pytest.mark.parametrize("nth", [1, 2, 7, 8, 9, 10])
def test_a_lost_answer_stops_no_walk(stage: Stage, status: int | type[Exception], nth: int) -> None:
    lose(stage, nth, status)
    assert stage.walk().walk() == 0
    assert stage.shares == [ON, ON]
    assert stage.walk().status() == 0


@pytest.mark.parametrize("nth", [1, 2])
def test_a_lost_answer_stops_no_way_back(stage: Stage, nth: int) -> None:
    assert stage.walk().walk() == 0
    lose(stage, nth, 503)
    assert stage.walk().back() == 0
    assert stage.shares == [BACK, BACK]


def test_what_moved_in_truth_is_not_taken_for_a_lost_answer(stage: Stage) -> None:
    """The first try was carried out, then a person moved the traffic, then the second try came."""
    answer, world = stage.world.answer, stage.world

    def moving(verb: str, path: str, query: Any, body: Any) -> Any:
        found = answer(verb, path, query, body)
        if verb == "PATCH" and len(world.patches) == 4:
            world.answer = answer
            world.traffic[SERVICES[1]] = named(s=100)
            world.etag[SERVICES[1]] += 1
            return 503
        return found

    world.answer = moving
    assert stage.walk().walk() == 1
    assert "stopped, and nothing was given back: somebody else changed" in stage.text
    assert stage.shares == [{NEW: 10, STABLE: 90}, BACK]


@pytest.mark.parametrize("times", [1, 3])
def test_an_etag_that_moved_alone_is_taken_anew(stage: Stage, times: int) -> None:
    live = google_of(stage).service(SERVICES[0])
    stage.world.etag[SERVICES[0]] += 1
    answer, left = stage.world.answer, times - 1

    def bumping(verb: str, path: str, query: Any, body: Any) -> Any:
        nonlocal left
        if verb == "PATCH" and left:
            left -= 1
            stage.world.etag[SERVICES[0]] += 1
        return answer(verb, path, query, body)

    stage.world.answer = bumping
    google_of(stage).share(live, {NEW: 1, STABLE: 99}, RECORD)
    assert stage.world.shares(SERVICES[0]) == {NEW: 1, STABLE: 99}


@pytest.mark.parametrize("what", ["traffic", "annotations", "the same", "always"])
def test_fails_when_somebody_else_changes_the_service(stage: Stage, what: str) -> None:
    world, name = stage.world, SERVICES[0]
    live = google_of(stage).service(name)
    world.etag[name] += 1
    if what == "traffic":
        world.traffic[name] = named(n=100)
    elif what == "annotations":
        world.annotations[name] = {ANNOTATION: RECORD.text().replace('"p"', '"q"')}
    elif what == "the same":
        # Another process, to the same shares.
        world.annotations[name] = {ANNOTATION: RECORD.text().replace('"p"', '"q"')}
        world.traffic[name] = named(n=1, s=99)
    else:
        world.refuse = lambda verb, _path: 409 if verb == "PATCH" else None
    with pytest.raises(GoogleError, match=r"somebody else changed|changed again and again"):
        google_of(stage).share(live, {NEW: 1, STABLE: 99}, RECORD)
    assert world.patches == []


def test_what_others_keep_in_annotations_stays(stage: Stage) -> None:
    stage.world.annotations[SERVICES[0]] = {"client.knative.dev/user-image": "x", "team": "platform"}
    google = google_of(stage)
    google.share(google.service(SERVICES[0]), {NEW: 100}, RECORD)
    assert stage.world.annotations[SERVICES[0]] == {
        "client.knative.dev/user-image": "x",
        "team": "platform",
        ANNOTATION: RECORD.text(),
    }


@pytest.mark.parametrize(
    "text",
    ["", "x", "[]", "3", '{"stable":"a"}', RECORD.text().replace("walking", "paused"), '{"stable":1}'],
)
def test_what_is_no_record_counts_as_none(text: str) -> None:
    assert record_of({ANNOTATION: text}) is None
    assert record_of({}) is None
    assert record_of({ANNOTATION: RECORD.text()}) == RECORD


@pytest.mark.parametrize("percent", [1, 10, 50, 100])
@pytest.mark.parametrize("region", [0, 1])
def test_an_operation_that_ends_in_error_takes_every_region_back(
    stage: Stage, percent: int, region: int
) -> None:
    """Cloud Run has been told the shares, and does not serve them."""
    world = stage.world
    world.ends_in = lambda name: (
        "no capacity" if name == SERVICES[region] and world.shares(name).get(NEW) == percent else ""
    )
    assert stage.walk().walk() == 1
    assert stage.shares == [BACK, BACK]
    assert "Cloud Run did not set the shares: no capacity; so everything goes back" in stage.text
    assert stage.walk().status() == 0


def test_an_operation_that_ends_in_error_for_another_reason_counts_as_done(stage: Stage) -> None:
    """A newer revision does not start: the service is not ready, and the shares serve all the same."""
    world = stage.world
    world.traffic = {name: named(n=50, s=50) for name in SERVICES}
    world.statuses = dict.fromkeys(SERVICES, named(s=100))
    world.ends_in = lambda _name: "revision api-00003-new is not ready"
    assert stage.walk().back() == 0
    assert stage.shares == [BACK, BACK]
    with pytest.raises(StuckError, match="did not set the shares: revision api-00003-new is not ready"):
        stage.walk().back(revisions={"": NEW})


@pytest.mark.parametrize("interrupted", [True, False])
def test_a_second_walk_takes_the_first_one_over(stage: Stage, interrupted: bool) -> None:
    """The first one sees it and stops, by the mark alone when the shares are the same."""
    world, codes = stage.world, list[int]()

    def interrupt(_minute: int) -> None:
        world.tick = lambda _minute: None
        if interrupted:
            raise KeyboardInterrupt

    def second(minute: int) -> None:
        if minute == 20:
            world.tick = interrupt
            codes.append(stage.walk().walk())

    world.tick = second
    codes.append(stage.walk().walk())
    assert codes == [130 if interrupted else 0, 1]
    assert stage.shares == ([{NEW: 10, STABLE: 90}] * 2 if interrupted else [ON, ON])
    assert "somebody else moved the traffic" in stage.text
    assert "back on" not in stage.text


@pytest.mark.parametrize("interrupted", [True, False])
def test_of_two_walks_that_begin_at_once_one_stops(stage: Stage, interrupted: bool) -> None:
    """Both read and want the same; the etag lets one in, and the mark tells the other that it was not it."""
    world, codes = stage.world, list[int]()

    def interrupt(_minute: int) -> None:
        if interrupted:
            world.tick = lambda _minute: None
            raise KeyboardInterrupt

    world.tick = interrupt
    answer = world.answer

    def meeting(verb: str, path: str, query: Any, body: Any) -> Any:
        if verb == "PATCH" and not codes:
            codes.append(-1)
            codes[0] = stage.walk().walk()
        return answer(verb, path, query, body)

    world.answer = meeting
    codes.append(stage.walk().walk())
    assert codes == [130 if interrupted else 0, 1]
    assert stage.shares == ([{NEW: 1, STABLE: 99}] * 2 if interrupted else [ON, ON])
    assert "back on" not in stage.text


def test_a_way_back_stops_the_walk_that_it_meets(stage: Stage) -> None:
    world = stage.world

    def second(minute: int) -> None:
        if minute == 20:
            assert stage.walk().back() == 0

    world.tick = second
    assert stage.walk().walk() == 1
    assert stage.shares == [BACK, BACK]


def test_an_answer_that_is_no_json_is_asked_for_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    left = [True, True]
    loads = json.loads

    def once(text: Any, **given: Any) -> Any:
        if left and b"latestReadyRevision" in (text if isinstance(text, bytes) else text.encode()):
            left.pop()
            raise json.JSONDecodeError("no", "<html>", 0)
        return loads(text, **given)

    monkeypatch.setattr("json.loads", once)
    assert google_of(stage).service(SERVICES[0]).ready == NEW
    left += [True] * 9
    with pytest.raises(GoogleError, match="is no JSON: is a proxy in between"):
        google_of(stage).service(SERVICES[0])


def test_a_burn_rate_that_is_no_number_is_not_known(stage: Stage) -> None:
    text: Any = "NaN"
    stage.world.burn[OBJECTIVES[0]] = text
    assert google_of(stage).burn("p-example", OBJECTIVES[0]) is None


def test_what_is_moved_between_a_watch_and_the_next_step_is_left_alone(stage: Stage) -> None:
    answer, world = stage.world.answer, stage.world

    def moving(verb: str, path: str, query: Any, body: Any) -> Any:
        if path.endswith("timeSeries") and world.minutes == 15:
            world.traffic[SERVICES[1]] = named(s=100)
        return answer(verb, path, query, body)

    world.answer = moving
    assert stage.walk().walk() == 1
    assert stage.shares == [{NEW: 10, STABLE: 90}, BACK]

"""Where a service stands, by its shares and its record: a table, for each region and for both together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operations.release.google import Live
from operations.release.record import ANNOTATION, Record, State
from operations.release.standing import half_given_back, standing, standings, strange, walked_again
from tests.operations.release.stand_in import SERVICES


def live(shares: dict[str, int], state: State | None = None, walk: str = "w", ready: str = "n") -> Live:
    """A service; its record is of the walk of n from s."""
    record = Record(stable="s", walked="n", state=state or "walking", walk=walk, by="p")
    annotations = {ANNOTATION: record.text()} if state else {}
    return Live(SERVICES[0], ready, ready, shares, False, (), annotations, "1")


@pytest.mark.parametrize(
    ("shares", "state", "kind", "stable", "percent"),
    [
        # Without a record the shares speak alone.
        ({"n": 100}, None, "settled", "n", 100),
        ({"s": 100}, None, "begins", "s", 0),
        ({"n": 10, "s": 90}, None, "halfway", "s", 10),
        ({"n": 37, "s": 63}, None, "halfway", "s", 37),
        ({"n": 99, "s": 1}, None, "halfway", "s", 99),
        ({"old": 10, "s": 90}, None, "strange", "", 0),
        ({"a": 50, "b": 50}, None, "strange", "", 0),
        ({"n": 10, "a": 45, "b": 45}, None, "strange", "", 10),
        # An open record: halfway to the end of the last step.
        ({"n": 1, "s": 99}, "walking", "halfway", "s", 1),
        ({"n": 100}, "walking", "halfway", "s", 100),
        ({"n": 50, "a": 50}, "walking", "strange", "s", 50),
        # Given back by hand.
        ({"s": 100}, "walking", "begins", "s", 0),
        ({"a": 100}, "walking", "begins", "a", 0),
        # A closed one says nothing of the shares.
        ({"n": 100}, "released", "settled", "n", 100),
        ({"s": 100}, "given-back", "begins", "s", 0),
        ({"n": 20, "s": 80}, "released", "halfway", "s", 20),
    ],
)
def test_where_a_service_stands_follows_from_shares_and_record(
    shares: dict[str, int], state: State | None, kind: str, stable: str, percent: int
) -> None:
    found = standing(live(shares, state))
    assert (found.kind, found.new, found.stable, found.percent) == (kind, "n", stable, percent)


def test_what_is_walked_is_the_records_whatever_came_since() -> None:
    found = standing(live({"n": 50, "s": 50}, "walking", ready="later"))
    assert (found.kind, found.new, found.stable) == ("halfway", "n", "s")


@pytest.mark.parametrize(
    ("shares", "state", "walk", "kind", "torn", "again"),
    [
        # The other region is halfway in the walk w.
        ({"n": 100}, "released", "w", "halfway", False, True),
        ({"n": 100}, "released", "other", "settled", False, True),
        ({"s": 100}, "given-back", "w", "begins", True, True),
        ({"s": 100}, "walking", "w", "begins", True, True),
        ({"s": 100}, "given-back", "other", "begins", False, True),
        ({"s": 100}, None, "w", "begins", False, True),
        ({"s": 100}, "released", "w", "begins", True, True),
    ],
)
def test_regions_of_one_walk_stand_together(
    shares: dict[str, int], state: State | None, walk: str, kind: str, torn: bool, again: bool
) -> None:
    lives = [
        live({"n": 50, "s": 50}, "walking"),
        replace(live(shares, state, walk), name=SERVICES[1]),
    ]
    found = standings(lives)
    assert found[SERVICES[1]].kind == kind
    assert half_given_back(lives, found) is torn
    assert walked_again(lives, found) is again
    # A newer revision in both regions is another one than the walk's.
    newer = [replace(one, ready="later", newest="later") for one in lives]
    assert walked_again(newer, standings(newer)) is False


@pytest.mark.parametrize(("state", "kind"), [("given-back", "halfway"), ("released", "settled")])
def test_a_way_back_that_reached_one_region_only_is_not_ended(state: State, kind: str) -> None:
    """By hand (the record of the other region still says released) it is somebody's choice."""
    lives = [live({"n": 100}, "released"), replace(live({"s": 100}, state), name=SERVICES[1])]
    found = standings(lives)
    assert (found[SERVICES[0]].kind, found[SERVICES[1]].kind) == (kind, "begins")
    assert half_given_back(lives, found) is (kind == "halfway")


def test_shares_of_no_walk_have_their_sentence() -> None:
    assert strange(live({"a": 50, "b": 50})) == (
        "europe-west1: traffic must be on one revision, or on the newest and one before it, got a 50 %, "
        "b 50 %: give all to the one that is good with `back --revision europe-west1=NAME`, then begin again"
    )

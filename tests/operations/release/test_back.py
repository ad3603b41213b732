"""The way back: to what the record names, never to what was given back, in every region that answers."""

from __future__ import annotations

import pytest

from operations.release.record import ANNOTATION, Record
from operations.release.standing import StuckError
from tests.operations.release.conftest import Stage
from tests.operations.release.stand_in import NEW, REGIONS, SERVICES, STABLE, World, named

BAD, NEXT = "api-00002-bad", "api-00003-new"
BACK = {STABLE: 100}


class Killed(BaseException):
    pass


def kill_at(stage: Stage, patch: int) -> None:
    """Kill the walk in place of its call that sets shares for the nth time."""

    def refuse(verb: str, _path: str) -> int | None:
        if verb == "PATCH" and len(stage.world.patches) == patch - 1:
            raise Killed
        return None

    stage.world.refuse = refuse
    with pytest.raises(Killed):
        stage.walk().walk()
    stage.world.refuse = lambda _verb, _path: None


def noted(world: World, **states: str) -> None:
    """The record as a walk of this id left it."""
    for name, state in zip(SERVICES, states.values(), strict=True):
        record = Record(stable=STABLE, walked=NEW, state=state, walk="w", by="p")  # pyright: ignore[reportArgumentType]
        world.annotations[name] = {ANNOTATION: record.text()}


def test_after_a_release_the_way_back_is_the_recorded_revision(stage: Stage) -> None:
    assert stage.walk().walk() == 0
    assert stage.walk().back() == 0
    assert stage.shares == [BACK, BACK]
    found = [stage.world.record(name) for name in SERVICES]
    assert [(one.stable, one.walked, one.state) for one in found if one] == [(STABLE, NEW, "given-back")] * 2
    # And from there the newest one is what waits.
    assert stage.walk().status() == 0
    assert f"{NEW} waits" in stage.text
    # Again changes nothing.
    patches = len(stage.world.patches)
    assert stage.walk().back() == 0
    assert len(stage.world.patches) == patches
    assert f"{STABLE} serves, the stable one of the last release: nothing to do" in stage.text


def test_the_way_back_leads_past_a_revision_that_was_given_back(stage: Stage) -> None:
    """r1 is good, r2 is walked and given back, r3 is released: from there back to r1, though r2 is newer."""
    stage.world.failing[NEW] = 0.5
    assert stage.walk().walk() == 1
    assert stage.shares == [BACK, BACK]
    stage.world.deploy(NEXT)
    assert stage.walk().walk() == 0
    assert stage.shares == [{NEXT: 100}] * 2
    assert stage.walk().back() == 0
    assert stage.shares == [BACK, BACK]


def test_killed_halfway_it_can_be_given_back(stage: Stage) -> None:
    stage.world.traffic = {SERVICES[0]: named(n=50, s=50), SERVICES[1]: named(n=10, s=90)}
    assert stage.walk().status() == 1
    assert stage.walk().back(only_halfway=True) == 0
    assert stage.shares == [BACK, BACK]
    assert stage.walk().status() == 0


@pytest.mark.parametrize("patch", [2, 4, 6, 8, 9, 10])
def test_killed_between_two_regions_both_go_back(stage: Stage, patch: int) -> None:
    """8 is between them at 100 %, 9 and 10 before the record is closed in one and in the other."""
    kill_at(stage, patch)
    assert stage.walk().status() == 1
    assert stage.walk().back(only_halfway=True) == 0
    assert stage.shares == [BACK, BACK]
    assert stage.walk().status() == 0


def test_only_halfway_leaves_what_is_settled_alone(stage: Stage) -> None:
    assert stage.walk().back(only_halfway=True) == 0
    assert stage.walk().walk() == 0
    patches = len(stage.world.patches)
    assert stage.walk().back(only_halfway=True) == 0
    assert len(stage.world.patches) == patches
    assert "nothing to give back: no region is between two revisions" in stage.text


def test_a_region_that_was_none_of_the_walk_stays(stage: Stage) -> None:
    """One region released long ago; only the other one is halfway."""
    stage.world.traffic = {SERVICES[0]: named(n=100), SERVICES[1]: named(n=10, s=90)}
    noted(stage.world, first="released", second="walking")
    other = Record(stable=STABLE, walked=NEW, state="walking", walk="another", by="p")
    stage.world.annotations[SERVICES[1]] = {ANNOTATION: other.text()}
    assert stage.walk().back() == 0
    assert stage.shares == [{NEW: 100}, BACK]


def test_a_way_back_that_was_killed_is_gone_to_its_end(stage: Stage) -> None:
    """Found bad, given back in one region, and killed: it is not raised there again."""
    stage.world.traffic = {SERVICES[0]: named(s=100), SERVICES[1]: named(n=50, s=50)}
    noted(stage.world, first="given-back", second="walking")
    assert stage.walk().walk() == 1
    assert stage.shares == [BACK, BACK]
    assert "it was given back in another region already" in stage.text
    assert [shares for _, shares in stage.world.patches] == [BACK]


def kill_back_at(stage: Stage, patch: int) -> None:
    patches = len(stage.world.patches)

    def refuse(verb: str, _path: str) -> int | None:
        if verb == "PATCH" and len(stage.world.patches) == patches + patch - 1:
            raise Killed
        return None

    stage.world.refuse = refuse
    with pytest.raises(Killed):
        stage.walk().back()
    stage.world.refuse = lambda _verb, _path: None


def test_regions_stay_of_one_walk_through_kills_and_restarts(stage: Stage) -> None:
    """Killed at 10 %, killed when it goes on, between the regions, and the way back killed there too."""
    kill_at(stage, 4)
    kill_at(stage, 4)
    kill_at(stage, len(stage.world.patches) + 2)
    assert stage.shares == [{NEW: 10, STABLE: 90}, {NEW: 1, STABLE: 99}]
    kill_back_at(stage, 2)
    assert stage.shares == [BACK, {NEW: 1, STABLE: 99}]
    assert stage.walk().walk() == 1
    assert stage.shares == [BACK, BACK]


@pytest.mark.parametrize("command", ["walk", "back", "halfway"])
def test_a_way_back_after_a_release_is_gone_to_its_end_too(stage: Stage, command: str) -> None:
    assert stage.walk().walk() == 0
    kill_back_at(stage, 2)
    assert stage.shares == [BACK, {NEW: 100}]
    assert stage.walk().status() == 1
    match command:
        case "walk":
            assert stage.walk().walk() == 1
        case _:
            assert stage.walk().back(only_halfway=command == "halfway") == 0
    assert stage.shares == [BACK, BACK]


def test_a_walk_that_a_newer_revision_overtook_is_given_back_before_that_one_is_walked(stage: Stage) -> None:
    stage.world.traffic = {name: named(n=50, s=50) for name in SERVICES}
    noted(stage.world, first="walking", second="walking")
    stage.world.deploy(NEXT)
    assert stage.walk().walk() == 0
    assert stage.shares == [{NEXT: 100}] * 2
    assert [shares for _, shares in stage.world.patches][:2] == [BACK, BACK]
    assert stage.walk().back() == 0
    assert stage.shares == [BACK, BACK]


def test_fails_when_nothing_was_recorded(stage: Stage) -> None:
    stage.world.traffic = {name: named(n=100) for name in SERVICES}
    sentence = (
        f"europe-west1: {NEW} serves, and no release recorded a stable revision before it: "
        f"name one of {STABLE} with `back --revision europe-west1=NAME`"
    )
    with pytest.raises(StuckError, match=sentence):
        stage.walk().back()
    assert stage.world.patches == []
    assert stage.walk().back(revisions={"": STABLE}) == 0
    assert stage.shares == [BACK, BACK]


def test_a_region_with_its_only_revision_holds_no_other_one_up(stage: Stage) -> None:
    world = stage.world
    world.revisions[SERVICES[1]] = [NEW]
    world.traffic[SERVICES[1]] = named(n=100)
    assert stage.walk().walk() == 0
    assert stage.walk().back() == 0
    assert stage.shares == [BACK, {NEW: 100}]
    assert f"europe-west4: stays on {NEW}, there is no other revision" in stage.text


@pytest.mark.parametrize("what", ["gone", "broken"])
def test_fails_when_the_recorded_revision_is_not_to_be_had(stage: Stage, what: str) -> None:
    assert stage.walk().walk() == 0
    stage.world.deploy(NEXT, SERVICES[:1])
    if what == "gone":
        stage.world.revisions[SERVICES[0]].remove(STABLE)
    else:
        stage.world.broken.add(STABLE)
        stage.world.revisions[SERVICES[1]].remove(STABLE)
    with pytest.raises(StuckError, match=f"europe-west1: the stable revision {STABLE} of the record is gone"):
        stage.walk().back()
    assert stage.shares[0] == {NEW: 100}
    assert stage.shares[1] == (BACK if what == "gone" else {NEW: 100})


@pytest.mark.parametrize(
    ("revisions", "sentence"),
    [
        ({"": "api-00009-nil"}, "revision must be one of europe-west1 that has started .*got api-00009-nil"),
        ({"europe-west4": BAD}, "revision must be one of europe-west4 that has started .*got api-00002-bad"),
        ({"europe-west1": NEW}, "revision must be another than the one that is walked, got api-00002-xyz"),
    ],
)
def test_fails_when_a_named_revision_cannot_serve(
    stage: Stage, revisions: dict[str, str], sentence: str
) -> None:
    stage.world.broken.add(BAD)
    stage.world.revisions[SERVICES[1]].append(BAD)
    stage.world.traffic = {name: named(n=50, s=50) for name in SERVICES}
    noted(stage.world, first="walking", second="walking")
    with pytest.raises(ValueError, match=sentence):
        stage.walk().back(revisions=revisions)
    assert stage.world.patches == []


def test_a_named_revision_moves_its_region_only(stage: Stage) -> None:
    assert stage.walk().walk() == 0
    stage.world.deploy(NEXT)
    assert stage.walk().back(revisions={"europe-west4": NEXT}) == 0
    assert stage.shares == [{NEW: 100}, {NEXT: 100}]
    assert stage.walk().back(revisions={"": NEW}) == 0
    assert "europe-west1: api-00002-xyz serves already" in stage.text
    assert stage.shares == [{NEW: 100}, {NEW: 100}]


def test_shares_of_no_walk_stop_a_walk_and_no_way_back(stage: Stage) -> None:
    entry = named(s=50)[0]
    stage.world.traffic[SERVICES[0]] = [entry, {**entry, "revision": BAD}]
    stage.world.revisions[SERVICES[0]].append(BAD)
    stage.world.traffic[SERVICES[1]] = named(n=50, s=50)
    noted(stage.world, first="released", second="walking")
    with pytest.raises(StuckError, match="europe-west1: traffic must be on one revision"):
        stage.walk().walk()
    assert stage.walk().status() == 1
    with pytest.raises(
        StuckError, match="give all to the one that is good with `back --revision europe-west1"
    ):
        stage.walk().back()
    # The other one is not kept waiting, and in a walk the record says what is good.
    assert stage.shares[1] == BACK
    noted(stage.world, first="walking", second="given-back")
    stage.world.traffic[SERVICES[0]] = [
        entry,
        {**entry, "revision": NEW, "percent": 30},
        {**entry, "revision": BAD, "percent": 20},
    ]
    assert stage.walk().back() == 0
    assert stage.shares == [BACK, BACK]


@pytest.mark.parametrize("silent", [0, 1])
def test_a_region_that_does_not_answer_holds_no_other_one_up(stage: Stage, silent: int) -> None:
    stage.world.traffic = {name: named(n=50, s=50) for name in SERVICES}
    noted(stage.world, first="walking", second="walking")
    stage.world.refuse = lambda _verb, path: 503 if path.endswith(SERVICES[silent]) else None
    with pytest.raises(
        StuckError, match=f"could NOT be given back in {REGIONS[silent]}: Google answered 503"
    ):
        stage.walk().back()
    assert stage.shares[1 - silent] == BACK


def test_a_service_in_one_region_only_goes_back_there(stage: Stage) -> None:
    stage.world.traffic = {SERVICES[0]: named(n=50, s=50)}
    assert stage.walk().walk() == 1
    assert "not begun: the service must be in every region: run `make up` first" in stage.text
    assert stage.walk().back() == 0
    assert stage.world.shares(SERVICES[0]) == BACK
    assert "europe-west4: there is no service, so nothing to give back" in stage.text
    stage.world.traffic = {}
    assert stage.walk().back(only_halfway=True) == 0
    with pytest.raises(StuckError, match="must be in one region at least, it is in none"):
        stage.walk().back()


def test_what_a_person_chose_meanwhile_is_not_taken_back(stage: Stage) -> None:
    """Just when a step fails in one region, the other one is given to a revision of somebody's choice."""
    world = stage.world
    world.revisions[SERVICES[0]].append(BAD)

    def refuse(verb: str, path: str) -> int | None:
        if world.minutes < 15 or verb != "PATCH" or not path.endswith(SERVICES[1]):
            return None
        world.traffic[SERVICES[0]] = [{**named(s=100)[0], "revision": BAD}]
        world.refuse = lambda _verb, _path: None
        return 403

    world.refuse = refuse
    assert stage.walk().walk() == 1
    assert stage.shares == [{BAD: 100}, BACK]
    assert stage.walk().status() == 0


def test_fails_when_only_one_region_would_go_back_two_releases(stage: Stage) -> None:
    """Released in both; then another one in one region alone, given back there: what is back is back."""
    assert stage.walk().walk() == 0
    stage.world.deploy(NEXT, SERVICES[:1])
    stage.world.failing[NEXT] = 0.5
    assert stage.walk().walk() == 1
    with pytest.raises(
        StuckError, match=f"{NEW} is of another release than the one that is back in europe-w"
    ):
        stage.walk().back()
    assert stage.shares == [{NEW: 100}] * 2


def test_what_google_refuses_once_is_tried_again_on_the_way_back(stage: Stage) -> None:
    assert stage.walk().walk() == 0
    left = [403, 409]
    stage.world.refuse = lambda verb, _path: left.pop() if verb == "PATCH" and left else None
    assert stage.walk().back() == 0
    assert stage.shares == [BACK, BACK]

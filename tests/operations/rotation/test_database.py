"""A database password's rotation, against a real PostgreSQL and Google's REST shapes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operations.rotation.database import RefusedLoginError
from operations.rotation.lease import LEASE_SECONDS, BusyError
from operations.rotation.postgres import make_login
from operations.rotation.transport import ConflictError
from tests.operations.rotation.server import FIRST, USERS, Server, certificate
from tests.operations.rotation.stand_in import PROJECT
from tests.operations.rotation.world import GRACE, SECRET, Killed, Plug, World

DAY = 86_400

POOL = f"projects/{PROJECT}/locations/europe-west1/workerPools/worker"


@contextmanager
def fresh(server: Server) -> Generator[World]:
    world = World(server)
    try:
        yield world
    finally:
        world.close()


def aliases(world: World) -> dict[str, str]:
    return world.google.secrets[SECRET]["versionAliases"]


def test_rotation_moves_current_to_the_other_user(world: World) -> None:
    outcome = world.database().rotate(SECRET, world.published)
    assert (outcome.kind, outcome.version) == ("rotated", 2)
    assert aliases(world) == {"current": "2", "previous": "1"}
    assert world.works()
    assert world.works("previous")
    assert "rotation-lease" not in world.google.secrets[SECRET]["annotations"]


def test_the_same_message_twice_rotates_once(world: World) -> None:
    published = world.published
    world.database().rotate(SECRET, published)
    assert world.database().rotate(SECRET, published).kind == "unchanged"
    assert len(world.google.versions[SECRET]) == 2
    assert [outcome.kind for outcome in world.told] == ["rotated"]


def test_the_old_version_is_disabled_and_its_password_overwritten_after_the_grace_period(
    world: World,
) -> None:
    world.database().rotate(SECRET, world.published)
    assert world.database().sweep(SECRET).kind == "unchanged"
    world.time += GRACE + 1
    assert world.database().sweep(SECRET).kind == "retired"
    assert aliases(world) == {"current": "2"}
    assert [one["state"] for one in world.google.versions[SECRET]] == ["DISABLED", "ENABLED"]
    assert not world.login(USERS[0], f"{FIRST}-{USERS[0]}")
    assert world.works()


def test_users_alternate(world: World) -> None:
    used: list[str] = []
    for _ in range(4):
        world.database().rotate(SECRET, world.published)
        found = world.credentials("current")
        assert found is not None
        used.append(found[0])
        world.time += 30 * DAY
        world.database().sweep(SECRET)
        assert world.works()
    assert used == [USERS[1], USERS[0], USERS[1], USERS[0]]


def test_rollback_brings_the_version_before_into_use(world: World) -> None:
    world.database().rotate(SECRET, world.published)
    assert world.database().roll_back(SECRET, world.published).kind == "rolled-back"
    assert aliases(world) == {"current": "1", "previous": "2"}
    assert world.works()
    assert world.works("previous")
    # What was rolled back does not come into use by itself.
    assert world.database().sweep(SECRET).kind == "unchanged"
    assert aliases(world)["current"] == "1"


def test_fails_when_there_is_no_way_back(world: World) -> None:
    world.database().rotate(SECRET, world.published)
    world.time += GRACE + 1
    world.database().sweep(SECRET)
    with pytest.raises(LookupError, match="grace period is over; rotate instead"):
        world.database().roll_back(SECRET, world.published)


def test_fails_when_the_password_before_was_overwritten(world: World) -> None:
    world.database().rotate(SECRET, world.published)
    world.server.set_password(USERS[0], "somebody-else")
    with pytest.raises(RefusedLoginError, match="refuses version 1"):
        world.database().roll_back(SECRET, world.published)
    assert aliases(world)["current"] == "2"


def test_a_second_rotation_within_the_grace_period_waits_unless_asked_at_once(world: World) -> None:
    world.database().rotate(SECRET, world.published)
    world.time += 60
    assert world.database().rotate(SECRET, world.published).kind == "unchanged"
    assert world.database().rotate(SECRET, world.published, at_once=True).version == 3
    assert world.works()


def test_nothing_moves_when_the_database_refuses_the_new_password(world: World) -> None:

    def forget(_user: str, _password: str) -> None:
        """Say that it is done, and do nothing."""

    world.google.set_password = forget
    with pytest.raises(RefusedLoginError, match="nothing was moved"):
        world.database().rotate(SECRET, world.published)
    assert aliases(world) == {"current": "1"}
    assert world.works()


def test_a_version_that_a_workload_still_reads_is_not_told_of_and_not_retired(world: World) -> None:
    world.google.release_pool(POOL, SECRET, "1")
    assert world.database().rotate(SECRET, world.published).kind == "waiting"
    assert world.works()
    assert world.works("previous")
    world.time += GRACE + 60
    assert world.database().sweep(SECRET).kind == "waiting"
    assert [one["state"] for one in world.google.versions[SECRET]] == ["ENABLED", "ENABLED"]
    world.google.release_pool(POOL, SECRET, "2")
    assert world.database().sweep(SECRET).kind == "rotated"
    assert world.database().sweep(SECRET).kind == "retired"
    assert [one["state"] for one in world.google.versions[SECRET]] == ["DISABLED", "ENABLED"]


def test_fails_when_another_rotator_holds_the_lease(world: World) -> None:
    plug = Plug(at=6)
    with pytest.raises(Killed):
        world.database(plug).rotate(SECRET, world.published)
    with pytest.raises(BusyError, match="is being rotated"):
        world.database().rotate(SECRET, world.published)


def test_a_holder_whose_lease_ends_writes_nothing_more(world: World) -> None:
    database = world.database()

    def slow(_user: str, _password: str) -> None:
        world.time += LEASE_SECONDS

    world.google.set_password = slow
    with pytest.raises((BusyError, RefusedLoginError)):
        database.rotate(SECRET, world.published)
    assert aliases(world)["current"] == "1"


def test_no_password_is_in_an_outcome_or_an_annotation(world: World) -> None:
    world.database().rotate(SECRET, world.published)
    found = world.credentials("current")
    assert found is not None
    assert found[1] not in repr(world.told) + json.dumps(world.google.secrets[SECRET])


def test_fails_when_the_server_is_not_signed_by_the_authority(world: World, tmp_path: Path) -> None:
    certificate(tmp_path)
    other = str(tmp_path / "ca.crt")
    login = make_login(host="127.0.0.1", port=world.server.port, database="postgres", ca_file=other)
    with pytest.raises(psycopg.OperationalError, match="SSL error"):
        login(USERS[0], f"{FIRST}-{USERS[0]}")


def test_fails_when_an_address_comes_without_its_authority() -> None:
    with pytest.raises(ValueError, match="must be a socket folder, or ca_file must name its authority"):
        make_login(host="10.0.0.3", port=5432, database="aiprod", ca_file=None)


Act = Callable[[World, Plug], object]


def _prepared(world: World, act: str) -> Act:
    """Bring the world to where the act begins."""
    if act == "first":
        published = world.published
        return lambda world, plug: world.database(plug).rotate(SECRET, published)
    world.database().rotate(SECRET, world.published)
    if act == "back":
        back = world.published
        return lambda world, plug: world.database(plug).roll_back(SECRET, back)
    world.time += GRACE + 1
    if act == "retire":
        return lambda world, plug: world.database(plug).sweep(SECRET)
    world.database().sweep(SECRET)
    published = world.published
    return lambda world, plug: world.database(plug).rotate(SECRET, published)


END = {"first": "2", "back": "1", "retire": "2", "second": "3"}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("act", list(END))
def test_a_kill_at_every_step_leaves_a_working_password(server: Server, act: str, after: bool) -> None:
    with fresh(server) as world:
        whole = Plug()
        _prepared(world, act)(world, whole)
    good = 0
    for step in range(whole.steps):
        with fresh(server) as world:
            run = _prepared(world, act)
            with pytest.raises(Killed):
                run(world, Plug(at=step, after=after))
            assert world.works(), f"{act}: killed {'after' if after else 'before'} step {step}"
            world.time += LEASE_SECONDS + 1
            run(world, Plug())
            assert world.works(), f"{act}: resumed after step {step}"
            assert aliases(world)["current"] == END[act]
            assert len(world.google.versions[SECRET]) <= max(2, int(END[act]))
            good += 1
    # Shown with -s.
    print(f"kill points of {act}, {'after' if after else 'before'}: {good} of {whole.steps} end well")
    assert good == whole.steps > 5


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["rotate", "again", "at-once", "sweep", "back"]),
            st.integers(0, 40),
            st.booleans(),
            st.sampled_from([0, 60, LEASE_SECONDS + 1, GRACE + 1]),
        ),
        min_size=1,
        max_size=7,
    )
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_order_of_calls_and_kills_keeps_a_working_password(
    server: Server, steps: list[tuple[str, int, bool, int]]
) -> None:
    with fresh(server) as world:
        published = world.published
        for act, kill, after, passed in steps:
            if act in ("rotate", "at-once"):
                published = world.published
            database = world.database(Plug(at=kill, after=after))
            try:
                if act == "sweep":
                    database.sweep(SECRET)
                elif act == "back":
                    database.roll_back(SECRET, world.published)
                else:
                    database.rotate(SECRET, published, at_once=act == "at-once")
            except (Killed, BusyError, LookupError, RefusedLoginError):
                pass
            assert world.works(), (act, kill, after)
            world.time += passed
        world.time += LEASE_SECONDS + GRACE + 1
        world.database().sweep(SECRET)
        assert world.works()


def test_a_rollback_that_is_delivered_twice_goes_back_once(world: World) -> None:
    world.database().rotate(SECRET, world.published)
    message = world.published
    assert world.database().roll_back(SECRET, message).kind == "rolled-back"
    assert world.database().roll_back(SECRET, message).kind == "unchanged"
    assert aliases(world)["current"] == "1"
    # A later message is another wish.
    assert world.database().roll_back(SECRET, world.published).kind == "rolled-back"
    assert aliases(world)["current"] == "2"


def test_without_an_alias_the_oldest_version_is_in_use_and_a_newer_one_proves_itself(world: World) -> None:
    world.google.add_version(SECRET, json.dumps({"user": USERS[1], "password": "nobody set this one"}))
    world.database().sweep(SECRET)
    assert aliases(world) == {"current": "2", "previous": "1"}
    assert world.works()


def test_a_lease_that_cannot_be_given_back_spoils_no_rotation(world: World) -> None:
    """The write that gives it back is the last one; somebody else's write comes in between, twice."""
    counting = Plug()
    with fresh(world.server) as other:
        other.database(counting).rotate(SECRET, other.published)

    class Late(Plug):
        def around(self, step: Callable[[], Any]) -> Any:
            self.steps += 1
            if self.steps >= counting.steps - 1:
                raise ConflictError(409, "ABORTED", "somebody else wrote")
            return step()

    assert world.database(Late()).rotate(SECRET, world.published).kind == "rotated"


def test_two_rotators_at_once_never_break_a_password(world: World) -> None:
    published = world.published
    ended: list[str] = []

    def rotate() -> None:
        try:
            ended.append(world.database().rotate(SECRET, published).kind)
        except BusyError:
            ended.append("busy")

    threads = [threading.Thread(target=rotate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended.count("rotated") == 1
    assert len(world.google.versions[SECRET]) == 2
    assert world.works()


def test_a_client_that_logs_in_all_the_time_never_fails(world: World) -> None:
    tried, failed = [0], [0]
    stop = threading.Event()

    def client() -> None:
        while not stop.is_set():
            tried[0] += 1
            failed[0] += not world.works()

    thread = threading.Thread(target=client)
    thread.start()
    for _ in range(6):
        world.database().rotate(SECRET, world.published)
        world.database().roll_back(SECRET, world.published)
        world.database().roll_back(SECRET, world.published)
        world.time += GRACE + 1
        world.database().sweep(SECRET)
    stop.set()
    thread.join()
    print(f"logins tried {tried[0]}, failed {failed[0]}")
    assert tried[0] > 20
    assert failed[0] == 0

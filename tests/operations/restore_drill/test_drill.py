"""The drill's own definition, step by step, against stand-ins that speak Google's wire shapes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.operations.restore_drill.drilling import DEFINITION, ENVIRONMENT, NOW, PREFIX, World, world
from tests.operations.restore_drill.expressions import WorkflowError
from tests.operations.restore_drill.interpreter import KilledError
from tests.operations.restore_drill.stand_in import PROJECT, SOURCE, WORKFLOW, Answer, Fault, stamp

CLONE = f"{PREFIX}{int(NOW)}"
# Where a step of a good run is interrupted: nothing was cloned yet, and after that.
BEFORE, AFTER = ("point_reference", "log_arrives"), ("restored", "check", "check_took")


@pytest.fixture(name="drilled")
def _drilled() -> Iterator[World]:
    with world() as one:
        yield one


def logged(one: World) -> list[tuple[str, Any]]:
    return [(entry.severity, entry.payload["restoreDrill"]) for entry in one.workflow.logs]


def test_a_good_drill_clones_at_a_point_checks_deletes_and_tells(drilled: World) -> None:
    result = drilled.drill()
    assert result == {
        "kind": "done",
        "passed": True,
        "method": "point-in-time",
        "source": SOURCE,
        "clone": CLONE,
        "cloneDeleted": True,
        "pointInTime": stamp(NOW + 20),
        "recoverableAfterSeconds": 240,
        "restoreSeconds": 600,
        "checkSeconds": 20,
        "measuredRtoSeconds": 920,
        "plannedRtoSeconds": 1440,
        "promisedRtoSeconds": 1800,
        "tables": {"exact": 5, "settled": 2, "unproven": 0},
        "newestRowAgeSeconds": 31,
        "problems": [],
    }
    assert logged(drilled) == [("INFO", result)]
    assert drilled.left() == []


def test_the_clone_is_made_in_the_source_s_own_range_and_at_the_reference_s_time(drilled: World) -> None:
    drilled.drill()
    (context,) = [body["cloneContext"] for path, body in drilled.google.bodies if path.endswith("/clone")]
    assert context == {
        "kind": "sql#cloneContext",
        "destinationInstanceName": CLONE,
        "pointInTime": stamp(NOW + 20),
        "allocatedIpRange": "psa-europe-west1",
    }


def test_nothing_outlives_the_clone_although_its_source_keeps_backups(drilled: World) -> None:
    drilled.drill()
    assert drilled.google.final_backups == []


def without_point_in_time(one: World) -> None:
    one.google.instances[SOURCE]["settings"]["backupConfiguration"] = {"enabled": True}


def test_without_point_in_time_recovery_the_newest_good_backup_is_restored(drilled: World) -> None:
    without_point_in_time(drilled)
    result = drilled.drill()
    assert (result["passed"], result["method"]) == (True, "backup")
    assert result["pointInTime"] == stamp(NOW - 7_200)
    assert result["restoreSeconds"] == 705, "made in 300 s and filled in 400 s, seen every 15 s"
    (fill,) = [body for path, body in drilled.google.bodies if path.endswith("/restoreBackup")]
    assert fill["restoreBackupContext"] == {"backupRunId": "200", "instanceId": SOURCE, "project": PROJECT}
    assert drilled.left() == []


def test_the_instance_for_a_backup_is_like_the_source_but_for_what_would_keep_it(drilled: World) -> None:
    without_point_in_time(drilled)
    drilled.drill()
    (body,) = [body for path, body in drilled.google.bodies if path == "POST /instances"]
    settings = body["settings"]
    assert settings["databaseFlags"] == [{"name": "cloudsql.iam_authentication", "value": "on"}]
    assert settings["ipConfiguration"]["ipv4Enabled"] is False
    assert body["diskEncryptionConfiguration"]["kmsKeyName"].endswith("/sql")
    assert settings["availabilityType"] == "ZONAL"
    assert not settings["deletionProtectionEnabled"]
    assert "settingsVersion" not in settings


def test_a_log_that_stays_behind_fails_the_drill_and_the_backup_is_rehearsed(drilled: World) -> None:
    drilled.google.log_behind = 100_000
    result = drilled.drill()
    assert (result["passed"], result["method"], result["cloneDeleted"]) == (False, "backup", True)
    assert "the log reaches" in result["problems"][0]
    assert logged(drilled)[-1][0] == "ERROR"


def test_without_any_good_backup_the_drill_fails(drilled: World) -> None:
    without_point_in_time(drilled)
    drilled.google.backups = drilled.google.backups[:1]
    assert drilled.drill()["problems"] == [f"{SOURCE} has no successful backup to restore"]


def test_a_check_that_fails_fails_the_drill_and_the_clone_is_deleted(drilled: World) -> None:
    good = drilled.google.check

    def bad(path: str, body: dict[str, Any]) -> Answer:
        status, answer, slept = good(path, body)
        if path == "/compare":
            answer |= {"passed": False, "problems": ["public.jobs: 9 rows, the source had 10"]}
        return status, answer, slept

    drilled.google.check = bad
    result = drilled.drill()
    assert (result["passed"], result["cloneDeleted"]) == (False, True)
    assert result["problems"] == ["public.jobs: 9 rows, the source had 10"]
    assert logged(drilled) == [("ERROR", result)]


@pytest.mark.parametrize(("path", "status"), [("/compare", 500), ("/reference", 403), ("/compare", 503)])
def test_a_function_that_answers_an_error_fails_the_drill(drilled: World, path: str, status: int) -> None:
    drilled.google.faults = [Fault("POST", path, status)]
    result = drilled.drill()
    assert (result["passed"], result["cloneDeleted"]) == (False, True)
    assert f"answered {status}" in result["problems"][0]
    assert drilled.left() == []


@pytest.mark.parametrize("kind", ["CLONE", "DELETE", "UPDATE"])
def test_an_operation_that_ends_in_an_error_is_told(drilled: World, kind: str) -> None:
    drilled.google.failing = {kind: "INTERNAL_ERROR"}
    result = drilled.drill()
    assert not result["passed"]
    assert f"{kind} failed" in result["problems"][-1]
    assert result["cloneDeleted"] is (kind == "CLONE")


def test_a_clone_that_takes_too_long_is_given_up_and_deleted(drilled: World) -> None:
    drilled.google.seconds["CLONE"] = 9_000
    result = drilled.drill()
    assert result["problems"] == ["CLONE took longer than 7200 s"]
    assert result["cloneDeleted"], "once the operation that holds it has ended"
    assert drilled.left() == []


def test_a_recovery_beyond_the_promise_fails_the_drill_with_both_figures(drilled: World) -> None:
    drilled.google.seconds["CLONE"] = 1_500
    result = drilled.drill()
    assert result["problems"] == ["recovery takes 1820 s, promised are 1800 s"]
    assert (result["measuredRtoSeconds"], result["promisedRtoSeconds"]) == (1820, 1800)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", r"/instances/aiprod-postgres$"),
        ("GET", r"/instances\?"),
        ("GET", "/operations/"),
        ("GET", "/getLatestRecoveryTime"),
        ("GET", "/executions"),
        ("POST", "/clone"),
        ("PATCH", "/instances/"),
        ("DELETE", "/instances/"),
        ("POST", "/compare"),
    ],
)
def test_what_passes_is_waited_out(drilled: World, method: str, path: str, status: int) -> None:
    drilled.google.faults = [Fault(method, path, status, times=3)]
    result = drilled.drill()
    assert result["passed"], result["problems"]
    assert drilled.left() == []


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/clone"), ("PATCH", "/instances/"), ("DELETE", "/instances/")]
)
def test_an_answer_that_was_lost_changes_nothing(drilled: World, method: str, path: str) -> None:
    drilled.google.faults = [Fault(method, path, 503, times=1, after=True)]
    assert drilled.drill()["passed"]
    assert sum(one.kind == "CLONE" for one in drilled.google.operations.values()) == 1
    assert drilled.left() == []


def test_an_api_that_never_recovers_fails_the_drill_and_the_clone_is_deleted(drilled: World) -> None:
    drilled.google.faults = [Fault("GET", "/operations/op-1$", 503)]
    result = drilled.drill()
    assert (result["passed"], result["cloneDeleted"]) == (False, True)
    assert "answered 503" in result["problems"][0]
    assert drilled.left() == []


def test_a_deletion_that_fails_is_critical_and_says_what_is_left(drilled: World) -> None:
    drilled.google.faults = [Fault("DELETE", "/instances/", 403, reason="forbidden")]
    result = drilled.drill()
    assert (result["passed"], result["cloneDeleted"]) == (False, False)
    assert result["problems"][0].startswith(f"clone {CLONE} was not deleted: answered 403")
    assert logged(drilled) == [("CRITICAL", result)]
    assert drilled.left() == [CLONE]


def test_a_clone_of_an_earlier_run_is_deleted_first(drilled: World) -> None:
    old = f"{PREFIX}{int(NOW) - 99}"
    drilled.google.instances[old] = {**drilled.google.instances[SOURCE], "name": old}
    assert drilled.drill()["passed"]
    steps = [one for one in drilled.google.requests if "DELETE" in one or "/clone" in one]
    assert [one.rpartition("/")[2] for one in steps] == [old, "clone", CLONE]


def test_a_clone_whose_creation_failed_takes_no_change_and_is_deleted_all_the_same(drilled: World) -> None:
    old = f"{PREFIX}{int(NOW) - 99}"
    failed = {**drilled.google.instances[SOURCE], "name": old, "state": "FAILED"}
    drilled.google.instances[old] = {**failed, "settings": {"tier": "db-custom-2-7680"}}
    assert drilled.drill()["passed"]
    assert drilled.left() == []


@pytest.mark.parametrize(
    "name",
    ["aiprod-drill-", "aiprod-drill-17", "aiprod-drill-1796083200-a", "other", "xaiprod-drill-1796083200"],
)
def test_what_is_not_a_clone_of_the_drill_is_left_alone(drilled: World, name: str) -> None:
    drilled.google.instances[name] = {**drilled.google.instances[SOURCE], "name": name}
    assert drilled.drill()["passed"]
    assert drilled.left() == [name]
    assert drilled.google.instances[name]["settings"]["deletionProtectionEnabled"]


@pytest.mark.parametrize("step", [*BEFORE, *AFTER, "clone", "bared", "deleted"])
def test_a_drill_that_is_killed_is_cleaned_up_by_the_next(drilled: World, step: str) -> None:
    def kill(name: str) -> None:
        if name == step:
            raise KilledError

    drilled.workflow.before = kill
    with pytest.raises(KilledError):
        drilled.drill()
    drilled.workflow.before = lambda _: None
    drilled.google.clock.sleep(3_600)
    assert drilled.drill()["passed"]
    assert drilled.left() == []


def test_the_daily_watch_deletes_what_a_killed_drill_left_and_says_so(drilled: World) -> None:
    def kill(name: str) -> None:
        if name == "check":
            raise KilledError

    drilled.workflow.before = kill
    with pytest.raises(KilledError):
        drilled.drill()
    drilled.workflow.before = lambda _: None
    assert drilled.left() == [CLONE]
    drilled.workflow.run({"task": "watch"})
    assert logged(drilled)[0] == ("ERROR", {"kind": "left", "instances": [CLONE]})
    assert drilled.left() == []


def running(started: float) -> dict[str, Any]:
    return {"name": f"{WORKFLOW}/executions/other", "state": "ACTIVE", "startTime": stamp(started)}


def test_a_second_drill_fails_and_leaves_the_clone_of_the_first(drilled: World) -> None:
    drilled.google.executions = [running(NOW - 60)]
    first = f"{PREFIX}{int(NOW) - 60}"
    drilled.google.instances[first] = {**drilled.google.instances[SOURCE], "name": first}
    result = drilled.drill()
    assert "another run of the drill is under way" in result["problems"][0]
    assert drilled.left() == [first]


def test_a_drill_goes_on_when_a_younger_one_waits(drilled: World) -> None:
    drilled.google.executions = [running(NOW + 5)]
    assert drilled.drill()["passed"]


@pytest.mark.parametrize("prefix", ["", "aiprod-", "aiprod-postgres", PREFIX])
@pytest.mark.parametrize("name", [SOURCE, "", "aiprod-postgres-replica-1"])
def test_the_source_is_never_deleted_whatever_input_and_prefix_say(prefix: str, name: str) -> None:
    with world({**ENVIRONMENT, "CLONE_PREFIX": prefix}) as one:
        one.google.instances["aiprod-postgres-replica-1"] = {"name": name, "settings": {}}
        with pytest.raises(WorkflowError, match="refused to delete"):
            one.workflow.run({"task": "clean", "instance": name})
        assert not [path for path in one.google.requests if path.startswith(("DELETE", "PATCH"))]


def test_a_source_that_is_named_like_a_clone_is_not_deleted() -> None:
    with world({**ENVIRONMENT, "SOURCE": f"{PREFIX}1700000000"}) as one:
        one.google.instances[f"{PREFIX}1700000000"] = one.google.instances.pop(SOURCE)
        with pytest.raises(WorkflowError, match="refused to delete"):
            one.workflow.run({"task": "clean", "instance": f"{PREFIX}1700000000"})
        one.drill()
        assert f"{PREFIX}1700000000" in one.google.instances


def test_a_person_can_have_a_left_clone_deleted_and_again(drilled: World) -> None:
    drilled.google.instances[CLONE] = {**drilled.google.instances[SOURCE], "name": CLONE}
    call = {"task": "clean", "instance": CLONE}
    assert drilled.workflow.run(call) == {"kind": "deleted", "instance": CLONE}
    assert drilled.workflow.run(call) == {"kind": "absent", "instance": CLONE}


def test_an_unknown_task_is_refused(drilled: World) -> None:
    with pytest.raises(WorkflowError, match="task must be drill, watch or clean, got restore"):
        drilled.workflow.run({"task": "restore"})


DAY = 86_400


@pytest.mark.parametrize(
    ("created", "passed", "kind"),
    [
        (1, None, "fresh"),
        (31, None, "fresh"),
        (33, None, "overdue"),
        (400, 1, "fresh"),
        (400, 31.9, "fresh"),
        (400, 32.1, "overdue"),
        (400, 89, "overdue"),
    ],
)
def test_the_watch_tells_by_the_last_drill_that_passed(
    drilled: World, created: float, passed: float | None, kind: str
) -> None:
    google = drilled.google
    google.workflow_created = NOW - created * DAY
    # Runs of the watch succeed every day, and are no drills.
    google.executions = [
        {"state": "SUCCEEDED", "endTime": stamp(NOW - DAY), "result": '{"kind": "fresh"}'},
        *(
            [{"state": "SUCCEEDED", "endTime": stamp(NOW - passed * DAY), "result": '{"kind": "done"}'}]
            if passed is not None
            else []
        ),
        {"state": "FAILED", "endTime": stamp(NOW), "result": '{"kind": "done"}'},
    ]
    assert drilled.workflow.run({"task": "watch"})["kind"] == kind
    ((severity, entry),) = logged(drilled)
    assert (severity, entry["kind"]) == ("INFO" if kind == "fresh" else "ERROR", kind)


def test_a_watch_that_cannot_see_says_nothing_so_that_silence_alarms(drilled: World) -> None:
    drilled.google.faults = [Fault("GET", "/executions", 403)]
    with pytest.raises(WorkflowError):
        drilled.workflow.run({"task": "watch"})
    assert logged(drilled) == []


def test_the_watch_does_not_touch_the_clone_of_a_drill_under_way(drilled: World) -> None:
    drilled.google.executions = [running(NOW - 60), {**running(NOW), "name": f"{WORKFLOW}/executions/mine"}]
    drilled.google.instances[CLONE] = {**drilled.google.instances[SOURCE], "name": CLONE}
    drilled.workflow.run({"task": "watch"})
    assert drilled.left() == [CLONE]


def test_the_definition_is_within_google_s_limits() -> None:
    assert len(DEFINITION.read_bytes()) < 128 * 1024

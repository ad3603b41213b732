"""Office hours as the stack files make them: dev stops, staging and prod never do."""

from __future__ import annotations

from typing import Any

import pytest

from config import Settings, parse
from naming import Names
from stacks.platform import SYSTEM, platform
from tests.recording import Build, Recorded, Recorder
from tests.stack_files import lookups, settings, values

JOB = "cloudscheduler/job:Job"
OTHER_HOURS = {"kind": "office_hours", "start_hour": 9, "stop_hour": 18}


def record(given: Settings) -> Recorder:
    """The whole platform."""
    recorder = Recorder()
    recorder.invokes = lookups()
    build = Build(recorder)
    build(lambda: platform(given))
    build.close()
    return recorder


def changed(**schedules: Any) -> Settings:
    """dev with other schedules, by section."""
    given = values("dev")
    for section, schedule in schedules.items():
        given[section] = {**given[section], "schedule": schedule}
    return parse(given)


def hours(recorder: Recorder) -> dict[str, str]:
    """The jobs that stop and start something: the others call functions."""
    return {
        job.name: job.inputs["schedule"]
        for job in recorder.of_type(JOB)
        if "aiprod:compute:OfficeHours" in job.parent
    }


def primary(recorder: Recorder) -> Recorded:
    return recorder.one("sql/databaseInstance:DatabaseInstance", "postgres")


def test_dev_stops_database_and_workers_at_night_and_at_the_weekend() -> None:
    recorder = record(settings("dev"))
    assert hours(recorder) == {
        "office-hours-database-start": "0 8 * * 1-5",
        "office-hours-database-stop": "0 20 * * 1-5",
        "office-hours-worker-start": "0 8 * * 1-5",
        "office-hours-scaler-start": "0 8 * * 1-5",
        "office-hours-scaler-stop": "0 20 * * 1-5",
        "office-hours-worker-stop": "0 20 * * 1-5",
    }
    assert "settings.activationPolicy" in primary(recorder).ignore_changes
    pool = recorder.one("cloudrunv2/workerPool:WorkerPool")
    assert pool.ignore_changes == ("scaling.manualInstanceCount",)


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_elsewhere_nothing_stops(stack: str) -> None:
    recorder = record(settings(stack))
    assert hours(recorder) == {}
    assert primary(recorder).ignore_changes == ("settings.diskSize",)
    pools = recorder.of_type("cloudrunv2/workerPool:WorkerPool")
    assert {pool.ignore_changes for pool in pools} == {("scaling.manualInstanceCount",)}


def test_database_and_workers_can_keep_different_hours() -> None:
    recorder = record(changed(workers=OTHER_HOURS))
    assert hours(recorder) == {
        "office-hours-database-start": "0 8 * * 1-5",
        "office-hours-database-stop": "0 20 * * 1-5",
        "worker-hours-worker-start": "0 9 * * 1-5",
        "worker-hours-scaler-start": "0 9 * * 1-5",
        "worker-hours-scaler-stop": "0 18 * * 1-5",
        "worker-hours-worker-stop": "0 18 * * 1-5",
    }


def test_without_a_release_there_are_no_workers_to_stop() -> None:
    given = values("dev")
    del given["release"]
    assert set(hours(record(parse(given)))) == {"office-hours-database-start", "office-hours-database-stop"}


def test_account_is_named_by_the_house_rule() -> None:
    account = record(settings("dev")).one("serviceaccount/account:Account", "office-hours")
    names = Names(system=SYSTEM, environment="dev", project_id="aiprod-example")
    assert account.inputs["accountId"] == names.service_account("office-hours")

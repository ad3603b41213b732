"""Office hours: two jobs for each thing that is stopped, an account of their own, least rights."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from components.compute.office_hours import OFFICE_HOURS_ROLE, OfficeHours, OfficeHoursArgs, ScheduledPool
from tests.recording import Build, Recorder

JOB = "cloudscheduler/job:Job"
POOL = ScheduledPool(
    pool_name="aiprod-worker",
    instances=2,
    account_id="projects/p-example/serviceAccounts/aiprod-worker@p-example.iam.gserviceaccount.com",
)


def example_args(**changes: Any) -> OfficeHoursArgs:
    """A database and a pool."""
    values: dict[str, Any] = {
        "project": "p-example",
        "region": "europe-west1",
        "account_id": "aiprod-office-hours",
        "role_id": "aiprod_office_hours",
        "start_hour": 8,
        "stop_hour": 20,
        "time_zone": "Europe/Paris",
        "database": "aiprod-postgres",
        "pools": {"worker": POOL},
    }
    return OfficeHoursArgs(**{**values, **changes})


def test_the_deployer_acts_as_the_jobs_account_before_a_job_is_made(build: Build, recorder: Recorder) -> None:
    member = "serviceAccount:aiprod-deployer@p-example.iam.gserviceaccount.com"
    build(lambda: OfficeHours("hours", example_args(deployer=member)))
    grant = recorder.one("serviceaccount/iAMMember:IAMMember", "hours-deployer")
    assert (grant.inputs["role"], grant.inputs["member"]) == ("roles/iam.serviceAccountUser", member)
    assert "aiprod-office-hours@" in grant.inputs["serviceAccountId"]
    assert all(grant.urn in job.dependencies for job in recorder.of_type(JOB))


def test_fails_when_the_deployer_is_no_member() -> None:
    with pytest.raises(ValueError, match="deployer must be written as serviceAccount:"):
        example_args(deployer="aiprod-deployer")


def calls(recorder: Recorder) -> dict[str, tuple[str, str, str, Any]]:
    """Each job: when, how and what it asks for."""
    return {
        job.name: (
            job.inputs["schedule"],
            job.inputs["httpTarget"]["httpMethod"],
            job.inputs["httpTarget"]["uri"],
            json.loads(base64.b64decode(job.inputs["httpTarget"]["body"])),
        )
        for job in recorder.of_type(JOB)
    }


def test_each_is_started_and_stopped_on_working_days(build: Build, recorder: Recorder) -> None:
    build(lambda: OfficeHours("office-hours", example_args()))
    database = "https://sqladmin.googleapis.com/v1/projects/p-example/instances/aiprod-postgres"
    pool = (
        "https://run.googleapis.com/v2/projects/p-example/locations/europe-west1/workerPools/aiprod-worker"
        "?updateMask=scaling.manualInstanceCount"
    )
    morning, evening = "0 8 * * 1-5", "0 20 * * 1-5"
    assert calls(recorder) == {
        "office-hours-database-start": (
            morning,
            "PATCH",
            database,
            {"settings": {"activationPolicy": "ALWAYS"}},
        ),
        "office-hours-database-stop": (
            evening,
            "PATCH",
            database,
            {"settings": {"activationPolicy": "NEVER"}},
        ),
        "office-hours-worker-start": (morning, "PATCH", pool, {"scaling": {"manualInstanceCount": 2}}),
        "office-hours-worker-stop": (evening, "PATCH", pool, {"scaling": {"manualInstanceCount": 0}}),
    }
    assert {job.inputs["timeZone"] for job in recorder.of_type(JOB)} == {"Europe/Paris"}


def test_jobs_may_do_no_more_than_they_do(build: Build, recorder: Recorder) -> None:
    build(lambda: OfficeHours("office-hours", example_args(pools={})))
    role = recorder.one("IAMCustomRole").inputs
    assert role["permissions"] == ["cloudsql.instances.get", "cloudsql.instances.update"]
    assert recorder.of_type("serviceaccount/iAMMember:IAMMember") == []


def test_who_changes_a_pool_acts_as_its_account(build: Build, recorder: Recorder) -> None:
    build(lambda: OfficeHours("office-hours", example_args(database=None)))
    assert recorder.one("IAMCustomRole").inputs["permissions"] == [
        "run.workerpools.get",
        "run.workerpools.update",
    ]
    grant = recorder.one("serviceaccount/iAMMember:IAMMember").inputs
    assert (grant["serviceAccountId"], grant["role"]) == (POOL.account_id, "roles/iam.serviceAccountUser")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stop_hour": 8}, "stop_hour must be between 9 and 23 o'clock, got 8"),
        ({"start_hour": 23}, "start_hour must be between 0 and 22 o'clock, got 23"),
        ({"database": None, "pools": {}}, "database, pools or clocks must be given, got none"),
        ({"account_id": "x"}, "service account id name must have 6 to 30 characters"),
    ],
)
def test_fails_when_nothing_can_be_scheduled(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        example_args(**changes)


def test_fails_when_a_pool_has_nothing_to_stop() -> None:
    with pytest.raises(ValueError, match="instances must be between 0 and 1000 instances, got -1"):
        ScheduledPool(pool_name="aiprod-worker", instances=-1, account_id="account")


def test_a_pool_that_its_scaler_starts_is_only_stopped(build: Build, recorder: Recorder) -> None:
    scaled = ScheduledPool(pool_name="aiprod-worker", instances=0, account_id=POOL.account_id)
    build(lambda: OfficeHours("hours", example_args(database=None, pools={"worker": scaled})))
    assert recorder.names(JOB) == ["hours-worker-stop"]


def test_a_clock_is_paused_and_resumed(build: Build, recorder: Recorder) -> None:
    clock = "projects/p-example/locations/europe-west1/jobs/scaler-1234567"
    build(lambda: OfficeHours("hours", example_args(database=None, pools={}, clocks={"scaler": clock})))
    url = f"https://cloudscheduler.googleapis.com/v1/{clock}"
    assert calls(recorder) == {
        "hours-scaler-start": ("0 8 * * 1-5", "POST", f"{url}:resume", {}),
        "hours-scaler-stop": ("0 20 * * 1-5", "POST", f"{url}:pause", {}),
    }
    assert recorder.one("IAMCustomRole").inputs["permissions"] == [
        "cloudscheduler.jobs.enable",
        "cloudscheduler.jobs.pause",
    ]


def test_a_role_that_stands_is_granted_and_none_is_made(build: Build, recorder: Recorder) -> None:
    role = "projects/p-example/roles/aiprod_office_hours"
    build(lambda: OfficeHours("hours", example_args(role=role)))
    assert recorder.names("IAMCustomRole") == []
    grant = recorder.one("projects/iAMMember:IAMMember", "hours")
    assert grant.inputs["role"] == role
    assert all(grant.urn in job.dependencies for job in recorder.of_type(JOB))


def test_the_role_made_beforehand_allows_what_the_own_one_does(build: Build, recorder: Recorder) -> None:
    clocks = {"scaler": "projects/p-example/locations/europe-west1/jobs/scaler-1234567"}
    build(lambda: OfficeHours("hours", example_args(clocks=clocks)))
    made = recorder.one("IAMCustomRole").inputs
    assert tuple(made["permissions"]) == OFFICE_HOURS_ROLE.permissions

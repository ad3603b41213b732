"""The scaler: its clock, its rights, what it hands to the function, what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.compute.pool_scaler import PoolScaler, PoolScalerArgs, ScaledPool, ScaledQueue
from components.compute.source_function import DirectVpc
from facts.refusal import RefusedError
from tests.components.compute.test_source_function import example_build
from tests.recording import Build, Recorder

ROOT = Path(__file__).parents[3]
MEMBER = "serviceAccount:scaler@p.iam.gserviceaccount.com"


def example_pool(**changes: Any) -> ScaledPool:
    values: dict[str, Any] = {
        "pool_name": "aiprod-worker",
        "location": "europe-west1",
        "account_id": "projects/p/serviceAccounts/worker@p.iam.gserviceaccount.com",
        "minimum": 1,
        "maximum": 20,
        "queues": (ScaledQueue(subscription="aiprod-job-processor", promise_seconds=300, job_seconds=60),),
    }
    return ScaledPool(**values | changes)


def example_args() -> PoolScalerArgs:
    return PoolScalerArgs(
        project="p",
        location="europe-west1",
        service_name="scaler",
        source=ROOT / "operations" / "scaler",
        build=example_build(),
        service_account="scaler@p.iam.gserviceaccount.com",
        member=MEMBER,
        scheduler="clock@p.iam.gserviceaccount.com",
        scheduler_member="serviceAccount:clock@p.iam.gserviceaccount.com",
        role_prefix="scaler",
        kms_key="projects/p/locations/europe-west1/keyRings/k/cryptoKeys/run",
        vpc=DirectVpc(network="n", subnetwork="s"),
        labels={"component": "scaler"},
        pools={"worker": example_pool()},
    )


def test_is_called_each_minute_as_the_scheduler(build: Build, recorder: Recorder) -> None:
    build(lambda: PoolScaler("scaler", example_args()))
    job = recorder.one("gcp:cloudscheduler/job:Job").inputs
    assert (job["schedule"], job["retryConfig"]) == ("* * * * *", {"retryCount": 0})
    assert job["httpTarget"]["oidcToken"] == {
        "serviceAccountEmail": "clock@p.iam.gserviceaccount.com",
        "audience": job["httpTarget"]["uri"],
    }


def test_changes_the_pools_it_scales_and_no_other(build: Build, recorder: Recorder) -> None:
    build(lambda: PoolScaler("scaler", example_args()))
    on_project = recorder.one("gcp:projects/iAMMember:IAMMember").inputs
    on_pool = recorder.one("gcp:cloudrunv2/workerPoolIamMember:WorkerPoolIamMember").inputs
    assert (on_project["member"], on_pool["member"], on_pool["name"]) == (MEMBER, MEMBER, "aiprod-worker")
    roles = {
        one.inputs["roleId"]: one.inputs["permissions"]
        for one in recorder.of_type("gcp:projects/iAMCustomRole:IAMCustomRole")
    }
    assert roles == {
        "scaler_metrics": ["monitoring.timeSeries.list"],
        "scaler_pools": ["run.workerpools.get", "run.workerpools.update"],
    }
    acts = recorder.one("gcp:serviceaccount/iAMMember:IAMMember").inputs
    assert acts["serviceAccountId"] == "projects/p/serviceAccounts/worker@p.iam.gserviceaccount.com"


def test_grants_roles_that_stand_and_makes_none(build: Build, recorder: Recorder) -> None:
    args = replace(example_args(), metrics_role="projects/p/roles/m", pools_role="projects/p/roles/w")
    build(lambda: PoolScaler("scaler", args))
    assert not recorder.of_type("gcp:projects/iAMCustomRole:IAMCustomRole")
    assert recorder.one("gcp:projects/iAMMember:IAMMember").inputs["role"] == "projects/p/roles/m"
    on_pool = recorder.one("gcp:cloudrunv2/workerPoolIamMember:WorkerPoolIamMember")
    assert on_pool.inputs["role"] == "projects/p/roles/w"


def test_the_function_reads_what_is_declared(build: Build, recorder: Recorder) -> None:
    build(lambda: PoolScaler("scaler", example_args()))
    container = recorder.one("gcp:cloudrunv2/service:Service").inputs["template"]["containers"][0]
    variables = {one["name"]: one["value"] for one in container["envs"]}
    assert json.loads(variables["SCALER_CONFIG"]) == {
        "project": "p",
        "pools": {
            "aiprod-worker": {
                "location": "europe-west1",
                "minimum": 1,
                "maximum": 20,
                "jobs_per_instance": 1,
                "queues": {"aiprod-job-processor": {"promise_seconds": 300, "job_seconds": 60}},
            }
        },
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"minimum": 21}, "minimum must be between 0 and 20 instances, got 21"),
        ({"minimum": -1}, "minimum must be between 0 and 20 instances, got -1"),
        ({"maximum": 0, "minimum": 0}, "maximum must be between 1 and 1000 instances, got 0"),
        ({"maximum": 1_001}, "maximum must be between 1 and 1000 instances, got 1001"),
        ({"jobs_per_instance": 0}, "jobs_per_instance must be between 1 and 100 messages, got 0"),
        ({"queues": ()}, "queues must name at least one subscription, got none; leave the pool out"),
    ],
)
def test_fails_when_a_pool_cannot_be_scaled(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        example_pool(**changes)


@pytest.mark.parametrize(
    ("promise", "job", "message"),
    [
        (299, 60, "promise_seconds must be between 300 and 86400 seconds, got 299"),
        (86_401, 60, "promise_seconds must be between 300 and 86400 seconds, got 86401"),
        (300, 0, "job_seconds must be between 1 and 3600 seconds, got 0"),
        (300, 3_601, "job_seconds must be between 1 and 3600 seconds, got 3601"),
    ],
)
def test_fails_when_a_queue_cannot_be_served(promise: int, job: int, message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        ScaledQueue(subscription="s", promise_seconds=promise, job_seconds=job)


def test_fails_when_nothing_is_scaled_or_not_each_minute() -> None:
    with pytest.raises(RefusedError, match="pools must name at least one worker pool, got none"):
        replace(example_args(), pools={})
    with pytest.raises(RefusedError, match="schedule must run each minute of its hours"):
        replace(example_args(), schedule="*/5 * * * *")

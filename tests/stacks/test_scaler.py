"""The scaler in each environment: what it scales, within which bounds, when, and that sleep stops it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.stacks.test_operations import recorded, settings

STACKS = ("dev", "staging", "prod")
JOB = "gcp:cloudscheduler/job:Job"
POOL = "gcp:cloudrunv2/workerPool:WorkerPool"


def config(stack: str) -> dict[str, Any]:
    container = (
        recorded(stack).one("gcp:cloudrunv2/service:Service", "scaler").inputs["template"]["containers"][0]
    )
    variables = {one["name"]: one["value"] for one in container["envs"]}
    return json.loads(variables["SCALER_CONFIG"])


@pytest.mark.parametrize("stack", STACKS)
def test_every_pool_is_scaled_on_what_it_pulls_within_its_bounds(stack: str) -> None:
    found, pools = settings(stack), config(stack)["pools"]
    workers = found.workers
    bounds = {workers.pool: workers.scaling, workers.batch_pool: workers.batch_scaling}
    declared = {one.inputs["name"]: one.inputs for one in recorded(stack).of_type(POOL)}
    assert set(pools) == set(declared)
    for name, pool in pools.items():
        scaling = bounds[name]
        assert scaling is not None
        assert (pool["minimum"], pool["maximum"]) == (scaling.min_instances, scaling.max_instances)
        variables = {
            one["name"]: one.get("value", "") for one in declared[name]["template"]["containers"][0]["envs"]
        }
        pulled = {
            found.messaging.queues[key.removeprefix("SUBSCRIPTION_").lower()].subscription
            for key in variables
            if key.startswith("SUBSCRIPTION_")
        }
        assert set(pool["queues"]) == pulled
        assert variables["JOBS_PER_INSTANCE"] == str(pool["jobs_per_instance"])


@pytest.mark.parametrize("stack", STACKS)
def test_a_batch_may_wait_longer_than_an_interactive_job(stack: str) -> None:
    queues = {name: one for pool in config(stack)["pools"].values() for name, one in pool["queues"].items()}
    assert queues["aiprod-job-processor"]["promise_seconds"] == 300
    assert queues["aiprod-batch-processor"]["promise_seconds"] == 1_800


@pytest.mark.parametrize(
    ("stack", "schedule"), [("dev", "* 8-19 * * 1-5"), ("staging", "* * * * *"), ("prod", "* * * * *")]
)
def test_scales_each_minute_in_which_the_pools_may_run(stack: str, schedule: str) -> None:
    assert recorded(stack).one(JOB, "scaler").inputs["schedule"] == schedule


def test_what_sleeps_is_not_woken_by_the_scaler() -> None:
    """The schedule that stops the pool pauses the scaler's clock, and `make sleep` runs that schedule."""
    stops = {
        one.name: (
            one.inputs["httpTarget"]["uri"],
            json.loads(base64.b64decode(one.inputs["httpTarget"]["body"])),
        )
        for one in recorded("dev").of_type(JOB)
        if one.inputs["description"].startswith("Stop at ")
    }
    assert set(stops) == {
        "office-hours-database-stop",
        "office-hours-scaler-stop",
        "office-hours-worker-stop",
    }
    assert stops["office-hours-scaler-stop"][0].endswith(":pause")
    assert stops["office-hours-worker-stop"][1] == {"scaling": {"manualInstanceCount": 0}}

"""Cloud Run, Pub/Sub, Scheduler, Tasks, Workflows."""

from __future__ import annotations

from typing import Any, Final

from sandbox.cloud.computed.making import Making, computes
from sandbox.cloud.data import Values
from sandbox.cloud.revisions import first_revision, next_revision

_REGION_CODES: Final = {
    "europe-north1": "lz",
    "europe-west1": "ew",
    "europe-west2": "nw",
    "europe-west3": "ey",
    "europe-west4": "ez",
    "europe-west6": "oa",
    "europe-west8": "oc",
    "europe-west9": "od",
    "us-central1": "uc",
    "us-east1": "ue",
}


def _ready(making: Making) -> dict[str, Any]:
    return {
        "type": "Ready",
        "state": "CONDITION_SUCCEEDED",
        "lastTransitionTime": making.seeds.time(),
        "message": "",
        "reason": "",
        "revisionReason": "",
        "executionReason": "",
        "severity": "",
    }


def _revision(making: Making) -> str:
    record = making.world.get(making.type, making.id)
    newest = None if record is None else record.outputs.get("latestCreatedRevision")
    if record is None or not isinstance(newest, str):
        return first_revision(making.id, making.get("template"))
    return next_revision(making.id, making.get("template"), record.inputs.get("template"), newest)


def _common(making: Making) -> Values:
    return {
        "conditions": [],
        "terminalConditions": [_ready(making)],
        "reconciling": False,
        "creator": f"deployer@{making.project}.iam.gserviceaccount.com",
        "lastModifier": f"deployer@{making.project}.iam.gserviceaccount.com",
        "launchStage": "GA",
        "deleteTime": "",
        "expireTime": "",
    }


@computes("gcp:cloudrunv2/service:Service")
def _run_service(making: Making) -> Values:
    code = _REGION_CODES.get(making.region, making.region[:2])
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    short = making.seeds.pick("host", letters, 10)
    uri = f"https://{making.name}-{short}-{code}.a.run.app"
    revision = _revision(making)
    return {
        **_common(making),
        "uri": uri,
        "urls": [f"https://{making.name}-{making.number}.{making.region}.run.app", uri],
        "latestCreatedRevision": revision,
        "latestReadyRevision": revision,
        "ingress": "INGRESS_TRAFFIC_ALL",
        "traffics": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}],
        "trafficStatuses": [
            {
                "type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST",
                "percent": 100,
                "revision": "",
                "tag": "",
                "uri": "",
            }
        ],
    }


@computes("gcp:cloudrunv2/workerPool:WorkerPool")
def _worker_pool(making: Making) -> Values:
    revision = _revision(making)
    return {
        **_common(making),
        "latestCreatedRevision": revision,
        "latestReadyRevision": revision,
        "instanceSplitStatuses": [
            {"type": "INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST", "percent": 100, "revision": ""}
        ],
    }


@computes("gcp:cloudrunv2/job:Job")
def _run_job(making: Making) -> Values:
    return {**_common(making), "executionCount": 0, "latestCreatedExecutions": []}


@computes("gcp:cloudscheduler/job:Job")
def _scheduler_job(making: Making) -> Values:
    return {"state": "PAUSED" if making.get("paused") else "ENABLED"}


@computes("gcp:cloudtasks/queue:Queue")
def _queue(making: Making) -> Values:
    return {"state": making.get("desiredState") or "RUNNING"}


@computes("gcp:pubsub/subscription:Subscription")
def _subscription(making: Making) -> Values:
    return {
        "ackDeadlineSeconds": 10,
        "expirationPolicy": {"ttl": "2678400s"},
    }

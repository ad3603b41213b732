"""The worker pool: no address, its own account, and a number of instances that the program owns."""

from __future__ import annotations

from typing import Any

import pytest

from components.compute.worker_pool import DirectVpc, SecretFile, SecretVersion, WorkerPool, WorkerPoolArgs
from tests.recording import Build, Recorder

IMAGE = "europe-docker.pkg.dev/p-example/aiprod/worker@sha256:" + "b" * 64
POOL = "cloudrunv2/workerPool:WorkerPool"


def example_args(**changes: Any) -> WorkerPoolArgs:
    """The smallest legal arguments."""
    values: dict[str, Any] = {
        "project": "p-example",
        "pool_name": "worker",
        "location": "europe-west1",
        "image": IMAGE,
        "service_account": "worker@p-example.iam.gserviceaccount.com",
        "kms_key": "projects/p-example/locations/europe-west1/keyRings/r/cryptoKeys/k",
        "vpc": DirectVpc(network="network", subnetwork="subnetwork"),
        "instances": 1,
        "labels": {"system": "aiprod"},
        "cpu": "2",
        "memory": "4Gi",
    }
    return WorkerPoolArgs(**{**values, **changes})


def inputs_of(build: Build, recorder: Recorder, **changes: Any) -> Any:
    build(lambda: WorkerPool("worker", example_args(**changes)))
    return recorder.one(POOL).inputs


def test_pool_runs_as_its_own_account_inside_the_network(build: Build, recorder: Recorder) -> None:
    assert inputs_of(build, recorder) == {
        "project": "p-example",
        "name": "worker",
        "location": "europe-west1",
        "scaling": {"scalingMode": "MANUAL", "manualInstanceCount": 1},
        "template": {
            "serviceAccount": "worker@p-example.iam.gserviceaccount.com",
            "encryptionKey": "projects/p-example/locations/europe-west1/keyRings/r/cryptoKeys/k",
            "vpcAccess": {
                "egress": "ALL_TRAFFIC",
                "networkInterfaces": [{"network": "network", "subnetwork": "subnetwork", "tags": []}],
            },
            "containers": [
                {
                    "name": "worker",
                    "image": IMAGE,
                    "resources": {"limits": {"cpu": "2", "memory": "4Gi"}},
                    "envs": [],
                    "volumeMounts": [],
                }
            ],
            "volumes": [],
            "labels": {"system": "aiprod"},
        },
        "instanceSplits": [{"type": "INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST", "percent": 100}],
        "deletionProtection": True,
        "labels": {"system": "aiprod"},
    }


def test_number_of_instances_is_the_programs(build: Build, recorder: Recorder) -> None:
    inputs_of(build, recorder, instances=3)
    pool = recorder.one(POOL)
    assert pool.inputs["scaling"]["manualInstanceCount"] == 3
    assert pool.ignore_changes == ()


def test_number_of_instances_is_the_schedules_where_there_is_one(build: Build, recorder: Recorder) -> None:
    inputs_of(build, recorder, scaled=True)
    assert recorder.one(POOL).ignore_changes == ("scaling.manualInstanceCount",)


def test_environment_secrets_files_and_database_reach_the_worker(build: Build, recorder: Recorder) -> None:
    ca = SecretFile(content=SecretVersion(secret="ca", version="1"), path="/etc/redis/ca.pem")
    template = inputs_of(
        build,
        recorder,
        environment={"QUEUE": "jobs"},
        secrets={"KEY": SecretVersion(secret="suno-api-key", version="3")},
        secret_files={"redis-ca": ca},
        cloud_sql_instances=("p:r:db",),
    )["template"]
    container = template["containers"][0]
    assert container["envs"] == [
        {"name": "QUEUE", "value": "jobs"},
        {"name": "KEY", "valueSource": {"secretKeyRef": {"secret": "suno-api-key", "version": "3"}}},
    ]
    assert template["volumes"] == [
        {"name": "redis-ca", "secret": {"secret": "ca", "items": [{"path": "ca.pem", "version": "1"}]}},
        {"name": "cloudsql", "cloudSqlInstance": {"instances": ["p:r:db"]}},
    ]
    assert container["volumeMounts"] == [
        {"name": "redis-ca", "mountPath": "/etc/redis"},
        {"name": "cloudsql", "mountPath": "/cloudsql"},
    ]


def test_without_protection_the_pool_can_go(build: Build, recorder: Recorder) -> None:
    assert inputs_of(build, recorder, deletion_protection=False)["deletionProtection"] is False


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": "europe-docker.pkg.dev/p/aiprod/worker:1"}, "image must be pinned as HOST/PATH@sha256"),
        ({"pool_name": "Worker"}, "run service name"),
        ({"cpu": "8", "memory": "2Gi"}, "memory must be between 4096 and 32768 Mi for 8 cpu, got '2Gi'"),
        ({"instances": -1}, "instances must be between 0 and 1000 instances, got -1"),
        ({"environment": {"K_SERVICE": "x"}}, "got 'K_SERVICE'"),
        (
            {
                "secret_files": {
                    "cloudsql": SecretFile(content=SecretVersion(secret="s", version="1"), path="/etc/x/a")
                }
            },
            "secret_files keys must be",
        ),
    ],
)
def test_fails_when_a_field_is_what_cloud_run_refuses(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        example_args(**changes)

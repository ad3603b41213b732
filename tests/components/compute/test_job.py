"""The job: run to its end by whoever may, as it is declared, inside the network."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.compute.job import DirectVpc, Job, JobArgs, ProjectPolicy, SecretFile, SecretVersion
from tests.recording import Build, Recorder

IMAGE = "europe-docker.pkg.dev/p-example/aiprod/api@sha256:" + "a" * 64
JOB = "cloudrunv2/job:Job"
GRANT = "cloudrunv2/jobIamMember:JobIamMember"


def example_args(**changes: Any) -> JobArgs:
    """The smallest legal arguments."""
    values: dict[str, Any] = {
        "project": "p-example",
        "job_name": "migration",
        "location": "europe-west1",
        "image": IMAGE,
        "command": ("alembic", "upgrade", "head"),
        "service_account": "migration@p-example.iam.gserviceaccount.com",
        "kms_key": "projects/p-example/locations/europe-west1/keyRings/r/cryptoKeys/k",
        "vpc": DirectVpc(network="network", subnetwork="subnetwork"),
        "labels": {"system": "aiprod"},
        "cpu": "1",
        "memory": "1Gi",
        "task_timeout_seconds": 3600,
    }
    return JobArgs(**{**values, **changes})


def inputs_of(build: Build, recorder: Recorder, **changes: Any) -> Any:
    build(lambda: Job("migration", example_args(**changes)))
    return recorder.one(JOB).inputs


def test_job_runs_its_command_once_as_its_own_account_inside_the_network(
    build: Build, recorder: Recorder
) -> None:
    assert inputs_of(build, recorder) == {
        "project": "p-example",
        "name": "migration",
        "location": "europe-west1",
        "template": {
            "taskCount": 1,
            "parallelism": 1,
            "labels": {"system": "aiprod"},
            "template": {
                "serviceAccount": "migration@p-example.iam.gserviceaccount.com",
                "encryptionKey": "projects/p-example/locations/europe-west1/keyRings/r/cryptoKeys/k",
                "executionEnvironment": "EXECUTION_ENVIRONMENT_GEN2",
                "timeout": "3600s",
                "maxRetries": 0,
                "vpcAccess": {
                    "egress": "ALL_TRAFFIC",
                    "networkInterfaces": [{"network": "network", "subnetwork": "subnetwork", "tags": []}],
                },
                "containers": [
                    {
                        "name": "job",
                        "image": IMAGE,
                        "commands": ["alembic"],
                        "args": ["upgrade", "head"],
                        "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
                        "envs": [],
                        "volumeMounts": [],
                    }
                ],
                "volumes": [],
            },
        },
        "deletionProtection": True,
        "labels": {"system": "aiprod"},
    }


def test_making_or_changing_the_job_starts_nothing(build: Build, recorder: Recorder) -> None:
    assert {"startExecutionToken", "runExecutionToken"} & set(inputs_of(build, recorder)) == set()


def test_without_executors_nobody_is_granted_anything(build: Build, recorder: Recorder) -> None:
    inputs_of(build, recorder)
    assert recorder.of_type(GRANT) == []


def test_executors_may_run_this_job_and_no_more(build: Build, recorder: Recorder) -> None:
    inputs_of(build, recorder, executors={"dba": "group:dba@example.com"})
    grant = recorder.one(GRANT)
    assert grant.name == "migration-executor-dba"
    assert {key: grant.inputs[key] for key in ("name", "role", "member")} == {
        "name": "migration",
        # Without overrides: not with another command.
        "role": "roles/run.jobsExecutor",
        "member": "group:dba@example.com",
    }


def test_tasks_are_as_many_as_asked_for(build: Build, recorder: Recorder) -> None:
    template = inputs_of(build, recorder, task_count=8, parallelism=4, max_retries=2)["template"]
    assert (template["taskCount"], template["parallelism"]) == (8, 4)
    assert template["template"]["maxRetries"] == 2


def test_environment_secrets_files_and_database_reach_the_task(build: Build, recorder: Recorder) -> None:
    ca = SecretFile(content=SecretVersion(secret="ca", version="1"), path="/etc/redis/ca.pem")
    template = inputs_of(
        build,
        recorder,
        environment={"DATABASE_NAME": "aiprod"},
        secrets={"KEY": SecretVersion(secret="suno-api-key", version="3")},
        secret_files={"redis-ca": ca},
        cloud_sql_instances=("p:r:db",),
    )["template"]["template"]
    container = template["containers"][0]
    assert container["envs"] == [
        {"name": "DATABASE_NAME", "value": "aiprod"},
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


def test_without_protection_the_job_can_go(build: Build, recorder: Recorder) -> None:
    assert inputs_of(build, recorder, deletion_protection=False)["deletionProtection"] is False


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": "europe-docker.pkg.dev/p/aiprod/api:1"}, "image must be pinned as HOST/PATH@sha256"),
        ({"job_name": "Migration"}, "run service name"),
        ({"command": ()}, r"command must name a program and have no empty part, got \[\]; correct it"),
        ({"command": ("alembic", "")}, "command must name a program and have no empty part"),
        ({"cpu": "8", "memory": "2Gi"}, "memory must be between 4096 and 32768 Mi for 8 cpu, got '2Gi'"),
        ({"environment": {"PORT": "1"}}, "got 'PORT'"),
        ({"parallelism": 2}, "parallelism must be between 1 and 1 tasks, got 2; correct it"),
    ],
)
def test_fails_when_a_field_is_what_cloud_run_refuses(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        example_args(**changes)


@pytest.mark.parametrize(
    ("field", "low", "high"),
    [
        ("task_timeout_seconds", 1, 604_800),
        ("max_retries", 0, 10),
        ("task_count", 1, 10_000),
    ],
)
@given(value=st.integers(min_value=-5, max_value=700_000))
def test_numbers_are_taken_within_cloud_runs_limits_only(field: str, low: int, high: int, value: int) -> None:
    for edge in (low - 1, low, high, high + 1, value):
        if low <= edge <= high:
            assert getattr(example_args(**{field: edge}), field) == edge
        else:
            with pytest.raises(ValueError, match=f"{field} must be between {low} and {high} "):
                example_args(**{field: edge})


def test_the_project_decides_which_images_run_where_it_is_asked(build: Build, recorder: Recorder) -> None:
    build(lambda: Job("job", example_args(image_admission=ProjectPolicy())))
    assert recorder.one("job:Job").inputs["binaryAuthorization"] == {"useDefault": True}

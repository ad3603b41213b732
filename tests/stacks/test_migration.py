"""The migration job in each environment: only with a release and its image, privately, as itself."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from config import ConfigError, parse
from naming import Names
from stacks.data import data
from stacks.foundation import foundation
from stacks.migration import migration
from stacks.providers import make_providers
from tests.recording import Build, Recorder
from tests.stack_files import STACKS, changed, lookups, values
from tests.stack_files import settings as settings_of

JOB = "cloudrunv2/job:Job"
GRANT = "cloudrunv2/jobIamMember:JobIamMember"
MIGRATION_IMAGE = "europe-docker.pkg.dev/aiprod-484120/aiprod/api@sha256:" + "d" * 64


def record(made: Any) -> Recorder:
    recorder = Recorder()
    recorder.invokes = lookups()

    def program() -> None:
        names = Names(system="aiprod", environment=made.environment, project_id=made.project_id)
        providers = make_providers(made)
        base = foundation(made, names, providers)
        migration(made, names, providers, base, data(made, names, providers, base))

    build = Build(recorder)
    build(program)
    build.close()
    return recorder


@cache
def recorded(stack: str, *, release: bool = True) -> Recorder:
    return record(settings_of(stack, release=release))


def task(recorder: Recorder) -> dict[str, Any]:
    return recorder.one(JOB).inputs["template"]["template"]


@pytest.mark.parametrize("stack", STACKS)
def test_without_a_release_there_is_no_job(stack: str) -> None:
    assert recorded(stack, release=False).of_type(JOB) == []


@pytest.mark.parametrize("stack", STACKS)
def test_job_runs_the_releases_image_as_the_migration_account_on_the_private_path(stack: str) -> None:
    settings = settings_of(stack)
    assert settings.release is not None
    found = task(recorded(stack))
    container = found["containers"][0]
    assert container["image"] == settings.release.images["api"]
    assert [*container["commands"], *container["args"]] == ["alembic", "upgrade", "head"]
    assert found["serviceAccount"].startswith("aiprod-migration@")
    assert found["vpcAccess"]["egress"] == "ALL_TRAFFIC"
    interfaces = found["vpcAccess"]["networkInterfaces"]
    assert [one["subnetwork"] for one in interfaces] == ["network-operations-europe-west1-id"]
    assert found["maxRetries"] == 0


@pytest.mark.parametrize("stack", STACKS)
def test_job_logs_in_to_the_primary_as_itself_without_a_password(stack: str) -> None:
    recorder = recorded(stack)
    variables = {env["name"]: env.get("value") for env in task(recorder)["containers"][0]["envs"]}
    assert set(variables) == {
        "DATABASE_INSTANCE",
        "DATABASE_NAME",
        "DATABASE_ROLE",
        "DATABASE_USER",
        "ENVIRONMENT",
        "GOOGLE_CLOUD_PROJECT",
        "GOOGLE_CLOUD_REGION",
        "PGOPTIONS",
    }
    assert variables["PGOPTIONS"] == f"-c role={variables['DATABASE_ROLE']}" == "-c role=aiprod_owner"
    user = recorder.one("sql/user:User", "postgres-user-migration").inputs
    assert user["type"] == "CLOUD_IAM_SERVICE_ACCOUNT"
    assert "passwordWo" not in user
    assert [volume["cloudSqlInstance"]["instances"] for volume in task(recorder)["volumes"]] == [
        [variables["DATABASE_INSTANCE"]]
    ]


def test_a_release_that_goes_back_keeps_the_newest_image_for_the_schema() -> None:
    made = values("dev")
    made["release"]["images"]["migration"] = MIGRATION_IMAGE
    assert task(record(parse(made)))["containers"][0]["image"] == MIGRATION_IMAGE


def test_operators_of_the_migration_may_run_it() -> None:
    recorder = record(parse(changed("migration.operators", ["dba@example.com"])))
    grant = recorder.one(GRANT)
    assert (grant.inputs["role"], grant.inputs["member"]) == (
        "roles/run.jobsExecutor",
        "group:dba@example.com",
    )


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("migration.command", [], "aiprod:migration.command must"),
        ("migration.command", [""], r"aiprod:migration.command\[0\] must"),
        ("migration.timeout_seconds", 59, "aiprod:migration.timeout_seconds must be greater than or equal"),
        ("migration.timeout_seconds", 86_401, "aiprod:migration.timeout_seconds must be less than or equal"),
        ("migration.cpu", "3", "aiprod:migration.cpu must be '1', '2', '4' or '8', got '3'"),
        ("migration.memory", "64Gi", "aiprod:migration.memory must be between"),
        (
            "migration.operators",
            ["dba"],
            r"aiprod:migration.operators\[0\] must be a mail address, got 'dba'",
        ),
        ("migration.job", "Migration", "aiprod:migration.job"),
        ("migration.retries", 3, "aiprod:migration.retries is not a known key"),
        (
            "release.images.migration",
            "europe-docker.pkg.dev/other/r/api@sha256:" + "d" * 64,
            "images.migration",
        ),
    ],
)
def test_fails_when_a_value_cannot_be_used(path: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(changed(path, value))


def test_where_the_first_region_is_lost_the_job_of_the_other_one_writes_to_the_promoted_database() -> None:
    made = values("prod")
    replica = "aiprod-postgres-replica-2"
    made["lost_region"] = "europe-west1"
    made["postgres"]["replicas"][replica] |= {"promoted": True, "availability": "REGIONAL"}
    recorder = record(parse(made))
    jobs = {job.name: job.inputs for job in recorder.of_type(JOB)}
    assert set(jobs) == {"migration-job", "migration-job-europe-west4"}
    task = jobs["migration-job-europe-west4"]["template"]["template"]
    variables = {env["name"]: env.get("value") for env in task["containers"][0]["envs"]}
    assert jobs["migration-job-europe-west4"]["location"] == "europe-west4"
    assert replica in str(variables["DATABASE_INSTANCE"])

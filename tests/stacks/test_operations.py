"""The rotator and the age watch as each environment has them: what they rotate, whom they wait for."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from bootstrap.access import GRANTABLE, GRANTABLE_OWN, OWN_ROLES
from config import Settings, parse
from naming import Names
from stacks.platform import platform
from tests.recording import Build, Recorder
from tests.stack_files import STACKS, lookups, settings, values

SERVICE = "gcp:cloudrunv2/service:Service"
SECRET = "gcp:secretmanager/secret:Secret"


@cache
def recorded(stack: str, *, release: bool = True) -> Recorder:
    return record(settings(stack, release=release))


def record(found: Settings) -> Recorder:
    recorder = Recorder()
    recorder.invokes = lookups()
    build = Build(recorder)
    build(lambda: platform(found))
    build.close()
    return recorder


def rotation(stack: str, *, release: bool = True) -> dict[str, Any]:
    container = recorded(stack, release=release).one(SERVICE, "rotator").inputs["template"]["containers"][0]
    return json.loads({one["name"]: one["value"] for one in container["envs"]}["ROTATION_CONFIG"])


@pytest.mark.parametrize("stack", STACKS)
def test_every_secret_that_announces_its_rotation_is_known_to_the_rotator(stack: str) -> None:
    announced = {
        secret.inputs["secretId"] for secret in recorded(stack).of_type(SECRET) if secret.inputs.get("topics")
    }
    config = rotation(stack)
    assert announced == {*config["databases"], *config["vendors"], *config["reminders"]}


@pytest.mark.parametrize("stack", STACKS)
def test_something_hears_the_rotation_topic(stack: str) -> None:
    recorder = recorded(stack)
    pushed = recorder.one("gcp:pubsub/subscription:Subscription", "rotator")
    assert pushed.inputs["topic"] == "rotation-id"
    (secret,) = {s.inputs["topics"][0]["name"] for s in recorder.of_type(SECRET)}
    assert secret == pushed.inputs["topic"]


@pytest.mark.parametrize("stack", STACKS)
def test_no_version_is_retired_that_a_workload_still_reads(stack: str) -> None:
    recorder = recorded(stack)
    found = settings(stack)
    workloads = {
        f"projects/{found.project_id}/locations/{one.inputs['location']}/{kind}/{one.inputs['name']}"
        for kind, type in (("services", SERVICE), ("workerPools", "gcp:cloudrunv2/workerPool:WorkerPool"))
        for one in recorder.of_type(type)
        if one.name not in ("rotator", "age-watch", "scaler", "restore-drill")
    }
    for consumers in rotation(stack)["consumers"].values():
        assert set(consumers) == workloads
    assert not any(rotation(stack, release=False)["consumers"].values())


@pytest.mark.parametrize("stack", STACKS)
def test_the_builder_reads_one_bucket_and_writes_one_repository(stack: str) -> None:
    grants = {
        (r.type.rpartition(":")[2], r.inputs["role"])
        for r in recorded(stack).resources
        if ":aiprod-function-builder@" in str(r.inputs.get("member"))
    }
    assert grants == {
        ("BucketIAMMember", "roles/storage.objectViewer"),
        ("RepositoryIamMember", "roles/artifactregistry.writer"),
        ("IAMMember", "roles/logging.logWriter"),
    }


@pytest.mark.parametrize("stack", STACKS)
def test_rotator_and_age_watch_share_no_account_and_no_clock(stack: str) -> None:
    recorder = recorded(stack)
    accounts = {
        name: recorder.one(SERVICE, name).inputs["template"]["serviceAccount"]
        for name in ("rotator", "age-watch")
    }
    assert len(set(accounts.values())) == 2
    assert recorder.one("gcp:cloudscheduler/job:Job", "rotator-sweep").inputs["pubsubTarget"]
    assert recorder.one("gcp:cloudscheduler/job:Job", "age-watch").inputs["httpTarget"]


def test_only_what_has_a_reason_is_spared_and_not_for_ever() -> None:
    container = recorded("prod").one(SERVICE, "age-watch").inputs["template"]["containers"][0]
    variables = {one["name"]: one["value"] for one in container["envs"]}
    assert set(json.loads(variables["AGE_WATCH_EXCEPTIONS"])) == {"aiprod-cache-auth", "aiprod-cache-ca"}


@pytest.mark.parametrize(
    ("promoted", "region"),
    [
        (None, "europe-west1"),
        ("aiprod-postgres-replica-1", "europe-west1"),
        ("aiprod-postgres-replica-2", "europe-west4"),
    ],
)
def test_the_drill_rehearses_what_is_written_to_wherever_it_lies(promoted: str | None, region: str) -> None:
    made = values("prod")
    if promoted is not None:
        made["postgres"]["replicas"][promoted] |= {"promoted": True, "availability": "REGIONAL"}
    recorder = record(parse(made))
    workflow = recorder.one("gcp:workflows/workflow:Workflow").inputs
    assert workflow["userEnvVars"]["SOURCE"] == (promoted or "aiprod-postgres")
    container = recorder.one(SERVICE, "restore-drill").inputs["template"]["containers"][0]
    config = json.loads({one["name"]: one["value"] for one in container["envs"]}["RESTORE_DRILL_CONFIG"])
    assert (config["source"], config["region"]) == (promoted or "aiprod-postgres", region)


@pytest.mark.parametrize("stack", STACKS)
def test_every_role_of_a_grant_stands_and_may_be_granted_by_the_deployer(stack: str) -> None:
    found = settings(stack)
    names = Names(system="aiprod", environment=found.environment, project_id=found.project_id)
    own = {names.role(purpose) for purpose in OWN_ROLES}
    grantable = GRANTABLE | {names.role(purpose) for purpose in GRANTABLE_OWN}
    for grant in recorded(stack).resources:
        role = str(grant.inputs.get("role", ""))
        assert not role.startswith("projects/") or role in own
        if grant.type == "gcp:projects/iAMMember:IAMMember":
            assert role in grantable
    assert not recorded(stack).of_type("gcp:projects/iAMCustomRole:IAMCustomRole")

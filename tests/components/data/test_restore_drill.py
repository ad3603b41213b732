"""The restore drill: what its account may do, how it is started, what it hands to the definition."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.compute.source_function import DirectVpc
from components.data.restore_drill import RestoreDrill, RestoreDrillArgs
from facts.refusal import RefusedError
from tests.components.compute.test_source_function import example_build
from tests.operations.restore_drill.drilling import DEFINITION, ENVIRONMENT, World, world
from tests.operations.restore_drill.expressions import WorkflowError
from tests.operations.restore_drill.stand_in import SOURCE
from tests.recording import Build, Recorder

ROOT = Path(__file__).parents[3]
MEMBER = "projects/iAMMember:IAMMember"


def example_args() -> RestoreDrillArgs:
    return RestoreDrillArgs(
        project="aiprod-example",
        location="europe-west1",
        workflow_name="restore-drill",
        service_name="restore-drill-check",
        source=ROOT / "operations" / "restore_drill",
        build=example_build(),
        service_account="drill@p.iam.gserviceaccount.com",
        member="serviceAccount:drill@p.iam.gserviceaccount.com",
        database_user="drill@p.iam",
        role_prefix="restore_drill",
        instance=SOURCE,
        instance_region="europe-west4",
        database="app",
        clone_prefix="aiprod-drill-",
        disk_size_gb=100,
        kms_key="projects/p/locations/europe-west1/keyRings/k/cryptoKeys/run",
        workflow_kms_key="projects/p/locations/europe-west1/keyRings/k/cryptoKeys/workflows",
        vpc=DirectVpc(network="n", subnetwork="s"),
        labels={"component": "restore-drill"},
    )


@pytest.fixture(name="made")
def _made(build: Build, recorder: Recorder) -> Recorder:
    build(lambda: RestoreDrill("restore-drill", example_args()))
    return recorder


def permissions(made: Recorder) -> Mapping[str, set[str]]:
    return {
        role.name: set(role.inputs["permissions"])
        for role in made.of_type("gcp:projects/iAMCustomRole:IAMCustomRole")
    }


def test_what_is_unconditional_changes_no_instance(made: Recorder) -> None:
    assert permissions(made)["restore-drill-reads"] == {
        "cloudsql.backupRuns.get",
        "cloudsql.backupRuns.list",
        "cloudsql.instances.clone",
        "cloudsql.instances.get",
        "cloudsql.instances.list",
        "workflows.executions.create",
        "workflows.executions.list",
        "workflows.workflows.get",
    }


def test_what_changes_an_instance_is_granted_on_clones_alone(made: Recorder) -> None:
    grant = made.one(f"gcp:{MEMBER}", "restore-drill-clones").inputs
    assert grant["condition"]["expression"] == (
        'resource.type == "sqladmin.googleapis.com/Instance" && '
        'resource.name.startsWith("projects/aiprod-example/instances/aiprod-drill-")'
    )
    assert "condition" not in made.one(f"gcp:{MEMBER}", "restore-drill-reads").inputs


def _allowed(made: Recorder, permission: str, instance: str) -> bool:
    """As Google judges it: the grants, with the one condition there is."""
    held = permissions(made)
    name = (
        permission
        if permission.startswith(("workflows.", "cloudsql."))
        else f"cloudsql.instances.{permission}"
    )
    return name in held["restore-drill-reads"] or (
        name in held["restore-drill-clones"] and instance.startswith("aiprod-drill-")
    )


def _drilled(change: Any = None) -> list[tuple[str, str]]:
    with world() as one:
        if change is not None:
            change(one)
        one.drill()
        for task in ({"task": "watch"}, {"task": "clean", "instance": SOURCE}):
            try:
                one.workflow.run(task)
            except WorkflowError:
                continue
        return one.google.permissions


def _no_point(one: World) -> None:
    one.google.instances[SOURCE]["settings"]["backupConfiguration"] = {"enabled": True}


@pytest.mark.parametrize("change", [None, _no_point])
def test_the_account_may_do_exactly_what_the_definition_asks_for(made: Recorder, change: Any) -> None:
    used = _drilled(change)
    assert {(permission, name) for permission, name in used if not _allowed(made, permission, name)} == set()


def test_every_permission_is_used(made: Recorder) -> None:
    used = {permission for change in (None, _no_point) for permission, _ in _drilled(change)}
    named = {one if "." in one else f"cloudsql.instances.{one}" for one in used}
    # Logging in and starting are the function's and the clocks'; a backup is restored by reading it.
    others = {
        "cloudsql.instances.connect",
        "cloudsql.instances.login",
        "cloudsql.backupRuns.get",
        "workflows.executions.create",
    }
    assert set().union(*permissions(made).values()) == named | others


@pytest.mark.parametrize("permission", ["delete", "update", "restoreBackup", "create"])
@pytest.mark.parametrize("instance", [SOURCE, "aiprod-postgres-replica-1", "aiprod-drill"])
def test_no_grant_lets_it_touch_another_instance(made: Recorder, permission: str, instance: str) -> None:
    assert not _allowed(made, permission, instance)


@pytest.mark.parametrize(("clock", "schedule"), [("drill", "30 4 1 * *"), ("watch", "41 5 * * *")])
def test_a_clock_starts_its_task_as_the_drills_account(made: Recorder, clock: str, schedule: str) -> None:
    job = made.one("gcp:cloudscheduler/job:Job", f"restore-drill-{clock}").inputs
    assert job["schedule"] == schedule
    target = job["httpTarget"]
    assert target["uri"] == "https://workflowexecutions.googleapis.com/v1/restore-drill-id/executions"
    assert target["oauthToken"]["serviceAccountEmail"] == "drill@p.iam.gserviceaccount.com"
    body = json.loads(base64.b64decode(target["body"]))
    assert json.loads(body["argument"]) == {"task": clock}


def test_the_definition_gets_every_variable_that_it_reads(made: Recorder) -> None:
    workflow = made.one("gcp:workflows/workflow:Workflow").inputs
    assert workflow["sourceContents"] == DEFINITION.read_text()
    own = {key for key in ENVIRONMENT if not key.startswith("GOOGLE")}
    assert set(workflow["userEnvVars"]) == own
    assert workflow["cryptoKeyName"].endswith("/workflows")
    values = {key: workflow["userEnvVars"][key] for key in ("PLANNED_RTO_SECONDS", "PROMISED_RTO_SECONDS")}
    # 300 s to decide, 600 s and 2.4 s a GB to restore, 300 s to verify.
    assert values == {"PLANNED_RTO_SECONDS": "1440", "PROMISED_RTO_SECONDS": "1800"}


def test_the_check_is_called_by_the_drill_alone_and_knows_the_source(made: Recorder) -> None:
    invoker = made.one("gcp:cloudrunv2/serviceIamMember:ServiceIamMember").inputs
    assert invoker["member"] == "serviceAccount:drill@p.iam.gserviceaccount.com"
    container = made.one("gcp:cloudrunv2/service:Service").inputs["template"]["containers"][0]
    config = json.loads({one["name"]: one["value"] for one in container["envs"]}["RESTORE_DRILL_CONFIG"])
    assert config == {
        "project": "aiprod-example",
        "region": "europe-west4",
        "database": "app",
        "user": "drill@p.iam",
        "source": SOURCE,
        "prefix": "aiprod-drill-",
    }


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"clone_prefix": "aiprod-"}, "clone_prefix must not begin the name of instance aiprod-postgres"),
        ({"clone_prefix": "aiprod-drill"}, "clone_prefix must be"),
        ({"clone_prefix": ""}, "clone_prefix must be"),
        ({"clone_prefix": "Drill-"}, "clone_prefix must be"),
        ({"schedule": "30 4 * * *"}, "schedule must be MINUTE HOUR DAY"),
        ({"schedule": "30 4 31 * *"}, "schedule must be MINUTE HOUR DAY"),
        ({"schedule": "30 4 1 1 *"}, "schedule must be MINUTE HOUR DAY"),
        ({"disk_size_gb": 9}, "disk_size_gb must be"),
    ],
)
def test_fails_when_it_could_harm_or_would_be_missed(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        replace(example_args(), **changes)

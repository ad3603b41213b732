"""One world for the drill's definition: a source with protection, backups, a clock, the check function."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from tests.operations.restore_drill.expressions import WorkflowError
from tests.operations.restore_drill.interpreter import Clock, Workflow, load
from tests.operations.restore_drill.stand_in import (
    CHECK_URL,
    PROJECT,
    SOURCE,
    WORKFLOW,
    Answer,
    Google,
    served,
    stamp,
)

__all__ = ["DEFINITION", "ENVIRONMENT", "NOW", "PREFIX", "World", "world"]

DEFINITION = Path(__file__).parents[3] / "operations" / "restore_drill" / "drill.yaml"
NOW = 1_796_083_200.0
PREFIX = "aiprod-drill-"
ENVIRONMENT = {
    "GOOGLE_CLOUD_PROJECT_ID": PROJECT,
    "GOOGLE_CLOUD_LOCATION": "europe-west1",
    "GOOGLE_CLOUD_WORKFLOW_ID": "restore-drill",
    "GOOGLE_CLOUD_WORKFLOW_EXECUTION_ID": "mine",
    "SOURCE": SOURCE,
    "CLONE_PREFIX": PREFIX,
    "CHECK_URL": CHECK_URL,
    "DECIDE_SECONDS": "300",
    "PLANNED_RTO_SECONDS": "1440",
    "PROMISED_RTO_SECONDS": "1800",
    "LOG_LIMIT_SECONDS": "1800",
    "OPERATION_LIMIT_SECONDS": "7200",
    "OVERDUE_DAYS": "32",
}
GOOD: Mapping[str, Any] = {
    "passed": True,
    "problems": [],
    "tables": {"exact": 5, "settled": 2, "unproven": 0},
    "newestRowAgeSeconds": 31,
}


@dataclass
class World:
    """What a test looks at and changes."""

    google: Google
    workflow: Workflow

    def drill(self, argument: Any = None) -> dict[str, Any]:
        """The result, whether the drill passed or failed."""
        own = {
            "name": f"{WORKFLOW}/executions/mine",
            "state": "ACTIVE",
            "startTime": stamp(self.google.clock.now),
        }
        self.google.executions.append(own)
        try:
            return self.workflow.run(argument)
        except WorkflowError as error:
            value = cast("dict[str, Any]", error.value)
            if "result" not in value:
                raise
            return value["result"]
        finally:
            self.google.executions.remove(own)

    def left(self) -> list[str]:
        """Instances besides the source."""
        self.google.settle()
        return sorted(set(self.google.instances) - {SOURCE})


def source(**changes: Any) -> dict[str, Any]:
    """The production instance as the API shows it."""
    settings = {
        "settingsVersion": "42",
        "tier": "db-custom-2-7680",
        "availabilityType": "REGIONAL",
        "dataDiskSizeGb": "100",
        "deletionProtectionEnabled": True,
        "retainBackupsOnDelete": True,
        "finalBackupConfig": {"enabled": True, "retentionDays": 30},
        "backupConfiguration": {"enabled": True, "pointInTimeRecoveryEnabled": True},
        "databaseFlags": [{"name": "cloudsql.iam_authentication", "value": "on"}],
        "ipConfiguration": {
            "ipv4Enabled": False,
            "privateNetwork": f"projects/{PROJECT}/global/networks/main",
            "allocatedIpRange": "psa-europe-west1",
        },
        **changes,
    }
    return {
        "name": SOURCE,
        "region": "europe-west1",
        "databaseVersion": "POSTGRES_17",
        "state": "RUNNABLE",
        "diskEncryptionConfiguration": {"kmsKeyName": "projects/p/locations/l/keyRings/r/cryptoKeys/sql"},
        "settings": settings,
    }


@contextmanager
def world(environment: Mapping[str, str] = ENVIRONMENT) -> Generator[World]:
    """Ready for a drill that passes: 10 minutes for a clone, 20 s for each look at the data."""
    clock = Clock(NOW)
    google = Google(clock, workflow_created=NOW - 86_400)
    google.instances[SOURCE] = source()
    google.seconds = {"CLONE": 600, "CREATE": 300, "RESTORE_VOLUME": 400, "DELETE": 30, "UPDATE": 20}
    google.backups = [
        {"kind": "sql#backupRun", "id": "300", "status": "FAILED", "startTime": stamp(NOW - 3_600)},
        {"kind": "sql#backupRun", "id": "200", "status": "SUCCESSFUL", "startTime": stamp(NOW - 7_200)},
        {"kind": "sql#backupRun", "id": "100", "status": "SUCCESSFUL", "startTime": stamp(NOW - 93_600)},
    ]

    def check(path: str, body: dict[str, Any]) -> Answer:
        clock.sleep(20)
        if path == "/reference":
            return 200, {"at": stamp(clock.now), "tables": {"public.jobs": {}}}, 0.0
        assert body["reference"]["tables"] == {"public.jobs": {}}
        return 200, dict(GOOD), 0.0

    google.check = check
    with served(google) as hosts:
        workflow = Workflow(load(DEFINITION), clock, environment, hosts)
        try:
            yield World(google, workflow)
        finally:
            workflow.close()

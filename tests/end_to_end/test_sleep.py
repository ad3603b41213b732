"""A stopped dev: an `up` neither wakes it by accident nor fails, and says when it needs it awake."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.end_to_end.conftest import Platform, Result

DATABASE = "gcp:sql/databaseInstance:DatabaseInstance"
POOL = "gcp:cloudrunv2/workerPool:WorkerPool"
TARGETS = [
    pytest.param("sandbox", id="sandbox"),
    pytest.param("sandbox-cli", id="real-cli", marks=pytest.mark.real_cli),
]


class Dev:
    """dev on one engine, and what its schedule does at the stand-in cloud."""

    def __init__(self, platform: Platform, target: str) -> None:
        self.platform, self.target = platform, target

    def up(self, *options: str) -> Result:
        return self.platform.run("up", "--target", self.target, *options)

    def changed(self, policy: str, instances: int) -> tuple[str, str]:
        """A fixture with what the jobs of `make sleep` or `make wake` change."""
        database, pool = self._live(DATABASE), self._live(POOL)
        drift = [
            {"type": DATABASE, "id": database["id"], "inputs": {"settings.activationPolicy": policy}},
            {"type": POOL, "id": pool["id"], "inputs": {"scaling.manualInstanceCount": instances}},
        ]
        path = self.platform.folder / "drift.yaml"
        path.write_text(yaml.safe_dump({"drift": drift}), encoding="utf-8")
        return "--fixture", str(path)

    def stands(self) -> tuple[str, int]:
        """Activation policy and number of workers at the stand-in cloud."""
        database, pool = self._live(DATABASE)["inputs"], self._live(POOL)["inputs"]
        return database["settings"]["activationPolicy"], int(pool["scaling"]["manualInstanceCount"])

    def _live(self, type: str) -> dict[str, Any]:
        path = "cli/dev/cloud.json" if self.target == "sandbox-cli" else "dev.cloud.json"
        world: Any = json.loads((self.platform.folder / ".sandbox" / path).read_text(encoding="utf-8"))
        (found,) = (row for row in world["resources"] if row["type"] == type)
        return found


def changes(result: Result) -> list[tuple[str, str]]:
    return sorted((step["op"], step["type"]) for step in result.report["steps"] if step["op"] != "same")


@pytest.mark.parametrize("target", TARGETS)
def test_an_up_leaves_a_sleeping_dev_asleep(platform: Platform, target: str) -> None:
    dev = Dev(platform, target)
    assert dev.up().code == 0
    # The scaler has raised the number of workers.
    busy = dev.up(*dev.changed("ALWAYS", 1))
    assert (busy.code, changes(busy), dev.stands()) == (0, [], ("ALWAYS", 1))

    for _ in range(2):
        asleep = dev.up(*dev.changed("NEVER", 0))
        assert (asleep.code, changes(asleep), dev.stands()) == (0, [], ("NEVER", 0))

    def other(config: dict[str, Any]) -> None:
        config["aiprod:postgres"].update(disk_autoresize_limit_gb=60)
        config["aiprod:workers"].update(memory="2Gi")

    platform.edit("dev", other)
    updated = dev.up()
    assert updated.code == 0
    # The forecast of the disk's alert follows the limit.
    assert {("update", POOL), ("update", DATABASE)} <= set(changes(updated))
    assert dev.stands() == ("NEVER", 0)

    platform.edit("dev", lambda config: config["aiprod:postgres"].update(database="other"))
    refused = dev.up()
    assert refused.code == 1
    assert "`make wake`" in refused.report["errors"][0]["message"], refused.report["errors"]
    assert dev.stands() == ("NEVER", 0)

    # The services read its name, so they change with it.
    woken = dev.up(*dev.changed("ALWAYS", 1))
    assert woken.code == 0
    assert ("replace", "gcp:sql/database:Database") in changes(woken)
    again = dev.up(*dev.changed("ALWAYS", 1))
    assert (again.code, changes(again), dev.stands()) == (0, [], ("ALWAYS", 1))

"""What each change of a cache or a bucket leads to: an update, what it does, a refused replacement."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.programs.running import Runner

ROOT = Path(__file__).parents[3]
STORES = {
    "gcp:memorystore/instance:Instance",
    "gcp:redis/instance:Instance",
    "gcp:storage/bucket:Bucket",
}

# store, change, what the report says of the update; nothing where nobody feels it.
UPDATES: list[tuple[str, dict[str, Any], str]] = [
    ("redis", {"memory_size_gb": 8}, "memorySizeGb "),
    ("redis", {"read_replicas": 2}, "replicaCount changes the bill"),
    ("redis", {"redis_version": "REDIS_7_2"}, "redisVersion "),
    ("redis", {"eviction": "volatile-lru"}, ""),
    ("redis", {"hour": 3}, ""),
    ("redis", {"labels": {"system": "aiprod", "team": "data"}}, ""),
    ("valkey", {"replicas": 2}, "replicaCount changes the bill"),
    ("valkey", {"engine_version": "VALKEY_8_0"}, "engineVersion cannot be undone"),
    ("valkey", {"eviction": "volatile-lru"}, ""),
    ("valkey", {"labels": {"system": "aiprod", "team": "data"}}, ""),
    ("bucket", {"days": 9}, "can lose data"),
    ("bucket", {"autoclass": "NEARLINE"}, ""),
    ("bucket", {"soft_delete_days": 14}, "changes the bill"),
    ("bucket", {"versioning": False}, "can lose data"),
    ("bucket", {"versioning": False, "retention_days": 5}, "can lose data"),
    ("bucket", {"labels": {"system": "aiprod", "team": "data"}}, ""),
]
REPLACED: list[tuple[str, dict[str, Any]]] = [
    ("redis", {"basic": True}),
    ("bucket", {"location": "europe-west4"}),
]


class Stores:
    """Caches and a bucket that stand, and what a change of them would do."""

    def __init__(self, folder: Path) -> None:
        self.program = Path(shutil.copytree(Path(__file__).parent / "stores", folder / "stores"))
        for room in ("components", "facts"):
            (self.program / room).symlink_to(ROOT / room)
        self.runner = Runner(folder / "report.json")

    def preview(self, change: dict[str, Any]) -> tuple[int, dict[str, Any], list[dict[str, Any]]]:
        """Exit code, report and the steps of stores that are none of `same`."""
        (self.program / "change.json").write_text(json.dumps(change), encoding="utf-8")
        code, report = self.runner("preview", self.program)
        return code, report, [s for s in report["steps"] if s["type"] in STORES and s["op"] != "same"]


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Stores:
    stores = Stores(tmp_path_factory.mktemp("stores"))
    code, report = stores.runner("up", stores.program)
    assert (code, report["errors"]) == (0, [])
    code, report = stores.runner("up", stores.program)
    assert (code, set(report["summary"])) == (0, {"same"})
    return stores


@pytest.mark.parametrize(("store", "change", "said"), UPDATES, ids=str)
def test_a_change_updates_and_what_it_does_is_noted(
    standing: Stores, store: str, change: dict[str, Any], said: str
) -> None:
    code, report, steps = standing.preview({store: change})
    assert (code, report["errors"]) == (0, [])
    assert {step["name"]: step["op"] for step in steps} == {store: "update"}
    effects = steps[0]["effects"]
    assert any(said in effect for effect in effects) if said else effects == []


@pytest.mark.parametrize(("store", "change"), REPLACED, ids=str)
def test_a_replacement_is_refused(standing: Stores, store: str, change: dict[str, Any]) -> None:
    code, report, _ = standing.preview({store: change})
    assert code == 1
    assert any(
        "protect" in error["message"] and f"{store} (" in error["message"] for error in report["errors"]
    )

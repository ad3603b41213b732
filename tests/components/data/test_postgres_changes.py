"""What each change of the database leads to: an update, an update that restarts, a refused replacement."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, cast

import pytest

from tests.sandbox.programs.running import Runner

ROOT = Path(__file__).parents[3]
KEEP = {"deletion_protection": True}
PRIMARY, REPLICA = "postgres", "postgres-r1"
DATABASE = "gcp:sql/databaseInstance:DatabaseInstance"

# change, instances that are updated, whether one of them restarts.
UPDATES: list[tuple[dict[str, Any], set[str], bool]] = [
    ({"tier": "db-custom-4-15360"}, {PRIMARY, REPLICA}, True),
    ({"tier": "db-custom-1-3840"}, {PRIMARY, REPLICA}, True),
    ({"replicas": {"r1": {"tier": "db-custom-4-15360"}}}, {REPLICA}, True),
    ({"flags": {"max_connections": "300"}}, {PRIMARY, REPLICA}, True),
    ({"flags": {"shared_buffers": "200000"}}, {PRIMARY, REPLICA}, True),
    ({"flags": {"max_worker_processes": "16"}}, {PRIMARY, REPLICA}, True),
    ({"flags": {"work_mem": "8192"}}, {PRIMARY, REPLICA}, False),
    ({"flags": {"log_min_duration_statement": "250"}}, {PRIMARY, REPLICA}, False),
    ({"flags": {"random_page_cost": "1.1"}}, {PRIMARY, REPLICA}, False),
    ({"replicas": {"r1": {"flags": {"work_mem": "8192"}}}}, {REPLICA}, False),
    ({"replicas": {"r1": {"flags": {"max_connections": "300"}}}}, {REPLICA}, True),
    ({"disk_size_gb": 200}, set(), False),
    ({"disk_autoresize_limit_gb": 900}, {PRIMARY, REPLICA}, False),
    ({"disk_autoresize_limit_gb": 200}, {PRIMARY, REPLICA}, False),
    ({"backups": {"kept": 60}}, {PRIMARY}, False),
    ({"backups": {"kept": 7}}, {PRIMARY}, False),
    ({"backups": {"point_in_time_days": 3}}, {PRIMARY}, False),
    ({"backups": {"start_time": "04:00"}}, {PRIMARY}, False),
    ({"backups": {"location": "europe-west1"}}, {PRIMARY}, False),
    ({"final_backup_days": 90}, {PRIMARY}, False),
    ({"maintenance": {"hour": 3}}, {PRIMARY}, False),
    ({"maintenance": {"day": 6}}, {PRIMARY}, False),
    ({"maintenance": {"track": "week5"}}, {PRIMARY}, False),
    ({"labels": {"system": "aiprod", "team": "data"}}, {PRIMARY, REPLICA}, False),
    ({"replicas": {"r1": {"promoted": True, "availability": "REGIONAL"}}}, {REPLICA}, False),
]
# change, how many instances appear.
ADDED: list[tuple[dict[str, Any], int]] = [
    ({"replicas": {"r1": {}, "r2": {}}}, 1),
    ({"replicas": {"r1": {}, "r2": {"region": "europe-west1"}}}, 1),
    ({"replicas": {"r1": {"replicas": {"db-below": {}}}}}, 1),
]
REPLACED: list[dict[str, Any]] = [
    {"instance_name": "db-other"},
    {"region": "europe-west4"},
    {"key": "other"},
    {"replicas": {"r1": {"region": "europe-west1"}}},
]


class Database:
    """A database that stands, and what a change of it would do."""

    def __init__(self, folder: Path) -> None:
        self.program = Path(shutil.copytree(Path(__file__).parent / "survivors", folder / "survivors"))
        for room in ("components", "facts"):
            (self.program / room).symlink_to(ROOT / room)
        self.runner = Runner(folder / "report.json")

    def change(self, values: dict[str, Any]) -> None:
        """Write the change."""
        (self.program / "change.json").write_text(json.dumps(values), encoding="utf-8")

    def preview(self, values: dict[str, Any]) -> tuple[int, dict[str, Any], list[dict[str, Any]]]:
        """Exit code, report and the steps of instances that are none of `same`."""
        self.change(values)
        code, report = self.runner("preview", self.program)
        steps = [step for step in report["steps"] if step["type"] == DATABASE and step["op"] != "same"]
        return code, report, steps


def standing(folder: Path, values: dict[str, Any]) -> Database:
    """A database of these arguments, deployed."""
    database = Database(folder)
    database.change(values)
    code, report = database.runner("up", database.program)
    assert (code, report["errors"]) == (0, [])
    return database


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """The database, protected against deletion."""
    return standing(tmp_path_factory.mktemp("kept"), KEEP)


@pytest.fixture(scope="module")
def given_up(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """The database with the named override: `deletion_protection` off."""
    return standing(tmp_path_factory.mktemp("given-up"), {})


def test_there_are_at_least_thirty_changes() -> None:
    assert len(UPDATES) + len(ADDED) + len(REPLACED) >= 30


def named(value: object) -> str:
    """The same name in each process that runs tests: sets have no order of their own."""
    return str(sorted(cast("set[str]", value))) if isinstance(value, set) else str(value)


@pytest.mark.parametrize(("values", "instances", "restarts"), UPDATES, ids=named)
def test_a_change_updates_and_a_restart_is_noted(
    kept: Database, values: dict[str, Any], instances: set[str], restarts: bool
) -> None:
    code, report, steps = kept.preview({**KEEP, **values})
    assert (code, report["errors"]) == (0, [])
    assert {step["name"]: step["op"] for step in steps} == dict.fromkeys(instances, "update")
    assert all(step["replace_reasons"] == [] for step in steps)
    noted = any("restarts the instance" in effect for step in steps for effect in step["effects"])
    assert noted is restarts, [step["effects"] for step in steps]


@pytest.mark.parametrize(("values", "count"), ADDED, ids=str)
def test_a_further_replica_leaves_the_others_alone(
    kept: Database, values: dict[str, Any], count: int
) -> None:
    code, report, steps = kept.preview({**KEEP, **values})
    assert (code, report["errors"]) == (0, [])
    assert [step["op"] for step in steps] == ["create"] * count


@pytest.mark.parametrize("values", REPLACED, ids=str)
def test_a_replacement_is_refused_without_the_override(kept: Database, values: dict[str, Any]) -> None:
    code, report, _ = kept.preview({**KEEP, **values})
    assert code != 0
    assert any("protect" in error["message"] for error in report["errors"]), report["errors"]


@pytest.mark.parametrize("values", REPLACED[:3], ids=str)
def test_the_named_override_allows_a_replacement(given_up: Database, values: dict[str, Any]) -> None:
    _, _, steps = given_up.preview(values)
    assert any(step["op"] == "replace" and step["name"] == PRIMARY for step in steps)

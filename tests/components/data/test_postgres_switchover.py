"""A switchover is two changes of the program, each an update: nothing is replaced and no data are lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.components.data.test_postgres_changes import DATABASE, KEEP, PRIMARY, REPLICA, standing

PAIR: dict[str, Any] = {**KEEP, "tier": "db-perf-optimized-N-2", "dr_replica": "r1"}
BEGUN, FINISHED = {**PAIR, "switchover": "begun"}, {**PAIR, "switchover": "finished"}


def changed_paths(steps: list[dict[str, Any]], name: str) -> set[str]:
    return {item["path"] for step in steps if step["name"] == name for item in step["diff"]}


def test_both_roles_are_exchanged_in_place(tmp_path: Path) -> None:
    database = standing(tmp_path, PAIR)
    code, report, steps = database.preview(BEGUN)
    assert (code, report["errors"]) == (0, [])
    assert {step["name"]: step["op"] for step in steps} == {REPLICA: "update"}
    # The provider says nothing of a primary that is taken away: its field may be computed.
    assert {"instanceType", "replicaNames"} <= changed_paths(steps, REPLICA)
    assert database.runner("up", database.program)[0] == 0

    # Google has made a replica of the old primary; the state learns it before the program says it.
    code, report = database.runner("refresh", database.program)
    assert code == 0
    (found,) = (step for step in report["steps"] if (step["name"], step["type"]) == (PRIMARY, DATABASE))
    assert {"instanceType", "masterInstanceName"} <= {item["path"] for item in found["diff"]}

    code, report, steps = database.preview(FINISHED)
    assert (code, report["errors"]) == (0, [])
    assert {step["op"] for step in steps} <= {"update"}
    assert not changed_paths(steps, PRIMARY) & {"instanceType", "masterInstanceName"}
    assert database.runner("up", database.program)[0] == 0
    assert database.preview(FINISHED)[2] == []


def test_declaring_the_old_primary_a_replica_before_google_made_it_one_is_refused(tmp_path: Path) -> None:
    database = standing(tmp_path, PAIR)
    code, report, _ = database.preview(FINISHED)
    assert code != 0
    assert any("masterInstanceName" in error["message"] for error in report["errors"]), report["errors"]

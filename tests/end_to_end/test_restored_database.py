"""A clone of the database takes over, as docs/runbooks/database-restore.md says, and nothing is lost."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from review.cli import main
from tests.end_to_end.conftest import REPOSITORY, Platform
from tests.end_to_end.scripted_import import scripted

SQL = "gcp:sql/databaseInstance:DatabaseInstance"
RUNBOOK = (REPOSITORY / "docs" / "runbooks" / "database-restore.md").read_text(encoding="utf-8")
URN = "urn:pulumi:prod::aiprod::aiprod:data:Postgres$gcp:sql/databaseInstance:DatabaseInstance::"
_BLOCKS = dict(re.findall(r"```(yaml|sh)\n(.*?)```", RUNBOOK, re.DOTALL))
# What the page says to write, and the rehearsal that it begins with.
DECLARED: dict[str, dict[str, Any]] = yaml.safe_load(_BLOCKS["yaml"])["aiprod:postgres"]["replicas"]
CLONE, BELOW = DECLARED
SOURCE = "aiprod-postgres"
REHEARSAL = f"make adopt STACK=prod ARGS='--clone {SOURCE} {CLONE}'"


def declare(platform: Platform, replicas: dict[str, Any], stack: str = "prod") -> None:
    def change(config: dict[str, Any]) -> None:
        config["aiprod:postgres"].setdefault("replicas", {}).update(replicas)

    platform.edit(stack, change)


def adopt(
    capsys: pytest.CaptureFixture[str], *options: str, source: str = SOURCE, stack: str = "prod"
) -> tuple[int, str]:
    code = main(["adopt", "--stack", stack, "--clone", source, CLONE, *options])
    captured = capsys.readouterr()
    assert "Traceback" not in captured.out + captured.err
    return code, captured.out + captured.err


def test_the_clone_is_imported_as_it_is_and_everything_writes_to_it(
    platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    declare(platform, DECLARED)
    path = platform.folder / "report.json"
    code, said = adopt(capsys, "--json", str(path))
    assert code == 0, said
    assert not (platform.folder / ".sandbox" / "prod.json").exists()
    found = json.loads(path.read_text(encoding="utf-8"))
    (row,) = found["adoption"]
    assert (row["id"], row["decision"], row["changes"]) == (CLONE, "import", [])
    (report,) = found["reports"]
    steps = {step["urn"].rsplit("::", 1)[-1]: step for step in report["steps"] if step["type"] == SQL}
    assert {name: step["op"] for name, step in steps.items() if step["op"] != "same"} == {
        f"postgres-restored-{BELOW.removeprefix('aiprod-postgres-')}": "create"
    }
    kinds = {
        step["type"].rsplit(":", 1)[-1]
        for step in report["steps"]
        if step["op"] not in ("same", "create", "update")
    }
    assert kinds == {"IAMMember"}
    changed = {step["name"]: step for step in report["steps"] if step["op"] == "update"}
    assert {"api-europe-west1", "api-europe-west4", "pool-worker", "pool-batch", "migration-job"} <= set(
        changed
    )
    imports = json.loads((platform.folder / "build" / "adopt-prod.json").read_text(encoding="utf-8"))
    assert [item["id"] for item in imports["resources"] if "id" in item] == [CLONE]


def test_the_page_rehearses_what_it_then_does() -> None:
    rehearsal, adoption, preview, up = _BLOCKS["sh"].splitlines()
    assert rehearsal == REHEARSAL
    assert adoption == rehearsal.replace("STACK=prod", "STACK=prod TARGET=gcp")
    assert [preview, up] == [f"make {command} STACK=prod TARGET=gcp" for command in ("preview", "up")]


def test_in_dev_a_clone_needs_no_copy_elsewhere(
    platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    declare(platform, {CLONE: {"region": "europe-west1", "promoted": True}}, "dev")
    code, said = adopt(capsys, stack="dev")
    assert code == 0, said


def changed(**of_clone: Any) -> dict[str, dict[str, Any]]:
    return {**DECLARED, CLONE: {**DECLARED[CLONE], **of_clone}}


PROMOTED = f"postgres.replicas.{CLONE}.promoted must be true, got"
PRIMARY = f"the clone's source must be a primary of the stack ({SOURCE}), got"
REFUSED: dict[str, tuple[dict[str, Any], str, int, str]] = {
    "not declared": ({}, SOURCE, 2, f"{PROMOTED} null"),
    "declared as a copy": (changed(promoted=False), SOURCE, 2, f"{PROMOTED} false"),
    "declared by nothing": ({CLONE: None}, SOURCE, 2, f"{PROMOTED} null"),
    "beside something malformed": ({**DECLARED, "x": 1}, SOURCE, 1, "postgres.replicas.x"),
    "made of something unknown": (DECLARED, "other", 2, f"{PRIMARY} 'other'"),
    "made of itself": (DECLARED, CLONE, 2, f"{PRIMARY} '{CLONE}'"),
    "made of a copy": (DECLARED, "aiprod-postgres-replica-1", 2, f"{PRIMARY} 'aiprod-postgres-replica-1'"),
    "no copy in the second region": ({CLONE: DECLARED[CLONE]}, SOURCE, 1, "must have a replica in"),
    "another region": (changed(region="europe-west4"), SOURCE, 1, "postgres-restored (DatabaseInstance)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_take_over_that_would_lose_something_is_refused(
    platform: Platform,
    capsys: pytest.CaptureFixture[str],
    case: str,
) -> None:
    replicas, source, code, sentence = REFUSED[case]
    declare(platform, replicas)
    found, said = adopt(capsys, source=source)
    assert found == code, said
    assert sentence in said
    assert not (platform.folder / "build" / "adopt-prod.json").exists()


def test_a_fixture_is_not_for_a_clone(platform: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = adopt(capsys, "--fixture", str(platform.folder / "Pulumi.yaml"))
    assert code == 2
    assert "a clone is adopted without --fixture: leave it out" in said


def test_google_is_asked_for_the_clone_alone_and_once(
    platform: Platform, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(platform, DECLARED)
    stack = scripted(monkeypatch)
    code, said = adopt(capsys, "--target", "gcp")
    assert code == 0, said
    assert stack.asked == [[CLONE]]
    stack.present.add(f"{URN}postgres-restored")
    code, said = adopt(capsys, "--target", "gcp")
    assert code == 0
    assert "everything to import is in the state already" in said
    assert len(stack.asked) == 1


@pytest.mark.real_cli
def test_the_real_cli_takes_it_over_too(platform: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    declare(platform, DECLARED)
    code, said = adopt(capsys, "--target", "sandbox-cli")
    assert code == 0, said
    assert "1 imported, nothing live deleted or replaced, and a further up changes nothing" in said

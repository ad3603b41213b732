"""A clone of the database takes over, as docs/runbooks/database-restore.md says, and nothing is lost."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from review.cli import main
from tests.end_to_end.conftest import REPOSITORY, Platform
from tests.end_to_end.scripted_import import adopted, scripted
from tests.repository import begin

SQL = "gcp:sql/databaseInstance:DatabaseInstance"
RUNBOOK = (REPOSITORY / "docs" / "runbooks" / "database-restore.md").read_text(encoding="utf-8")
URN = "urn:pulumi:prod::aiprod::aiprod:data:Postgres$gcp:sql/databaseInstance:DatabaseInstance::"
(_YAML,) = re.findall(r"```yaml\n(.*?)```", RUNBOOK, re.DOTALL)
*_, _COMMANDS = re.findall(r"```sh\n(.*?)```", RUNBOOK, re.DOTALL)
# What the page says to write, and the rehearsal that it begins with.
DECLARED: dict[str, dict[str, Any]] = yaml.safe_load(_YAML)["aiprod:postgres"]["replicas"]
CLONE, BELOW = DECLARED
SOURCE = "aiprod-postgres"
REHEARSAL = f"make adopt STACK=prod ARGS='--clone {SOURCE} {CLONE} --disk-size-gb 100'"


def change_postgres(platform: Platform, stack: str = "prod", **fields: Any) -> None:
    platform.edit(stack, lambda config: config["aiprod:postgres"].update(fields))


def declare(platform: Platform, replicas: dict[str, Any], stack: str = "prod") -> None:
    def change(config: dict[str, Any]) -> None:
        config["aiprod:postgres"].setdefault("replicas", {}).update(replicas)

    platform.edit(stack, change)


def adopt(
    capsys: pytest.CaptureFixture[str],
    *options: str,
    source: str = SOURCE,
    name: str = CLONE,
    stack: str = "prod",
) -> tuple[int, str]:
    return adopted(capsys, "--clone", source, name, *options, stack=stack)


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
    rehearsal, adoption, preview, up = _COMMANDS.splitlines()
    assert rehearsal == REHEARSAL
    assert adoption == rehearsal.replace("STACK=prod", "STACK=prod TARGET=gcp")
    assert [preview, up] == [f"make {command} STACK=prod TARGET=gcp" for command in ("preview", "up")]


def test_in_dev_a_clone_needs_no_copy_elsewhere(
    platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    declare(platform, {CLONE: {"region": "europe-west1", "promoted": True}}, "dev")
    code, said = adopt(capsys, stack="dev")
    assert code == 0, said


@pytest.mark.parametrize("kind", ["pinned", "canary"])
def test_a_stack_that_has_run_for_long_names_revisions_of_its_own(
    platform: Platform, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    named = dict.fromkeys(("europe-west1", "europe-west4"), "aiprod-v33-api-00007-abc")
    traffic: dict[str, dict[str, Any]] = {
        "pinned": {"kind": "pinned", "revisions": named},
        "canary": {"kind": "canary", "stable_revisions": named, "percent": 10},
    }
    worker = {"kind": "pinned", "revisions": {"europe-west1": "aiprod-worker-00003-abc"}}

    def change(config: dict[str, Any]) -> None:
        config["aiprod:release"] |= {"traffic": traffic[kind], "splits": {"worker": worker}}

    platform.edit("prod", change)
    declare(platform, DECLARED)
    code, said = adopt(capsys)
    assert code == 0, said


def test_after_a_promotion_the_clone_is_one_of_the_promoted_replica(
    platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    source = "aiprod-postgres-replica-2"
    promoted = {source: {"region": "europe-west4", "availability": "REGIONAL", "promoted": True}}
    clone = {**DECLARED[CLONE], "region": "europe-west4"}
    declare(platform, promoted | {CLONE: clone, BELOW: {"region": "europe-west1", "follows": CLONE}})
    code, said = adopt(capsys, source=source)
    assert (code, f"replicas.{CLONE}.follows must be {source}, which services write to" in said) == (2, True)
    declare(platform, {CLONE: {**clone, "follows": source}})
    code, said = adopt(capsys, source=source)
    assert code == 0, said


def test_a_copy_is_no_smaller_than_a_clone_that_has_grown(
    platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    declare(platform, DECLARED)
    code, said = adopt(capsys, "--disk-size-gb", "250")
    assert code == 1
    assert "must be at least the primary's, 250, not 100" in said
    change_postgres(platform, disk_size_gb=250)
    code, said = adopt(capsys, "--disk-size-gb", "250")
    assert code == 0, said


def changed(**of_clone: Any) -> dict[str, dict[str, Any]]:
    return {**DECLARED, CLONE: {**DECLARED[CLONE], **of_clone}}


PROMOTED = f"postgres.replicas.{CLONE}.promoted must be true, got"
PRIMARY = f"the clone's source must be a primary of the stack ({SOURCE}), got"
REFUSED: dict[str, tuple[dict[str, Any], str, int, str]] = {
    "not declared": ({}, SOURCE, 2, f"{PROMOTED} null"),
    "declared by nothing": ({CLONE: None}, SOURCE, 2, f"{PROMOTED} null"),
    "declared as a copy": (changed(promoted=False), SOURCE, 2, f"{PROMOTED} false"),
    "beside something malformed": ({**DECLARED, "x": 1}, SOURCE, 1, "postgres.replicas.x"),
    "itself malformed": (changed(regoin="x"), SOURCE, 1, f"postgres.replicas.{CLONE}"),
    "made of something unknown": (DECLARED, "other", 2, f"{PRIMARY} 'other'"),
    "made of itself": (DECLARED, CLONE, 2, f"replicas.{CLONE}.follows must be {CLONE}"),
    "made of a copy": (
        changed(follows="aiprod-postgres-replica-1"),
        "aiprod-postgres-replica-1",
        2,
        f"{PRIMARY} 'aiprod-postgres-replica-1'",
    ),
    "no copy in the second region": ({CLONE: DECLARED[CLONE]}, SOURCE, 1, "must have a replica in"),
    "another region": (changed(region="europe-west4"), SOURCE, 1, "postgres-restored (DatabaseInstance)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_take_over_that_would_lose_something_is_refused(
    platform: Platform, capsys: pytest.CaptureFixture[str], case: str
) -> None:
    replicas, source, code, sentence = REFUSED[case]
    declare(platform, replicas)
    path = platform.folder / "report.json"
    found, said = adopt(capsys, "--json", str(path), source=source)
    assert found == code, said
    assert sentence in said
    assert not (platform.folder / "build" / "adopt-prod.json").exists()
    if code == 1:
        assert any(sentence in one for one in json.loads(path.read_text(encoding="utf-8"))["refusals"])


def test_while_a_switchover_stands_no_clone_takes_over(
    platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    declare(platform, DECLARED)
    change_postgres(platform, dr_replica="aiprod-postgres-replica-2", switchover="finished")
    code, said = adopt(capsys)
    assert code == 2
    assert 'postgres.switchover must be left out while a clone takes over, got "finished"' in said


def drop(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda replicas: replicas.pop(name)


def promote(replicas: dict[str, Any]) -> None:
    # A slip of the hand: the name of a replica that is there.
    replicas["aiprod-postgres-replica-1"] |= {"availability": "REGIONAL", "promoted": True}
    replicas[BELOW]["follows"] = "aiprod-postgres-replica-1"
    replicas.pop(CLONE)


@pytest.mark.parametrize(
    ("change", "name", "sentence"),
    [
        (drop("aiprod-postgres-replica-1"), CLONE, "must keep aiprod-postgres-replica-1, as committed"),
        (promote, "aiprod-postgres-replica-1", "must be the clone's own name, got a replica's"),
    ],
)
def test_what_is_committed_stays_what_it_is(
    platform: Platform,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[dict[str, Any]], object],
    name: str,
    sentence: str,
) -> None:
    begin(platform.folder)
    declare(platform, DECLARED)
    platform.edit("prod", lambda config: change(config["aiprod:postgres"]["replicas"]))
    code, said = adopt(capsys, name=name)
    assert code == 2, said
    assert sentence in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--clone", SOURCE, CLONE, "--fixture", "Pulumi.yaml"), "a clone is adopted without --fixture"),
        (("--disk-size-gb", "250"), "--disk-size-gb is a clone's: leave it out, or name the clone"),
        (("--clone", SOURCE, CLONE, "--disk-size-gb", "9"), "9 is not in the range"),
        (("--clone", SOURCE), "--clone"),
    ],
)
def test_wrong_use_is_one_sentence(
    platform: Platform, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
) -> None:
    assert main(["adopt", "--stack", "prod", *arguments]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_google_is_asked_for_the_clone_alone_and_once(
    platform: Platform, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert platform.run("up", stack="prod").code == 0
    kept = json.loads((platform.folder / ".sandbox" / "prod.json").read_text(encoding="utf-8"))
    running: list[dict[str, Any]] = kept["deployment"]["resources"]
    declare(platform, DECLARED)
    stack = scripted(monkeypatch)

    code, said = adopt(capsys, "--target", "gcp")
    assert code == 2
    assert f"the state of prod must hold {SOURCE}, of which the clone was made, got no database" in said

    database = next(item for item in running if item["type"] == SQL)
    replica = {**database, "urn": f"{URN}postgres-restored"}
    replica["inputs"] = {**database["inputs"], "name": CLONE, "masterInstanceName": SOURCE}
    stack.state = [*running, replica]
    code, said = adopt(capsys, "--target", "gcp")
    assert code == 2
    assert f"{CLONE} must be the clone's own name, got a replica of prod" in said

    other = {**database, "urn": f"{URN}postgres-other", "inputs": {**database["inputs"], "name": "other"}}
    stack.state = [*running, other]
    code, said = adopt(capsys, "--target", "gcp")
    assert code == 2
    assert "must declare every database of prod, got none for postgres-other" in said
    assert stack.asked == []

    stack.state = running
    code, said = adopt(capsys, "--target", "gcp")
    assert code == 0, said
    assert stack.asked == [[CLONE]]
    # They are in the state of a stack that runs.
    assert stack.providers == [[]]

    stack.state = [*running, {**replica, "inputs": {**database["inputs"], "name": CLONE}}]
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

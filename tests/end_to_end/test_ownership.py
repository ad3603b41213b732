"""What others own changes in the sandbox's cloud, is read back by a refresh, and `up` has no step for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import pytest
from rich.console import Console

from components.ownership import BESIDE, OWNED, Owned, Played
from review.workspace import Ground, Workspace, evaluate
from sandbox.cloud.world import World
from sandbox.model import Mode, Op, Outcome, Snapshot
from tools import ownership_page

REPOSITORY = Path(__file__).parents[2]
# dev keeps office hours, prod runs day and night.
STACKS = {True: "dev", False: "prod"}


@cache
def deployed(stack: str, released: bool = False) -> Ground:
    ground = Ground(snapshot=Snapshot(), world=World())
    outcome = run(stack, ground, Mode.UPDATE, _owned(released))
    assert not outcome.refusals
    return Ground(snapshot=outcome.snapshot, world=ground.world)


def _owned(released: bool) -> Mapping[str, Any]:
    """A release owns everything that one can own, or nothing."""
    return {"owner": "workflow" if released else "program", "traffic": {"kind": "latest"}}


def run(stack: str, ground: Ground, mode: Mode, release: Mapping[str, Any] = MappingProxyType({})) -> Outcome:
    """One command, with what changes in the release."""
    workspace = Workspace.open(REPOSITORY, Console(quiet=True))
    settings = workspace.settings(stack)
    key = "aiprod:release"
    changed = json.dumps({**json.loads(settings.values[key]), **release})
    settings = replace(settings, values={**settings.values, key: changed})
    return evaluate(
        workspace.program,
        stack,
        settings,
        ground,
        mode,
        progress=workspace.progress,
        analyze=False,
    )


def changed(values: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The values with the one at a dotted path replaced, through a list of one where there is one."""
    part, _, rest = path.replace("[0]", "").partition(".")
    if not rest:
        return {**values, part: value}
    below: Any = values.get(part, {})
    if isinstance(below, list):
        return {**values, part: [changed(cast("list[Mapping[str, Any]]", below)[0], rest, value)]}
    return {**values, part: changed(cast("Mapping[str, Any]", below), rest, value)}


def after_change(
    stack: str, type: str, path: str, value: Any, within: str = "", released: bool = False
) -> list[str]:
    """What an `up` does after a refresh that found the change, as "<op> <type>"."""
    base = deployed(stack, released)
    ground = Ground(snapshot=deepcopy(base.snapshot), world=base.world.copy())
    mine = {state.id for state in base.snapshot.resources if f"{within}$" in state.urn or not within}
    records = [record for record in ground.world.find(type) if record.id in mine]
    assert records
    for record in records:
        ground.world.add(
            record.type,
            record.id,
            changed(record.inputs, path, value),
            changed(record.outputs, path, value),
        )
    refreshed = run(stack, ground, Mode.REFRESH, _owned(released))
    assert not refreshed.refusals
    seen = [step for step in refreshed.steps if step.type == type and step.op is not Op.SAME]
    assert seen, "the refresh found the change"
    up = run(stack, replace(ground, snapshot=refreshed.snapshot), Mode.UPDATE, _owned(released))
    assert not up.refusals
    return [f"{step.op} {step.type}" for step in up.steps if step.logical and step.op is not Op.SAME]


@pytest.mark.parametrize("row", OWNED, ids=[f"{row.type.rpartition(':')[2]}-{row.property}" for row in OWNED])
def test_what_its_owner_changes_makes_no_step(row: Owned) -> None:
    stack = STACKS[row.told]
    assert (
        after_change(stack, row.type, row.property, row.example, row.within, row.released is not None) == []
    )


@pytest.mark.parametrize(
    "row", [row for row in OWNED if row.released is not None], ids=lambda row: row.property
)
def test_what_no_workflow_owns_is_put_back(row: Owned) -> None:
    steps = after_change("prod", row.type, row.property, row.example, row.within)
    assert set(steps) == {f"update {row.type}"}


@pytest.mark.parametrize(
    "row", [row for row in OWNED if row.owner == "schedule"], ids=lambda row: row.property
)
def test_without_a_schedule_the_same_change_is_put_back(row: Owned) -> None:
    assert set(after_change("prod", row.type, row.property, row.example)) == {f"update {row.type}"}


def beside(played: Played) -> list[str]:
    """What an `up` does once the change came, was looked for by a refresh, and taken over where it shows."""
    base = deployed("prod")
    ground = Ground(snapshot=deepcopy(base.snapshot), world=base.world.copy())
    records = list(ground.world.find(played.type))
    assert records
    for record in records if played.output else records[:1]:
        if played.output:
            assert played.output in record.outputs, "Google gives it"
            assert played.output not in record.inputs, "no program sets it"
            outputs = {**record.outputs, played.output: played.example}
            ground.world.add(record.type, record.id, record.inputs, outputs)
        else:
            ground.world.add(record.type, f"{record.id}-another", record.inputs, record.outputs)
    refreshed = run("prod", ground, Mode.REFRESH)
    assert not refreshed.refusals
    if played.output:
        states = [state for state in refreshed.snapshot.resources if state.type == played.type]
        assert [state.outputs[played.output] for state in states] == [played.example] * len(records)
    up = run("prod", replace(ground, snapshot=refreshed.snapshot), Mode.UPDATE)
    assert not up.refusals
    return [f"{step.op} {step.type}" for step in up.steps if step.logical and step.op is not Op.SAME]


PLAYED = [
    pytest.param(played, id=f"{row.what}-{played.type.rpartition(':')[2]}")
    for row in BESIDE
    if not isinstance(row.played, str)
    for played in row.played
]


@pytest.mark.parametrize("played", PLAYED)
def test_what_changes_beside_the_program_makes_no_step(played: Played) -> None:
    assert beside(played) == []


def test_a_property_that_pulumi_owns_is_put_back() -> None:
    """The control: the change, the refresh and the `up` of these tests do bite."""
    type = "gcp:secretmanager/secret:Secret"
    assert set(after_change("prod", type, "versionDestroyTtl", "604801s")) == {f"update {type}"}


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_nothing_is_ignored_that_the_table_does_not_name(stack: str) -> None:
    found = {
        (state.type, path) for state in deployed(stack).snapshot.resources for path in state.ignore_changes
    }
    assert found <= {(row.type, row.property) for row in OWNED}
    always = {(row.type, row.property) for row in OWNED if not row.told and row.released is None}
    assert always <= found


def test_the_page_says_what_the_table_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ownership_page.main(["--check"]) == 0
    monkeypatch.setattr(ownership_page, "PAGE", tmp_path / "ownership.md")
    assert ownership_page.main(["--check"]) == 1
    assert "run python -m tools.ownership_page" in capsys.readouterr().out
    assert ownership_page.main([]) == 0
    assert ownership_page.main(["--check"]) == 0

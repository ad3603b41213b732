"""The built-in engine takes the steps that the real one took: same operation, paths and reasons for each URN.

``golden/steps.json`` holds what the CLI did last, with its version and the day. Where the CLI is on PATH the
scenarios run on it again and must still say the same; ``python -m tests.sandbox.engine.golden`` writes the
file anew. The order between resources that do not depend on each other is the CLI's own and not compared.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sandbox.cloud import World
from sandbox.engine import Mode, Snapshot, Step, run
from sandbox.project import StackSettings, load_project
from sandbox.state import PassphraseCrypter, snapshot_from_json, snapshot_to_json
from tests.sandbox.engine.golden import PROGRAM, Steps, arranged, golden, real_steps
from tests.sandbox.engine.program.scenarios import SCENARIOS

_CRYPTER = PassphraseCrypter("test")


def _built_in(name: str) -> list[Steps]:
    snapshot, world = Snapshot(), World()
    phases: list[Steps] = []
    program = load_project(PROGRAM)
    for phase in range(len(SCENARIOS[name])):
        values = {"scenarios:scenario": name, "scenarios:phase": str(phase)}
        outcomes = [
            run(
                program,
                stack="dev",
                config=StackSettings(values=values),
                snapshot=snapshot,
                world=world,
                mode=mode,
            )
            for mode in (Mode.PREVIEW, Mode.UPDATE)
        ]
        for outcome in outcomes:
            assert outcome.refusals == []
        shown, done = (_arranged(outcome.steps) for outcome in outcomes)
        assert _ops(shown) == _ops(done)
        phases.append(done)
        # Through the file, as between two commands.
        document = snapshot_to_json(outcomes[1].snapshot, _CRYPTER)
        snapshot = snapshot_from_json(document, "state", _CRYPTER)
    return phases


def _arranged(steps: list[Step]) -> Steps:
    return arranged(
        (step.op.value, step.urn, {item.path: item.kind.value for item in step.diff}, step.replace_reasons)
        for step in steps
    )


def _ops(steps: Steps) -> dict[str, list[str]]:
    return {urn: [op for op, _, _ in rows] for urn, rows in steps.items()}


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_built_in_engine_does_what_the_real_one_did(name: str) -> None:
    assert _built_in(name) == golden()[name]


def test_every_scenario_has_golden_steps() -> None:
    assert set(golden()) == set(SCENARIOS)


@pytest.mark.real_cli
@pytest.mark.skipif(shutil.which("pulumi") is None, reason="the real Pulumi CLI is not on PATH")
@pytest.mark.parametrize("name", ["replace-cascades", "alias-of-component", "provider-changes"])
def test_real_cli_still_takes_the_golden_steps(name: str, tmp_path: Path) -> None:
    assert real_steps(name, len(SCENARIOS[name]), tmp_path) == golden()[name]

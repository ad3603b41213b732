"""The built-in engine takes the steps that the real one took: same operation, paths and reasons for each URN.

``golden/steps.json`` holds what the CLI did last, with its version and the day. Where the CLI is on PATH the
scenarios run on it again and must still say the same; ``python -m tests.sandbox.engine.golden`` writes the
file anew. The order between resources that do not depend on each other is the CLI's own and not compared.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.cloud import World
from sandbox.host import run
from sandbox.model import Mode, Outcome, Snapshot, Step
from sandbox.project import StackSettings, load_project
from sandbox.state import PassphraseCrypter, snapshot_from_json, snapshot_to_json
from tests.sandbox.engine.golden import PROGRAM, Steps, arranged, change_behind, golden, real_steps
from tests.sandbox.engine.program.scenarios import SCENARIOS, Behind, Refresh

_CRYPTER = PassphraseCrypter("test")


def _built_in(name: str) -> list[Steps]:
    snapshot, world = Snapshot(), World()
    phases: list[Steps] = []
    program = load_project(PROGRAM)
    for index, phase in enumerate(SCENARIOS[name]):
        if isinstance(phase, Behind):
            change_behind(world, phase)
            phases.append({})
            continue
        settings = StackSettings(values={"scenarios:scenario": name, "scenarios:phase": str(index)})

        def once(mode: Mode, snapshot: Snapshot, settings: StackSettings = settings) -> Outcome:
            return run(program, stack="dev", config=settings, snapshot=snapshot, world=world, mode=mode)

        if isinstance(phase, Refresh):
            done = once(Mode.REFRESH, snapshot)
        else:
            shown = once(Mode.PREVIEW, snapshot)
            if shown.refusals:
                phases.append({})
                continue
            done = once(Mode.UPDATE, snapshot)
            if not done.refusals:
                assert _ops(_arranged(shown.steps)) == _ops(_arranged(done.steps))
        phases.append(_arranged(done.steps))
        # Through the file, as between two commands.
        document = snapshot_to_json(done.snapshot, _CRYPTER)
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
@pytest.mark.parametrize(
    "name", ["replace-cascades", "alias-of-component", "import-that-differs", "failure-and-resume"]
)
def test_real_cli_still_takes_the_golden_steps(name: str, tmp_path: Path) -> None:
    assert real_steps(name, tmp_path) == golden()[name]

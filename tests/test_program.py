"""The program as an engine starts it: what it refuses, and that a refusal leaves nothing behind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.cloud import World
from sandbox.host import run
from sandbox.model import Mode, Outcome, Snapshot
from sandbox.project import load_project, load_stack
from tests.stack_files import PROGRAM, ROOT


def deploy(stack: str, **changes: str) -> Outcome:
    """One update of an empty project with some values of the stack file changed."""
    found = load_stack(PROGRAM, stack)
    values = {**found.values, **{f"aiprod:{key}": value for key, value in changes.items()}}
    return run(
        PROGRAM,
        stack=stack,
        config=replace(found, values=values),
        snapshot=Snapshot(),
        world=World(),
        mode=Mode.UPDATE,
    )


def test_a_bug_is_not_dressed_as_a_sentence(tmp_path: Path) -> None:
    """An exception that no one raised to refuse a value keeps its kind and its place."""
    for path in (*ROOT.glob("*.py"), ROOT / "Pulumi.yaml", ROOT / "facts"):
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "__init__.py").touch()
    (tmp_path / "stacks" / "platform.py").write_text("def platform(settings): return int('x')\n")
    program = load_project(tmp_path)
    found = load_stack(PROGRAM, "dev")
    outcome = run(program, stack="dev", config=found, snapshot=Snapshot(), world=World(), mode=Mode.PREVIEW)
    (refusal,) = outcome.refusals
    assert refusal.kind == "program"
    assert refusal.message.startswith(
        "the program raised ValueError at stacks/platform.py:1: invalid literal"
    )


def test_components_refuse_with_the_one_type_that_becomes_a_sentence() -> None:
    rooms = [*(ROOT / "components").rglob("*.py"), *(ROOT / "facts").rglob("*.py"), *ROOT.glob("config*.py")]
    assert not [path for path in rooms if "raise ValueError(" in path.read_text(encoding="utf-8")]


def test_main_is_under_30_lines() -> None:
    assert len(Path(ROOT / "__main__.py").read_text(encoding="utf-8").splitlines()) < 30


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"host": "REPLACE_ME"}, "aiprod:host must be given by an operator, got REPLACE_ME"),
        (
            {"project_id": "X"},
            "aiprod:project_id: project id name must have 6 to 30 characters, got 'X' with 1",
        ),
        (
            {"network": '{"base_range": "10.0.0.0/16"}'},
            "aiprod:network.base_range must hold one /16 for each of 2 regions",
        ),
        ({"postgres": "{}"}, "aiprod:postgres.tier must be given, got nothing"),
    ],
)
def test_a_bad_stack_file_is_one_sentence_and_no_step(changes: dict[str, str], sentence: str) -> None:
    outcome = deploy("dev", **changes)
    assert [refusal.kind for refusal in outcome.refusals] == ["usage"]
    assert outcome.refusals[0].message.startswith(sentence)
    assert "Traceback" not in outcome.refusals[0].message
    assert not [step for step in outcome.steps if step.type.startswith(("gcp:", "random:"))]

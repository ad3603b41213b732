"""A stack on the real Pulumi CLI with the stand-in cloud as its providers: ``--target sandbox-cli``.

The same program, cloud and report as in the sandbox, another engine. The CLI keeps its own state in
``.sandbox/cli/<stack>``; nothing is contacted outside this machine.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from rich.console import Console

from facts.provider import facts_for
from review.commands import Files, show
from review.interrupted import GOES_ON, RunInterruptedError
from review.overrides import unnamed, unprotected
from review.protected import refused_down
from review.real_cli import left_to_others
from review.workspace import Workspace, add_existing, add_fixture, has_policies
from sandbox.cloud import World
from sandbox.model import Mode, Op, Outcome, PropertyDiff, Refusal, Step
from sandbox.plugin.cli import CliError, CliStep, SandboxCli
from sandbox.project import StackSettings
from sandbox.state import PassphraseCrypter, snapshot_from_json, write_atomically
from sandbox.urn import STACK_TYPE, type_of
from sandbox.values import DiffKind

__all__ = ["down", "preview", "refresh", "up"]


def preview(work: Workspace, stack: str, files: Files, out: Console) -> int:
    """What the CLI would do."""
    return _operate(work, stack, files, out, Mode.PREVIEW, lambda cli: _preview(work, cli, files))


def up(work: Workspace, stack: str, files: Files, out: Console) -> int:
    """Deploy with the CLI."""
    return _operate(work, stack, files, out, Mode.UPDATE, lambda cli: _up(work, cli, files))


def down(work: Workspace, stack: str, files: Files, out: Console) -> int:
    """Delete with the CLI what is not protected; refused when more than what Google keeps is protected."""
    return _operate(work, stack, files, out, Mode.DESTROY, lambda cli: _destroy(cli, stack))


def refresh(work: Workspace, stack: str, files: Files, out: Console) -> int:
    """Take over with the CLI what was changed behind the stack's back."""
    return _operate(work, stack, files, out, Mode.REFRESH, lambda cli: cli.refresh())


class _RefusedError(Exception):
    """Something would be lost that nobody named, or that is protected."""

    def __init__(self, steps: list[CliStep], refusals: list[Refusal]) -> None:
        super().__init__(refusals[0].message)
        self.steps, self.refusals = steps, refusals


def _preview(work: Workspace, cli: SandboxCli, files: Files) -> list[CliStep]:
    steps = cli.preview()
    lost = (
        unnamed(((step.op, step.urn) for step in steps), files.allowed) if has_policies(work.program) else []
    )
    if lost:
        raise _RefusedError(steps, lost)
    return steps


def _up(work: Workspace, cli: SandboxCli, files: Files) -> list[CliStep]:
    states: list[dict[str, Any]] = cli.export()["deployment"].get("resources") or []
    if unprotected(states):
        _preview(work, cli, files)
    return cli.up(left_to_others(states))


def _destroy(cli: SandboxCli, stack: str) -> list[CliStep]:
    """The CLI deletes what it may before it comes to what is protected, so nobody leaves it to the CLI."""
    states: list[dict[str, Any]] = cli.export()["deployment"].get("resources") or []
    protected = (
        (state["urn"].rsplit("::", 1)[-1], state["type"]) for state in states if state.get("protect")
    )
    refused = refused_down(stack, protected)
    if refused is not None:
        raise _RefusedError([], [Refusal(kind="protect", message=refused)])
    return cli.destroy(exclude_protected=True)


def _operate(
    work: Workspace,
    stack: str,
    files: Files,
    out: Console,
    mode: Mode,
    operate: Callable[[SandboxCli], list[CliStep]],
) -> int:
    started = time.perf_counter()
    settings = work.settings(stack)
    with work.locked(stack):
        cli = SandboxCli(work.program, stack, settings, work.store.folder / "cli" / stack)
        _seed(cli, settings, files)
        refusals: list[Refusal] = []
        try:
            steps = operate(cli)
        except CliError as error:
            steps, refusals = cli.last_steps(), [cli.last_refusal(error)]
        except _RefusedError as error:
            steps, refusals = error.steps, error.refusals
        except KeyboardInterrupt as error:
            # How far the CLI came is in its own state.
            raise RunInterruptedError(GOES_ON) from error
        outcome = _outcome(work, stack, mode, cli, settings, steps)
        outcome.violations = cli.last_violations()
    outcome.refusals = refusals
    outcome.duration_seconds = time.perf_counter() - started
    finished = _world(cli) if mode is Mode.UPDATE and outcome.succeeded else None
    report = work.report(outcome, settings, finished=finished)
    return show(report if cli.judged else replace(report, rules=()), files, out)


def _seed(cli: SandboxCli, settings: StackSettings, files: Files) -> None:
    world, lost = _world(cli), frozenset(files.lost)
    if files.fixture is None and not settings.exists and world.facts.lost_regions == lost:
        return
    world.facts.lost_regions = lost
    add_existing(world, settings)
    add_fixture(world, files.fixture)
    write_atomically(cli.world, json.dumps(world.to_json()))


def _world(cli: SandboxCli) -> World:
    """The stand-in cloud as the CLI's providers left it."""
    return (
        World.from_json(json.loads(cli.world.read_text(encoding="utf-8"))) if cli.world.exists() else World()
    )


def _outcome(
    work: Workspace, stack: str, mode: Mode, cli: SandboxCli, settings: StackSettings, steps: list[CliStep]
) -> Outcome:
    crypter = PassphraseCrypter(cli.passphrase)
    snapshot = snapshot_from_json(cli.export(), "the CLI's state", crypter)
    states = {state.urn: state for state in snapshot.resources if not state.delete}
    root = next((state for state in snapshot.resources if state.type == STACK_TYPE), None)
    return Outcome(
        project=work.program.name,
        stack=stack,
        mode=mode,
        steps=[
            Step(
                Op(step.op),
                step.urn,
                type_of(step.urn),
                None,
                states.get(step.urn),
                tuple(
                    PropertyDiff(path, DiffKind(kind), step.value(step.old, path), step.value(step.new, path))
                    for path, kind in sorted(step.diff.items())
                ),
                step.replace_reasons,
            )
            for step in steps
        ],
        resources=snapshot.resources,
        lightly_checked=_lightly_checked([*states, *(step.urn for step in steps)]),
        outputs=dict(root.outputs) if root is not None else {},
        snapshot=snapshot,
    )


def _lightly_checked(urns: Iterable[str]) -> tuple[str, ...]:
    """The types of Google's provider among these that it has no facts of."""
    types = {type_of(urn) for urn in urns}
    return tuple(sorted(type for type in types if type.startswith("gcp:") and facts_for(type) is None))

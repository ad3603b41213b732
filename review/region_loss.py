"""The loss of a region, played: what remains, which steps follow, and whether they work.

The stack is brought up at an empty stand-in cloud, the region answers no call from then on, and each phase of
``recovery/<stack>.yaml`` is brought up after the other, on the built-in engine or on the real CLI. Neither
the sandbox's own state nor a file is changed.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from review.adoption import losses
from review.inventory import phases as releases
from review.inventory import with_settings
from review.region_plan import Phase
from review.survivors import Serving, serving
from review.workspace import Ground, Workspace, add_existing, evaluate, running_cloud
from sandbox.cloud import World
from sandbox.model import Mode, Op, Outcome, ResourceState, Snapshot
from sandbox.plugin.cli import CliError, SandboxCli
from sandbox.project import StackSettings
from sandbox.state import PassphraseCrypter, snapshot_from_json, write_atomically

__all__ = ["BuiltIn", "Engine", "Played", "RealCli", "phases_played"]

Done = tuple[str, str]
"""A step: operation and URN."""


class Engine(Protocol):
    """Brings the stack up, again and again, at one stand-in cloud."""

    def up(self, settings: StackSettings, lost: frozenset[str]) -> tuple[list[Done], list[str]]:
        """The steps that changed something, and why it was refused."""
        ...

    def refresh(self, settings: StackSettings, lost: frozenset[str]) -> int:
        """How many resources a refresh is refused for; nothing is kept."""
        ...

    def states(self) -> Sequence[ResourceState]:
        """The state as the last ``up`` left it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """How one phase went.

    ``counts`` is by operation, ``serves`` what serves afterwards, ``refusals`` say why it does not work.
    """

    phase: Phase
    counts: dict[str, int]
    replaced: tuple[str, ...]
    serves: Serving
    refusals: tuple[str, ...]
    states: Sequence[ResourceState]


def phases_played(
    work: Workspace, engine: Engine, settings: StackSettings, region: str, phases: Sequence[Phase]
) -> Iterator[Played]:
    """Play the phases after the loss of ``region``; the first that does not work is the last."""
    for phase in phases:
        settings = with_settings(work.program, settings, phase.settings)
        lost = frozenset[str]() if phase.reachable else frozenset({region})
        done, refusals = engine.up(settings, lost)
        refusals += losses(done)
        serves = serving(engine.states(), region if lost else "")
        if not refusals:
            again, further = engine.up(settings, lost)
            refusals += further + [f"a second up would {op} {_name(urn)}" for op, urn in again]
        refusals += list(serves.broken)
        yield Played(
            phase=phase,
            counts=_counts(done),
            replaced=tuple(sorted(_name(urn) for op, urn in done if op == Op.REPLACE)),
            serves=serves,
            refusals=tuple(dict.fromkeys(refusals)),
            states=engine.states(),
        )
        if refusals:
            return


class BuiltIn:
    """The sandbox's own engine."""

    def __init__(self, work: Workspace, stack: str) -> None:
        self._work = work
        self._stack = stack
        self._ground = Ground(snapshot=Snapshot(), world=running_cloud())

    def up(self, settings: StackSettings, lost: frozenset[str]) -> tuple[list[Done], list[str]]:
        outcome = self._run(settings, lost, Mode.UPDATE, self._ground)
        self._ground.snapshot = outcome.snapshot
        return [(str(step.op), step.urn) for step in outcome.steps if step.op is not Op.SAME], [
            *(item.message for item in outcome.refusals),
            *(item.message for item in outcome.violations if item.level == "mandatory"),
        ]

    def refresh(self, settings: StackSettings, lost: frozenset[str]) -> int:
        outcome = self._run(settings, lost, Mode.REFRESH, self._ground.copy())
        return len(outcome.refusals)

    def states(self) -> Sequence[ResourceState]:
        return self._ground.snapshot.resources

    def _run(self, settings: StackSettings, lost: frozenset[str], mode: Mode, ground: Ground) -> Outcome:
        ground.world.facts.lost_regions = lost
        label = f"region-loss ({mode})"
        work = self._work
        return evaluate(
            work.program, self._stack, settings, ground, mode, progress=work.progress, label=label
        )


class RealCli:
    """The real Pulumi CLI, with the stand-in cloud as its providers."""

    def __init__(self, work: Workspace, stack: str, settings: StackSettings) -> None:
        self._work = work
        self._stack = stack
        self._folder = work.store.folder / "cli-region-loss" / stack
        shutil.rmtree(self._folder, ignore_errors=True)
        # A first deployment has no release yet; the CLI starts as Google is started.
        first = next(releases(work.program, settings))
        self._cli = SandboxCli(work.program, stack, first, self._folder)
        world = running_cloud()
        add_existing(world, first)
        write_atomically(self._cli.world, json.dumps(world.to_json()))

    def up(self, settings: StackSettings, lost: frozenset[str]) -> tuple[list[Done], list[str]]:
        self._lose(lost)
        self._cli = SandboxCli(self._work.program, self._stack, settings, self._folder)
        try:
            steps, refusals = self._cli.up(), list[str]()
        except CliError as error:
            steps, refusals = self._cli.last_steps(), [self._cli.last_refusal(error).message]
        refusals += [one.message for one in self._cli.last_violations() if one.level == "mandatory"]
        return [(step.op, step.urn) for step in steps if step.op != Op.SAME], refusals

    def refresh(self, settings: StackSettings, lost: frozenset[str]) -> int:
        self._lose(lost)
        before = self._cli.world.read_text(encoding="utf-8")
        try:
            self._cli.refresh()
        except CliError:
            return self._cli.failures()
        finally:
            write_atomically(self._cli.world, before)
        return 0

    def states(self) -> Sequence[ResourceState]:
        crypter = PassphraseCrypter(self._cli.passphrase)
        return snapshot_from_json(self._cli.export(), "the CLI's state", crypter).resources

    def _lose(self, lost: frozenset[str]) -> None:
        world: Any = World.from_json(json.loads(self._cli.world.read_text(encoding="utf-8")))
        world.facts.lost_regions = lost
        write_atomically(self._cli.world, json.dumps(world.to_json()))


def _counts(done: Sequence[Done]) -> dict[str, int]:
    kinds = (Op.CREATE, Op.UPDATE, Op.REPLACE, Op.DELETE)
    found = {str(kind): sum(1 for op, _ in done if op == kind) for kind in kinds}
    return {op: count for op, count in found.items() if count}


def _name(urn: str) -> str:
    return f"{urn.rsplit('::', 1)[-1]} ({urn.split('::')[-2].rsplit(':', 1)[-1]})"

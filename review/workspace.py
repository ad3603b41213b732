"""One program, its sandbox folder and the runs on them; what every command shares."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from facts.propagation import REPEATS, propagation_of
from review.interrupted import AS_BEFORE, GOES_ON, RunInterruptedError
from review.progress import watch
from review.report import Notes, QuietRow, Report, build, scrubber
from review.verdicts import PolicyAnalyzer, rule_rows
from sandbox.cloud import World, load_fixture, quiet_failures
from sandbox.cloud.api import CloudApi
from sandbox.errors import UsageError
from sandbox.faults import FaultyCloud
from sandbox.host import run
from sandbox.model import Keeper, Mode, Op, Outcome, Snapshot
from sandbox.project import PLACEHOLDER, Program, StackSettings, load_project, load_stack
from sandbox.state import StateStore, read_export
from sandbox.values import Secret

__all__ = [
    "FOLDER",
    "Ground",
    "Plan",
    "Workspace",
    "add_existing",
    "evaluate",
    "has_policies",
    "plan",
    "report_of",
    "running_cloud",
    "settings_of",
]

FOLDER = ".sandbox"


@dataclass(slots=True, kw_only=True)
class Ground:
    """What a run starts from: a state and the cloud that goes with it."""

    snapshot: Snapshot
    world: World

    def copy(self) -> Ground:
        """The same ground for a run that must leave this one as it is."""
        return Ground(snapshot=self.snapshot, world=self.world.copy())


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A program and where its sandbox keeps what it deployed."""

    program: Program
    store: StateStore
    progress: Console

    @classmethod
    def open(cls, directory: Path, progress: Console) -> Workspace:
        """The workspace in ``directory``. Raises UsageError when there is no Pulumi project."""
        program = load_project(directory)
        return cls(
            program=program, store=StateStore(directory / FOLDER, project=program.name), progress=progress
        )

    def settings(self, stack: str) -> StackSettings:
        """The configuration of ``stack``, with example values for what only an operator knows."""
        return settings_of(self.program, stack)

    def ground(
        self,
        stack: str,
        *,
        state: Path | None = None,
        fixture: Path | None = None,
        lost: Collection[str] = (),
    ) -> Ground:
        """The sandbox's own state of ``stack``, or an export; the fixture is added to the cloud.

        Of the regions in ``lost`` the cloud answers no call.
        """
        if state is not None:
            snapshot = read_export(state, project=self.program.name, stack=stack, crypter=self.store.crypter)
            world = World.from_resources(snapshot.resources)
        else:
            snapshot = self.store.load(stack)
            cloud = self.store.load_cloud(stack)
            world = World.from_resources(snapshot.resources) if cloud is None else self._world(stack, cloud)
        add_fixture(world, fixture)
        world.facts.lost_regions = frozenset(lost)
        return Ground(snapshot=snapshot, world=world)

    def _world(self, stack: str, cloud: dict[str, Any]) -> World:
        try:
            return World.from_json(cloud)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            path = self.store.cloud_path(stack)
            raise UsageError(
                f"{path} does not hold a stand-in cloud: delete it, and it is rebuilt from the state"
            ) from error

    @contextmanager
    def locked(self, stack: str) -> Generator[None]:
        """Hold the lock of ``stack``. Raises RunInterruptedError, with what is true, on Ctrl-C."""
        with self.store.lock(stack):
            before = self.store.stamps(stack)
            try:
                yield
            except KeyboardInterrupt as error:
                same = before == self.store.stamps(stack)
                raise RunInterruptedError(AS_BEFORE if same else GOES_ON) from error

    def plan(
        self,
        stack: str,
        settings: StackSettings,
        ground: Ground,
        *,
        label: str = "",
        play: bool | None = None,
    ) -> Plan:
        """Preview the program and play its update, showing progress."""
        return plan(
            self.program,
            stack,
            settings,
            ground,
            progress=self.progress,
            label=label,
            play=play,
        )

    def destroy(self, stack: str, settings: StackSettings, ground: Ground) -> Outcome:
        """Delete what is not protected, and what nothing protected needs."""
        return evaluate(
            self.program,
            stack,
            settings,
            ground,
            Mode.DESTROY,
            progress=self.progress,
            exclude_protected=True,
        )

    def refresh(self, stack: str, settings: StackSettings, ground: Ground) -> Outcome:
        """Take over what the cloud says of each resource."""
        return evaluate(self.program, stack, settings, ground, Mode.REFRESH, progress=self.progress)

    def read_again(self, stack: str, settings: StackSettings, ground: Ground) -> Ground:
        """The ground with what others own read anew, as an ``up`` needs it.

        An update sends what it ignores as the state has it. A state from before a schedule stopped something
        would start it again, or Google would refuse it as stale.
        """
        left = {state.urn for state in ground.snapshot.resources if state.ignore_changes and not state.delete}
        if not left:
            return ground
        found = evaluate(
            self.program,
            stack,
            settings,
            ground,
            Mode.REFRESH,
            progress=self.progress,
            label="up (what others own)",
        )
        if not found.succeeded:
            return ground
        seen = {state.urn: state for state in found.snapshot.resources if not state.delete}
        resources = [
            seen.get(state.urn, state) if state.urn in left and not state.delete else state
            for state in ground.snapshot.resources
        ]
        return Ground(snapshot=replace(ground.snapshot, resources=resources), world=ground.world)

    def run_with(
        self, stack: str, settings: StackSettings, ground: Ground, mode: Mode, cloud: FaultyCloud
    ) -> Outcome:
        """Update or destroy on a cloud with faults, every step kept; repeated on listed errors only."""
        command = "down" if mode is Mode.DESTROY else "up"
        for attempt in range(REPEATS + 1):
            journal = self.store.journal(stack, ground.world)
            cloud.called = journal.cloud_called
            try:
                outcome = evaluate(
                    self.program,
                    stack,
                    settings,
                    ground,
                    mode,
                    progress=self.progress,
                    exclude_protected=mode is Mode.DESTROY,
                    label=command,
                    keeper=journal,
                    around=lambda inner: cloud.around(inner, ground.world),
                )
            finally:
                journal.close()
            self.store.save(stack, outcome.snapshot, ground.world.to_json(), between=cloud.between_files)
            ground.snapshot = outcome.snapshot
            reason = propagation_of(item.message for item in outcome.refusals)
            if reason is None or attempt == REPEATS:
                return outcome
            self.progress.print(
                f"sandbox {command} of {stack}: repeating ({attempt + 1} of {REPEATS}): "
                f"Google does not see {reason} yet",
                soft_wrap=True,
                highlight=False,
                markup=False,
            )
        raise AssertionError("the loop returns")

    def report(self, outcome: Outcome, settings: StackSettings, *, finished: World | None = None) -> Report:
        """The outcome as it may be shown, with what does not work in the cloud that it left."""
        return report_of(outcome, settings, judged=has_policies(self.program), finished=finished)


def running_cloud() -> World:
    """A cloud at which a stack has run for long: each revision that its shares name is there."""
    world = World()
    world.facts.assume_revisions = True
    return world


def add_fixture(world: World, fixture: Path | None) -> None:
    """Put what ``fixture`` says exists into ``world``; resources that are there already stay as they are."""
    if fixture is None:
        return
    load_fixture(fixture).add_to(world)


def add_existing(world: World, settings: StackSettings) -> None:
    """Put what another program has made before into ``world``."""
    for type, id in settings.exists:
        if world.get(type, id) is None:
            world.add(type, id, {}, {})


def settings_of(program: Program, stack: str) -> StackSettings:
    """The configuration of ``stack`` for the sandbox. Raises UsageError on REPLACE_ME without example."""
    settings = load_stack(program, stack)
    if settings.placeholders:
        raise UsageError(
            f"{program.stack_file(stack).name}: {PLACEHOLDER} stands in "
            f"{', '.join(settings.placeholders)} and "
            "example-values.yaml has no example for it: write a value or an example"
        )
    return settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A preview, and the update that it announces played on a copy of the cloud.

    A preview asks the cloud for nothing, and much of what Google refuses shows only when it is asked: a name
    that is taken, a grant that is missing. So the update is played too, and what it refuses is the preview's.
    """

    preview: Outcome
    update: Outcome | None
    after: Ground

    @property
    def succeeded(self) -> bool:
        """Whether nothing is refused."""
        return self.preview.succeeded

    @property
    def finished(self) -> World | None:
        """The cloud as the update leaves it; None when it was not played or not to its end."""
        return self.after.world if self.update is not None and self.succeeded else None


def plan(
    program: Program,
    stack: str,
    settings: StackSettings,
    ground: Ground,
    *,
    progress: Console,
    label: str = "",
    play: bool | None = None,
) -> Plan:
    """Preview ``program`` and play the update: always, never, or by default when something would change."""
    after = ground.copy()
    name = label or str(Mode.PREVIEW)
    preview = evaluate(program, stack, settings, ground.copy(), Mode.PREVIEW, progress=progress, label=name)
    changes = any(step.logical and step.op is not Op.SAME for step in preview.steps)
    if not preview.succeeded or not (changes if play is None else play):
        return Plan(preview=preview, update=None, after=after)
    update = evaluate(
        program, stack, settings, after, Mode.UPDATE, progress=progress, label=f"{name} (played update)"
    )
    known = {(item.rule, item.urn) for item in preview.violations}
    preview.violations += [item for item in update.violations if (item.rule, item.urn) not in known]
    preview.refusals += update.refusals
    preview.duration_seconds += update.duration_seconds
    return Plan(preview=preview, update=update, after=Ground(snapshot=update.snapshot, world=after.world))


def evaluate(
    program: Program,
    stack: str,
    settings: StackSettings,
    ground: Ground,
    mode: Mode,
    *,
    progress: Console,
    exclude_protected: bool = False,
    analyze: bool = True,
    label: str = "",
    keeper: Keeper | None = None,
    around: Callable[[CloudApi], CloudApi] | None = None,
) -> Outcome:
    """One run of ``program``."""
    scrub = scrubber([secret_values(settings)])
    name = f"sandbox {label or mode} of {stack}"
    with watch(progress, name, expected=len(ground.snapshot.resources) or None, scrub=scrub) as watcher:
        return run(
            program,
            stack=stack,
            config=settings,
            snapshot=ground.snapshot,
            world=ground.world,
            mode=mode,
            observers=(watcher,),
            analyzers=(PolicyAnalyzer(),)
            if analyze and mode is not Mode.DESTROY and has_policies(program)
            else (),
            exclude_protected=exclude_protected,
            keeper=keeper,
            around=around,
        )


def has_policies(program: Program) -> bool:
    """Whether the house's rules are a program's own: they say nothing of programs from elsewhere."""
    return (program.directory / "policies" / "PulumiPolicy.yaml").exists()


def report_of(
    outcome: Outcome, settings: StackSettings, *, judged: bool = True, finished: World | None = None
) -> Report:
    """The outcome of a run of a stack with ``settings`` as it may be shown.

    In a ``finished`` cloud what is accepted and does not work is looked for: half-way a grant may yet come.
    """
    return build(
        outcome,
        rules=rule_rows() if judged and outcome.mode not in {Mode.DESTROY, Mode.REFRESH} else (),
        notes=Notes(
            example_values=tuple(sorted(settings.examples)),
            lightly_checked=outcome.lightly_checked,
            quiet=() if finished is None else tuple(QuietRow(*found) for found in quiet_failures(finished)),
        ),
        secrets=[secret_values(settings)],
    )


def secret_values(settings: StackSettings) -> list[object]:
    """The secret values of a configuration, marked."""
    return [Secret(settings.values[key]) for key in settings.secret_keys if key in settings.values]

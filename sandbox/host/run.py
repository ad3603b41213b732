"""The engine's front door: one call, one run, one outcome."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from sandbox.cloud import World
from sandbox.cloud.api import CloudApi
from sandbox.cloud.world import Record
from sandbox.engine.deployment import Deployment
from sandbox.errors import UsageError
from sandbox.graph import kept_by
from sandbox.host.builtin import EngineCloud
from sandbox.host.program import run_function, run_program
from sandbox.model import Analyzer, Keeper, Mode, Observer, Outcome, Snapshot
from sandbox.project import Program, StackSettings

__all__ = ["run"]


def run(
    program: Program | Callable[[], None],
    *,
    stack: str,
    config: StackSettings,
    snapshot: Snapshot,
    world: World,
    mode: Mode,
    project: str = "",
    observers: Sequence[Observer] = (),
    analyzers: Sequence[Analyzer] = (),
    exclude_protected: bool = False,
    keeper: Keeper | None = None,
    around: Callable[[CloudApi], CloudApi] | None = None,
) -> Outcome:
    """Run ``program`` for ``stack`` on ``snapshot`` and ``world``.

    A preview changes neither. An update, a destroy and a refresh change ``world`` and return the new state in
    the outcome, also when they end early; saving it is the caller's. ``program`` is a folder or, for tests
    and embedding, a function that registers resources (then ``project`` names its project). Destroy and
    refresh do not run it. ``exclude_protected`` lets a destroy leave protected resources, and all that they
    need, where they are. ``keeper`` is told of each change of the state as it happens; ``around`` puts
    something between engine and cloud. What stops a run from outside is raised again.
    """
    started = time.perf_counter()
    name = program.name if isinstance(program, Program) else project
    if not name:
        raise UsageError("project must name the project when the program is a function")
    for type, id in config.exists:
        world.borrow(Record(type, id, {}, {}))
    cloud = EngineCloud(world, program if isinstance(program, Program) else None)
    deployment = Deployment(
        project=name,
        stack=stack,
        mode=mode,
        base=snapshot,
        cloud=cloud if around is None else around(cloud),
        config=config.values,
        observers=observers,
        analyzers=analyzers,
        keeper=keeper,
    )
    if mode is Mode.DESTROY:
        protected = {state.urn for state in snapshot.resources if state.protect}
        deployment.destroy(kept_by(protected, snapshot.resources) if exclude_protected else set())
    elif mode is Mode.REFRESH:
        deployment.refresh()
    else:
        if isinstance(program, Program):
            run_program(program, config, deployment)
        else:
            run_function(program, config, deployment)
        deployment.finish()
    if deployment.record.stopped is not None:
        raise deployment.record.stopped
    result = deployment.snapshot()
    world.own((state.type, state.id) for state in result.resources if not state.external)
    return Outcome(
        project=name,
        stack=stack,
        mode=mode,
        steps=deployment.record.steps,
        resources=result.resources,
        outputs=deployment.outputs,
        violations=deployment.record.violations,
        refusals=deployment.record.refusals,
        lightly_checked=tuple(sorted(cloud.lightly_checked)),
        snapshot=snapshot if mode is Mode.PREVIEW else result,
        duration_seconds=time.perf_counter() - started,
    )

"""A recorded stream of registrations, and its replay against the engine without program and SDK.

What a registration takes from another resource's outputs is found by value: where a replay puts out another
text than the recording did (a made-up name, an id), the inputs that follow carry the new one.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

from typing_extensions import override

from sandbox.cloud import Cloud, World
from sandbox.cloud.api import CloudApi
from sandbox.cloud.world import Record
from sandbox.engine.deployment import Deployment, DeploymentAbortedError
from sandbox.engine.goal import Goal, Registration
from sandbox.faults import FaultyCloud
from sandbox.graph import kept_by
from sandbox.host.program import run_program
from sandbox.model import Keeper, Mode, Refusal, Snapshot
from sandbox.project import Program, StackSettings
from sandbox.values import Secret

__all__ = ["Ground", "Stream", "changed", "record", "replay", "whole"]


@dataclass
class Ground:
    """A state and the cloud that goes with it."""

    snapshot: Snapshot = field(default_factory=Snapshot)
    world: World = field(default_factory=World)

    @classmethod
    def before(cls, settings: StackSettings) -> Ground:
        """Nothing but what another program has made."""
        ground = cls()
        for type, id in settings.exists:
            ground.world.borrow(Record(type, id, {}, {}))
        return ground

    def copy(self) -> Ground:
        return Ground(copy.deepcopy(self.snapshot), self.world.copy())


@dataclass
class Stream:
    """What a program asked for, in order, and what it got."""

    project: str
    stack: str
    config: Mapping[str, str]
    events: list[Event] = field(default_factory=list["Event"])


@dataclass(frozen=True)
class Call:
    """A call of a provider function."""

    token: str
    args: dict[str, Any]
    provider: str
    version: str


Event = tuple[Goal, Registration] | tuple[str, dict[str, Any]] | tuple[Call, dict[str, Any]]


class _Recording(Deployment):
    stream: Stream

    @override
    def invoke(self, token: str, args: dict[str, Any], provider: str, version: str) -> dict[str, Any]:
        call = Call(token, copy.deepcopy(args), provider, version)
        answer = super().invoke(token, args, provider, version)
        self.stream.events.append((call, copy.deepcopy(answer)))
        return answer

    @override
    def register(self, goal: Goal) -> Registration:
        kept = copy.deepcopy(goal)
        done = super().register(goal)
        self.stream.events.append((kept, copy.deepcopy(done)))
        return done

    @override
    def register_outputs(self, urn: str, outputs: dict[str, Any]) -> None:
        self.stream.events.append((urn, copy.deepcopy(outputs)))
        super().register_outputs(urn, outputs)


def record(program: Program, settings: StackSettings, stack: str, world: World) -> Stream:
    """Run ``program`` once, undisturbed, on an empty state."""
    deployment = _Recording(
        project=program.name,
        stack=stack,
        mode=Mode.UPDATE,
        base=Snapshot(),
        cloud=Cloud(world),
        config=settings.values,
    )
    deployment.stream = Stream(program.name, stack, settings.values)
    run_program(program, settings, deployment)
    deployment.finish()
    assert not deployment.record.refusals, deployment.record.refusals[0].message
    return deployment.stream


def whole(before: str, after: str, text: str) -> str:
    """``text`` with ``after`` for each ``before`` that is not part of a longer word."""
    return re.sub(rf"(?<![\w.]){re.escape(before)}(?!\w)", lambda _: after, text)


class _Translation:
    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def learn(self, recorded: Any, now: Any) -> None:
        if isinstance(recorded, Secret) and isinstance(now, Secret):
            self.learn(recorded.value, now.value)
        elif isinstance(recorded, dict) and isinstance(now, dict):
            actual = cast("dict[str, Any]", now)
            for key, value in cast("dict[str, Any]", recorded).items():
                self.learn(value, actual.get(key))
        elif isinstance(recorded, list) and isinstance(now, list):
            for before, after in zip(cast("list[Any]", recorded), cast("list[Any]", now), strict=False):
                self.learn(before, after)
        elif isinstance(recorded, str) and isinstance(now, str) and recorded != now and len(recorded) > 6:
            self._texts[recorded] = now

    def of(self, value: Any) -> Any:
        if not self._texts:
            return copy.deepcopy(value)
        if isinstance(value, Secret):
            return Secret(self.of(value.value))
        if isinstance(value, dict):
            return {key: self.of(item) for key, item in cast("dict[str, Any]", value).items()}
        if isinstance(value, list):
            return [self.of(item) for item in cast("list[Any]", value)]
        if isinstance(value, str):
            if value in self._texts:
                return self._texts[value]
            for before, after in self._texts.items():
                if before in value:
                    value = whole(before, after, value)
        return value


def replay(
    stream: Stream,
    ground: Ground,
    faults: FaultyCloud | None = None,
    *,
    mode: Mode = Mode.UPDATE,
    keeper: Keeper | None = None,
) -> list[Refusal]:
    """One ``up`` (or ``down``) of the stream on ``ground``, which it changes; what was refused.

    When the process is killed, the error is raised and the ground's state is the caller's to restore.
    """
    cloud: CloudApi = Cloud(ground.world)
    deployment = Deployment(
        project=stream.project,
        stack=stream.stack,
        mode=mode,
        base=ground.snapshot,
        cloud=cloud if faults is None else faults.around(cloud, ground.world),
        config=stream.config,
        keeper=keeper,
    )
    try:
        if mode is Mode.DESTROY:
            states = ground.snapshot.resources
            deployment.destroy(kept_by({state.urn for state in states if state.protect}, states))
        else:
            _register_all(stream, deployment)
            deployment.finish()
    except DeploymentAbortedError:
        pass
    finally:
        ground.snapshot = deployment.snapshot()
    if deployment.record.stopped is not None:
        raise deployment.record.stopped
    return deployment.record.refusals


def _register_all(stream: Stream, deployment: Deployment) -> None:
    translation = _Translation()
    for first, second in stream.events:
        if isinstance(first, str):
            assert isinstance(second, dict)
            deployment.register_outputs(first, translation.of(second))
            continue
        if isinstance(first, Call):
            arguments = translation.of(first.args), translation.of(first.provider), first.version
            translation.learn(second, deployment.invoke(first.token, *arguments))
            continue
        assert isinstance(second, Registration)
        done = deployment.register(
            replace(
                first,
                inputs=translation.of(first.inputs),
                provider=translation.of(first.provider),
                dependencies=list(first.dependencies),
                property_dependencies=dict(first.property_dependencies),
            )
        )
        if done.id != second.id or done.outputs != second.outputs:
            translation.learn(second.id, done.id)
            translation.learn(dict(second.outputs), dict(done.outputs))


def changed(stream: Stream, change: Callable[[Goal], dict[str, Any]]) -> Stream:
    """The stream with the inputs that ``change`` gives each goal."""
    events: list[Event] = []
    for first, second in stream.events:
        if isinstance(first, Goal) and isinstance(second, Registration):
            events.append((replace(first, inputs=change(first)), second))
        else:
            events.append(cast("Event", (first, second)))
    return replace(stream, events=events)

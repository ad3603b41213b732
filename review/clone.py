"""A database that was cloned or restored beside a stack that runs: what taking it over would do.

`gcloud sql instances clone SOURCE NAME` makes an instance of which the state knows nothing. The stack file
declares it as a replica that is promoted, and the import brings it into the state. ``rehearsed_clone`` plays
that in the sandbox: the stack without it, the clone as Google makes it of its source, the import, the ``up``.
It changes neither the sandbox's own state nor a file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from review.adoption import Adoption, Rehearsal, adopted, losses, reasons
from review.inventory import Import, phases, setting, with_settings
from review.survivors import SQL
from review.workspace import Ground, Workspace, add_existing, evaluate
from sandbox.cloud import Cloud, World
from sandbox.cloud.data import Values
from sandbox.errors import UsageError
from sandbox.model import Mode, Op, ResourceState, Snapshot
from sandbox.plugin.cli import CliStep, SandboxCli
from sandbox.project import Program, StackSettings
from sandbox.state import write_atomically
from sandbox.values import unwrap

__all__ = ["Clone", "clone_on_the_cli", "rehearsed_clone"]

_REPLICAS: Final = "postgres.replicas"
# Of the source's place among others; a clone stands alone.
_ROLES: Final = frozenset({"name", "replicaNames", "replicationCluster"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Clone:
    """An instance ``name`` that was made of ``source``, in the order of `gcloud sql instances clone`."""

    source: str
    name: str


def rehearsed_clone(work: Workspace, stack: str, settings: StackSettings, clone: Clone) -> Rehearsal:
    """Take the clone over into the running stack. Raises UsageError when its file does not declare it."""
    ran = Ground(snapshot=Snapshot(), world=World())
    before = _before(work.program, stack, settings, clone)
    if why := _bring_up(work, stack, before, ran, f"adoption (without {clone.name})"):
        return Rehearsal(refusals=(f"the stack does not come up without {clone.name}: {why[0]}",))
    made = _settings_of_clone(ran.world, clone)
    alone = Ground(snapshot=Snapshot(), world=World())
    if why := _bring_up(work, stack, settings, alone, "adoption (alone)"):
        return Rehearsal(refusals=(f"the stack does not come up by itself: {why[0]}",))
    states = alone.snapshot.resources
    declared = next(state for state in states if (state.type, state.id) == (SQL, clone.name))
    _make(ran.world, made, declared.urn, states)
    item = Import(type=SQL, id=clone.name, decision="import", reason=f"made of {clone.source}")
    taken = next(one for one in adopted(states, {declared.urn: item}, ran.world) if one.urn == declared.urn)
    ran.snapshot = Snapshot(resources=[*ran.snapshot.resources, taken])
    done = work.plan(stack, settings, ran, label="adoption", play=True)
    changes = tuple(
        change.path for step in done.preview.steps if step.urn == declared.urn for change in step.diff
    )
    steps = [(str(step.op), step.urn) for step in done.preview.steps]
    return Rehearsal(
        adoptions=(Adoption(item=item, urn=declared.urn, changes=changes),),
        refusals=tuple(dict.fromkeys([*reasons(done.preview), *losses(steps)])),
        states=states,
        imported={declared.urn: item},
        outcomes=(done.preview,),
    )


def clone_on_the_cli(
    work: Workspace, stack: str, settings: StackSettings, clone: Clone, found: Rehearsal, folder: Path
) -> tuple[list[CliStep], list[CliStep]]:
    """The same on the real CLI: the steps of import and ``up``, and those of another ``up``."""
    first, *later = phases(work.program, _before(work.program, stack, settings, clone))
    cli = SandboxCli(work.program, stack, first, folder)
    world = World()
    add_existing(world, first)
    write_atomically(cli.world, json.dumps(world.to_json()))
    cli.up()
    for phase in later:
        SandboxCli(work.program, stack, phase, folder).up()
    cli = SandboxCli(work.program, stack, settings, folder)
    world = World.from_json(json.loads(cli.world.read_text(encoding="utf-8")))
    _make(world, _settings_of_clone(world, clone), next(iter(found.imported)), found.states)
    write_atomically(cli.world, json.dumps(world.to_json()))
    resources: list[dict[str, Any]] = cli.export()["deployment"]["resources"]
    file = folder / "import.json"
    write_atomically(file, json.dumps(found.import_file([str(item["urn"]) for item in resources])))
    steps = [*cli.import_live(file), *cli.up()]
    return steps, [step for step in cli.up() if step.op != Op.SAME]


def _bring_up(work: Workspace, stack: str, settings: StackSettings, ground: Ground, label: str) -> list[str]:
    """Bring the stack up on the ground; why that is refused."""
    done = evaluate(work.program, stack, settings, ground, Mode.UPDATE, progress=work.progress, label=label)
    ground.snapshot = done.snapshot
    return reasons(done)


def _before(program: Program, stack: str, settings: StackSettings, clone: Clone) -> StackSettings:
    """The settings that the stack ran with until now: without the clone, and what follows it."""
    replicas = setting(program, settings, _REPLICAS)
    declared = cast("dict[str, Any]", replicas) if isinstance(replicas, dict) else {}
    promoted = _field(declared.get(clone.name), "promoted")
    if promoted is not True:
        raise UsageError(
            f"{program.stack_file(stack).name}: {_REPLICAS}.{clone.name}.promoted must be true, got "
            f"{json.dumps(promoted)}: declare the clone there, as docs/runbooks/database-restore.md says"
        )
    gone = {clone.name}
    while more := {name for name, one in declared.items() if _field(one, "follows") in gone} - gone:
        gone |= more
    kept = {name: one for name, one in declared.items() if name not in gone}
    return with_settings(program, settings, {_REPLICAS: kept})


def _field(replica: object, name: str) -> Any:
    # What is malformed, the program refuses by name.
    return cast("dict[str, Any]", replica).get(name) if isinstance(replica, dict) else None


def _settings_of_clone(world: World, clone: Clone) -> Values:
    """What Google makes of the source: all its settings under another name."""
    instances = {record.id: record for record in world if record.type == SQL}
    primaries = sorted(id for id, one in instances.items() if not one.outputs.get("masterInstanceName"))
    if clone.source not in primaries:
        raise UsageError(
            f"the clone's source must be a primary of the stack ({', '.join(primaries)}), got "
            f"{clone.source!r}: name what it was made of"
        )
    source = instances[clone.source].inputs
    return {**{key: value for key, value in source.items() if key not in _ROLES}, "name": clone.name}


def _make(world: World, inputs: Values, urn: str, states: Sequence[ResourceState]) -> None:
    by_urn = {state.urn: state for state in states}
    provider = by_urn[by_urn[urn].provider.rsplit("::", 1)[0]]
    Cloud(world).create(SQL, urn, inputs, preview=False, provider=unwrap(provider.inputs))

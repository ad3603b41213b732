"""A database that was cloned or restored beside a stack that runs: what taking it over would do.

`gcloud sql instances clone SOURCE NAME` makes an instance of which the state knows nothing. The stack file
declares it as a replica that is promoted, and the import brings it into the state. ``rehearsed_clone`` plays
that in the sandbox: the stack without it, the clone as Google makes it of its source, the import, the ``up``.
It changes neither the sandbox's own state nor a file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import yaml

from review.adoption import GONE, Adoption, Rehearsal, adopted, losses, reasons
from review.inventory import Import, phases, setting, with_settings
from review.survivors import SQL
from review.workspace import Ground, Workspace, add_existing, evaluate, running_cloud
from review.worktree import committed
from sandbox.cloud import Cloud, World
from sandbox.cloud.data import Values
from sandbox.errors import UsageError
from sandbox.model import Mode, Op, ResourceState, Snapshot
from sandbox.plugin.cli import SandboxCli
from sandbox.project import Program, StackSettings
from sandbox.state import write_atomically
from sandbox.values import unwrap

__all__ = ["GRANTS", "Clone", "beside", "refuse_state", "rehearsed_clone"]

GRANTS: Final = GONE - {Op.DELETE}
"""What may happen to a grant when a clone takes over: replaced, since it names the database."""
_POSTGRES, _REPLICAS, _PAGE = "postgres", "postgres.replicas", "docs/runbooks/database-restore.md"
# Of the source's place among others; a clone stands alone.
_ROLES: Final = frozenset({"name", "replicaNames", "replicationCluster"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Clone:
    """An instance ``name`` that was made of ``source``, in the order of `gcloud sql instances clone`.

    ``disk_size_gb`` is the clone's, where its source has grown beyond what is declared.
    """

    source: str
    name: str
    disk_size_gb: int | None = None


def rehearsed_clone(work: Workspace, stack: str, settings: StackSettings, clone: Clone) -> Rehearsal:
    """Take the clone over into the running stack.

    Raises UsageError when the stack file does not declare it so that services write to it, when it lost a
    replica that is committed, and when the source is no primary of the stack.
    """
    before = _before(work.program, stack, settings, clone)
    ground = Ground(snapshot=Snapshot(), world=running_cloud())
    label = f"adoption (without {clone.name})"
    ran = evaluate(work.program, stack, before, ground, Mode.UPDATE, progress=work.progress, label=label)
    if why := reasons(ran):
        return Rehearsal(refusals=(f"the stack does not come up without {clone.name}: {why[0]}",))
    ground.snapshot = ran.snapshot
    made = _settings_of_clone(ground.world, clone)
    # What the import file needs is known before the import: the clone's URN, and what stands above it.
    planned = work.plan(stack, settings, ground, label="adoption (before the import)", play=False).preview
    states = planned.resources
    declared = next((one for one in states if one.type == SQL and one.inputs.get("name") == clone.name), None)
    if declared is None or reasons(planned):
        nothing = f"the program makes no database of the name {clone.name}"
        return Rehearsal(refusals=tuple(dict.fromkeys(reasons(planned) or [nothing])))
    _make(ground.world, made, declared.urn, states)
    item = Import(type=SQL, id=clone.name, decision="import", reason=f"made of {clone.source}")
    taken = next(
        one for one in adopted(states, {declared.urn: item}, ground.world) if one.urn == declared.urn
    )
    ground.snapshot = Snapshot(resources=[*ran.snapshot.resources, taken])
    done = work.plan(stack, settings, ground, label="adoption", play=True).preview
    changes = tuple(change.path for step in done.steps if step.urn == declared.urn for change in step.diff)
    lost = losses(((step.op, step.urn) for step in done.steps), grants=GRANTS)
    return Rehearsal(
        adoptions=(Adoption(item=item, urn=declared.urn, changes=changes),),
        refusals=tuple(dict.fromkeys([*reasons(done), *lost])),
        states=states,
        imported={declared.urn: item},
        outcomes=(done,),
    )


def beside(
    work: Workspace, stack: str, settings: StackSettings, clone: Clone, found: Rehearsal, folder: Path
) -> SandboxCli:
    """The real CLI with the stack as it ran, and the clone at its cloud.

    Raises CliError when the stack does not come up, UsageError as the rehearsal does.
    """
    first, *later = phases(work.program, _before(work.program, stack, settings, clone))
    cli = SandboxCli(work.program, stack, first, folder)
    world = running_cloud()
    add_existing(world, first)
    write_atomically(cli.world, json.dumps(world.to_json()))
    cli.up()
    for phase in later:
        SandboxCli(work.program, stack, phase, folder).up()
    world = World.from_json(json.loads(cli.world.read_text(encoding="utf-8")))
    _make(world, _settings_of_clone(world, clone), next(iter(found.imported)), found.states)
    write_atomically(cli.world, json.dumps(world.to_json()))
    return SandboxCli(work.program, stack, settings, folder)


def refuse_state(resources: Sequence[Mapping[str, Any]], found: Rehearsal, clone: Clone, stack: str) -> None:
    """Raises UsageError when the real state is not the one in which the clone takes over."""
    databases = {str(item["urn"]): item for item in resources if item["type"] == SQL}
    names = {_input(item, "name"): item for item in databases.values()}
    if clone.source not in names:
        raise UsageError(
            f"the state of {stack} must hold {clone.source}, of which the clone was made, got "
            f"{', '.join(sorted(map(str, names))) or 'no database'}: select the backend of that stack"
        )
    if (there := names.get(clone.name)) and _input(there, "masterInstanceName"):
        raise UsageError(
            f"{clone.name} must be the clone's own name, got a replica of {stack}, which would be promoted: "
            "declare the clone under its name"
        )
    if lost := sorted(databases.keys() - {state.urn for state in found.states}):
        raise UsageError(
            f"the stack file must declare every database of {stack}, got none for "
            f"{', '.join(urn.rsplit('::', 1)[-1] for urn in lost)}: add the clone beside it"
        )


def _input(resource: Mapping[str, Any], name: str) -> Any:
    return cast("Mapping[str, Any]", resource.get("inputs") or {}).get(name)


def _before(program: Program, stack: str, settings: StackSettings, clone: Clone) -> StackSettings:
    """The settings that the stack ran with until now: without the clone, and what follows it."""
    file = program.stack_file(stack).name
    declared = _mapping(setting(program, settings, _REPLICAS))
    own = _mapping(declared.get(clone.name))
    if own.get("promoted") is not True:
        raise UsageError(
            f"{file}: {_REPLICAS}.{clone.name}.promoted must be true, got {json.dumps(own.get('promoted'))}: "
            f"declare the clone there, as {_PAGE} says; the order is SOURCE NAME"
        )
    if clone.source in declared and own.get("follows") != clone.source:
        raise UsageError(
            f"{file}: {_REPLICAS}.{clone.name}.follows must be {clone.source}, which services write to until "
            f"now, got {json.dumps(own.get('follows'))}: write it there; both stay promoted"
        )
    switchover = setting(program, settings, f"{_POSTGRES}.switchover")
    if switchover is not None:
        raise UsageError(
            f"{file}: {_POSTGRES}.switchover must be left out while a clone takes over, got "
            f"{json.dumps(switchover)}: services would go on writing to the other one; switch back first, or "
            "load the tables from the clone"
        )
    _refuse_lost(program, stack, declared, clone)
    gone = {clone.name}
    while more := {name for name, one in declared.items() if _mapping(one).get("follows") in gone} - gone:
        gone |= more
    kept = {name: one for name, one in declared.items() if name not in gone}
    return with_settings(program, settings, {_REPLICAS: kept})


def _refuse_lost(program: Program, stack: str, declared: Mapping[str, Any], clone: Clone) -> None:
    """Raises UsageError where the file differs from the committed one by more than what is added."""
    path = program.stack_file(stack)
    try:
        document = _mapping(yaml.safe_load(committed(path) or ""))
    except yaml.YAMLError:
        return
    config = _mapping(document.get("config"))
    before = _mapping(_mapping(config.get(f"{program.name}:{_POSTGRES}")).get("replicas"))
    if clone.name in before and _mapping(before[clone.name]).get("promoted") is not True:
        raise UsageError(
            f"{path.name}: {_REPLICAS}.{clone.name} must be the clone's own name, got a replica's, which "
            "would be promoted: declare the clone under its name"
        )
    if lost := sorted(before.keys() - declared.keys()):
        raise UsageError(
            f"{path.name}: {_REPLICAS} must keep {', '.join(lost)}, as committed, got "
            f"{', '.join(sorted(declared))}: add the clone beside it"
        )


def _mapping(value: object) -> dict[str, Any]:
    # What is malformed, the program refuses by name.
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _settings_of_clone(world: World, clone: Clone) -> Values:
    """What Google makes of the source: all its settings under another name, on a disk as large as its."""
    instances = {record.id: record for record in world if record.type == SQL}
    primaries = sorted(id for id, one in instances.items() if not one.outputs.get("masterInstanceName"))
    if clone.source not in primaries:
        raise UsageError(
            f"the clone's source must be a primary of the stack ({', '.join(primaries)}), got "
            f"{clone.source!r}: name what it was made of"
        )
    source = instances[clone.source].inputs
    made = {**{key: value for key, value in source.items() if key not in _ROLES}, "name": clone.name}
    if clone.disk_size_gb is not None:
        made["settings"] = {**source["settings"], "diskSize": clone.disk_size_gb}
    return made


def _make(world: World, inputs: Values, urn: str, states: Sequence[ResourceState]) -> None:
    by_urn = {state.urn: state for state in states}
    provider = by_urn[by_urn[urn].provider.rsplit("::", 1)[0]]
    Cloud(world).create(SQL, urn, inputs, preview=False, provider=unwrap(provider.inputs))

"""Adoption of a live project: which live resource the platform takes over, succeeds or leaves.

``rehearsed`` plays it in the sandbox from the inventory and a fixture of the live project: the stack's
resources are imported, then brought up in place, first without a release and then with it. It tells whether
something live would be deleted or replaced, and makes the file that ``pulumi import --file`` takes. It
changes neither the sandbox's state nor a file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from review.inventory import CutOver, Import, Inventory, Item, phases
from review.workspace import Ground, Workspace
from sandbox.cloud import Cloud, World, load_fixture
from sandbox.errors import UsageError
from sandbox.model import Op, Outcome, ResourceState, Snapshot, Step
from sandbox.project import Program, StackSettings
from sandbox.urn import STACK_TYPE, is_provider
from sandbox.values import unwrap

__all__ = [
    "GONE",
    "Adoption",
    "Rehearsal",
    "adopted",
    "import_file",
    "inventory_path",
    "live_path",
    "losses",
    "reasons",
    "rehearsed",
]

FOLDER: Final = "adoption"
GONE: Final = frozenset({Op.DELETE, Op.REPLACE, Op.CREATE_REPLACEMENT, Op.DELETE_REPLACED})
# Grants and what they bind are free to be replaced: nothing is stored in them and nothing restarts.
_GRANT: Final = ("IAMMember", "IamMember")


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """What becomes of one live resource. ``changes`` are the paths that change in place after an import."""

    item: Item
    urn: str
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """How an adoption ends in the sandbox: ``refusals`` say why it must not be done as it stands."""

    adoptions: tuple[Adoption, ...] = ()
    refusals: tuple[str, ...] = ()
    states: Sequence[ResourceState] = ()
    imported: Mapping[str, Item] = field(default_factory=dict[str, Item])
    outcomes: tuple[Outcome, ...] = ()

    def providers(self, present: Collection[str] = ()) -> list[str]:
        """URNs of the providers that must be in the state before the import, without those ``present``."""
        return [state.urn for state in self.states if is_provider(state.type) and state.urn not in present]

    def import_file(self, present: Collection[str] = ()) -> dict[str, Any]:
        """What ``pulumi import --file`` takes, without what is ``present`` in the state already, by URN."""
        return import_file(self.states, self.imported, present)


def inventory_path(program: Program, stack: str) -> Path:
    """Where the inventory of ``stack``'s live project is."""
    return program.directory / FOLDER / f"{stack}.yaml"


def live_path(program: Program, stack: str) -> Path:
    """Where the fixture of ``stack``'s live project is."""
    return program.directory / FOLDER / f"{stack}.live.yaml"


def rehearsed(
    work: Workspace, stack: str, settings: StackSettings, inventory: Inventory, live: Path
) -> Rehearsal:
    """Import what the inventory says into an empty state and bring the stack up on the live project."""
    world = load_fixture(live).world
    refusals = list(_undecided(inventory, world))
    alone = work.plan(stack, settings, _alone(world), label="adoption (alone)", play=True)
    if why := reasons(alone.preview):
        return Rehearsal(refusals=(f"the stack does not come up by itself: {why[0]}",))
    planned = {(state.type, state.id): state for state in alone.after.snapshot.resources if state.custom}
    refusals += _misplaced(inventory, planned)
    taken = [item for item in inventory.resources if isinstance(item, Import) and item.key in planned]
    states = alone.after.snapshot.resources
    imported = {planned[item.key].urn: item for item in taken if world.get(*item.key) is not None}
    ground = Ground(snapshot=Snapshot(resources=adopted(states, imported, world)), world=world)
    outcomes: list[Outcome] = []
    for phase in phases(work.program, settings):
        done = work.plan(stack, phase, ground, label="adoption", play=True)
        outcomes.append(done.preview)
        refusals += reasons(done.preview)
        refusals += list(_destructive(done.preview.steps))
        if not done.succeeded:
            break
        ground = done.after
    steps = {step.urn: step for step in outcomes[0].steps if step.op is Op.UPDATE}
    adoptions = tuple(
        Adoption(
            item=item,
            urn=planned[item.key].urn if item in taken else "",
            changes=tuple(change.path for change in steps[planned[item.key].urn].diff)
            if item in taken and planned[item.key].urn in steps
            else (),
        )
        for item in inventory.resources
    )
    return Rehearsal(
        adoptions=adoptions,
        refusals=tuple(dict.fromkeys(refusals)),
        states=states,
        imported=imported,
        outcomes=tuple(outcomes),
    )


def reasons(outcome: Outcome) -> list[str]:
    """Why the cloud or a mandatory policy refuses it; a sentence each."""
    broken = [item.message for item in outcome.violations if item.level == "mandatory"]
    return [*(item.message for item in outcome.refusals), *broken]


def losses(steps: Iterable[tuple[str, str]], *, grants: frozenset[str] = GONE) -> list[str]:
    """The steps, by operation and URN, that delete or replace something; a sentence each.

    Of ``grants`` these operations are no loss.
    """
    found = {
        f"it would {op} {urn.rsplit('::', 1)[-1]} ({_kind(urn)}), and "
        f"{'nothing but grants' if grants else 'nothing'} may be replaced or deleted"
        for op, urn in steps
        if op in GONE and not (op in grants and _kind(urn).endswith(_GRANT))
    }
    return sorted(found)


def _kind(urn: str) -> str:
    return urn.split("::")[-2].rsplit(":", 1)[-1]


def import_file(
    states: Sequence[ResourceState], imported: Mapping[str, Item], present: Collection[str] = ()
) -> dict[str, Any]:
    """What ``pulumi import --file`` takes: the resources, the components above them, their provider's URN.

    What is ``present`` in the state already, by URN, is not imported again.
    """
    by_urn = {state.urn: state for state in states}
    entries: list[dict[str, Any]] = []
    table: dict[str, str] = {}
    for urn, item in imported.items():
        state = by_urn[urn]
        if urn in present:
            continue
        for component in reversed(_components(state, by_urn)):
            if component.urn in present:
                table[_names(component)["name"]] = component.urn
                continue
            entry = {
                **_names(component),
                "type": component.type,
                "component": True,
                **_parent(component, by_urn),
            }
            if entry not in entries:
                entries.append(entry)
        provider = state.provider.rsplit("::", 1)[0]
        table[by_urn[provider].name] = provider
        entries.append(
            {
                **_names(state),
                "type": state.type,
                "id": item.id,
                "provider": by_urn[provider].name,
                **_parent(state, by_urn),
            }
        )
    return {"nameTable": table, "resources": entries}


def _alone(live: World) -> Ground:
    world = World(live.copy().facts)
    return Ground(snapshot=Snapshot(), world=world)


def _undecided(inventory: Inventory, world: World) -> Iterator[str]:
    decided = {item.key for item in inventory.resources}
    for record in world:
        if (record.type, record.id) not in decided:
            yield (
                f"{record.id} ({record.type}) runs in the project and the inventory has no decision for it: "
                "add import, cut-over or leave"
            )
    for item in inventory.resources:
        if world.get(item.type, item.id) is None:
            yield f"{item.id} ({item.type}) is in the inventory and does not run in the project: remove it"


def _misplaced(inventory: Inventory, planned: Mapping[tuple[str, str], ResourceState]) -> Iterator[str]:
    for item in inventory.resources:
        if isinstance(item, Import):
            if item.key not in planned:
                yield (
                    f"{item.id} ({item.type}) is to be imported and the stack declares no such resource: "
                    "correct the decision, or the setting that names it"
                )
        elif item.key in planned:
            yield (
                f"{item.id} ({item.type}) is to stay and the stack would make a resource of that name: give "
                "the stack's another name under `settings`"
            )
        if isinstance(item, CutOver) and (item.type, item.successor) not in planned:
            yield (
                f"{item.successor} ({item.type}) is to succeed {item.id} and the stack declares no such "
                "resource: correct the successor, or the setting that names it"
            )


def _destructive(steps: Sequence[Step]) -> Iterator[str]:
    for step in steps:
        if step.op in GONE:
            reasons = ", ".join(step.replace_reasons)
            because = f" because of {reasons}" if reasons else ""
            yield (
                f"{step.name} ({step.type}) would be {step.op}d{because}: decide for a cut-over under "
                "another name"
            )


def adopted(
    states: Sequence[ResourceState], imported: Mapping[str, Item], world: World
) -> list[ResourceState]:
    """The state after the import: what was imported, as it is at the cloud, and what stands above it.

    Raises UsageError when something to import does not exist there.
    """
    by_urn = {state.urn: state for state in states}
    kept = {state.urn for state in states if state.type == STACK_TYPE or is_provider(state.type)}
    for urn in imported:
        kept |= {component.urn for component in _components(by_urn[urn], by_urn)}
    cloud = Cloud(world)
    result: list[ResourceState] = []
    for state in states:
        if state.urn in imported:
            item = imported[state.urn]
            provider = by_urn[state.provider.rsplit("::", 1)[0]]
            found = cloud.read(item.type, state.urn, item.id, None, provider=unwrap(provider.inputs))
            if found is None:
                raise UsageError(f"{item.id} ({item.type}) does not exist: correct what is to be imported")
            result.append(
                replace(
                    state,
                    inputs=found[0],
                    outputs=found[1],
                    protect=False,
                    dependencies=[],
                    property_dependencies={},
                )
            )
        elif state.urn in kept:
            result.append(replace(state, dependencies=[], property_dependencies={}))
    return result


def _components(state: ResourceState, by_urn: Mapping[str, ResourceState]) -> list[ResourceState]:
    """The components above ``state``, the nearest first."""
    result: list[ResourceState] = []
    parent = by_urn.get(state.parent)
    while parent is not None and parent.type != STACK_TYPE:
        result.append(parent)
        parent = by_urn.get(parent.parent)
    return result


def _parent(state: ResourceState, by_urn: Mapping[str, ResourceState]) -> dict[str, str]:
    parent = by_urn.get(state.parent)
    return {} if parent is None or parent.type == STACK_TYPE else {"parent": _names(parent)["name"]}


def _names(state: ResourceState) -> dict[str, str]:
    """A name that only this resource has in the import file, and the one that it has in the program."""
    return {"name": f"{state.name} {state.type.rsplit(':', 1)[-1]}", "logicalName": state.name}

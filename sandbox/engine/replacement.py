"""What must go together with a resource that is deleted before it is replaced."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sandbox.cloud.api import CloudApi
from sandbox.engine.differ import Difference, difference
from sandbox.engine.graph import dependents_of
from sandbox.model import ResourceState
from sandbox.urn import provider_urn
from sandbox.values import UNKNOWN

__all__ = ["condemned_with", "imported", "protected", "protected_with"]


def condemned_with(
    root: ResourceState, resources: Sequence[ResourceState], operated: Collection[str], cloud: CloudApi
) -> list[tuple[ResourceState, tuple[str, ...]]]:
    """The dependents that would be replaced when ``root`` is, in dependency order, each with the reasons.

    A dependent counts when what it takes from a condemned resource cannot change in place: its inputs from
    there are made unknown and the provider is asked (``calculateDependentReplacements`` of the engine).
    Resources that this run already dealt with do not depend on ``root`` any more.
    """
    gone = {root.urn}
    condemned: list[tuple[ResourceState, tuple[str, ...]]] = []
    for state in dependents_of(root, resources, operated):
        if not state.custom or state.external or state.delete or state.pending_replacement:
            continue
        reasons = _reasons(state, gone, cloud)
        if reasons is not None:
            condemned.append((state, reasons))
            gone.add(state.urn)
    for state in resources:
        together = root.urn == state.deleted_with or root.urn in state.replace_with
        if together and state.urn not in gone and state.urn not in operated and not state.delete:
            condemned.append((state, ()))
            gone.add(state.urn)
    return condemned


def _reasons(state: ResourceState, gone: set[str], cloud: CloudApi) -> tuple[str, ...] | None:
    if state.provider and provider_urn(state.provider) in gone:
        return ()
    if state.deleted_with in gone:
        return ()
    inputs = {
        key: UNKNOWN if gone.intersection(state.property_dependencies.get(key, ())) else value
        for key, value in state.inputs.items()
    }
    if not any(value is UNKNOWN for value in inputs.values()):
        return None
    change = difference(state, inputs, cloud, state.ignore_changes)
    change = change.with_replace_on_changes(state.replace_on_changes, init_errors=False)
    return change.replaces if change.replacing else None


def protected(new: ResourceState, change: Difference) -> str:
    """Why a protected resource is not replaced."""
    return (
        f"{new.name} ({new.type}) is protected and would be replaced because of {_because(change)}: "
        "undo that change, or remove `protect` first"
    )


def imported(new: ResourceState, change: Difference) -> str:
    """Why a resource that is being imported is not replaced."""
    return (
        f"{new.name} ({new.type}) is imported by id and would be replaced because of {_because(change)}: "
        "remove `import_` from the program first"
    )


def protected_with(state: ResourceState, new: ResourceState) -> str:
    """Why a protected resource is not replaced together with ``new``."""
    return (
        f"{state.name} ({state.type}) is protected and would be replaced together with "
        f"{new.name}, on which it depends: undo the change of {new.name}"
    )


def _because(change: Difference) -> str:
    return ", ".join(change.replaces) or "its options"

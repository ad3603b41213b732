"""Who depends on whom: questions to states that stand in dependency order."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from sandbox.model import ResourceState
from sandbox.urn import provider_urn

__all__ = ["dependencies_of", "dependents_of", "in_dependency_order", "kept_by", "rename"]


def dependencies_of(state: ResourceState, *, parent: bool = True) -> Iterator[str]:
    """The URNs a resource needs: dependencies, provider, what it is deleted or replaced with, its parent."""
    yield from state.dependencies
    for urns in state.property_dependencies.values():
        yield from urns
    if state.provider:
        yield provider_urn(state.provider)
    if state.deleted_with:
        yield state.deleted_with
    yield from state.replace_with
    if parent and state.parent:
        yield state.parent


def dependents_of(
    root: ResourceState, resources: Sequence[ResourceState], ignore: Collection[str]
) -> list[ResourceState]:
    """All that depends on ``root``, directly or not, in dependency order; children alone do not count."""
    found: list[ResourceState] = []
    urns = {root.urn}
    start = next((index for index, state in enumerate(resources) if state is root), None)
    if start is None:
        return []
    for candidate in resources[start + 1 :]:
        if candidate.urn not in ignore and any(
            urn in urns for urn in dependencies_of(candidate, parent=False)
        ):
            found.append(candidate)
            urns.add(candidate.urn)
    return found


def kept_by(protected: Collection[str], resources: Sequence[ResourceState]) -> set[str]:
    """The URNs that must stay when ``protected`` stay: they themselves and all that they need."""
    kept = set(protected)
    for state in reversed(resources):
        if state.urn in kept:
            kept.update(dependencies_of(state))
    return kept


def in_dependency_order(resources: Sequence[ResourceState]) -> list[ResourceState]:
    """``resources`` so that each comes after all it needs; otherwise in the order given."""
    by_urn: dict[str, list[ResourceState]] = {}
    for state in resources:
        by_urn.setdefault(state.urn, []).append(state)
    placed: set[int] = set()
    ordered: list[ResourceState] = []
    for state in resources:
        stack = [(state, iter(list(dependencies_of(state))))]
        entered = {id(state)}
        while stack:
            current, needs = stack[-1]
            if id(current) in placed:
                stack.pop()
                continue
            pending = next(
                (
                    needed
                    for urn in needs
                    for needed in by_urn.get(urn, ())
                    if not needed.delete and id(needed) not in placed and id(needed) not in entered
                ),
                None,
            )
            if pending is not None:
                entered.add(id(pending))
                stack.append((pending, iter(list(dependencies_of(pending)))))
                continue
            placed.add(id(current))
            ordered.append(current)
            stack.pop()
    return ordered


def rename(state: ResourceState, renamed: Mapping[str, str]) -> None:
    """Let ``state`` refer to the new URNs."""
    if not renamed:
        return
    state.dependencies = [renamed.get(urn, urn) for urn in state.dependencies]
    state.property_dependencies = {
        key: [renamed.get(urn, urn) for urn in urns] for key, urns in state.property_dependencies.items()
    }
    state.parent = renamed.get(state.parent, state.parent)
    state.deleted_with = renamed.get(state.deleted_with, state.deleted_with)
    if state.provider:
        urn, _, identifier = state.provider.rpartition("::")
        state.provider = f"{renamed.get(urn, urn)}::{identifier}"

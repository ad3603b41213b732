"""Settles what an interrupted run left open: calls of the cloud of which nobody knows how they ended.

The real engine keeps such calls in ``pending_operations`` too, and asks a person to look. Here the cloud can
be asked: an object that was made is taken over, so that it is neither made twice nor forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sandbox.cloud.api import CloudApi
from sandbox.graph import in_dependency_order
from sandbox.model import PendingOperation, ResourceState, Snapshot
from sandbox.urn import provider_urn
from sandbox.values import Secret

__all__ = ["settle"]

Tell = Callable[[str, str], None]


def settle(base: Snapshot, cloud: CloudApi, tell: Tell) -> Snapshot:
    """``base`` with every pending operation settled by what the cloud holds; its states are changed."""
    if not base.pending_operations:
        return base
    resources = list(base.resources)
    for operation in base.pending_operations:
        _settle_one(operation, resources, cloud, tell)
    return Snapshot(resources=in_dependency_order(resources), metadata=base.metadata)


def _settle_one(
    operation: PendingOperation, resources: list[ResourceState], cloud: CloudApi, tell: Tell
) -> None:
    state = operation.resource
    config = _configuration(state, resources)
    if operation.type == "creating":
        _take_over(state, resources, cloud, config, tell)
    elif operation.type == "updating":
        for old in resources:
            if old.urn == state.urn and old.id == state.id and not old.delete:
                # Whether or not it took place, doing it again brings the resource to its goal.
                old.init_errors = old.init_errors or ["an update of it was interrupted"]
    elif operation.type == "deleting":
        for old in list(resources):
            if (old.urn, old.id, old.delete) == (state.urn, state.id, state.delete):
                _let_go(old, resources, cloud, config, tell)


def _take_over(
    state: ResourceState,
    resources: list[ResourceState],
    cloud: CloudApi,
    config: Mapping[str, Any],
    tell: Tell,
) -> None:
    owned = {(old.type, old.id) for old in resources if not old.pending_replacement}
    for id, outputs in cloud.made(state.type, state.urn, state.inputs, provider=config):
        if (state.type, id) in owned:
            continue
        for old in [old for old in resources if old.urn == state.urn and not old.delete]:
            if old.pending_replacement:
                resources.remove(old)
            else:
                old.delete = True
        stamp = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        secret = {key: Secret(outputs[key]) for key in state.additional_secret_outputs if key in outputs}
        made = replace(state, id=id, outputs={**outputs, **secret}, created=stamp, modified=stamp)
        resources.insert(_place_for(made, resources), made)
        tell(state.urn, f"{state.name} ({state.type}) was made by an interrupted run: {id} is taken over")
        return


def _place_for(made: ResourceState, resources: list[ResourceState]) -> int:
    """Before the instance that it replaces, so that dependents stay behind both."""
    return next(
        (index for index, state in enumerate(resources) if state.urn == made.urn and state.delete),
        len(resources),
    )


def _let_go(
    old: ResourceState,
    resources: list[ResourceState],
    cloud: CloudApi,
    config: Mapping[str, Any],
    tell: Tell,
) -> None:
    if cloud.read(old.type, old.urn, old.id, old.inputs, provider=config) is not None:
        return
    tell(old.urn, f"{old.name} ({old.type}) was deleted by an interrupted run: {old.id} leaves the state")
    if old.delete:
        resources.remove(old)
    else:
        old.pending_replacement = True


def _configuration(state: ResourceState, resources: list[ResourceState]) -> Mapping[str, Any]:
    urn = provider_urn(state.provider) if state.provider else ""
    for other in resources:
        if other.urn == urn:
            return other.inputs
    return {}

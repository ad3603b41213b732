"""Takes over into state what the cloud says of each resource."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sandbox.cloud.api import CloudApi
from sandbox.engine.differ import difference
from sandbox.engine.executor import now
from sandbox.engine.providers import ProviderTable
from sandbox.engine.recorder import Recorder
from sandbox.errors import CloudError
from sandbox.model import Op, ResourceState, Step
from sandbox.urn import is_provider

__all__ = ["refresh_all"]


def refresh_all(
    states: Iterable[ResourceState], cloud: CloudApi, providers: ProviderTable, record: Recorder
) -> None:
    """Refresh each managed resource; one that is gone leaves the state. Steps say what was found."""
    for state in states:
        if state.custom and not is_provider(state.type) and not state.delete:
            _refresh(state, cloud, providers, record)
        else:
            record.note(Step(Op.SAME, state.urn, state.type, state, state))


def _refresh(state: ResourceState, cloud: CloudApi, providers: ProviderTable, record: Recorder) -> None:
    config = providers.configuration(state.provider)
    try:
        found = cloud.read(state.type, state.urn, state.id, state.inputs, provider=config)
    except CloudError as error:
        record.refuse_cloud(error, state.urn, f"{state.name} ({state.type})")
        return
    if found is None:
        record.note(Step(Op.DELETE, state.urn, state.type, state, None))
        record.remove(state)
        return
    before = replace(state)
    diff = difference(before, found[0], cloud, ()).properties
    if diff or found[1] != state.outputs:
        state.inputs, state.outputs, state.modified = found[0], found[1], now()
    record.note(Step(Op.UPDATE if diff else Op.SAME, state.urn, state.type, before, state, diff))

"""Carries out single steps: calls the cloud, stamps the state, records the step."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from sandbox.cloud.api import CloudApi
from sandbox.engine.differ import Difference
from sandbox.engine.hooks import HookError, Hooks
from sandbox.engine.providers import ProviderTable
from sandbox.engine.recorder import Recorder
from sandbox.errors import CloudError
from sandbox.model import Op, ResourceState, Step
from sandbox.urn import is_provider
from sandbox.values import UNKNOWN_SENTINEL, Secret

__all__ = ["Executor", "now", "step_of"]


def now() -> str:
    """The time as state files write it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


class Executor:
    """Does what the deployment decided. The cloud's refusal is raised as CloudError, a hook's HookError."""

    def __init__(
        self, *, cloud: CloudApi, record: Recorder, providers: ProviderTable, hooks: Hooks, preview: bool
    ) -> None:
        self._cloud = cloud
        self._hooks = hooks
        self._record = record
        self._providers = providers
        self._preview = preview

    def apply(
        self,
        op: Op,
        old: ResourceState | None,
        new: ResourceState,
        change: Difference,
        *,
        pending: bool = False,
    ) -> None:
        """Create or update ``new``. With ``pending`` the old instance stays until its deletion."""
        step = step_of(op, old, new, change)
        self._record.started(step)
        if op is Op.UPDATE and old is not None:
            new.id = old.id
        try:
            self._hooks.before(op, old, new)
            if new.custom:
                self._call_again(op, old, new)
        except (CloudError, HookError) as error:
            self._record.done(step, str(error))
            raise
        stamp = now()
        if op is not Op.UPDATE:
            new.created = stamp
        if new.custom or op is not Op.UPDATE:
            new.modified = stamp
        self._record.done(step, None)
        self._record.place(old, new, pending=pending)
        if new.custom:
            self._hooks.after(op, old, new)

    def settle(
        self,
        op: Op,
        old: ResourceState | None,
        new: ResourceState,
        change: Difference | None = None,
        *,
        pending: bool = False,
    ) -> None:
        """A step that only changes state: same, read, import."""
        step = step_of(op, old, new, change or Difference())
        self._record.started(step)
        self._record.done(step, None)
        self._record.place(old, new, pending=pending)

    def remove(self, op: Op, state: ResourceState, *, instead: bool, pending_replacement: bool) -> None:
        """Delete a resource. With ``instead`` something else deletes it at the cloud, or nothing does."""
        step = Step(op, state.urn, state.type, state, None)
        self._record.started(step)
        called = state.custom and not is_provider(state.type) and not self._preview
        try:
            if not state.external:
                self._hooks.before(op, state, None)
            if called and not instead and not state.external and not state.retain_on_delete:
                config = self._providers.configuration(state.provider)
                arguments = (state.type, state.urn, state.id, state.inputs, state.outputs)
                with self._record.calling("deleting", state):
                    self._cloud.delete(*arguments, provider=config)
        except (CloudError, HookError) as error:
            self._record.done(step, str(error))
            raise
        self._record.done(step, None)
        if pending_replacement:
            state.pending_replacement = True
            self._record.changed(state)
        else:
            self._record.remove(state)
        if not state.external:
            self._hooks.after(op, state, None)

    def _call_again(self, op: Op, old: ResourceState | None, new: ResourceState) -> None:
        """Call the cloud, again and again as long as it refuses and an error hook asks for it."""
        failures: list[str] = []
        while True:
            try:
                return self._call(op, old, new)
            except CloudError as error:
                failures.insert(0, str(error))
                if not self._hooks.retry(op, old, new, failures):
                    raise

    def _call(self, op: Op, old: ResourceState | None, new: ResourceState) -> None:
        if is_provider(new.type):
            if op is not Op.UPDATE:
                new.id = UNKNOWN_SENTINEL if self._preview else str(uuid.uuid4())
            new.outputs = dict(new.inputs)
            return
        config = self._providers.configuration(new.provider)
        if op is Op.UPDATE and old is not None:
            arguments = (new.type, new.urn, old.id, old.inputs, old.outputs, new.inputs)
            with self._record.calling("updating", new):
                new.outputs = self._cloud.update(*arguments, preview=self._preview, provider=config)
        else:
            with self._record.calling("creating", new):
                new.id, new.outputs = self._cloud.create(
                    new.type, new.urn, new.inputs, preview=self._preview, provider=config
                )
        for key in new.additional_secret_outputs:
            if key in new.outputs and not isinstance(new.outputs[key], Secret):
                new.outputs[key] = Secret(new.outputs[key])


def step_of(op: Op, old: ResourceState | None, new: ResourceState, change: Difference) -> Step:
    """The step that does ``op`` because of ``change``."""
    return Step(op, new.urn, new.type, old, new, change.properties, change.replaces, change.not_compared)

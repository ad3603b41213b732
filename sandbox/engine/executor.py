"""Carries out steps: calls the cloud, stamps the state, records the step; deletes and refreshes many."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sandbox.cloud.api import CloudApi
from sandbox.engine.hooks import HookError, Hooks
from sandbox.engine.judge import difference
from sandbox.engine.providers import ProviderTable
from sandbox.engine.recorder import Recorder
from sandbox.errors import CloudError
from sandbox.model import Old, Op, Refusal, ResourceState, Step
from sandbox.urn import is_provider
from sandbox.values import UNKNOWN_SENTINEL, Secret

__all__ = ["Executor", "now"]


def now() -> str:
    """The time as state files write it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


class Executor:
    """Does what the deployment decided. The cloud's refusal is raised as CloudError, a hook's HookError."""

    def __init__(
        self, cloud: CloudApi, record: Recorder, providers: ProviderTable, hooks: Hooks, *, preview: bool
    ) -> None:
        self._cloud = cloud
        self._record = record
        self._providers = providers
        self._hooks = hooks
        self._preview = preview
        self.condemned: dict[str, tuple[str, ...]] = {}
        """URN of what was deleted in this run -> what replaces it for; empty when nothing said so."""

    def apply(self, step: Step) -> None:
        """Create or update a resource."""
        op, old, new = step.op, step.old, step.new
        assert new is not None
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
        self._record.place(step)
        if new.custom:
            self._hooks.after(op, old, new)

    def delete_first(self, state: ResourceState, reasons: tuple[str, ...]) -> None:
        """Delete an instance whose replacement is still to come."""
        self._delete(Op.DELETE_REPLACED, state)
        state.pending_replacement = True
        self._record.changed(state)
        self._hooks.after(Op.DELETE_REPLACED, state, None)
        self.condemned[state.urn] = reasons

    def delete_all(self, states: Sequence[ResourceState]) -> None:
        """Delete ``states``, which stand in dependency order, from the last to the first.

        A protected one among them is refused, in an update before the first deletion. The first refusal of
        the cloud ends it.
        """
        for state in states:
            if state.protect and not state.delete:
                message = (
                    f"{state.name} ({state.type}) is protected and would be deleted: keep it, "
                    "or remove `protect` with an update first"
                )
                self._record.refuse(Refusal("protect", message, state.urn))
        if self._record.aborted:
            return
        for state in reversed(states):
            try:
                self._delete_one(state)
            except CloudError as error:
                self._record.refuse_cloud(error, state.urn, f"{state.name} ({state.type})")
                return
            except HookError as error:
                self._record.refuse(Refusal("program", str(error), state.urn), final=True)
                return

    def _delete_one(self, state: ResourceState) -> None:
        if state.pending_replacement and not state.delete:
            self._record.note(Step(Op.REMOVE_PENDING_REPLACE, state.urn, state.type, state, None))
            self._record.remove(state)
            return
        op = Op.DELETE_REPLACED if state.delete else Op.DELETE
        if state.external:
            op = Op.DISCARD_REPLACED if state.delete else Op.DISCARD
        self._delete(op, state)
        self._record.remove(state)
        if not state.external:
            self._hooks.after(op, state, None)
        if not state.delete:
            self.condemned.setdefault(state.urn, ())

    def _delete(self, op: Op, state: ResourceState) -> None:
        """Delete at the cloud, unless nothing is to be deleted there or something else deletes it."""
        step = Step(op, state.urn, state.type, state, None)
        self._record.started(step)
        kept = state.retain_on_delete or state.deleted_with in self.condemned
        try:
            if not state.external:
                self._hooks.before(op, state, None)
                if state.custom and not is_provider(state.type) and not self._preview and not kept:
                    config = self._providers.configuration(state.provider)
                    arguments = (state.type, state.urn, state.id, state.inputs, state.outputs)
                    with self._record.calling("deleting", state):
                        self._cloud.delete(*arguments, provider=config)
        except (CloudError, HookError) as error:
            self._record.done(step, str(error))
            raise
        self._record.done(step, None)

    def refresh_all(self, states: Iterable[ResourceState]) -> None:
        """Take over what the cloud says of each managed resource; one that is gone leaves the state."""
        for state in states:
            if state.custom and not is_provider(state.type) and not state.delete:
                self._refresh(state)
            else:
                self._record.note(Step(Op.SAME, state.urn, state.type, state, state))

    def _refresh(self, state: ResourceState) -> None:
        config = self._providers.configuration(state.provider)
        try:
            found = self._cloud.read(
                state.type, state.urn, state.id, state.inputs, state.outputs, provider=config
            )
        except CloudError as error:
            self._record.refuse_cloud(error, state.urn, f"{state.name} ({state.type})")
            return
        if found is None:
            self._record.note(Step(Op.DELETE, state.urn, state.type, state, None))
            self._record.remove(state)
            return
        before = replace(state)
        diff = difference(before, found[0], self._cloud, ()).properties
        if diff or found[1] != state.outputs:
            state.inputs, state.outputs, state.modified = found[0], found[1], now()
        self._record.note(Step(Op.UPDATE if diff else Op.SAME, state.urn, state.type, before, state, diff))

    def _call_again(self, op: Op, old: Old, new: ResourceState) -> None:
        """Call the cloud, again and again as long as it refuses and an error hook asks for it."""
        failures: list[str] = []
        while True:
            try:
                return self._call(op, old, new)
            except CloudError as error:
                failures.insert(0, str(error))
                if not self._hooks.retry(op, old, new, failures):
                    raise

    def _call(self, op: Op, old: Old, new: ResourceState) -> None:
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

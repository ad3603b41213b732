"""Deletes resources: all that a run condemns, and each that must go before its replacement comes."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.engine.executor import Executor
from sandbox.engine.hooks import HookError
from sandbox.engine.recorder import Recorder
from sandbox.errors import CloudError
from sandbox.model import Op, Refusal, ResourceState, Step

__all__ = ["Remover"]


class Remover:
    """Deletes through the executor and remembers what is gone, with the reasons why it is replaced."""

    def __init__(self, *, executor: Executor, record: Recorder) -> None:
        self._do = executor
        self._record = record
        self.condemned: dict[str, tuple[str, ...]] = {}
        """URN of what was deleted in this run -> what replaces it for; empty when nothing said so."""

    def before_replacement(self, state: ResourceState, reasons: tuple[str, ...]) -> None:
        """Delete an instance whose replacement is still to come. A refusal is raised as CloudError."""
        self._remove(Op.DELETE_REPLACED, state, pending_replacement=True)
        self.condemned[state.urn] = reasons

    def remove_all(self, states: Sequence[ResourceState]) -> None:
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
                self._remove_one(state)
            except CloudError as error:
                self._record.refuse_cloud(error, state.urn, f"{state.name} ({state.type})")
                return
            except HookError as error:
                self._record.refuse(Refusal("program", str(error), state.urn), final=True)
                return

    def _remove_one(self, state: ResourceState) -> None:
        if state.pending_replacement and not state.delete:
            self._record.note(Step(Op.REMOVE_PENDING_REPLACE, state.urn, state.type, state, None))
            self._record.remove(state)
            return
        op = Op.DELETE_REPLACED if state.delete else Op.DELETE
        if state.external:
            op = Op.DISCARD_REPLACED if state.delete else Op.DISCARD
        self._remove(op, state, pending_replacement=False)
        if not state.delete:
            self.condemned.setdefault(state.urn, ())

    def _remove(self, op: Op, state: ResourceState, *, pending_replacement: bool) -> None:
        instead = state.deleted_with in self.condemned
        self._do.remove(op, state, instead=instead, pending_replacement=pending_replacement)

"""What a run has done: its steps, its refusals, and the state that follows from both."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from sandbox.cloud.api import CloudApi
from sandbox.errors import CloudError
from sandbox.graph import in_dependency_order, rename
from sandbox.model import (
    Keeper,
    Observer,
    PendingOperation,
    Refusal,
    ResourceState,
    Snapshot,
    Step,
    Violation,
)
from sandbox.state.pending import settle

__all__ = ["Recorder"]


class Recorder:
    """Keeps steps and states, and tells observers. ``base`` has this run's own copies, nothing pending."""

    def __init__(
        self,
        base: Snapshot,
        cloud: CloudApi,
        observers: Sequence[Observer],
        *,
        preview: bool,
        keeper: Keeper | None = None,
    ) -> None:
        self.steps: list[Step] = []
        self.refusals: list[Refusal] = []
        self.violations: list[Violation] = []
        self.aborted = False
        """Nothing more may happen in this run: an update ends at its first refusal."""
        self._preview = preview
        self._observers = observers
        self._placed: list[ResourceState] = []
        self._gone: set[int] = set()
        self._imported: set[str] = set()
        self.stopped: BaseException | None = None
        """What ended the run from outside; nothing that happens after it counts."""
        self._keeper = None if preview else keeper
        copied = replace(base, resources=[replace(state) for state in base.resources])
        self.base = settle(copied, cloud, lambda urn, text: self.message("warning", text, urn))
        if self._keeper is not None:
            self._keeper.start(self.base, settled=self.base is not copied)
        self._slots = {id(state): slot for slot, state in enumerate(self.base.resources)}
        self._used = len(self.base.resources)
        self._pending: dict[int, PendingOperation] = {}
        self._answered: dict[str, int] = {}
        self._begun = 0

    def refuse(self, refusal: Refusal, *, final: bool = False) -> None:
        """Something does not happen. A preview goes on, unless the refusal is ``final``."""
        self.refusals.append(refusal)
        self.aborted = self.aborted or final or not self._preview

    def refuse_cloud(self, error: CloudError, urn: str, what: str) -> None:
        """The cloud refused ``what``."""
        self.refuse(
            Refusal("cloud", f"{what}: {error}", urn or None, error.code, error.behaviour, error.source)
        )

    def judge(self, violations: Sequence[Violation]) -> bool:
        """Record violations; the answer is False when they stop the run: a mandatory one in an update."""
        self.violations.extend(violations)
        mandatory = [] if self._preview else [item for item in violations if item.level == "mandatory"]
        for item in mandatory:
            self.refuse(Refusal("policy", f"{item.rule}: {item.message}", item.urn))
        return not mandatory

    def started(self, step: Step) -> None:
        """A step begins."""
        for observer in self._observers:
            observer.step_started(step)

    def done(self, step: Step, error: str | None) -> None:
        """A step ended; it counts when there is no error."""
        if error is None:
            self.steps.append(step)
        for observer in self._observers:
            observer.step_done(step, error)

    def note(self, step: Step) -> None:
        """A step that does nothing by itself."""
        self.started(step)
        self.done(step, None)

    def message(self, severity: str, text: str, urn: str | None) -> None:
        """Pass on what the program or the engine says."""
        for observer in self._observers:
            observer.message(severity, text, urn)

    def settle(self, step: Step) -> None:
        """A step that changes nothing but the state: same, read, import."""
        self.note(step)
        self.place(step)

    def place(self, step: Step) -> None:
        """What ``step`` made stands; what it replaces waits for its deletion, unless that is done already."""
        old, new = step.old, step.new
        assert new is not None
        if old is not None and new.urn in self._imported:
            self._placed = [new if state is old else state for state in self._placed]
            self._slots[id(new)] = self._slots[id(old)]
            self.changed(new)
            return
        self._placed.append(new)
        self._slots[id(new)] = self._used
        self._used += 1
        if old is not None and step.op.replacement and not old.pending_replacement:
            old.delete = True
            self._put(old)
        elif old is not None:
            self._drop(old)
        self.changed(new)

    def remove(self, state: ResourceState) -> None:
        """``state`` is gone."""
        self._drop(state)
        self._kept(state.urn)

    def changed(self, state: ResourceState) -> None:
        """``state``, which stands, is not what it was."""
        self._put(state)
        self._kept(state.urn)

    def _put(self, state: ResourceState) -> None:
        if self._keeper is not None and self.stopped is None:
            self._keeper.put(self._slots[id(state)], state)

    def _drop(self, state: ResourceState) -> None:
        self._gone.add(id(state))
        if self._keeper is not None and self.stopped is None:
            self._keeper.drop(self._slots[id(state)])

    @contextmanager
    def calling(self, type: str, state: ResourceState) -> Generator[None]:
        """While the block calls the cloud, the operation is pending.

        It stays so when the cloud's answer does not say whether it took place, or when the run is stopped.
        """
        if self._preview:
            yield
            return
        self._begun += 1
        number = self._begun
        self._pending[number] = PendingOperation(replace(state), type)
        if self._keeper is not None:
            self._keeper.began(number, self._pending[number])
        try:
            yield
        except CloudError as error:
            if not error.uncertain:
                self._end(number)
            raise
        except BaseException as error:
            self.stop(error)
            raise
        self._answered[state.urn] = number

    def _end(self, number: int) -> None:
        del self._pending[number]
        if self._keeper is not None:
            self._keeper.ended(number)

    def _kept(self, urn: str) -> None:
        """The state says what came of the call for ``urn``: it is no longer pending."""
        number = self._answered.pop(urn, None)
        if number is not None:
            self._end(number)

    def stop(self, error: BaseException) -> None:
        """Something outside ends the run."""
        self.stopped = self.stopped or error
        self.aborted = True

    def mark_imported(self, urn: str) -> None:
        """This run imported the resource."""
        self._imported.add(urn)

    def imported(self, urn: str) -> bool:
        """Whether this run imported the resource."""
        return urn in self._imported

    def snapshot(self, renamed: Mapping[str, str]) -> Snapshot:
        """The state now: what stands, then what the run did not come to, in dependency order.

        ``renamed`` maps old URNs to the new ones that continue them.
        """
        left = [state for state in self.base.resources if id(state) not in self._gone]
        for state in left:
            rename(state, renamed)
        return Snapshot(
            resources=in_dependency_order([*self._placed, *left]),
            pending_operations=[*self.base.pending_operations, *self._pending.values()],
            metadata=self.base.metadata,
        )

"""One run of the engine over one stack: registrations in, steps done, state out.

The decisions are those of Pulumi's step generator (``pkg/resource/deploy/step_generator.go``). Two things are
this engine's own: it does one step at a time, and a preview goes on after a refusal, so that one run shows
all of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sandbox.cloud.api import CloudApi
from sandbox.engine.executor import Executor, now
from sandbox.engine.goal import AliasResolver, AmbiguousAliasError, Goal, Registration
from sandbox.engine.hooks import HookError, Hooks, unrunnable
from sandbox.engine.judge import Difference, Judge, condemned_with
from sandbox.engine.providers import ProviderTable
from sandbox.engine.recorder import Recorder
from sandbox.errors import CloudError
from sandbox.model import (
    Analyzer,
    Keeper,
    Mode,
    Observer,
    Old,
    Op,
    Refusal,
    RefusalKind,
    ResourceState,
    Snapshot,
)
from sandbox.paths import parse_path, reset
from sandbox.urn import STACK_TYPE, is_provider, make_urn, package_of, type_of
from sandbox.values import UNKNOWN

__all__ = ["Deployment", "DeploymentAbortedError"]


class DeploymentAbortedError(Exception):
    """The update stops: something was refused. The refusal itself is in the deployment's record."""


class Deployment:
    """The engine's side of one run. A program may call it from several threads."""

    def __init__(
        self,
        *,
        project: str,
        stack: str,
        mode: Mode,
        base: Snapshot,
        cloud: CloudApi,
        config: Mapping[str, str],
        observers: Sequence[Observer] = (),
        analyzers: Sequence[Analyzer] = (),
        keeper: Keeper | None = None,
    ) -> None:
        self.project = project
        self.stack = stack
        self.preview = mode is Mode.PREVIEW
        self.outputs: dict[str, Any] = {}
        self.record = Recorder(base, cloud, observers, preview=self.preview, keeper=keeper)
        self._base = self.record.base
        self._lock = threading.RLock()
        self._cloud = cloud
        self._olds = {state.urn: state for state in self._base.resources if not state.delete}
        self._aliases = AliasResolver(stack, project, self._olds)
        self._providers = ProviderTable(
            project=project, stack=stack, config=config, olds=self._olds, register=self.register
        )
        self.hooks = Hooks(self.record, preview=self.preview, unlocked=self._unlocked)
        self._do = Executor(cloud, self.record, self._providers, self.hooks, preview=self.preview)
        self._replaced: set[str] = set()
        self._judge = Judge(
            cloud=cloud,
            record=self.record,
            providers=self._providers,
            analyzers=analyzers,
            olds=self._olds,
            claimed=self._aliases.claimed,
            replaced=self._replaced,
        )
        self._news: dict[str, ResourceState] = {}
        self._seen: set[str] = set()
        self._changed: dict[str, tuple[Op, Old]] = {}
        self._operated: set[str] = set()
        self._finished = False

    # What the program asks for

    def register(self, goal: Goal) -> Registration:
        """Bring one resource to its goal: same, create, update, replace or import."""
        return self._one(goal, lambda urn: self._register(goal, urn))

    def read(self, goal: Goal, id: Any) -> Registration:
        """A resource that exists already and is not managed here (``Resource.get``)."""
        return self._one(goal, lambda urn: self._read(goal, urn, id))

    def register_outputs(self, urn: str, outputs: dict[str, Any]) -> None:
        """Keep what a component, or the program itself, says it puts out."""
        with self._lock:
            state = self._news.get(urn)
            if state is not None:
                state.outputs = outputs
                self.record.changed(state)
                if state.type == STACK_TYPE:
                    self.outputs = outputs
                elif not state.custom and urn in self._changed:
                    op, old = self._changed.pop(urn)
                    self.hooks.after(op, old, state)

    def invoke(self, token: str, args: dict[str, Any], provider: str, version: str) -> dict[str, Any]:
        """Call a provider function. Raises CloudError when it is refused."""
        with self._lock:
            self._raise_if_aborted()
            reference = provider or self._providers.default(package_of(token), version, f"function {token}")
            try:
                return self._cloud.invoke(token, args, provider=self._providers.configuration(reference))
            except CloudError as error:
                self.record.refuse_cloud(error, "", token)
                raise

    def exists(self, type: str, id: str, provider: str, version: str) -> bool:
        """Whether a resource of this type and id exists."""
        with self._lock:
            reference = provider or self._providers.default(package_of(type), version, type)
            config = self._providers.configuration(reference)
            return self._cloud.read(type, "", id, None, provider=config) is not None

    # What happens when the program has ended

    def finish(self) -> None:
        """Analyze the whole stack and delete what is no longer registered; once, at the first call."""
        with self._lock:
            if self._finished:
                return
            self._finished = True
            if not self.record.aborted:
                self._judge.analyze_stack(self._news)
            if not self.record.aborted:
                kept = {*self._seen, *self._aliases.claimed}
                states = [state for state in self._base.resources if state.delete or state.urn not in kept]
                self._do.delete_all(states)

    def destroy(self, keep: set[str]) -> None:
        """Delete all resources whose URN is not in ``keep``."""
        with self._lock:
            states = [state for state in self._base.resources if state.urn not in keep]
            for refusal in unrunnable(states):
                self.record.refuse(refusal, final=True)
            self._do.delete_all(states)

    def refresh(self) -> None:
        """Take over what the cloud says of each resource; one that is gone leaves the state."""
        with self._lock:
            self._do.refresh_all(self._base.resources)

    def fail(self, message: str, *, usage: bool = False) -> None:
        """The program raised: it ends here. ``usage``: it refused what a person wrote."""
        with self._lock:
            begun = any(type_of(urn) != STACK_TYPE for urn in self._seen)
            self.record.refuse(Refusal("usage" if usage and not begun else "program", message), final=True)

    def snapshot(self) -> Snapshot:
        """The state after this run; after a failed run, what was done and what was there before."""
        with self._lock:
            return self.record.snapshot(self._aliases.claimed)

    # One registration

    def _one(self, goal: Goal, bring: Callable[[str], Registration]) -> Registration:
        with self._lock:
            urn = self._enter(goal)
            if not urn:
                return Registration("", failed=True)
            try:
                return bring(urn)
            except CloudError as error:
                return self._refuse_cloud(error, urn)
            except HookError as error:
                return self._refuse("program", str(error), urn)
            except (AmbiguousAliasError, ValueError) as error:
                return self._refuse("engine", str(error), urn)
            except BaseException as error:
                if error is not self.record.stopped:
                    raise
                raise DeploymentAbortedError from error

    def _register(self, goal: Goal, urn: str) -> Registration:
        provider = self._providers.reference_for(goal) if goal.custom else ""
        old = self._aliases.find(urn, goal, self._seen)
        return self._bring(goal, goal.state(urn, provider), old)

    def _enter(self, goal: Goal) -> str:
        self._raise_if_aborted()
        if goal.parent and goal.parent not in self._seen:
            self._refuse("engine", f"parent {goal.parent} of {goal.name} is not registered", "")
            return ""
        urn = make_urn(self.stack, self.project, goal.parent, goal.type, goal.name)
        if urn in self._seen:
            message = (
                f"{goal.name} ({goal.type}) is registered twice: give each resource of a type "
                "and parent its own name"
            )
            self._refuse("engine", message, urn)
            return ""
        self._seen.add(urn)
        return urn

    def _bring(self, goal: Goal, new: ResourceState, old: Old) -> Registration:
        self._remember(new)
        if old is not None:
            new.created, new.modified = old.created, old.modified
            new.aliases = [old.urn] if old.urn != new.urn else []
        recreating = old is not None and old.urn in self._do.condemned
        if goal.custom and goal.import_id and not recreating:
            known = (old.import_id or old.id) if old is not None and not old.external else None
            if known != goal.import_id:
                old = self._import(goal, new, old)
                if old is None:
                    return self._failed(new.urn)
        taken_over = old is not None and old.external
        inputs, accepted = self._judge.check(goal, new, None if recreating or taken_over else old)
        if not accepted or not self._judge.analyze(new, inputs):
            return self._failed(new.urn)
        new.inputs = inputs
        if recreating and old is not None:
            change = Difference(replaces=self._do.condemned.pop(old.urn))
            return self._create_replacement(new, old, change)
        if taken_over and old is not None:
            return self._create_replacement(new, old, Difference())
        if old is None:
            return self._apply(Op.CREATE, None, new, Difference())
        return self._continue(goal, new, old)

    def _continue(self, goal: Goal, new: ResourceState, old: ResourceState) -> Registration:
        change = self._judge.difference(goal, new, old)
        if change.replacing or old.pending_replacement:
            return self._replace(goal, new, old, change)
        if change.exists or old.init_errors:
            return self._apply(Op.UPDATE, old, new, change)
        self._operated.add(new.urn)
        if self.record.imported(new.urn):
            self._remember(old)
            return Registration(new.urn, old.id, old.outputs)
        new.id, new.outputs = old.id, old.outputs
        for path in change.not_compared:
            # The program had a stand-in only: what cannot be read here stays in the state as it was.
            new.inputs, _ = reset(parse_path(path), old.inputs, new.inputs)
        self.record.settle(change.step(Op.SAME, old, new))
        return Registration(new.urn, new.id, new.outputs)

    def _replace(
        self, goal: Goal, new: ResourceState, old: ResourceState, change: Difference
    ) -> Registration:
        if new.protect and old.protect:
            message = (
                f"{new.name} ({new.type}) is protected and would be replaced because of {change.because}: "
                "undo that change, or remove `protect` first"
            )
            self._refuse("protect", message, new.urn)
        if goal.import_id:
            message = (
                f"{new.name} ({new.type}) is imported by id and would be replaced because of "
                f"{change.because}: remove `import_` from the program first"
            )
            return self._refuse("engine", message, new.urn)
        self._replaced.add(new.urn)
        if goal.custom:
            new.inputs, accepted = self._judge.check(goal, new, None)
            if not accepted:
                return self._failed(new.urn)
        first = change.delete_first if goal.delete_before_replace is None else goal.delete_before_replace
        if not first:
            return self._create_replacement(new, old, change)
        dependents = condemned_with(old, self._base.resources, self._operated, self._cloud)
        for state, _ in dependents:
            if state.protect:
                message = (
                    f"{state.name} ({state.type}) is protected and would be replaced together with "
                    f"{new.name}, on which it depends: undo the change of {new.name}"
                )
                return self._refuse("protect", message, state.urn)
        for state, reasons in reversed(dependents):
            self._do.delete_first(state, reasons)
        if not old.pending_replacement:
            self._do.delete_first(old, ())
        return self._create_replacement(new, old, change)

    def _create_replacement(self, new: ResourceState, old: ResourceState, change: Difference) -> Registration:
        self._replaced.add(new.urn)
        step, deleted = change.step(Op.REPLACE, old, new), old.pending_replacement
        if deleted:
            self.record.note(step)
        done = self._apply(Op.CREATE_REPLACEMENT, old, new, change)
        if not deleted:
            self.record.note(step)
        return done

    def _apply(self, op: Op, old: Old, new: ResourceState, change: Difference) -> Registration:
        self._do.apply(change.step(op, old, new))
        if not new.custom:
            self._changed[new.urn] = (op, old)
        self._operated.add(new.urn)
        return Registration(new.urn, new.id, new.outputs)

    def _import(self, goal: Goal, new: ResourceState, old: Old) -> Old:
        config = self._providers.configuration(new.provider)
        found = self._cloud.read(goal.type, new.urn, goal.import_id, None, provider=config)
        if found is None:
            remedy = "correct `import_`, or give a fixture that has it under `resources`"
            message = f"{goal.type} {goal.import_id} does not exist and cannot be imported: {remedy}"
            self._refuse("cloud", message, new.urn, 404)
            return None
        stamp = now()
        state = replace(
            new, id=goal.import_id, inputs=found[0], outputs=found[1], created=stamp, modified=stamp
        )
        replacing = old is not None and not old.external
        self._settle(Op.IMPORT_REPLACEMENT if replacing else Op.IMPORT, old, state)
        self.record.mark_imported(new.urn)
        return state

    def _read(self, goal: Goal, urn: str, id: Any) -> Registration:
        state = goal.state(urn, self._providers.reference_for(goal))
        old = self._aliases.find(urn, replace(goal, aliases=()), self._seen)
        state.external, state.id = True, "" if id is UNKNOWN else str(id)
        self._remember(state)
        if id is not UNKNOWN:
            config = self._providers.configuration(state.provider)
            found = self._cloud.read(goal.type, urn, state.id, state.inputs, provider=config)
            if found is None:
                message = f"{goal.type} {state.id} does not exist: correct the id, or create it first"
                return self._refuse("cloud", message, urn, 404)
            state.outputs = found[1]
        self._operated.add(urn)
        replacing = old is not None and not old.external and old.id != state.id
        self._settle(Op.READ_REPLACEMENT if replacing else Op.READ, old, state)
        return Registration(urn, state.id, state.outputs)

    def _settle(self, op: Op, old: Old, state: ResourceState) -> None:
        self.record.settle(Difference().step(op, old, state))
        if op.replacement:
            self._replaced.add(state.urn)
            self.record.note(Difference().step(Op.REPLACE, old, state))

    def _remember(self, state: ResourceState) -> None:
        self._news[state.urn] = state
        if is_provider(state.type):
            self._providers.add(state)

    # Refusing

    def _refuse(self, kind: RefusalKind, message: str, urn: str, code: int | None = None) -> Registration:
        self.record.refuse(Refusal(kind, message, urn or None, code))
        return self._failed(urn)

    def _refuse_cloud(self, error: CloudError, urn: str) -> Registration:
        self.record.refuse_cloud(error, urn, f"{urn.split('::', 3)[3]} ({type_of(urn)})")
        return self._failed(urn)

    def _failed(self, urn: str) -> Registration:
        """A resource that could not be brought to its goal; an update ends here."""
        self._raise_if_aborted()
        self._operated.add(urn)
        return Registration(urn, failed=True)

    def _raise_if_aborted(self) -> None:
        if self.record.aborted:
            raise DeploymentAbortedError

    @contextmanager
    def _unlocked(self) -> Generator[None]:
        """Let other threads call while the program itself is being called: it may wait for them."""
        self._lock.release()
        try:
            yield
        finally:
            self._lock.acquire()

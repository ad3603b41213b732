"""Judges one registration: what the provider accepts, what analyzers say, how it differs from before.

And what that difference demands: a replacement, and what must go together with what is deleted before it.
"""

from __future__ import annotations

import secrets as randomness
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sandbox.cloud.api import CloudApi
from sandbox.engine.goal import Goal
from sandbox.engine.providers import ProviderTable
from sandbox.engine.recorder import Recorder
from sandbox.graph import dependents_of
from sandbox.model import AnalyzedResource, Analyzer, Old, Op, PropertyDiff, Refusal, ResourceState, Step
from sandbox.paths import contains, lookup, parse_path, reset
from sandbox.urn import provider_urn
from sandbox.values import UNKNOWN, contains_unknown, unwrap

__all__ = ["Difference", "Judge", "condemned_with", "difference"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What changed. ``forced`` replaces whatever the properties say; ``options`` changed without one."""

    properties: tuple[PropertyDiff, ...] = ()
    replaces: tuple[str, ...] = ()
    forced: bool = False
    options: bool = False
    delete_first: bool = False
    not_compared: tuple[str, ...] = ()

    @property
    def exists(self) -> bool:
        """Whether anything differs."""
        return bool(self.properties) or self.forced or self.options

    @property
    def because(self) -> str:
        """What demands it, for a person."""
        return ", ".join(self.replaces) or "its options"

    @property
    def replacing(self) -> bool:
        """Whether the resource must be replaced."""
        return self.forced or bool(self.replaces) or any(item.kind.replaces for item in self.properties)

    def step(self, op: Op, old: Old, new: ResourceState) -> Step:
        """The step that does ``op`` because of it."""
        return Step(op, new.urn, new.type, old, new, self.properties, self.replaces, self.not_compared)

    def with_replace_on_changes(self, paths: Sequence[str], *, init_errors: bool) -> Difference:
        """The same difference where a change at one of ``paths`` forces a replacement."""
        outer = [parse_path(path) for path in paths]
        properties = tuple(
            replace(item, kind=item.kind.as_replace())
            if any(contains(path, parse_path(item.path)) for path in outer)
            else item
            for item in self.properties
        )
        # Reasons are whole properties, as the engine gives them; a deeper path shows in the property's kind.
        changed = dict.fromkeys(str(parse_path(item.path)[0]) for item in properties)
        added = [
            key
            for key in changed
            if any(contains(path, (key,)) for path in outer)
            and not any(parse_path(reason)[0] == key for reason in self.replaces)
        ]
        forced = self.forced or (init_errors and any(path in (("*",), ("#initerror",)) for path in outer))
        return replace(self, properties=properties, replaces=(*self.replaces, *added), forced=forced)


class Judge:
    """Checks, analyzes and diffs. Refusals and violations go into the record."""

    def __init__(
        self,
        *,
        cloud: CloudApi,
        record: Recorder,
        providers: ProviderTable,
        analyzers: Sequence[Analyzer],
        olds: Mapping[str, ResourceState],
        claimed: Mapping[str, str],
        replaced: Collection[str],
    ) -> None:
        self._cloud = cloud
        self._record = record
        self._providers = providers
        self._analyzers = analyzers
        self._olds = olds
        self._claimed = claimed
        self._replaced = replaced
        self._analyzed: list[AnalyzedResource] = []

    def check(self, goal: Goal, new: ResourceState, old: Old) -> tuple[dict[str, Any], bool]:
        """The inputs as the provider takes them, and whether it accepts them."""
        inputs = dict(goal.inputs)
        old_inputs = old.inputs if old is not None else None
        if old_inputs is not None:
            for text in goal.ignore_changes:
                inputs, applied = reset(parse_path(text), old_inputs, inputs)
                if not applied:
                    notice = f"cannot ignore changes in added or removed elements of {text}"
                    self._record.message("info", notice, new.urn)
        if not goal.custom:
            return inputs, True
        seed = randomness.token_bytes(32)
        checked, failures = self._cloud.check(goal.type, new.urn, old_inputs, inputs, seed)
        for failure in failures:
            reason = failure.reason if not failure.property else f"{failure.property}: {failure.reason}"
            self._record.refuse(Refusal("check", f"{new.name} ({new.type}): {reason}", new.urn))
        return checked, not failures

    def analyze(self, new: ResourceState, inputs: dict[str, Any]) -> bool:
        """Whether the analyzers let the resource pass."""
        resource = AnalyzedResource(
            urn=new.urn,
            type=new.type,
            name=new.name,
            custom=new.custom,
            properties=inputs,
            parent=new.parent,
            dependencies=tuple(new.dependencies),
            property_dependencies={key: tuple(urns) for key, urns in new.property_dependencies.items()},
            provider=provider_urn(new.provider) if new.provider else "",
            protect=new.protect,
        )
        self._analyzed.append(resource)
        results = [self._record.judge(analyzer.analyze(resource)) for analyzer in self._analyzers]
        return all(results)

    def analyze_stack(self, news: Mapping[str, ResourceState]) -> None:
        """Let the analyzers judge all resources together, by their outputs; by inputs where a step failed."""
        ended = [
            replace(one, properties=news[one.urn].outputs) if news[one.urn].outputs else one
            for one in self._analyzed
        ]
        for analyzer in self._analyzers:
            self._record.judge(analyzer.analyze_stack(ended))

    def difference(self, goal: Goal, new: ResourceState, old: ResourceState) -> Difference:
        """What changes, and whether that replaces the resource."""
        trigger, before = new.replacement_trigger, old.replacement_trigger
        triggered = (
            trigger is not None
            and before is not None
            and (contains_unknown(trigger) or unwrap(trigger) != unwrap(before))
        )
        if triggered:
            return Difference(forced=True)
        if any(urn in self._replaced for urn in new.replace_with):
            return Difference(replaces=("replaceWith",), forced=True)
        if new.deleted_with and new.deleted_with in self._replaced:
            return Difference(replaces=("deletedWith",), forced=True)
        if self._provider_replaced(new, old):
            return Difference(replaces=("provider",), forced=True)
        if not goal.custom:
            return Difference(options=old.inputs != new.inputs)
        change = difference(old, new.inputs, self._cloud, goal.ignore_changes)
        return change.with_replace_on_changes(goal.replace_on_changes, init_errors=bool(old.init_errors))

    def _provider_replaced(self, new: ResourceState, old: ResourceState) -> bool:
        if old.provider == new.provider:
            return False
        if not old.provider or not new.provider:
            return True
        old_urn, new_urn = provider_urn(old.provider), provider_urn(new.provider)
        if self._claimed.get(old_urn) == new_urn:
            return False
        before, after = self._olds.get(old_urn), self._providers.get(new_urn)
        if before is None or after is None or before.type != after.type:
            return True
        return difference(before, after.inputs, self._cloud, ()).replacing


def difference(
    old: ResourceState, inputs: dict[str, Any], cloud: CloudApi, ignore_changes: Sequence[str]
) -> Difference:
    """What the provider says of the change from ``old`` to ``inputs``."""
    found = cloud.diff(old.type, old.urn, old.id, old.inputs, old.outputs, inputs, ignore_changes)
    properties = tuple(
        PropertyDiff(path, kind, lookup(old.inputs, parse_path(path)), lookup(inputs, parse_path(path)))
        for path, kind in sorted(found.detailed.items())
    )
    return Difference(
        properties=properties,
        replaces=tuple(found.replaces),
        delete_first=found.delete_before_replace,
        not_compared=tuple(found.not_compared),
    )


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

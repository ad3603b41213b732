"""Judges one registration: what the provider accepts, what analyzers say, how it differs from before."""

from __future__ import annotations

import secrets as randomness
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sandbox.cloud.api import CloudApi
from sandbox.engine.differ import Difference, difference
from sandbox.engine.goal import Goal
from sandbox.engine.providers import ProviderTable
from sandbox.engine.recorder import Recorder
from sandbox.model import AnalyzedResource, Analyzer, Refusal, ResourceState
from sandbox.paths import parse_path, reset
from sandbox.urn import provider_urn
from sandbox.values import contains_unknown, unwrap

__all__ = ["Judge"]


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

    def check(self, goal: Goal, new: ResourceState, old: ResourceState | None) -> tuple[dict[str, Any], bool]:
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
            inputs=inputs,
            parent=new.parent,
            dependencies=tuple(new.dependencies),
            property_dependencies={key: tuple(urns) for key, urns in new.property_dependencies.items()},
            provider=provider_urn(new.provider) if new.provider else "",
            protect=new.protect,
        )
        self._analyzed.append(resource)
        results = [self._record.judge(analyzer.analyze(resource)) for analyzer in self._analyzers]
        return all(results)

    def analyze_stack(self) -> None:
        """Let the analyzers judge all resources together."""
        for analyzer in self._analyzers:
            self._record.judge(analyzer.analyze_stack(self._analyzed))

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

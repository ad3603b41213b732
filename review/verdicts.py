"""The policy rules over what the engine is about to do, by the engine's own analyzer protocol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from policies.evaluate import Evaluator
from policies.evaluate import Verdict as Found
from policies.model import SECRET, UNKNOWN, Resource
from policies.rules import RULES
from review.report import RuleRow, Verdict
from sandbox import values
from sandbox.model import AnalyzedResource, ResourceState, Violation

__all__ = ["PolicyAnalyzer", "judge", "rule_rows"]


def rule_rows() -> tuple[RuleRow, ...]:
    """The rules that are applied."""
    return tuple(RuleRow(rule.id, rule.title, rule.level) for rule in RULES)


class PolicyAnalyzer:
    """Applies every rule. An engine analyzer."""

    def __init__(self) -> None:
        self._rules = Evaluator()

    def analyze(self, resource: AnalyzedResource) -> Sequence[Violation]:
        """The rules over one resource."""
        return [_violation(found) for found in self._rules.resource(_adapt(resource))]

    def analyze_stack(self, resources: Sequence[AnalyzedResource]) -> Sequence[Violation]:
        """The rules over all resources together."""
        return [_violation(found) for found in self._rules.stack([_adapt(item) for item in resources])]


def judge(states: Iterable[ResourceState]) -> tuple[Verdict, ...]:
    """The verdicts on a state."""
    found = Evaluator().all([_adapt(state) for state in states if not state.delete])
    return tuple(Verdict(item.rule.id, item.rule.level, item.urn, item.message) for item in found)


def _violation(found: Found) -> Violation:
    return Violation(rule=found.rule.id, level=found.rule.level, urn=found.urn, message=found.message)


def _adapt(resource: AnalyzedResource | ResourceState) -> Resource:
    return Resource(
        urn=resource.urn,
        type=resource.type,
        name=resource.name,
        props=cast("Mapping[str, Any]", _plain(dict(resource.inputs))),
        parent=resource.parent or None,
        dependencies=tuple(resource.dependencies),
        property_dependencies={name: tuple(urns) for name, urns in resource.property_dependencies.items()},
        protect=resource.protect,
        provider=resource.provider,
    )


def _plain(value: Any) -> Any:
    """A value of the sandbox as rules read it: secrets hidden, unknown ones marked."""
    if isinstance(value, values.Secret):
        return SECRET
    if value is values.UNKNOWN:
        return UNKNOWN
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list):
        return [_plain(item) for item in cast("list[Any]", value)]
    if isinstance(value, values.Asset | values.Archive | values.ResourceReference):
        return values.redact(value)
    return value

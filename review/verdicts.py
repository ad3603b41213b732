"""The policy rules over what the engine is about to do, by the engine's own analyzer protocol."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from policies.evaluate import Evaluator
from policies.evaluate import Verdict as Found
from policies.rules import RULES
from review.adapting import adapt
from review.report import RuleRow, Verdict
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
        return [_violation(found) for found in self._rules.resource(adapt(resource))]

    def analyze_stack(self, resources: Sequence[AnalyzedResource]) -> Sequence[Violation]:
        """The rules over all resources together."""
        return [_violation(found) for found in self._rules.stack([adapt(item) for item in resources])]


def judge(states: Iterable[ResourceState]) -> tuple[Verdict, ...]:
    """The verdicts on a state."""
    standing = [state for state in states if not state.delete]
    ended = [adapt(state, ended=True) for state in standing]
    found = Evaluator().all([adapt(state) for state in standing], ended)
    return tuple(Verdict(item.rule.id, item.rule.level, item.urn, item.message) for item in found)


def _violation(found: Found) -> Violation:
    return Violation(rule=found.rule.id, level=found.rule.level, urn=found.urn, message=found.message)

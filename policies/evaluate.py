"""The one evaluator: rules over resources. A rule that raises has failed, it never passes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from policies.model import Resource, Rule, kind
from policies.rules import RULES

__all__ = ["Evaluator", "Verdict", "evaluate", "judge", "judge_stack"]


class Verdict(NamedTuple):
    """One violation: the rule, the resource and the sentence."""

    rule: Rule
    urn: str
    message: str


def judge(rule: Rule, resource: Resource) -> Iterator[Verdict]:
    """What one rule finds in one resource."""
    if rule.check is None or (rule.types is not None and resource.type not in rule.types):
        return
    try:
        for message in rule.check(resource):
            yield Verdict(rule, resource.urn, message)
    except Exception as error:  # a rule may fail in any way
        yield Verdict(rule, resource.urn, _failure(rule, f'{kind(resource.type)} "{resource.name}"', error))


def judge_stack(rule: Rule, resources: Sequence[Resource]) -> Iterator[Verdict]:
    """What one rule finds in the whole stack."""
    if rule.check_stack is None or not resources:
        return
    try:
        for found in rule.check_stack(resources):
            yield Verdict(rule, found.urn, found.message)
    except Exception as error:  # a rule may fail in any way
        stack = next((one for one in resources if one.type == "pulumi:pulumi:Stack"), resources[0])
        yield Verdict(rule, stack.urn, _failure(rule, "the stack", error))


class Evaluator:
    """Rules indexed by the types they ask for."""

    def __init__(self, rules: Sequence[Rule] = RULES) -> None:
        self._rank = {rule.id: index for index, rule in enumerate(rules)}
        self._stack = [rule for rule in rules if rule.check_stack is not None]
        self._every = [rule for rule in rules if rule.check is not None and rule.types is None]
        self._typed: dict[str, list[Rule]] = defaultdict(list)
        for rule in rules:
            for type in rule.types or ():
                self._typed[type].append(rule)

    def resource(self, resource: Resource) -> list[Verdict]:
        """The violations of one resource, in the order of the rules."""
        rules = [*self._every, *self._typed.get(resource.type, ())]
        return self._sorted(verdict for rule in rules for verdict in judge(rule, resource))

    def stack(self, resources: Sequence[Resource]) -> list[Verdict]:
        """The violations of the stack as a whole, in the order of the rules."""
        ordered = sorted(resources, key=lambda one: one.urn)
        return self._sorted(verdict for rule in self._stack for verdict in judge_stack(rule, ordered))

    def all(self, resources: Sequence[Resource], ended: Sequence[Resource] | None = None) -> list[Verdict]:
        """Both, independent of the order of the resources.

        `ended`: the same ones by their outputs, which rules over a stack see; `resources` by default.
        """
        found = [verdict for resource in resources for verdict in self.resource(resource)]
        return self._sorted([*found, *self.stack(resources if ended is None else ended)])

    def _sorted(self, verdicts: Iterable[Verdict]) -> list[Verdict]:
        return sorted(verdicts, key=lambda one: (self._rank[one.rule.id], one.urn, one.message))


def evaluate(resources: Sequence[Resource], rules: Sequence[Rule] = RULES) -> list[Verdict]:
    """Every violation of `rules` by `resources`, sorted by rule, then resource."""
    return Evaluator(rules).all(resources)


def _failure(rule: Rule, where: str, error: Exception) -> str:
    # The text of the error may hold a value of the resource, so only its kind is told.
    return (
        f"{where}: rule {rule.id} could not be judged ({type(error).__name__}), which counts as a violation; "
        "report the input that it failed on."
    )

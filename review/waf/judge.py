"""Cloud Armor's judgement of one request: the rules that match, and what the first enforced one does.

A previewed rule is evaluated and noted, and judgement goes on, so it never changes what happens. A rule that
cannot be evaluated matches nothing, a set that cannot be answered finds nothing, and both stand in `gaps`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import cel

from review.waf.corpus import Request
from review.waf.expressions import Asked, Expressions, in_range, set_calls
from review.waf.policy import Action, Policy, Rule
from review.waf.rulesets import CoreRules, NotEvaluatedError, RuleSet, SetCall
from review.waf.sequence import Counters

__all__ = ["Decision", "Gap", "Judge", "Match"]


@dataclass(frozen=True, slots=True)
class Gap:
    """A rule, or a set of it, that could not be evaluated; ``expected`` when only Google could."""

    rule: Rule
    reason: str
    expected: bool


@dataclass(frozen=True, slots=True)
class Match:
    """One rule that matches one request."""

    rule: Rule
    signatures: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens to a request, by which rule, and what previewed rules would have done before it."""

    rule: Rule
    action: Action
    previews: tuple[tuple[Rule, Action], ...] = ()


@dataclass(slots=True)
class Judge:
    """A policy ready to judge requests."""

    policy: Policy
    core: CoreRules | NotEvaluatedError
    gaps: list[Gap] = field(default_factory=list[Gap])
    failures: dict[int, str] = field(default_factory=dict[int, str])
    """The first failure of each rule's expression on a request, by priority; a failure is no match."""
    cel_seconds: float = 0.0
    """Time of one core for all rules but those that ask sets."""
    cel_requests: int = 0
    _expressions: Expressions = field(init=False)
    _programs: dict[int, cel.Program] = field(init=False, default_factory=dict[int, cel.Program])
    _sets: dict[tuple[int, SetCall], RuleSet] = field(
        init=False, default_factory=dict[tuple[int, SetCall], RuleSet]
    )
    _rule: Rule | None = field(init=False, default=None)
    _request: Request | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._expressions = Expressions(self._ask)
        for rule in self.policy.rules:
            if not rule.expression:
                continue
            try:
                self._programs[rule.priority] = self._expressions.compile(rule.expression)
            except NotEvaluatedError as error:
                self.gaps.append(Gap(rule, error.reason, error.expected))
            else:
                self._open_sets(rule)

    def _open_sets(self, rule: Rule) -> None:
        reasons: dict[str, Gap] = {}
        for call in set_calls(rule.expression):
            try:
                if isinstance(self.core, NotEvaluatedError):
                    raise self.core
                found = self.core.open(call, rule.exclusions, self.policy.inspection)
            except NotEvaluatedError as error:
                reasons[error.reason] = Gap(rule, error.reason, error.expected)
            else:
                self._sets[rule.priority, call] = found
        self.gaps += reasons.values()

    def _ask(self, call: SetCall) -> tuple[int, ...]:
        assert self._rule is not None
        assert self._request is not None
        found = self._sets.get((self._rule.priority, call))
        return () if found is None else found.signatures(self._request)

    def matches(self, request: Request) -> tuple[Match, ...]:
        """All rules that match, in the order of judgement, previewed ones and the default among them."""
        started = time.process_time()
        asked = Asked.of(request, self.policy.user_ip_headers)
        self._request = request
        found: list[Match] = []
        self.cel_requests += 1
        self.cel_seconds += time.process_time() - started
        for rule in self.policy.rules:
            started = time.process_time()
            match = self._match(rule, asked)
            if not rule.is_waf:
                self.cel_seconds += time.process_time() - started
            if match is not None:
                found.append(match)
        return tuple(found)

    def matches_rule(self, rule: Rule, request: Request) -> bool:
        """Whether one rule matches."""
        self._request = request
        return self._match(rule, Asked.of(request, self.policy.user_ip_headers)) is not None

    def _match(self, rule: Rule, asked: Asked) -> Match | None:
        if not rule.expression:
            address = asked.request.address
            matched = any(text == "*" or in_range(address, text) for text in rule.ranges)
            return Match(rule) if matched else None
        program = self._programs.get(rule.priority)
        if program is None:
            return None
        self._rule = rule
        answer = self._expressions.ask(program, asked)
        if answer.failure:
            self.failures.setdefault(rule.priority, f"{answer.failure} on {asked.request.id}")
        return Match(rule, answer.signatures) if answer.matched else None

    def decide(
        self, matches: tuple[Match, ...], request: Request, counters: Counters, now: float
    ) -> Decision:
        """What happens to a request with these matches at this time; rate rules count it."""
        previews: list[tuple[Rule, Action]] = []
        for match in matches:
            action = counters.ask(match.rule, request, now)
            if not match.rule.preview:
                return Decision(match.rule, action, tuple(previews))
            if not action.allows:
                previews.append((match.rule, action))
        # Only a policy whose default rule is previewed or narrowed comes here; Google lets such pass.
        nothing = replace(self.policy.rules[-1], preview=False)
        return Decision(nothing, Action("allow", None), tuple(previews))

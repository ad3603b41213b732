"""The proof: a policy judged on a corpus, counted, and held against what it must reach."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from review.waf.corpus import Kind, Request
from review.waf.exceptions import Reason, Waiver, waivers
from review.waf.judge import Decision, Gap, Judge, Match
from review.waf.order import Bypass, Shadow, bypasses, early_rules, shadows
from review.waf.policy import Policy, Rule
from review.waf.rulesets import CoreRules, NotEvaluatedError
from review.waf.sequence import Counters

__all__ = ["GOALS", "Goals", "Proof", "Row", "Verdict", "prove"]


@dataclass(frozen=True, slots=True)
class Goals:
    """What a policy must reach on its corpus."""

    attacks_stopped: float = 0.97
    contract_denied: int = 0
    benign_denied: float = 0.005


GOALS: Final = Goals()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One line of the corpus and what became of it; of repetitions the first that is not as expected."""

    request: Request
    decision: Decision
    matched: tuple[Match, ...]

    @property
    def denied(self) -> bool:
        """Whether the application did not get the request."""
        return not self.decision.action.allows

    @property
    def status(self) -> int | None:
        """Cloud Armor's own answer; None where the application answers."""
        return self.decision.action.status

    @property
    def met(self) -> bool:
        """Whether this is what the line expects, status included."""
        return self.rightly and self.request.status in {None, self.status or self.request.status}

    @property
    def rightly(self) -> bool:
        """Whether it is denied or allowed as the line expects."""
        return self.denied == (self.request.expect == "deny")

    @property
    def signatures(self) -> tuple[int, ...]:
        """Those by which the deciding rule matched."""
        return next((item.signatures for item in self.matched if item.rule == self.decision.rule), ())


@dataclass(frozen=True, slots=True)
class Row:
    """One class of the confusion table."""

    group: str
    kind: Kind
    denied: int
    allowed: int
    wrong: int
    """Lines that are not as expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A policy with all verdicts on a corpus."""

    policy: Policy
    core: CoreRules | NotEvaluatedError
    verdicts: tuple[Verdict, ...]
    bypasses: tuple[Bypass, ...]
    shadowed: tuple[Shadow, ...]
    gaps: tuple[Gap, ...]
    waivers: tuple[Waiver, ...]
    expression_failures: tuple[tuple[Rule, str], ...]
    seconds: float
    cel_per_second: int
    """Requests of this corpus a second, through all expressions but those that ask sets; its texts repeat."""
    goals: Goals = field(default=GOALS)

    def of(self, kind: Kind) -> list[Verdict]:
        """The verdicts of a kind."""
        return [verdict for verdict in self.verdicts if verdict.request.kind == kind]

    @property
    def attacks(self) -> list[Verdict]:
        """Attacks that must be stopped."""
        return [verdict for verdict in self.of("attack") if verdict.request.expect == "deny"]

    @property
    def missed(self) -> list[Verdict]:
        """Attacks let through."""
        return [verdict for verdict in self.attacks if not verdict.denied]

    def wrongly_denied(self, kind: Kind) -> list[Verdict]:
        """Requests of a kind denied that should pass."""
        return [verdict for verdict in self.of(kind) if verdict.request.expect == "allow" and verdict.denied]

    @property
    def unmet(self) -> list[Verdict]:
        """All other expectations that do not hold: another status, a limit that does not limit."""
        counted = {id(verdict) for verdict in self.missed}
        for kind in ("contract", "benign"):
            counted |= {id(verdict) for verdict in self.wrongly_denied(kind)}
        return [
            verdict
            for verdict in self.verdicts
            if not verdict.met and (id(verdict) not in counted or verdict.request.sequence is not None)
        ]

    @property
    def rows(self) -> list[Row]:
        """The confusion table, attacks first."""
        groups: dict[tuple[Kind, str], list[Verdict]] = {}
        for verdict in self.verdicts:
            groups.setdefault((verdict.request.kind, verdict.request.group), []).append(verdict)
        return [
            Row(
                group,
                kind,
                denied=sum(verdict.denied for verdict in found),
                allowed=sum(not verdict.denied for verdict in found),
                wrong=sum(not verdict.met for verdict in found),
            )
            for (kind, group), found in sorted(groups.items())
        ]

    def decided_by(self, rule: Rule) -> int:
        """How many lines a rule decided."""
        return sum(verdict.decision.rule == rule for verdict in self.verdicts)

    def matched_by(self, rule: Rule) -> int:
        """How many lines a rule matched, decided or not."""
        return sum(any(match.rule == rule for match in verdict.matched) for verdict in self.verdicts)

    @property
    def never_hit(self) -> list[Rule]:
        """Evaluated rules that no line matched."""
        unevaluated = {gap.rule.priority for gap in self.gaps}
        return [
            rule
            for rule in self.policy.rules
            if rule.priority not in unevaluated and not rule.is_default and not self.matched_by(rule)
        ]

    @property
    def by_default(self) -> list[Verdict]:
        """Lines that only the default rule decided."""
        return [verdict for verdict in self.verdicts if verdict.decision.rule.is_default]

    @property
    def previewed(self) -> list[Verdict]:
        """Lines that a previewed rule would have denied, and that passed."""
        return [verdict for verdict in self.verdicts if verdict.decision.previews and not verdict.denied]

    @property
    def shortfalls(self) -> list[str]:
        """What keeps the proof from holding, one sentence each; none when it holds."""
        return list(_shortfalls(self))


def _shortfalls(proof: Proof) -> Iterator[str]:
    goals = proof.goals
    attacks, missed = len(proof.attacks), len(proof.missed)
    if attacks and (attacks - missed) / attacks < goals.attacks_stopped:
        yield (
            f"{attacks - missed} of {attacks} attacks are stopped ({(attacks - missed) / attacks:.1%}), "
            f"at least {goals.attacks_stopped:.0%} must be"
        )
    contract = len(proof.wrongly_denied("contract"))
    if contract > goals.contract_denied:
        yield f"{contract} contract requests are denied, {goals.contract_denied} may be"
    benign, wrong = len(proof.of("benign")), len(proof.wrongly_denied("benign"))
    if benign and wrong / benign > goals.benign_denied:
        yield (
            f"{wrong} of {benign} benign requests are denied ({wrong / benign:.1%}), "
            f"at most {goals.benign_denied:.1%} may be"
        )
    if proof.unmet:
        names = ", ".join(verdict.request.id for verdict in proof.unmet[:5])
        more = f" and {len(proof.unmet) - 5} more" if len(proof.unmet) > 5 else ""
        yield f"{len(proof.unmet)} other expectations do not hold: {names}{more}"
    for bypass in proof.bypasses:
        yield bypass.sentence
    for shadow in proof.shadowed:
        yield shadow.sentence
    for gap in proof.gaps:
        if not gap.expected:
            yield f"rule {gap.rule.label} was not evaluated: {gap.reason}"
    nameless = [item for item in proof.waivers if not item.reason]
    if nameless:
        first = nameless[0]
        more = f" and {len(nameless) - 1} more exceptions have" if len(nameless) > 1 else " has"
        yield (
            f"rule {first.rule.label}: {first.rule_set} without {first.what}{more} no reason: "
            "write it into review/waf/exceptions.yaml"
        )
    for rule, failure in proof.expression_failures:
        yield f"rule {rule.label} fails on a request, which Google takes for no match: {failure}"


def prove(
    policy: Policy,
    core: CoreRules | NotEvaluatedError,
    requests: Sequence[Request],
    reasons: Sequence[Reason] = (),
    *,
    complete: bool = True,
) -> Proof:
    """Judge every line of a corpus. Sequences run in the order of their lines, each with its own counts.

    A rule is shadowed by what a `complete` corpus shows, or by the rules alone: of a few requests that
    earlier rules all take, nothing follows.
    """
    started = time.perf_counter()
    judge = Judge(policy, core)
    verdicts = tuple(_verdicts(judge, requests))
    attacks = [request for request in requests if request.kind == "attack"]
    return Proof(
        policy=policy,
        core=core,
        verdicts=verdicts,
        bypasses=tuple(_bypasses(judge, attacks, verdicts)),
        shadowed=tuple(_shadowed(policy, verdicts if complete else ())),
        gaps=tuple(judge.gaps),
        waivers=tuple(waivers(policy, reasons)),
        expression_failures=tuple(
            (rule, judge.failures[rule.priority]) for rule in policy.rules if rule.priority in judge.failures
        ),
        seconds=round(time.perf_counter() - started, 3),
        cel_per_second=round(judge.cel_requests / judge.cel_seconds) if judge.cel_seconds else 0,
    )


def _verdicts(judge: Judge, requests: Sequence[Request]) -> Iterator[Verdict]:
    counters: dict[str, Counters] = {}
    for request in requests:
        counts = Counters(judge.policy)
        if request.sequence is not None:
            counts = counters.setdefault(request.sequence, counts)
        # What matches does not depend on the clock, only what rate rules then do.
        matched = judge.matches(request)
        chosen: Verdict | None = None
        for number in range(request.repeat):
            now = request.time + number * request.every
            decision = judge.decide(matched, request, counts, now)
            verdict = Verdict(request=request, decision=decision, matched=matched)
            if chosen is None or chosen.met:
                chosen = verdict
        assert chosen is not None
        yield chosen


def _bypasses(judge: Judge, attacks: Sequence[Request], verdicts: Sequence[Verdict]) -> Iterator[Bypass]:
    policy = judge.policy
    found = {bypass.rule.priority: bypass for bypass in bypasses(judge, attacks)}
    for rule in early_rules(policy):
        passed = [
            verdict.request.id
            for verdict in verdicts
            if verdict.request.kind == "attack"
            and not verdict.denied
            and verdict.decision.rule.priority == rule.priority
            and verdict.request.path not in policy.probe_paths
        ]
        if passed:
            yield Bypass(rule, passed[0], attacks=len(passed))
        elif rule.priority in found:
            yield found[rule.priority]


def _shadowed(policy: Policy, verdicts: Sequence[Verdict]) -> Iterator[Shadow]:
    proven = {shadow.rule.priority: shadow for shadow in shadows(policy)}
    yield from proven.values()
    for rule in policy.rules:
        if rule.is_default or rule.priority in proven:
            continue
        takers: set[int] = set()
        count = 0
        for verdict in verdicts:
            order = [match.rule for match in verdict.matched]
            if rule not in order:
                continue
            before = [other for other in order[: order.index(rule)] if not other.preview]
            if not before:
                break
            takers.add(before[0].priority)
            count += 1
        else:
            if count:
                by = tuple(other for other in policy.rules if other.priority in takers)
                yield Shadow(rule, by, proven=False, requests=count)

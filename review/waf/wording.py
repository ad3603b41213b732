"""Sentences and tables of the proof that every renderer shows."""

from __future__ import annotations

from collections.abc import Sequence

from review.waf.difference import Difference
from review.waf.document import numbers
from review.waf.policy import Rule
from review.waf.proof import Proof, Verdict
from review.waf.rulesets import CoreRules

__all__ = [
    "difference_lines",
    "evidence",
    "figures",
    "headline",
    "outcome",
    "rule_rows",
    "section_rows",
    "waiver_rows",
]

# Fewer requests than this say more about the clock than about the expressions.
_MEASURABLE = 300


def headline(proof: Proof, stack: str) -> str:
    """What was proven of what, in one line."""
    verdict = "holds" if not proof.shortfalls else "does not hold"
    return f"WAF proof of {stack}: policy {proof.policy.name} {verdict}"


def evidence(proof: Proof) -> str:
    """By what the preconfigured sets were answered, and how long all took."""
    core = proof.core
    by = (
        f"OWASP Core Rule Set {core.version} on {core.engine}"
        if isinstance(core, CoreRules)
        else f"no Core Rule Set ({core.reason})"
    )
    return f"{len(proof.verdicts)} requests in {proof.seconds:.1f} s; sets answered by {by}"


def figures(proof: Proof) -> list[tuple[str, str, str]]:
    """What, measured, wanted."""
    found, goals = numbers(proof), proof.goals
    return [
        (
            "attacks stopped",
            _share(found["attacks_stopped"], found["attacks"]),
            f"at least {goals.attacks_stopped:.0%}",
        ),
        (
            "contract requests denied",
            _share(found["contract_denied"], found["contract"]),
            f"at most {goals.contract_denied}",
        ),
        (
            "other benign requests denied",
            _share(found["benign_denied"], found["benign"]),
            f"at most {goals.benign_denied:.1%}",
        ),
        ("other expectations unmet", str(len(proof.unmet)), "0"),
        ("bypasses by order", str(len(proof.bypasses)), "0"),
        ("shadowed rules", str(len(proof.shadowed)), "0"),
        (
            "sets not evaluated",
            str(len(proof.gaps)),
            f"0 but the {sum(gap.expected for gap in proof.gaps)} that Google does not publish",
        ),
        (
            "requests a second through the expressions",
            str(proof.cel_per_second) if len(proof.verdicts) >= _MEASURABLE else "too few to measure",
            "at least 5000",
        ),
    ]


def _share(count: int, total: int) -> str:
    return f"{count} of {total}" + (f" ({count / total:.1%})" if total else "")


def rule_rows(proof: Proof) -> list[tuple[str, ...]]:
    """Priority, description, action, lines matched, lines decided, remarks."""
    return [
        (
            str(rule.priority),
            rule.description,
            _action(rule),
            str(proof.matched_by(rule)),
            str(proof.decided_by(rule)),
            _remarks(proof, rule),
        )
        for rule in proof.policy.rules
    ]


def _action(rule: Rule) -> str:
    text = rule.action.text if rule.rate is None else ("ban" if rule.rate.ban_seconds else "throttle")
    return f"{text}, preview" if rule.preview else text


def _remarks(proof: Proof, rule: Rule) -> str:
    reasons = [gap.reason for gap in proof.gaps if gap.rule == rule]
    if reasons:
        return f"not evaluated: {'; '.join(reasons)}"
    if any(shadow.rule == rule for shadow in proof.shadowed):
        return "shadowed"
    if any(bypass.rule == rule for bypass in proof.bypasses):
        return "bypass"
    return "never hit" if rule in proof.never_hit else ""


def waiver_rows(proof: Proof) -> list[tuple[str, str, str]]:
    """Rule, what it does not look at, why."""
    return [
        (item.rule.label, f"{item.rule_set} without {item.what}", item.reason or "no reason given")
        for item in proof.waivers
    ]


def outcome(verdict: Verdict) -> str:
    """What became of a request and by which rule."""
    action, rule = verdict.decision.action, verdict.decision.rule
    signatures = f" ({', '.join(map(str, verdict.signatures))})" if verdict.signatures else ""
    return f"{'allowed' if action.allows else action.text} by {rule.label}{signatures}"


def section_rows(verdicts: Sequence[Verdict]) -> list[tuple[str, ...]]:
    """Id, class, what was expected, what became of it, the corpus's reason."""
    return [
        (
            verdict.request.id,
            f"{verdict.request.kind} {verdict.request.group}",
            verdict.request.expect + (f" {verdict.request.status}" if verdict.request.status else ""),
            outcome(verdict),
            verdict.request.reason,
        )
        for verdict in verdicts
    ]


def difference_lines(difference: Difference, proof: Proof) -> list[str]:
    """What the change does, in sentences."""
    if difference.note or difference.before is None:
        return [f"not compared with {difference.base}: {difference.note}"]
    if difference.unchanged:
        return [f"compared with {difference.base}: no rule and no verdict changes"]
    counts = f"{len(difference.added)} rules added, {len(difference.removed)} removed"
    turned = f"{len(difference.turned)} requests are answered otherwise"
    lines = [f"compared with {difference.base}: {counts}, {len(difference.changed)} changed; {turned}"]
    if difference.inspection_changed:
        lines.append("how much of a body is read, or as what, changes")
    for (what, now, _), (_, before, _) in zip(
        figures(proof)[:4], figures(difference.before)[:4], strict=True
    ):
        if now != before:
            lines.append(f"{what}: {before} before, {now} now")
    for sign, rules in (
        ("added", difference.added),
        ("removed", difference.removed),
        ("changed", difference.changed),
    ):
        lines += [f"{sign} rule {rule.label}" for rule in rules]
    lines += [
        f"{after.request.id}: {outcome(before)} before, {outcome(after)} now"
        for before, after in difference.turned
    ]
    return lines

"""The proof as JSON, in the form of `report.schema.json` beside this file."""

from __future__ import annotations

from typing import Any

from review.report import ENGINE
from review.waf.difference import Difference
from review.waf.policy import Rule
from review.waf.proof import Proof, Verdict
from review.waf.rulesets import CoreRules

__all__ = ["document", "exceptions", "numbers"]


def document(proof: Proof, stack: str, difference: Difference | None = None) -> dict[str, Any]:
    """The whole proof."""
    core = proof.core
    return {
        "engine": ENGINE,
        "stack": stack,
        "policy": proof.policy.name,
        "duration_seconds": proof.seconds,
        "holds": not proof.shortfalls,
        "shortfalls": proof.shortfalls,
        "core_rule_set": {
            "version": core.version if isinstance(core, CoreRules) else None,
            "engine": core.engine if isinstance(core, CoreRules) else None,
            "missing": None if isinstance(core, CoreRules) else core.reason,
        },
        "numbers": numbers(proof),
        "classes": [
            {
                "class": row.group,
                "kind": row.kind,
                "denied": row.denied,
                "allowed": row.allowed,
                "not_as_expected": row.wrong,
            }
            for row in proof.rows
        ],
        "rules": [
            {
                "priority": rule.priority,
                "description": rule.description,
                "action": rule.action.text if rule.rate is None else _rate_action(rule),
                "preview": rule.preview,
                "matched": proof.matched_by(rule),
                "decided": proof.decided_by(rule),
                "not_evaluated": [
                    {"reason": gap.reason, "expected": gap.expected} for gap in proof.gaps if gap.rule == rule
                ],
                "waived": [
                    {"rule_set": item.rule_set, "what": item.what, "reason": item.reason}
                    for item in proof.waivers
                    if item.rule == rule
                ],
            }
            for rule in proof.policy.rules
        ],
        "never_hit": [rule.priority for rule in proof.never_hit],
        "shadowed": [
            {
                "priority": shadow.rule.priority,
                "by": [rule.priority for rule in shadow.by],
                "proven": shadow.proven,
                "requests": shadow.requests,
            }
            for shadow in proof.shadowed
        ],
        "bypasses": [
            {
                "priority": bypass.rule.priority,
                "request": bypass.request,
                "address": bypass.address,
                "attacks": bypass.attacks,
            }
            for bypass in proof.bypasses
        ],
        "by_default": [verdict.request.id for verdict in proof.by_default],
        "previewed": [
            {"request": verdict.request.id, "priority": rule.priority, "action": action.text}
            for verdict in proof.previewed
            for rule, action in verdict.decision.previews
        ],
        "exceptions": [_verdict(verdict) for verdict in exceptions(proof)],
        "requests": [_verdict(verdict) for verdict in proof.verdicts],
        "difference": None if difference is None else _difference(difference),
    }


def numbers(proof: Proof) -> dict[str, Any]:
    """What is held against the goals."""
    return {
        "requests": len(proof.verdicts),
        "attacks": len(proof.attacks),
        "attacks_stopped": len(proof.attacks) - len(proof.missed),
        "contract": len(proof.of("contract")),
        "contract_denied": len(proof.wrongly_denied("contract")),
        "benign": len(proof.of("benign")),
        "benign_denied": len(proof.wrongly_denied("benign")),
        "sets_not_evaluated": len(proof.gaps),
        "cel_requests_per_second": proof.cel_per_second,
    }


def exceptions(proof: Proof) -> list[Verdict]:
    """All lines that are not as expected, in their order."""
    wrong = {id(verdict) for verdict in (*proof.missed, *proof.unmet)}
    for kind in ("contract", "benign"):
        wrong |= {id(verdict) for verdict in proof.wrongly_denied(kind)}
    return [verdict for verdict in proof.verdicts if id(verdict) in wrong]


def _rate_action(rule: Rule) -> str:
    assert rule.rate is not None
    kind = "rate_based_ban" if rule.rate.ban_seconds else "throttle"
    return f"{kind} above {rule.rate.count} in {rule.rate.seconds} s, then {rule.rate.exceed.text}"


def _verdict(verdict: Verdict) -> dict[str, Any]:
    request = verdict.request
    return {
        "id": request.id,
        "place": request.place,
        "kind": request.kind,
        "class": request.group,
        "expect": request.expect,
        "expected_status": request.status,
        "reason": request.reason,
        "denied": verdict.denied,
        "status": verdict.status,
        "priority": verdict.decision.rule.priority,
        "signatures": list(verdict.signatures),
    }


def _difference(difference: Difference) -> dict[str, Any]:
    return {
        "base": difference.base,
        "note": difference.note,
        "numbers_before": None if difference.before is None else numbers(difference.before),
        "rules_added": [rule.priority for rule in difference.added],
        "rules_removed": [rule.priority for rule in difference.removed],
        "rules_changed": [rule.priority for rule in difference.changed],
        "inspection_changed": difference.inspection_changed,
        "turned": [
            {
                "id": after.request.id,
                "before": before.decision.action.text,
                "after": after.decision.action.text,
                "priority_before": before.decision.rule.priority,
                "priority": after.decision.rule.priority,
            }
            for before, after in difference.turned
        ],
    }

"""What a change of the policy does: the same corpus before and after."""

from __future__ import annotations

from dataclasses import dataclass

from review.waf.policy import Rule
from review.waf.proof import Proof, Verdict

__all__ = ["Difference", "compare"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Rules and verdicts that are not what they were at ``base``; ``note`` says why nothing was compared."""

    base: str
    before: Proof | None = None
    note: str = ""
    added: tuple[Rule, ...] = ()
    removed: tuple[Rule, ...] = ()
    changed: tuple[Rule, ...] = ()
    inspection_changed: bool = False
    """Whether bodies are read otherwise."""
    turned: tuple[tuple[Verdict, Verdict], ...] = ()
    """Lines that are answered otherwise."""

    @property
    def unchanged(self) -> bool:
        """Whether policy and verdicts are the same."""
        rules = self.added or self.removed or self.changed
        return not (self.note or rules or self.inspection_changed or self.turned)


def compare(base: str, before: Proof, after: Proof) -> Difference:
    """Two proofs on the same corpus; rules are the same by priority."""
    old = {rule.priority: rule for rule in before.policy.rules}
    new = {rule.priority: rule for rule in after.policy.rules}
    earlier = {verdict.request.id: verdict for verdict in before.verdicts}
    pairs = [(earlier[verdict.request.id], verdict) for verdict in after.verdicts]
    return Difference(
        base=base,
        before=before,
        added=tuple(rule for priority, rule in new.items() if priority not in old),
        removed=tuple(rule for priority, rule in old.items() if priority not in new),
        changed=tuple(rule for priority, rule in new.items() if old.get(priority, rule) != rule),
        inspection_changed=before.policy.inspection != after.policy.inspection,
        turned=tuple(
            pair for pair in pairs if pair[0].denied != pair[1].denied or pair[0].status != pair[1].status
        ),
    )

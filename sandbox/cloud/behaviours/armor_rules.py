"""The rules of Cloud Armor, wherever a program declares them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.table import Call
from sandbox.cloud.data import Values

__all__ = ["POLICY", "RULES", "rules_of"]

POLICY: Final = "gcp:compute/securityPolicy:SecurityPolicy"
_RULE: Final = "gcp:compute/securityPolicyRule:SecurityPolicyRule"
RULES: Final = (POLICY, _RULE)
"""The types that declare rules: a policy its inline ones, the other one rule of a policy."""


def rules_of(call: Call) -> Iterator[tuple[str, Values]]:
    """Each rule with what stands before its properties' names in their paths."""
    if call.type == _RULE:
        yield "", call.inputs
    for index, rule in enumerate(call.blocks("rules")):
        yield f"rules[{index}].", rule

"""A Cloud Armor backend policy made from typed rules.

Makes one `compute.SecurityPolicy` with its rules inline, the default rule among them (allow, 2147483647),
with adaptive protection, verbose logs and parsed JSON bodies. Attach it to a backend service; its log entries
exist only while that service's request log is on.

Does not make: rule resources beside the inline ones (the two styles fight), an edge policy (useless without a
CDN), Enterprise features (adaptive signatures and automatic rules need that tier; on the standard tier
adaptive protection alerts only). Changing rules is an update in place that takes some minutes to spread.

Cost: the policy and each rule are billed by the month, requests by the million; see Google's price list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import pulumi
import pulumi_gcp as gcp

from components.edge.armor_compiler import (
    DEFAULT_EXPRESSION_QUOTA,
    DEFAULT_PRIORITY,
    CompiledRule,
    compile_rules,
)
from components.edge.armor_rules import Rule
from facts.refusal import RefusedError

__all__ = ["SecurityPolicy", "SecurityPolicyArgs"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SecurityPolicyArgs:
    """What the policy consists of."""

    rules: Sequence[Rule]
    """The rules in any order; the kind of each decides its priority."""
    description: str
    """What the policy protects, at most 2,048 characters."""
    labels: Mapping[str, str]
    preview: bool = False
    """True previews every rule, whatever the rule says: logged, not enforced."""
    body_inspection: Literal["8KB", "16KB", "32KB", "48KB", "64KB"] = "64KB"
    """How much of a body the WAF sets read; what comes after it is not inspected."""
    json_parsing: Literal["STANDARD", "STANDARD_WITH_GRAPHQL"] = "STANDARD"
    expression_quota: int = DEFAULT_EXPRESSION_QUOTA
    """The project's quota SECURITY_POLICY_CEVAL_RULES, 20 unless raised: rules with an expression."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.description) <= 2048:
            raise RefusedError(
                f"description must have 1 to 2,048 characters, got {len(self.description)}: shorten it"
            )
        compile_rules(self.rules, self.expression_quota)


class SecurityPolicy(pulumi.ComponentResource):
    """Cloud Armor policy for a backend service."""

    policy_id: pulumi.Output[str]
    policy_name: pulumi.Output[str]

    def __init__(
        self, name: str, args: SecurityPolicyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("aiprod:edge:SecurityPolicy", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        rules = [
            replace(rule, preview=rule.preview or args.preview)
            for rule in compile_rules(args.rules, args.expression_quota)
        ]
        policy = gcp.compute.SecurityPolicy(
            name,
            type="CLOUD_ARMOR",
            description=args.description,
            labels=args.labels,
            adaptive_protection_config={
                "layer7_ddos_defense_config": {"enable": True, "rule_visibility": "STANDARD"}
            },
            advanced_options_config={
                "json_parsing": args.json_parsing,
                "log_level": "VERBOSE",
                "request_body_inspection_size": args.body_inspection,
            },
            rules=[*(_rule(rule) for rule in rules), _default_rule()],
            opts=child,
        )
        self.policy_id = policy.id
        self.policy_name = policy.name
        self.register_outputs({"policy_id": self.policy_id, "policy_name": self.policy_name})


def _rule(rule: CompiledRule) -> gcp.compute.SecurityPolicyRuleArgsDict:
    made: gcp.compute.SecurityPolicyRuleArgsDict = {
        "priority": rule.priority,
        "action": rule.action,
        "description": rule.description,
        "match": _everyone() if rule.expression is None else {"expr": {"expression": rule.expression}},
        "preview": rule.preview,
    }
    if rule.rate_limit is not None:
        made["rate_limit_options"] = rule.rate_limit
    if rule.exclusions:
        made["preconfigured_waf_config"] = {"exclusions": rule.exclusions}
    return made


def _default_rule() -> gcp.compute.SecurityPolicyRuleArgsDict:
    return {
        "priority": DEFAULT_PRIORITY,
        "action": "allow",
        "description": "Default",
        "match": _everyone(),
        "preview": False,
    }


def _everyone() -> gcp.compute.SecurityPolicyRuleMatchArgsDict:
    return {"versioned_expr": "SRC_IPS_V1", "config": {"src_ip_ranges": ["*"]}}

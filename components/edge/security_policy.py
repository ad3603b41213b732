"""A Cloud Armor backend policy made from typed rules.

Makes one `compute.SecurityPolicy` with its rules inline, the default rule among them (allow, 2147483647),
with adaptive protection, verbose logs and parsed JSON bodies; on the tier Enterprise also the project's
enrolment. Attach it to a backend service; its log entries exist only while that service's request log is on.

Does not make: rule resources beside the inline ones (the two styles fight); an edge policy, which filters
before a cache that is off, without WAF sets and rates, so the same rules stand here; regional, network and
organisation policies (there is no regional or pass-through way in, and the last two need Enterprise); a map
of trusted client address headers (no proxy stands before Google's); thresholds of adaptive protection (what
it learns is used until an alert shows it wrong). Changing rules is an update in place that takes some minutes
to spread. A tuned set is promoted by its own `preview`, dev before prod.

Cost: the policy and each rule are billed by the month, requests by the million; see Google's price list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from components.edge.armor_tier import AutoDeploy, Enterprise, Standard, Tier
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
    json_content_types: Sequence[str] = ()
    """Content types read as JSON, with STANDARD only. Default: Google's own, application/json."""
    tier: Tier = field(default_factory=Standard)
    """What the project pays for; Standard."""
    expression_quota: int = DEFAULT_EXPRESSION_QUOTA
    """The project's quota SECURITY_POLICY_CEVAL_RULES, 20 unless raised: rules with an expression."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.description) <= 2048:
            raise RefusedError(
                f"description must have 1 to 2,048 characters, got {len(self.description)}: shorten it"
            )
        if self.json_content_types and self.json_parsing != "STANDARD":
            raise RefusedError(
                f"json_content_types must be empty unless json_parsing is STANDARD, got {self.json_parsing}: "
                "drop them or parse no GraphQL"
            )
        compile_rules(self.rules, self.expression_quota, self.tier)


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
            for rule in compile_rules(args.rules, args.expression_quota, args.tier)
        ]
        enterprise = args.tier if isinstance(args.tier, Enterprise) else None
        enrolment = (
            []
            if enterprise is None
            else [
                gcp.compute.ProjectCloudArmorTier(
                    f"{name}-tier", cloud_armor_tier=enterprise.plan, opts=child
                )
            ]
        )
        policy = gcp.compute.SecurityPolicy(
            name,
            type="CLOUD_ARMOR",
            description=args.description,
            labels=args.labels,
            adaptive_protection_config=_adaptive(enterprise),
            advanced_options_config=_advanced(args),
            rules=[*(_rule(rule) for rule in rules), _default_rule()],
            # What only Enterprise takes is refused before the project is enrolled.
            opts=pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(depends_on=enrolment)),
        )
        self.policy_id = policy.id
        self.policy_name = policy.name
        self.register_outputs({"policy_id": self.policy_id, "policy_name": self.policy_name})


def _adaptive(enterprise: Enterprise | None) -> gcp.compute.SecurityPolicyAdaptiveProtectionConfigArgsDict:
    defense: gcp.compute.SecurityPolicyAdaptiveProtectionConfigLayer7DdosDefenseConfigArgsDict = {
        "enable": True,
        "rule_visibility": "STANDARD" if enterprise is None else "PREMIUM",
    }
    if enterprise is None or enterprise.auto_deploy is None:
        return {"layer7_ddos_defense_config": defense}
    return {
        "layer7_ddos_defense_config": defense,
        "auto_deploy_config": _auto_deploy(enterprise.auto_deploy),
    }


def _auto_deploy(
    auto: AutoDeploy,
) -> gcp.compute.SecurityPolicyAdaptiveProtectionConfigAutoDeployConfigArgsDict:
    return {
        "load_threshold": auto.load,
        "confidence_threshold": auto.confidence,
        "impacted_baseline_threshold": auto.impacted_baseline,
        "expiration_sec": auto.expiration_seconds,
    }


def _advanced(args: SecurityPolicyArgs) -> gcp.compute.SecurityPolicyAdvancedOptionsConfigArgsDict:
    made: gcp.compute.SecurityPolicyAdvancedOptionsConfigArgsDict = {
        "json_parsing": args.json_parsing,
        "log_level": "VERBOSE",
        "request_body_inspection_size": args.body_inspection,
    }
    if args.json_content_types:
        made["json_custom_config"] = {"content_types": list(args.json_content_types)}
    return made


def _rule(rule: CompiledRule) -> gcp.compute.SecurityPolicyRuleArgsDict:
    made: gcp.compute.SecurityPolicyRuleArgsDict = {
        "priority": rule.priority,
        "action": rule.action,
        "description": rule.description,
        "match": _addresses(rule.ranges or ["*"])
        if rule.expression is None
        else {"expr": {"expression": rule.expression}},
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
        "match": _addresses(["*"]),
        "preview": False,
    }


def _addresses(ranges: Sequence[str]) -> gcp.compute.SecurityPolicyRuleMatchArgsDict:
    return {"versioned_expr": "SRC_IPS_V1", "config": {"src_ip_ranges": list(ranges)}}

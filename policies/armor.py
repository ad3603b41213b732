"""Cloud Armor: the rules of a policy, inline or one resource each, in the order that Google reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from policies.model import (
    UNKNOWN,
    Block,
    Finding,
    Resource,
    contains_unknown,
    is_false,
    is_true,
    number,
    outside,
    relation,
    rule,
    say,
    stack_rule,
    text,
)
from policies.places import environment

__all__ = ["RULES"]

POLICY: Final = "gcp:compute/securityPolicy:SecurityPolicy"
POLICY_RULE: Final = "gcp:compute/securityPolicyRule:SecurityPolicyRule"
DEFAULT_PRIORITY: Final = 2_147_483_647
# Each set by the name of rule set 4.22 or its predecessor in 3.3.
_SETS: Final = (
    ("sqli",),
    ("xss",),
    ("lfi",),
    ("rfi",),
    ("rce",),
    ("protocolattack",),
    ("scannerdetection",),
    ("sessionfixation",),
    ("generic", "nodejs"),
    ("cve",),
)
_SET_NAME: Final = re.compile(r"evaluatePreconfiguredWaf\(\s*['\"]([a-z]+)")
# What the house lets past the rule sets: GET and HEAD of exact paths, without a query, and nothing beside it.
_PROBES: Final = re.compile(
    r"request\.path\.matches\('\^\(\?:/[A-Za-z0-9/_-]+\)\$'\)"
    r" && request\.method\.matches\('\^\(\?:GET\|HEAD\)\$'\) && request\.query == ''"
)
_RATE: Final = ("throttle", "rate_based_ban")


@dataclass(frozen=True, slots=True)
class Policy:
    """A security policy with all its rules; `complete` when every rule and its parts are known."""

    resource: Resource
    rules: tuple[Block, ...]
    complete: bool


def _policies(resources: Sequence[Resource]) -> Iterator[Policy]:
    apart = [one for one in resources if one.type == POLICY_RULE]
    for policy in resources:
        if policy.type != POLICY or outside(policy.get("type"), ("CLOUD_ARMOR",), absent="CLOUD_ARMOR"):
            continue
        own = [
            Block(f"rule {one.name}", one.props)
            for one in apart
            if relation(one, "securityPolicy", policy) == "yes"
        ]
        unsure = any(relation(one, "securityPolicy", policy) == "maybe" for one in apart)
        inline = list(policy.each("rules"))
        unknown = contains_unknown(policy.get("rules")) or any(
            contains_unknown(block.values) for block in own
        )
        known = not (unsure or unknown or policy.get("type") is UNKNOWN)
        yield Policy(policy, (*inline, *own), known)


def _priority(block: Block) -> float:
    found = number(block.get("priority"))
    return DEFAULT_PRIORITY if found is None else found


def _expression(block: Block) -> str:
    return text(block.get("match.expr.expression")) or ""


def _is_waf(block: Block) -> bool:
    return "evaluatePreconfigured" in _expression(block)


@stack_rule(
    "armor-default-rule",
    "A security policy states its default rule",
    controls=("LB-02",),
    source="Google: priority 2147483647 must exist, else the provider adds one that allows all",
)
def default_rule(resources: Sequence[Resource]) -> Iterator[Finding]:
    for policy in _policies(resources):
        count = sum(1 for block in policy.rules if number(block.get("priority")) == DEFAULT_PRIORITY)
        if policy.complete and count != 1:
            message = say(
                policy.resource,
                "rules",
                f"hold priority {DEFAULT_PRIORITY} once",
                f"{count} times",
                "add the default",
            )
            yield Finding(policy.resource.urn, message)


@stack_rule(
    "armor-waf-sets",
    "A security policy holds every preconfigured rule set of the house",
    controls=("LB-03", "LB-04"),
    source="SEC-2.5",
)
def waf_sets(resources: Sequence[Resource]) -> Iterator[Finding]:
    for policy in _policies(resources):
        held = {name for block in policy.rules for name in _SET_NAME.findall(_expression(block))}
        missing = [names[0] for names in _SETS if held.isdisjoint(names)]
        if policy.complete and missing:
            message = say(
                policy.resource,
                "rules",
                f"deny by {', '.join(missing)}",
                "no such rule",
                "add evaluatePreconfiguredWaf",
            )
            yield Finding(policy.resource.urn, message)


@stack_rule(
    "armor-waf-enforced",
    "The rule sets deny outside dev, they are not only previewed",
    controls=("LB-03",),
    source="table of environments",
)
def waf_enforced(resources: Sequence[Resource]) -> Iterator[Finding]:
    for policy in _policies(resources):
        where = environment(policy.resource)
        for block in policy.rules:
            if where not in (None, "dev") and _is_waf(block) and is_true(block.get("preview")):
                message = say(
                    policy.resource,
                    block.within("preview"),
                    f"be false in {where}",
                    block.get("preview"),
                    "remove it",
                )
                yield Finding(policy.resource.urn, message)


@stack_rule(
    "armor-waf-first",
    "The rule sets stand before every rate rule",
    controls=("LB-03", "LB-05"),
    source="SEC-2.3: a rate rule lets what conforms through, so what follows it is never asked",
)
def waf_first(resources: Sequence[Resource]) -> Iterator[Finding]:
    for policy in _policies(resources):
        waf = [_priority(block) for block in policy.rules if _is_waf(block)]
        last = max(waf, default=0)
        for block in policy.rules:
            if policy.complete and text(block.get("action")) in _RATE and _priority(block) < last:
                message = say(
                    policy.resource,
                    block.within("priority"),
                    f"be above {last:.0f}, the last rule set",
                    block.get("priority"),
                    "move the rate rule behind the rule sets",
                )
                yield Finding(policy.resource.urn, message)


@stack_rule(
    "armor-no-early-allow",
    "Nothing but the probe of one exact path is let past the rule sets",
    controls=("LB-03",),
    source="SEC-2.3: an allow-list never exempts from the WAF",
)
def no_early_allow(resources: Sequence[Resource]) -> Iterator[Finding]:
    for policy in _policies(resources):
        last = max((_priority(block) for block in policy.rules if _is_waf(block)), default=0)
        for block in policy.rules:
            early = policy.complete and _priority(block) < last
            if early and text(block.get("action")) == "allow" and not _PROBES.fullmatch(_expression(block)):
                message = say(
                    policy.resource,
                    block.within("action"),
                    f"not be allow before priority {last:.0f}",
                    block.get("action"),
                    "exempt the addresses inside the geo and rate rules instead",
                )
                yield Finding(policy.resource.urn, message)


@stack_rule(
    "armor-rate-limit",
    "A security policy limits how often one address may ask",
    controls=("LB-05",),
    source="SEC-2.3",
)
def rate_limit(resources: Sequence[Resource]) -> Iterator[Finding]:
    for policy in _policies(resources):
        limits = [block for block in policy.rules if text(block.get("action")) in _RATE]
        if policy.complete and not limits:
            message = say(
                policy.resource, "rules", "hold a rate rule", None, "add a rate_based_ban per address"
            )
            yield Finding(policy.resource.urn, message)
        for block in limits:
            path = "rateLimitOptions.enforceOnKey"
            per_client = block.get("rateLimitOptions.enforceOnKeyConfigs") is not None
            if not per_client and text(block.get(path, "ALL")) == "ALL":
                message = say(
                    policy.resource,
                    block.within(path),
                    "be a key per client (absent means ALL)",
                    block.get(path),
                    "set IP",
                )
                yield Finding(policy.resource.urn, message)


@rule(
    "armor-verbose-adaptive",
    "Cloud Armor learns, logs in full and reads JSON bodies",
    controls=("LB-06", "LB-07"),
    source="SEC-2.3",
    types=(POLICY,),
)
def verbose_adaptive(resource: Resource) -> Iterator[str]:
    if (
        outside(resource.get("type"), ("CLOUD_ARMOR",), absent="CLOUD_ARMOR")
        or resource.get("type") is UNKNOWN
    ):
        return
    path = "adaptiveProtectionConfig.layer7DdosDefenseConfig.enable"
    if is_false(resource.get(path, default=False)):
        yield say(resource, path, "be true", resource.get(path), "set it to true")
    path = "advancedOptionsConfig.logLevel"
    if outside(resource.get(path), ("VERBOSE",), absent="NORMAL"):
        yield say(resource, path, "be VERBOSE", resource.get(path), "set it to VERBOSE")
    path = "advancedOptionsConfig.jsonParsing"
    if outside(resource.get(path), ("STANDARD", "STANDARD_WITH_GRAPHQL"), absent="DISABLED"):
        yield say(resource, path, "be STANDARD", resource.get(path), "set it to STANDARD")


RULES = (
    default_rule,
    waf_sets,
    waf_enforced,
    waf_first,
    no_early_allow,
    rate_limit,
    verbose_adaptive,
)

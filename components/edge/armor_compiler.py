"""Compiles Cloud Armor rules: priority from the kind, expression in Google's rules language, limits checked.

A kind that stands once in a policy has one priority; a kind that can stand several times has ten positions,
ten apart, so inserting a rule never moves another:

100 probes, 200 regions, 300 methods, 310 body, 320 headers and agents, 400 addresses, 500 own denials,
600 what adaptive protection suggests, 1000 WAF sets, 2000 rates of paths, 2100 ban, last the default.

Text taken into a regular expression is written without backslashes, which the rules language would read as
escapes of its own. Every expression is compiled by a CEL library with exactly Google's functions and
attributes (`facts/cel.py`); what else is checked stands in `armor_limits.py`, the sets in `armor_waf.py`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, assert_never, get_args

import pulumi_gcp as gcp

from components.edge.armor_limits import (
    BAN_SECONDS,
    INTERVALS_SECONDS,
    check_description,
    check_items,
    check_one_of,
    check_pattern,
    check_range,
    check_ranges,
    check_rules_language,
)
from components.edge.armor_rules import (
    AllowAddresses,
    AllowProbes,
    BodyLimit,
    DenyAddresses,
    DenyExpression,
    DenyHeaders,
    DenyMethods,
    DenyRegions,
    DenyStatus,
    GlobalBan,
    PathRateLimit,
    Rule,
    WafGroup,
    WafSet,
)
from components.edge.armor_tier import Enterprise, Standard, Tier
from components.edge.armor_waf import waf_description, waf_exclusions, waf_expression, waf_slot
from facts.refusal import RefusedError

__all__ = ["DEFAULT_EXPRESSION_QUOTA", "DEFAULT_PRIORITY", "CompiledRule", "compile_rules"]

DEFAULT_PRIORITY: Final = 2147483647
# Of a listed range, by version: a wider one would switch region and ban off for a part of the world.
_WIDEST: Final = {4: 8, 6: 19}
# SECURITY_POLICY_CEVAL_RULES of a project: rules with an expression, of all its policies.
DEFAULT_EXPRESSION_QUOTA: Final = 20
POSITION_GAP: Final = 10
POSITIONS: Final = 10
_MAX_BAN_COUNT: Final = 10_000
_MAX_THROTTLE_COUNT: Final = 1_000_000
_PATH: Final = r"/[A-Za-z0-9/_.-]+"


@dataclass(frozen=True, kw_only=True, slots=True)
class CompiledRule:
    """One rule ready for the provider: an expression, or ranges, or neither for every address."""

    priority: int
    action: str
    description: str
    expression: str | None = None
    ranges: Sequence[str] = ()
    preview: bool
    rate_limit: gcp.compute.SecurityPolicyRuleRateLimitOptionsArgsDict | None = None
    exclusions: Sequence[gcp.compute.SecurityPolicyRulePreconfiguredWafConfigExclusionArgsDict] = ()


def compile_rules(
    rules: Sequence[Rule], expression_quota: int = DEFAULT_EXPRESSION_QUOTA, tier: Tier | None = None
) -> tuple[CompiledRule, ...]:
    """The rules in the order of judgement, refused when two claim one priority or a limit is broken.

    Without `tier` it is Standard.
    """
    paid = tier or Standard()
    exempt = _exempt(rules)
    made = [_compile(rule, exempt) for rule in rules if not isinstance(rule, AllowAddresses)]
    compiled = sorted([*made, *_suggested(paid)], key=lambda rule: rule.priority)
    for before, after in pairwise(compiled):
        if before.priority == after.priority:
            raise RefusedError(
                f"rules must have one priority each, got {before.priority} for {before.description!r} and "
                f"{after.description!r}: keep one of them or give the second another position"
            )
    for rule in compiled:
        check_description(rule.description)
        if rule.expression is not None:
            check_rules_language(rule.description, rule.expression, enterprise=isinstance(paid, Enterprise))
    count = sum(rule.expression is not None for rule in compiled)
    if count > expression_quota:
        raise RefusedError(
            f"rules must hold at most {expression_quota} with an expression (expression_quota), got {count}: "
            "remove or merge rules, or have the quota SECURITY_POLICY_CEVAL_RULES raised and state it"
        )
    return tuple(compiled)


def _exempt(rules: Sequence[Rule]) -> list[str]:
    """What an expression says of the listed addresses."""
    lists = [rule for rule in rules if isinstance(rule, AllowAddresses)]
    if len(lists) > 1:
        raise RefusedError(f"rules must hold AllowAddresses once, got {len(lists)}: merge the lists")
    for rule in lists:
        check_ranges("ranges", rule.ranges, 4)
        for text in rule.ranges:
            if (network := ipaddress.ip_network(text)).prefixlen < _WIDEST[network.version]:
                raise RefusedError(
                    f"ranges allowed must be /{_WIDEST[network.version]} or narrower, got {text!r}: "
                    "list the callers' own ranges"
                )
    return [f"!inIpRange(origin.ip, '{text}')" for rule in lists for text in rule.ranges]


def _suggested(tier: Tier) -> list[CompiledRule]:
    if isinstance(tier, Standard) or tier.auto_deploy is None:
        return []
    return [
        CompiledRule(
            priority=600,
            action="deny(403)",
            description="What adaptive protection suggests",
            expression="evaluateAdaptiveProtectionAutoDeploy()",
            preview=tier.auto_deploy.preview,
        )
    ]


def _compile(rule: Rule, exempt: Sequence[str]) -> CompiledRule:
    match rule:
        case AllowAddresses():
            raise AssertionError("listed addresses make no rule of their own")
        case AllowProbes():
            return _plain(rule.preview, 100, "allow", "Probes", _probes(rule))
        case DenyRegions():
            check_items("regions", rule.regions, 1, 100)
            check_pattern("regions", rule.regions, r"[A-Z]{2}", "an ISO 3166-1 alpha-2 code")
            region = f"origin.region_code.matches('^(?:{'|'.join(sorted(set(rule.regions)))})$')"
            return _plain(rule.preview, 200, "deny(403)", "Regions denied", " && ".join((region, *exempt)))
        case DenyMethods():
            check_items("allowed", rule.allowed, 1, 10)
            check_pattern("allowed", rule.allowed, r"[A-Z]+", "a method in capitals")
            expression = f"!request.method.matches('^(?:{'|'.join(rule.allowed)})$')"
            return _plain(rule.preview, 300, "deny(403)", "Methods denied", expression)
        case BodyLimit():
            return _plain(rule.preview, 310, "deny(403)", "Body above the limit", _body(rule))
        case DenyHeaders():
            return _plain(rule.preview, 320, "deny(403)", "Headers and agents denied", _headers(rule))
        case DenyAddresses():
            check_ranges("ranges", rule.ranges, 10)
            return CompiledRule(
                priority=_slot(400, rule.position),
                action="deny(403)",
                description="Addresses denied",
                ranges=rule.ranges,
                preview=rule.preview,
            )
        case DenyExpression():
            check_one_of("status", rule.status, get_args(DenyStatus), "Cloud Armor denies with no other")
            action = f"deny({rule.status})"
            return _plain(rule.preview, _slot(500, rule.position), action, rule.description, rule.expression)
        case WafSet() | WafGroup():
            return CompiledRule(
                priority=1000 + POSITION_GAP * waf_slot(rule),
                action="deny(403)",
                description=waf_description(rule),
                expression=waf_expression(rule),
                preview=rule.preview,
                exclusions=waf_exclusions(rule),
            )
        case PathRateLimit():
            check_pattern("path_prefix", [rule.path_prefix], _PATH, "a path")
            return CompiledRule(
                priority=_slot(2000, rule.position),
                action="throttle",
                description=f"Rate of {rule.path_prefix}",
                expression=f"request.path.startsWith('{rule.path_prefix}')",
                preview=rule.preview,
                rate_limit=_rate(rule.count, rule.interval_seconds, _MAX_THROTTLE_COUNT),
            )
        case GlobalBan():
            check_one_of("ban_seconds", rule.ban_seconds, BAN_SECONDS, "take the nearest one")
            rate = _rate(rule.count, rule.interval_seconds, _MAX_BAN_COUNT)
            return CompiledRule(
                priority=2100,
                action="rate_based_ban",
                description="Ban of flooding addresses",
                expression=" && ".join(exempt) or None,
                preview=rule.preview,
                rate_limit={**rate, "ban_duration_sec": rule.ban_seconds},
            )
    assert_never(rule)


def _probes(rule: AllowProbes) -> str:
    check_items("paths", rule.paths, 1, 4)
    # Not the root, which people ask for too, and no step upwards, which ends at another path.
    part = r"/[A-Za-z0-9_-][A-Za-z0-9_.-]*"
    check_pattern("paths", rule.paths, f"(?:{part})+", "an absolute path of plain parts below /")
    path = f"request.path.matches('^(?:{'|'.join(_quoted(path) for path in rule.paths)})$')"
    return f"{path} && request.method.matches('^(?:GET|HEAD)$') && request.query == ''"


def _body(rule: BodyLimit) -> str:
    check_range("max_bytes", rule.max_bytes, 1, 2**31 - 1, "bytes")
    check_pattern("exempt_path_prefixes", rule.exempt_path_prefixes, _PATH, "a path")
    length = "request.headers['content-length']"
    parts = [f"has({length})", f"int({length}) > {rule.max_bytes}"]
    parts += [f"!request.path.startsWith('{prefix}')" for prefix in rule.exempt_path_prefixes]
    return " && ".join(parts)


def _headers(rule: DenyHeaders) -> str:
    check_items("headers", rule.headers, 0 if rule.agent_words else 1, 3)
    check_pattern("headers", rule.headers, r"[a-z0-9-]+", "a lower-case header name")
    check_items("agent_words", rule.agent_words, 0, 40)
    check_pattern("agent_words", rule.agent_words, r"[A-Za-z0-9 _./${-]+", "a word")
    parts = [f"has(request.headers['{header}'])" for header in rule.headers]
    if rule.agent_words:
        agent, words = "request.headers['user-agent']", "|".join(_quoted(word) for word in rule.agent_words)
        parts.append(f"(has({agent}) && {agent}.matches('(?i:{words})'))")
    return " || ".join(parts)


def _plain(preview: bool, priority: int, action: str, description: str, expression: str) -> CompiledRule:
    return CompiledRule(
        priority=priority,
        action=action,
        description=description,
        expression=expression,
        preview=preview,
    )


def _quoted(text: str) -> str:
    return re.sub(r"[.${]", r"[\g<0>]", text)


def _rate(
    count: int, interval_seconds: int, max_count: int
) -> gcp.compute.SecurityPolicyRuleRateLimitOptionsArgsDict:
    check_range("count", count, 1, max_count, "requests")
    check_one_of("interval_seconds", interval_seconds, INTERVALS_SECONDS, "take the nearest one")
    return {
        "conform_action": "allow",
        "exceed_action": "deny(429)",
        "enforce_on_key": "IP",
        "rate_limit_threshold": {"count": count, "interval_sec": interval_seconds},
    }


def _slot(base: int, position: int) -> int:
    check_range("position", position, 0, POSITIONS - 1)
    return base + POSITION_GAP * position

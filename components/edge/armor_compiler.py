"""Compiles Cloud Armor rules: priority from the kind, expression in Google's rules language, limits checked.

A kind that stands once in a policy has one priority; a kind that can stand several times has ten positions,
ten apart, so inserting a rule never moves another. Text taken into a regular expression is written without
backslashes, which the rules language would read as escapes of its own.

Sources: Google's rules language reference (attributes, functions, five subexpressions, 2,048 and 1,024
characters, no capture groups), the provider's validators (intervals, ban times, counts, 64 characters).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import assert_never

import pulumi_gcp as gcp

from components.edge.armor_rules import (
    AllowProbes,
    BodyLimit,
    DenyExpression,
    DenyRegions,
    DenyRequests,
    Exclusion,
    GlobalBan,
    PathRateLimit,
    Rule,
    WafSet,
    WafSetName,
)
from facts.refusal import RefusedError

__all__ = [
    "DEFAULT_EXPRESSION_QUOTA",
    "DEFAULT_PRIORITY",
    "CompiledRule",
    "compile_rules",
    "split_subexpressions",
]

DEFAULT_PRIORITY = 2147483647
INTERVALS_SECONDS = (10, 30, 60, 120, 180, 240, 300, 600, 900, 1200, 1800, 2700, 3600)
BAN_SECONDS = (60, 120, 180, 240, 300, 600, 900, 1200, 1800, 2700, 3600)
MAX_SUBEXPRESSIONS = 5
MAX_EXPRESSION_CHARACTERS = 2048
MAX_SUBEXPRESSION_CHARACTERS = 1024
MAX_DESCRIPTION_CHARACTERS = 64
MAX_BAN_COUNT = 10_000
MAX_THROTTLE_COUNT = 1_000_000
# SECURITY_POLICY_CEVAL_RULES of a project: rules with an expression, of all its policies.
DEFAULT_EXPRESSION_QUOTA = 20
POSITION_GAP = 10
POSITIONS = 10

_WAF_SLOTS: tuple[WafSetName, ...] = (
    "sqli-v33-stable",
    "xss-v33-stable",
    "lfi-v33-stable",
    "rfi-v33-stable",
    "rce-v33-stable",
    "protocolattack-v33-stable",
    "scannerdetection-v33-stable",
    "sessionfixation-v33-stable",
    "nodejs-v33-stable",
    "java-v33-stable",
    "php-v33-stable",
    "cve-canary",
    "json-sqli-canary",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class CompiledRule:
    """One rule ready for the provider. `expression` None means every address (SRC_IPS_V1 with "*")."""

    priority: int
    action: str
    description: str
    expression: str | None
    preview: bool
    rate_limit: gcp.compute.SecurityPolicyRuleRateLimitOptionsArgsDict | None = None
    exclusions: Sequence[gcp.compute.SecurityPolicyRulePreconfiguredWafConfigExclusionArgsDict] = ()


def compile_rules(
    rules: Sequence[Rule], expression_quota: int = DEFAULT_EXPRESSION_QUOTA
) -> tuple[CompiledRule, ...]:
    """The rules in the order of judgement, refused when two claim one priority or a limit is broken."""
    compiled = sorted((_compile(rule) for rule in rules), key=lambda rule: rule.priority)
    for before, after in pairwise(compiled):
        if before.priority == after.priority:
            raise RefusedError(
                f"rules must have one priority each, got {before.priority} for {before.description!r} and "
                f"{after.description!r}: keep one of them or give the second another position"
            )
    for rule in compiled:
        _check_limits(rule)
    count = sum(rule.expression is not None for rule in compiled)
    if count > expression_quota:
        raise RefusedError(
            f"rules must hold at most {expression_quota} with an expression (expression_quota), got {count}: "
            "remove or merge rules, or have the quota SECURITY_POLICY_CEVAL_RULES raised and state it"
        )
    return tuple(compiled)


def _compile(rule: Rule) -> CompiledRule:
    match rule:
        case AllowProbes():
            _check_items("paths", rule.paths, 1, 4)
            _check_pattern("paths", rule.paths, r"/[A-Za-z0-9/_.-]*", "an absolute path")
            path = f"request.path.matches('^(?:{'|'.join(_quoted(path) for path in rule.paths)})$')"
            return _plain(
                rule,
                100,
                "allow",
                "Probes",
                f"{path} && request.method.matches('^(?:GET|HEAD)$') && request.query == ''",
            )
        case DenyRegions():
            _check_items("regions", rule.regions, 1, 100)
            _check_pattern("regions", rule.regions, r"[A-Z]{2}", "an ISO 3166-1 alpha-2 code")
            region = f"origin.region_code.matches('^(?:{'|'.join(sorted(set(rule.regions)))})$')"
            expression = " && ".join((region, *_not_in(rule.exempt_ranges)))
            return _plain(rule, 200, "deny(403)", "Regions denied", expression)
        case DenyRequests():
            return _plain(rule, 300, "deny(403)", "Requests denied by their form", _form(rule))
        case BodyLimit():
            _check_range("max_bytes", rule.max_bytes, 1, 2**31 - 1, "bytes")
            _check_pattern("exempt_path_prefixes", rule.exempt_path_prefixes, r"/[A-Za-z0-9/_.-]+", "a path")
            length = "request.headers['content-length']"
            parts = [f"has({length})", f"int({length}) > {rule.max_bytes}"]
            parts += [f"!request.path.startsWith('{prefix}')" for prefix in rule.exempt_path_prefixes]
            return _plain(rule, 310, "deny(403)", "Body above the limit", " && ".join(parts))
        case DenyExpression():
            action = f"deny({rule.status})"
            return _plain(rule, _slot(500, rule.position), action, rule.description, rule.expression)
        case WafSet():
            return _waf(rule)
        case PathRateLimit():
            _check_pattern("path_prefix", [rule.path_prefix], r"/[A-Za-z0-9/_.-]+", "a path")
            return CompiledRule(
                priority=_slot(2000, rule.position),
                action="throttle",
                description=f"Rate of {rule.path_prefix}",
                expression=f"request.path.startsWith('{rule.path_prefix}')",
                preview=rule.preview,
                rate_limit=_rate(rule.count, rule.interval_seconds, MAX_THROTTLE_COUNT),
            )
        case GlobalBan():
            if rule.ban_seconds not in BAN_SECONDS:
                raise RefusedError(
                    f"ban_seconds must be one of {', '.join(map(str, BAN_SECONDS))}, got {rule.ban_seconds}: "
                    "take the nearest one"
                )
            rate = _rate(rule.count, rule.interval_seconds, MAX_BAN_COUNT)
            return CompiledRule(
                priority=2100,
                action="rate_based_ban",
                description="Ban of flooding addresses",
                expression=" && ".join(_not_in(rule.exempt_ranges)) or None,
                preview=rule.preview,
                rate_limit={**rate, "ban_duration_sec": rule.ban_seconds},
            )
    assert_never(rule)


def _form(rule: DenyRequests) -> str:
    _check_items("allowed_methods", rule.allowed_methods, 1, 10)
    _check_pattern("allowed_methods", rule.allowed_methods, r"[A-Z]+", "a method in capitals")
    _check_items("headers", rule.headers, 0, 2)
    _check_pattern("headers", rule.headers, r"[a-z0-9-]+", "a lower-case header name")
    _check_items("agent_words", rule.agent_words, 0, 30)
    _check_pattern("agent_words", rule.agent_words, r"[A-Za-z0-9 _./-]+", "a word")
    parts = [f"!request.method.matches('^(?:{'|'.join(rule.allowed_methods)})$')"]
    parts += [f"has(request.headers['{header}'])" for header in rule.headers]
    if rule.agent_words:
        agent, words = "request.headers['user-agent']", "|".join(_quoted(word) for word in rule.agent_words)
        parts.append(f"(has({agent}) && {agent}.matches('(?i:{words})'))")
    return " || ".join(parts)


def _waf(rule: WafSet) -> CompiledRule:
    _check_range("sensitivity", rule.sensitivity, 1, 4, "")
    _check_pattern("opt_out", rule.opt_out, r"owasp-crs-(?:v[0-9]{6}-)?id[0-9]{6}-[a-z]+", "a signature id")
    options = f"{{'sensitivity': {rule.sensitivity}"
    if rule.opt_out:
        options += f", 'opt_out_rule_ids': [{', '.join(repr(signature) for signature in rule.opt_out)}]"
    return CompiledRule(
        priority=1000 + POSITION_GAP * _WAF_SLOTS.index(rule.rule_set),
        action="deny(403)",
        description=f"WAF {rule.rule_set}",
        expression=f"evaluatePreconfiguredWaf('{rule.rule_set}', {options}}})",
        preview=rule.preview,
        exclusions=[_exclusion(rule.rule_set, exclusion) for exclusion in rule.exclusions],
    )


def _exclusion(
    rule_set: WafSetName, exclusion: Exclusion
) -> gcp.compute.SecurityPolicyRulePreconfiguredWafConfigExclusionArgsDict:
    if (exclusion.value is None) != (exclusion.operator == "EQUALS_ANY"):
        raise RefusedError(
            f"value must be given unless operator is EQUALS_ANY, got operator {exclusion.operator} and value "
            f"{exclusion.value!r}: correct the exclusion of {rule_set}"
        )
    target: gcp.compute.SecurityPolicyRulePreconfiguredWafConfigExclusionArgsDict = {
        "target_rule_set": rule_set
    }
    if exclusion.signatures:
        target["target_rule_ids"] = list(exclusion.signatures)
    operator, value = exclusion.operator, exclusion.value
    match exclusion.part:
        case "header":
            target["request_headers"] = [{"operator": operator, "value": value}]
        case "cookie":
            target["request_cookies"] = [{"operator": operator, "value": value}]
        case "uri":
            target["request_uris"] = [{"operator": operator, "value": value}]
        case "query_param":
            target["request_query_params"] = [{"operator": operator, "value": value}]
    return target


def _plain(rule: Rule, priority: int, action: str, description: str, expression: str) -> CompiledRule:
    return CompiledRule(
        priority=priority,
        action=action,
        description=description,
        expression=expression,
        preview=rule.preview,
    )


def _quoted(text: str) -> str:
    return text.replace(".", "[.]")


def _rate(
    count: int, interval_seconds: int, max_count: int
) -> gcp.compute.SecurityPolicyRuleRateLimitOptionsArgsDict:
    _check_range("count", count, 1, max_count, "requests")
    if interval_seconds not in INTERVALS_SECONDS:
        raise RefusedError(
            f"interval_seconds must be one of {', '.join(map(str, INTERVALS_SECONDS))}, "
            f"got {interval_seconds}: take the nearest one"
        )
    return {
        "conform_action": "allow",
        "exceed_action": "deny(429)",
        "enforce_on_key": "IP",
        "rate_limit_threshold": {"count": count, "interval_sec": interval_seconds},
    }


def _not_in(ranges: Sequence[str]) -> list[str]:
    for text in ranges:
        try:
            ipaddress.ip_network(text)
        except ValueError as error:
            raise RefusedError(f"exempt_ranges must hold CIDR ranges, got {text!r}: {error}") from None
    return [f"!inIpRange(origin.ip, '{text}')" for text in ranges]


def _slot(base: int, position: int) -> int:
    _check_range("position", position, 0, POSITIONS - 1, "")
    return base + POSITION_GAP * position


def _check_limits(rule: CompiledRule) -> None:
    if not 1 <= len(rule.description) <= MAX_DESCRIPTION_CHARACTERS:
        raise RefusedError(
            f"description must have 1 to {MAX_DESCRIPTION_CHARACTERS} characters, "
            f"got {len(rule.description)} in {rule.description!r}: shorten it"
        )
    if rule.expression is None:
        return
    if len(rule.expression) > MAX_EXPRESSION_CHARACTERS or not rule.expression.isprintable():
        raise RefusedError(
            f"expression of {rule.description!r} must be one printable line of at most "
            f"{MAX_EXPRESSION_CHARACTERS} characters, got {len(rule.expression)}: split the rule"
        )
    parts = split_subexpressions(rule.expression)
    if len(parts) > MAX_SUBEXPRESSIONS:
        raise RefusedError(
            f"expression of {rule.description!r} must have at most {MAX_SUBEXPRESSIONS} subexpressions, got "
            f"{len(parts)}: split the rule or shorten its list"
        )
    longest = max(parts, key=len)
    if len(longest) > MAX_SUBEXPRESSION_CHARACTERS:
        raise RefusedError(
            f"a subexpression of {rule.description!r} must have at most {MAX_SUBEXPRESSION_CHARACTERS} "
            f"characters, got {len(longest)}: split the rule"
        )


def split_subexpressions(expression: str) -> list[str]:
    """The parts between the logical operators; operators inside quoted text are text."""
    bare = re.sub(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", lambda m: "q" * len(m.group()), expression)
    parts: list[str] = []
    start = 0
    for operator in re.finditer(r"&&|\|\|", bare):
        parts.append(expression[start : operator.start()].strip())
        start = operator.end()
    return [*parts, expression[start:].strip()]


def _check_items(field: str, items: Sequence[str], low: int, high: int) -> None:
    if not low <= len(items) <= high:
        raise RefusedError(f"{field} must hold {low} to {high} items, got {len(items)}: correct the list")


def _check_range(field: str, value: int, low: int, high: int, unit: str) -> None:
    if not low <= value <= high:
        words = f" {unit}" if unit else ""
        raise RefusedError(f"{field} must be between {low} and {high}{words}, got {value}: correct it")


def _check_pattern(field: str, items: Sequence[str], pattern: str, what: str) -> None:
    for item in items:
        if not re.fullmatch(pattern, item):
            raise RefusedError(f"{field} must hold {what} each, got {item!r}: correct it")

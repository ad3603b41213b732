"""Cloud Armor."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.armor_rules import POLICY, RULES, rules_of
from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import as_list, as_map, at

_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_DEFAULT: Final = 2147483647
_LIMITS: Final = frozenset({"throttle", "rate_based_ban"})
_ACTIONS: Final = frozenset({"allow", "deny(403)", "deny(404)", "deny(502)", "redirect"}) | _LIMITS
_EXCEED: Final = frozenset({"deny(403)", "deny(404)", "deny(429)", "deny(502)", "redirect"})
_BANS: Final = (60, 120, 180, 240, 300, 600, 900, 1200, 1800, 2700, 3600)
_INTERVALS: Final = (10, 30, *_BANS)


@behaviour(
    "ARM-001",
    POLICY,
    Phase.CHECK,
    400,
    "invalid",
    "terraform-provider-google-beta google-beta/services/compute/resource_com",
)
def priority_twice(call: Call) -> Iterator[Problem]:
    """Two rules have one priority."""
    seen: set[int] = set()
    for where, rule in rules_of(call):
        priority = rule.get("priority")
        if isinstance(priority, int):
            if priority in seen:
                path = f"{where}priority"
                yield Problem(
                    path, f"`{path}`: {priority} is given twice; each rule needs a priority of its own."
                )
            seen.add(priority)


@behaviour("ARM-003", RULES, _BOTH, 400, "invalid", "firezone/firezone#7293")
def action(call: Call) -> Iterator[Problem]:
    """An action that Cloud Armor does not know."""
    for where, rule in rules_of(call):
        if rule.get("action") not in _ACTIONS:
            path = f"{where}action"
            yield Problem(
                path, f"`{path}` must be one of {', '.join(sorted(_ACTIONS))}, not {rule.get('action')!r}."
            )


@behaviour(
    "ARM-004",
    POLICY,
    _BOTH,
    400,
    "invalid",
    "google-cloud.md SEC-2.3: the default rule must be among inline rules",
)
def default_rule(call: Call) -> Iterator[Problem]:
    """Inline rules without the default rule."""
    rules = [rule for _, rule in rules_of(call)]
    if not rules:
        return
    default = [rule for rule in rules if rule.get("priority") == _DEFAULT]
    ranges = as_list(at(default[0], "match.config.srcIpRanges")) if default else None
    if ranges is None or "*" not in ranges:
        yield Problem(
            "rules", f"`rules` must hold the default rule: priority {_DEFAULT}, SRC_IPS_V1, ranges ['*']."
        )


@behaviour(
    "ARM-007",
    RULES,
    _BOTH,
    400,
    "invalid",
    "hashicorp/terraform-provider-google#12739, pulumi/pulumi-gcp#1432",
)
def limits_missing(call: Call) -> Iterator[Problem]:
    """Rate options belong to throttle and ban, and only to them."""
    for where, rule in rules_of(call):
        path = f"{where}rateLimitOptions"
        limited, given = rule.get("action") in _LIMITS, rule.get("rateLimitOptions") is not None
        if limited and not given:
            yield Problem(path, f"`{path}` is needed with the action {rule.get('action')}; set it.")
        if given and not limited:
            yield Problem(path, f"`{path}` cannot stand with the action {rule.get('action')}; remove it.")


@behaviour("ARM-012", RULES, _BOTH, 400, "invalid", "google-cloud.md SEC-2.3")
def rate_values(call: Call) -> Iterator[Problem]:
    """Intervals, bans, counts and actions of a rate rule have fixed values."""
    for where, rule in rules_of(call):
        options = as_map(rule.get("rateLimitOptions"))
        if options is None:
            continue
        path = f"{where}rateLimitOptions"
        highest = 10_000 if rule.get("action") == "rate_based_ban" else 1_000_000
        for name in ("rateLimitThreshold", "banThreshold"):
            interval, count = at(options, f"{name}.intervalSec"), at(options, f"{name}.count")
            if isinstance(interval, int) and interval not in _INTERVALS:
                names = ", ".join(map(str, _INTERVALS))
                here = f"{path}.{name}.intervalSec"
                yield Problem(here, f"`{here}` must be one of {names}, not {interval}.")
            if isinstance(count, int) and not 1 <= count <= highest:
                here = f"{path}.{name}.count"
                yield Problem(
                    here, f"`{here}` must be from 1 to {highest} with {rule.get('action')}, not {count}."
                )
        if options.get("conformAction", "allow") != "allow":
            yield Problem(f"{path}.conformAction", f"`{path}.conformAction` must be allow.")
        if options.get("exceedAction") is not None and options.get("exceedAction") not in _EXCEED:
            names = ", ".join(sorted(_EXCEED))
            here = f"{path}.exceedAction"
            yield Problem(here, f"`{here}` must be one of {names}, not {options.get('exceedAction')!r}.")


@behaviour("ARM-013", RULES, _BOTH, 400, "invalid", "google-cloud.md SEC-2.3")
def ban_duration(call: Call) -> Iterator[Problem]:
    """A ban lasts one of a few times, and only a ban does."""
    for where, rule in rules_of(call):
        path = f"{where}rateLimitOptions.banDurationSec"
        duration = at(rule, "rateLimitOptions.banDurationSec")
        banning = rule.get("action") == "rate_based_ban"
        if banning and duration not in _BANS:
            yield Problem(path, f"`{path}` must be one of {', '.join(map(str, _BANS))}, not {duration}.")
        if duration and not banning:
            yield Problem(path, f"`{path}` needs the action rate_based_ban; remove it.")


@behaviour(
    "ARM-019",
    RULES,
    _BOTH,
    400,
    "invalid",
    "terraform-provider-google-beta website/docs/r/compute_security_policy",
)
def match_form(call: Call) -> Iterator[Problem]:
    """A rule matches by ranges or by an expression."""
    for where, rule in rules_of(call):
        match = as_map(rule.get("match")) or {}
        ranges = as_list(at(match, "config.srcIpRanges"))
        path = f"{where}match"
        if match.get("versionedExpr") and not ranges:
            yield Problem(path, f"`{path}.config.srcIpRanges` is needed with versionedExpr; list the ranges.")
        if match.get("versionedExpr") and match.get("expr"):
            yield Problem(path, f"`{path}.expr` excludes `versionedExpr`; remove one of the two.")


@behaviour("ARM-051", RULES, _BOTH, 400, "invalid", "general knowledge of Cloud Armor")
def range_form(call: Call) -> Iterator[Problem]:
    """A range that is none."""
    for where, rule in rules_of(call):
        for index, text in enumerate(as_list(at(rule, "match.config.srcIpRanges")) or []):
            if text == "*":
                continue
            try:
                ipaddress.ip_network(str(text), strict=False)
            except ValueError:
                path = f"{where}match.config.srcIpRanges[{index}]"
                yield Problem(path, f"`{path}` must be an address or a range, not {text!r}.")


@behaviour("ARM-022", RULES, _BOTH, 400, "invalid", "google-cloud.md SEC-2.5")
def long_expression(call: Call) -> Iterator[Problem]:
    """An expression has at most 2,048 characters and no newline."""
    for where, rule in rules_of(call):
        text = str(at(rule, "match.expr.expression") or "")
        path = f"{where}match.expr.expression"
        if len(text) > 2048:
            yield Problem(path, f"`{path}` must have at most 2048 characters, not {len(text)}.")
        if "\n" in text:
            yield Problem(path, f"`{path}` must be one line; remove the line breaks.")


@behaviour(
    "ARM-034",
    RULES,
    _BOTH,
    400,
    "invalid",
    "terraform-provider-google-beta website/docs/r/compute_security_policy",
)
def description(call: Call) -> Iterator[Problem]:
    """A rule's description has at most 64 characters."""
    for where, rule in rules_of(call):
        text = str(rule.get("description") or "")
        if len(text) > 64:
            path = f"{where}description"
            yield Problem(path, f"`{path}` must have at most 64 characters, not {len(text)}.")

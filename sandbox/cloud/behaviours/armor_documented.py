"""Cloud Armor: what its documentation and its users say a rule must not hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.armor_rules import POLICY, RULES, rules_of
from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import as_list, as_map, at

_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_POLICY_PAGE: Final = "terraform-provider-google-beta website/docs/r/compute_security_policy"
_RULE_PAGE: Final = "terraform-provider-google-beta website/docs/r/compute_security_policy_rule"
_NAMED: Final = frozenset({"HTTP_HEADER", "HTTP_COOKIE"})
_EXCLUSIONS: Final = 10
_KEYS: Final = 3
_SETS: Final = [
    "sqli",
    "xss",
    "lfi",
    "rfi",
    "rce",
    "methodenforcement",
    "scannerdetection",
    "protocolattack",
    "php",
    "sessionfixation",
]
_WAF: Final = re.compile(r"evaluatePreconfigured(?:Waf|Expr)\(\s*['\"]([^'\"]*)['\"]")
_KNOWN: Final = frozenset(
    {"cve-canary", "json-sqli-canary"}
    | {
        f"{name}{version}-{status}"
        for version, names in (
            ("", _SETS),
            ("-v33", [*_SETS, "java", "nodejs"]),
            ("-v422", [*_SETS, "java", "generic"]),
        )
        for name in names
        for status in ("stable", "canary")
    }
)


@behaviour("ARM-011", RULES, _BOTH, 400, "invalid", _POLICY_PAGE)
def exceed_redirect(call: Call) -> Iterator[Problem]:
    """Redirect options of a rate rule belong to the exceed action redirect."""
    for where, rule in rules_of(call):
        options = as_map(rule.get("rateLimitOptions")) or {}
        path = f"{where}rateLimitOptions.exceedRedirectOptions"
        redirecting = options.get("exceedAction") == "redirect"
        if options.get("exceedRedirectOptions") and not redirecting:
            yield Problem(path, f"`{path}` needs the exceedAction redirect; remove it.")
        if redirecting and "exceedRedirectOptions" not in options:
            yield Problem(path, f"`{path}` is needed with the exceedAction redirect; set it.")


@behaviour("ARM-016", RULES, Phase.UPDATE, 400, "invalid", "google-cloud.md SEC-2.3")
def ban_to_throttle(call: Call) -> Iterator[Problem]:
    """A rule that bans does not become one that throttles."""
    olds = as_list(call.old_inputs.get("rules")) or [call.old_inputs]
    banning = {
        rule.get("priority")
        for item in olds
        if (rule := as_map(item) or {}).get("action") == "rate_based_ban"
    }
    for where, rule in rules_of(call):
        if rule.get("action") == "throttle" and rule.get("priority") in banning:
            path = f"{where}action"
            yield Problem(
                path,
                f"`{path}` cannot change from rate_based_ban to throttle; change the priority too.",
            )


@behaviour("ARM-017", RULES, _BOTH, 400, "invalid", _RULE_PAGE)
def two_keys(call: Call) -> Iterator[Problem]:
    """One key, or up to three in a list."""
    for where, rule in rules_of(call):
        options = as_map(rule.get("rateLimitOptions")) or {}
        keys = as_list(options.get("enforceOnKeyConfigs")) or []
        path = f"{where}rateLimitOptions.enforceOnKeyConfigs"
        if keys and options.get("enforceOnKey"):
            yield Problem(path, f"`{path}` excludes enforceOnKey; set enforceOnKey to an empty text.")
        if len(keys) > _KEYS:
            yield Problem(path, f"`{path}` must be at most {_KEYS}, not {len(keys)}; remove some.")


@behaviour("ARM-018", RULES, _BOTH, 400, "invalid", _POLICY_PAGE)
def key_name(call: Call) -> Iterator[Problem]:
    """A header or a cookie as the key has a name."""
    for where, rule in rules_of(call):
        options = as_map(rule.get("rateLimitOptions")) or {}
        block = f"{where}rateLimitOptions"
        if options.get("enforceOnKey") in _NAMED and "enforceOnKeyName" not in options:
            path = f"{block}.enforceOnKeyName"
            yield Problem(path, f"`{path}` is needed with {options['enforceOnKey']}; name it.")
        for index, item in enumerate(as_list(options.get("enforceOnKeyConfigs")) or []):
            key = as_map(item) or {}
            if key.get("enforceOnKeyType") in _NAMED and "enforceOnKeyName" not in key:
                path = f"{block}.enforceOnKeyConfigs[{index}].enforceOnKeyName"
                yield Problem(path, f"`{path}` is needed with {key['enforceOnKeyType']}; name it.")


@behaviour("ARM-027", RULES, _BOTH, 400, "invalid", "Google Cloud documentation: preconfigured WAF rules")
def unknown_set(call: Call) -> Iterator[Problem]:
    """A preconfigured rule set that does not exist."""
    for where, rule in rules_of(call):
        path = f"{where}match.expr.expression"
        for name in _WAF.findall(str(at(rule, "match.expr.expression") or "")):
            if name not in _KNOWN:
                yield Problem(
                    path,
                    f"`{path}`: there is no preconfigured rule set {name!r}; use such as sqli-v33-stable.",
                )


@behaviour("ARM-029", RULES, _BOTH, 400, "invalid", "GoogleCloudPlatform/terraform-google-cloud-armor#134")
def many_exclusions(call: Call) -> Iterator[Problem]:
    """At most ten exclusions of one kind for a target."""
    for where, rule in rules_of(call):
        for index, item in enumerate(as_list(at(rule, "preconfiguredWafConfig.exclusions")) or []):
            for kind, fields in (as_map(item) or {}).items():
                count = len(as_list(fields) or []) if kind.startswith("request") else 0
                if count > _EXCLUSIONS:
                    path = f"{where}preconfiguredWafConfig.exclusions[{index}].{kind}"
                    yield Problem(
                        path, f"`{path}` must be at most {_EXCLUSIONS}, not {count}; write broader ones."
                    )


@behaviour("ARM-030", RULES, _BOTH, 400, "invalid", _POLICY_PAGE)
def exclusion_value(call: Call) -> Iterator[Problem]:
    """An exclusion has a value, unless it equals any."""
    for where, rule in rules_of(call):
        for index, item in enumerate(as_list(at(rule, "preconfiguredWafConfig.exclusions")) or []):
            for kind, fields in (as_map(item) or {}).items():
                for place, field in enumerate((as_list(fields) or []) if kind.startswith("request") else []):
                    given = as_map(field) or {}
                    path = f"{where}preconfiguredWafConfig.exclusions[{index}].{kind}[{place}].value"
                    if given.get("operator") == "EQUALS_ANY" and given.get("value"):
                        yield Problem(path, f"`{path}` cannot be set with EQUALS_ANY; remove it.")
                    if given.get("operator") != "EQUALS_ANY" and "value" not in given:
                        yield Problem(path, f"`{path}` is needed with {given.get('operator')}; set it.")


@behaviour("ARM-035", RULES, _BOTH, 400, "invalid", _POLICY_PAGE)
def redirect_target(call: Call) -> Iterator[Problem]:
    """A redirect to an address has a target; one to reCAPTCHA has none."""
    for where, rule in rules_of(call):
        for block in ("redirectOptions", "rateLimitOptions.exceedRedirectOptions"):
            options = as_map(at(rule, block)) or {}
            path = f"{where}{block}.target"
            if options.get("type") == "EXTERNAL_302" and "target" not in options:
                yield Problem(path, f"`{path}` is needed with EXTERNAL_302; set it.")
            if options.get("type") == "GOOGLE_RECAPTCHA" and options.get("target"):
                yield Problem(path, f"`{path}` cannot be set with GOOGLE_RECAPTCHA; remove it.")


@behaviour("ARM-037", POLICY, _BOTH, 400, "invalid", f"google-cloud.md SEC-2.3; {_RULE_PAGE}")
def edge_policy(call: Call) -> Iterator[Problem]:
    """A policy at the edge allows and denies, and does no more."""
    if call.text("type") != "CLOUD_ARMOR_EDGE":
        return
    for where, rule in rules_of(call):
        action = str(rule.get("action"))
        if action != "allow" and not action.startswith("deny"):
            yield Problem(
                f"{where}action", f"`{where}action` must be allow or deny at the edge, not {action}."
            )
        for name in ("headerAction", "preconfiguredWafConfig", "rateLimitOptions", "redirectOptions"):
            if rule.get(name):
                yield Problem(f"{where}{name}", f"`{where}{name}` cannot be set at the edge; remove it.")
        if _WAF.search(str(at(rule, "match.expr.expression") or "")):
            path = f"{where}match.expr.expression"
            yield Problem(path, f"`{path}`: the edge evaluates no preconfigured rule sets; remove them.")


@behaviour(
    "ARM-047",
    POLICY,
    Phase.CHECK,
    400,
    "invalid",
    "terraform-provider-google-beta google-beta/services/compute/resource_compute_security_policy.go",
)
def thresholds(call: Call) -> Iterator[Problem]:
    """A threshold has a name of 1 to 63 characters; each unique value has no value of its own."""
    block = "adaptiveProtectionConfig.layer7DdosDefenseConfig.thresholdConfigs"
    for index, item in enumerate(call.blocks(block)):
        name = item.get("name")
        if isinstance(name, str) and not 1 <= len(name) <= 63:
            path = f"{block}[{index}].name"
            yield Problem(path, f"`{path}` must be 1 to 63 characters, not {len(name)}.")
        for place, granularity in enumerate(as_list(item.get("trafficGranularityConfigs")) or []):
            given = as_map(granularity) or {}
            if given.get("enableEachUniqueValue") is True and given.get("value"):
                path = f"{block}[{index}].trafficGranularityConfigs[{place}].value"
                yield Problem(path, f"`{path}` excludes enableEachUniqueValue; remove one.")

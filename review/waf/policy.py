"""A Cloud Armor backend policy as the program declares it: the inputs of its resources, read into values.

Rules stand inline in a ``compute.SecurityPolicy`` or as ``compute.SecurityPolicyRule`` beside it; both kinds
are taken. Where a policy states no default rule, Google's own stands in: allow everybody. Policies of other
types (edge, network) hold no preconfigured sets and are not read.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from review.waf.fields import Exclusion, Operator, Part
from review.waf.rulesets import Inspection
from sandbox.errors import UsageError
from sandbox.model import ResourceState
from sandbox.values import contains_unknown, unwrap

__all__ = ["DEFAULT_PRIORITY", "Action", "Policy", "RateLimit", "Rule", "declared_policy", "read_policy"]

POLICY: Final = "gcp:compute/securityPolicy:SecurityPolicy"
POLICY_RULE: Final = "gcp:compute/securityPolicyRule:SecurityPolicyRule"
UPTIME_CHECK: Final = "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig"
DEFAULT_PRIORITY: Final = 2_147_483_647
DEFAULT_BODY_KILOBYTES: Final = 8
_DENY: Final = re.compile(r"deny\(([0-9]{3})\)")

KeyType = Literal[
    "ALL",
    "IP",
    "HTTP_HEADER",
    "XFF_IP",
    "HTTP_COOKIE",
    "HTTP_PATH",
    "SNI",
    "REGION_CODE",
    "TLS_JA3_FINGERPRINT",
    "TLS_JA4_FINGERPRINT",
    "USER_IP",
]


@dataclass(frozen=True, slots=True)
class Action:
    """What happens to a request: ``status`` None lets it through to the application."""

    text: str
    status: int | None

    @property
    def allows(self) -> bool:
        """Whether the application gets the request."""
        return self.status is None


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """Counts of a throttle or ban rule. ``ban_seconds`` 0 is a throttle."""

    count: int
    seconds: int
    exceed: Action
    keys: tuple[tuple[KeyType, str], ...]
    ban_seconds: int = 0
    ban_count: int = 0
    """With a ban threshold: requests in ``ban_interval`` seconds from which on an exceeding key is banned."""
    ban_interval: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. ``expression`` empty means that ``ranges`` decide; ``*`` among them is everybody."""

    priority: int
    description: str
    action: Action
    preview: bool = False
    expression: str = ""
    ranges: tuple[str, ...] = ()
    rate: RateLimit | None = None
    exclusions: tuple[Exclusion, ...] = ()

    @property
    def is_default(self) -> bool:
        """Whether this is the rule that every policy ends with."""
        return self.priority == DEFAULT_PRIORITY

    @property
    def is_waf(self) -> bool:
        """Whether a preconfigured set decides."""
        return "evaluatePreconfigured" in self.expression

    @property
    def matches_everybody(self) -> bool:
        """Whether no request is left for a later rule."""
        return self.expression.strip() == "true" or (not self.expression and "*" in self.ranges)

    @property
    def lets_through(self) -> bool:
        """Whether a match can reach the application: an allow, or a rate rule's conforming part."""
        return self.action.allows

    @property
    def label(self) -> str:
        """Priority and description, for a reader."""
        return f"{self.priority} {self.description}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy with its rules by priority, and the paths that the program itself probes from outside."""

    name: str
    rules: tuple[Rule, ...]
    inspection: Inspection
    user_ip_headers: tuple[str, ...] = ()
    probe_paths: frozenset[str] = frozenset()

    def rule(self, priority: int) -> Rule | None:
        """The rule of that priority."""
        return next((rule for rule in self.rules if rule.priority == priority), None)


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class _Threshold(_Part):
    count: int
    interval_sec: int


class _Key(_Part):
    enforce_on_key_type: KeyType = "ALL"
    enforce_on_key_name: str = ""


class _Redirect(_Part):
    type: Literal["EXTERNAL_302", "GOOGLE_RECAPTCHA"] = "EXTERNAL_302"


class _Rate(_Part):
    rate_limit_threshold: _Threshold
    conform_action: Literal["allow"] = "allow"
    exceed_action: str
    enforce_on_key: KeyType | Literal[""] = "ALL"
    enforce_on_key_name: str = ""
    enforce_on_key_configs: tuple[_Key, ...] = ()
    ban_threshold: _Threshold | None = None
    ban_duration_sec: int = 0


class _Expression(_Part):
    expression: str = ""


class _Ranges(_Part):
    src_ip_ranges: tuple[str, ...] = ()


class _Match(_Part):
    versioned_expr: str = ""
    config: _Ranges = _Ranges()
    expr: _Expression = _Expression()


class _Field(_Part):
    operator: Operator
    value: str = ""


class _Exclusion(_Part):
    target_rule_set: str
    target_rule_ids: tuple[str, ...] = ()
    request_headers: tuple[_Field, ...] = ()
    request_cookies: tuple[_Field, ...] = ()
    request_uris: tuple[_Field, ...] = ()
    request_query_params: tuple[_Field, ...] = ()


class _Exclusions(_Part):
    exclusions: tuple[_Exclusion, ...] = ()


class _Rule(_Part):
    priority: Annotated[int, Field(ge=0, le=DEFAULT_PRIORITY)] = DEFAULT_PRIORITY
    action: str
    description: str = ""
    preview: bool = False
    match: _Match = _Match()
    rate_limit_options: _Rate | None = None
    preconfigured_waf_config: _Exclusions = _Exclusions()
    redirect_options: _Redirect = _Redirect()


class _Types(_Part):
    content_types: tuple[str, ...] = ()


class _Options(_Part):
    json_parsing: Literal["DISABLED", "STANDARD", "STANDARD_WITH_GRAPHQL"] = "DISABLED"
    json_custom_config: _Types = _Types()
    request_body_inspection_size: Annotated[str, Field(pattern=r"(?i)^[0-9]+KB$")] = "8KB"
    user_ip_request_headers: tuple[str, ...] = ()


class _Policy(_Part):
    rules: tuple[_Rule, ...] = ()
    advanced_options_config: _Options = _Options()


def declared_policy(resources: Sequence[ResourceState], name: str | None = None) -> Policy:
    """The backend policy among the resources of a run; ``name`` chooses when there are several.

    Raises UsageError when there is none, when the choice is open, or when a value is not known before the
    deployment.
    """
    found = [
        state
        for state in resources
        if state.type == POLICY and unwrap(state.inputs.get("type", "CLOUD_ARMOR")) == "CLOUD_ARMOR"
    ]
    names = ", ".join(sorted(state.name for state in found))
    chosen = [state for state in found if name is None or state.name == name]
    if not chosen:
        what = f"named {name!r} " if name is not None else ""
        raise UsageError(
            f"the program declares no Cloud Armor backend policy {what}(it has: {names or 'none'})"
        )
    if len(chosen) > 1:
        raise UsageError(f"the program declares several policies ({names}): choose one with --policy")
    policy = chosen[0]
    # The policy's name may be unknown before the deployment; which policy is meant is settled here.
    apart = [
        {key: value for key, value in state.inputs.items() if key != "securityPolicy"}
        for state in resources
        if state.type == POLICY_RULE and _belongs(state, policy)
    ]
    return read_policy(policy.name, policy.inputs, apart, _probe_paths(resources))


def _belongs(rule: ResourceState, policy: ResourceState) -> bool:
    if policy.urn in rule.property_dependencies.get("securityPolicy", ()):
        return True
    named = unwrap(rule.inputs.get("securityPolicy"))
    return isinstance(named, str) and named.rsplit("/", 1)[-1] == policy.inputs.get("name")


def _probe_paths(resources: Iterable[ResourceState]) -> frozenset[str]:
    checks = (state.inputs.get("httpCheck") for state in resources if state.type == UPTIME_CHECK)
    paths = (cast("Mapping[str, Any]", check).get("path", "/") for check in checks if isinstance(check, dict))
    return frozenset(path for path in map(unwrap, paths) if isinstance(path, str))


def read_policy(
    name: str,
    inputs: Mapping[str, Any],
    rules_apart: Iterable[Mapping[str, Any]] = (),
    probe_paths: Iterable[str] = (),
) -> Policy:
    """A policy from the inputs of its resources. Raises UsageError for what is no policy."""
    inline = cast("list[Any]", unwrap(inputs.get("rules")) or [])
    whole: dict[str, Any] = {"rules": [*inline, *rules_apart]}
    if inputs.get("advancedOptionsConfig") is not None:
        whole["advancedOptionsConfig"] = inputs["advancedOptionsConfig"]
    if contains_unknown(whole):
        raise UsageError(
            f"policy {name} holds a value that is known only after the deployment: declare it plainly"
        )
    try:
        found = _Policy.model_validate(unwrap(whole))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"policy {name}: {where}: {first['msg']}, got {first['input']!r:.80}: correct the policy"
        ) from error
    rules = sorted((_rule(rule) for rule in found.rules), key=lambda rule: rule.priority)
    for before, after in pairwise(rules):
        if before.priority == after.priority:
            raise UsageError(
                f"policy {name}: two rules have priority {after.priority}: give one another priority"
            )
    if not rules or not rules[-1].is_default:
        everybody = Rule(
            priority=DEFAULT_PRIORITY, description="Google's default", action=_action("allow"), ranges=("*",)
        )
        rules.append(everybody)
    options = found.advanced_options_config
    types = options.json_custom_config.content_types or ("application/json",)
    return Policy(
        name=name,
        rules=tuple(rules),
        inspection=Inspection(
            body_bytes=1024 * int(options.request_body_inspection_size[:-2]),
            json_types=frozenset(map(str.lower, types))
            if options.json_parsing != "DISABLED"
            else frozenset(),
        ),
        user_ip_headers=tuple(map(str.lower, options.user_ip_request_headers)),
        probe_paths=frozenset(probe_paths),
    )


def _rule(found: _Rule) -> Rule:
    for text in found.match.config.src_ip_ranges:
        if text != "*":
            _check_range(found, text)
    rate = found.rate_limit_options
    limited = found.action in {"throttle", "rate_based_ban"}
    if limited and rate is None:
        raise UsageError(f"rule {found.priority}: {found.action} needs rateLimitOptions: declare them")
    return Rule(
        priority=found.priority,
        description=found.description,
        action=_action("allow" if limited else found.action),
        preview=found.preview,
        expression=found.match.expr.expression,
        ranges=found.match.config.src_ip_ranges,
        rate=_rate(rate, banning=found.action == "rate_based_ban") if limited and rate is not None else None,
        exclusions=tuple(_exclusions(found.preconfigured_waf_config.exclusions)),
    )


def _check_range(rule: _Rule, text: str) -> None:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise UsageError(f"rule {rule.priority}: {text!r} is no range of addresses: correct it") from error


def _action(text: str) -> Action:
    denied = _DENY.fullmatch(text)
    if denied is not None:
        return Action(text, int(denied[1]))
    if text == "redirect":
        return Action(text, 302)
    if text == "allow":
        return Action(text, None)
    raise UsageError(
        f"action {text!r} is none of allow, deny(STATUS), redirect, throttle, rate_based_ban: correct it"
    )


def _rate(rate: _Rate, *, banning: bool) -> RateLimit:
    keys: tuple[tuple[KeyType, str], ...] = tuple(
        (key.enforce_on_key_type, key.enforce_on_key_name) for key in rate.enforce_on_key_configs
    )
    threshold = rate.ban_threshold
    return RateLimit(
        count=rate.rate_limit_threshold.count,
        seconds=rate.rate_limit_threshold.interval_sec,
        exceed=_action(rate.exceed_action),
        keys=keys or ((rate.enforce_on_key or "ALL", rate.enforce_on_key_name),),
        ban_seconds=rate.ban_duration_sec if banning else 0,
        ban_count=threshold.count if banning and threshold is not None else 0,
        ban_interval=threshold.interval_sec if banning and threshold is not None else 0,
    )


def _exclusions(found: Iterable[_Exclusion]) -> Iterable[Exclusion]:
    for item in found:
        signatures = frozenset(
            int(number) for text in item.target_rule_ids for number in re.findall(r"id(\d{6})", text)
        )
        parts: tuple[tuple[Part, tuple[_Field, ...]], ...] = (
            ("header", item.request_headers),
            ("cookie", item.request_cookies),
            ("uri", item.request_uris),
            ("query_param", item.request_query_params),
        )
        for part, fields in parts:
            for each in fields:
                yield Exclusion(item.target_rule_set, part, each.operator, each.value, signatures)
        if not any(fields for _, fields in parts):
            raise UsageError(
                f"an exclusion of {item.target_rule_set} names no field: name one, or opt the signatures out"
            )

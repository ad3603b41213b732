"""Cloud Armor rules as values: each kind of rule is one small type, its priority follows from the kind.

A request is judged by the first rule that matches, so order is security. It is not written by hand here:
each kind owns a band of priorities (`armor_compiler.py`), and the bands stand in the order probes, geography,
protocol, own denials, WAF sets, rate rules, default. A rate rule lets through what conforms, an allow lets
through everything; so none can come before a WAF set, except the one allow for probes, limited to GET
and HEAD of exact paths without a query. Listed addresses are exempted *inside* the geographic and the ban
expression; there is no allow-list kind. `preview` logs what a rule would do, and judgement goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "AllowProbes",
    "BodyLimit",
    "DenyExpression",
    "DenyRegions",
    "DenyRequests",
    "DenyStatus",
    "Exclusion",
    "GlobalBan",
    "PathRateLimit",
    "Rule",
    "WafSet",
    "WafSetName",
]

DenyStatus = Literal[403, 404, 502]
WafSetName = Literal[
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
]


@dataclass(frozen=True, kw_only=True, slots=True)
class AllowProbes:
    """Let GET and HEAD of exactly these paths through, without a query, for uptime checkers.

    The one allow there is. `paths`: absolute paths, one to four.
    """

    paths: Sequence[str]
    preview: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class DenyRegions:
    """Deny clients from these ISO 3166-1 alpha-2 regions, but for at most four exempted ranges."""

    regions: Sequence[str]
    exempt_ranges: Sequence[str] = ()
    preview: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class DenyRequests:
    """Deny methods but the allowed ones, requests with one of the headers, agents with one of the words.

    One rule for all three, because Google counts rules with an expression (`SecurityPolicyArgs`). One to ten
    methods, at most two headers in lower case, at most thirty words whatever their case.
    """

    allowed_methods: Sequence[str]
    headers: Sequence[str] = ()
    agent_words: Sequence[str] = ()
    preview: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class BodyLimit:
    """Deny a declared body above `max_bytes` (Content-Length), except below at most three path prefixes.

    A chunked request declares no length: the application and Cloud Run's own limit judge it. Cloud Armor
    answers 403; 413 is the application's.
    """

    max_bytes: int
    exempt_path_prefixes: Sequence[str] = ()
    preview: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class DenyExpression:
    """Deny what an expression of Google's rules language matches. `position` 0 to 9 fixes the priority."""

    position: int
    expression: str
    description: str
    status: DenyStatus = 403
    preview: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Exclusion:
    """A part of the request that some signatures of a set do not read. Default: all signatures of the set.

    `part` with `operator` and `value` names it; `value` must be left out with EQUALS_ANY only.
    """

    part: Literal["header", "cookie", "uri", "query_param"]
    operator: Literal["EQUALS", "STARTS_WITH", "ENDS_WITH", "CONTAINS", "EQUALS_ANY"]
    value: str | None = None
    signatures: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class WafSet:
    """Deny what one preconfigured set finds. `sensitivity` 1 (least noisy) to 4 is the paranoia level."""

    rule_set: WafSetName
    sensitivity: int
    opt_out: Sequence[str] = ()
    exclusions: Sequence[Exclusion] = ()
    preview: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class PathRateLimit:
    """Throttle one path prefix by client address: above `count` in `interval_seconds` the answer is 429.

    Google counts by region and approximately. `position` 0 to 9 fixes the priority within the kind.
    """

    position: int
    path_prefix: str
    count: int
    interval_seconds: int
    preview: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class GlobalBan:
    """Ban a client address above `count` requests in `interval_seconds` for `ban_seconds`, answer 429.

    At most five exempted ranges. One per policy, behind every other rule but the default.
    """

    count: int
    interval_seconds: int
    ban_seconds: int
    exempt_ranges: Sequence[str] = ()
    preview: bool = False


Rule = (
    AllowProbes | DenyRegions | DenyRequests | BodyLimit | DenyExpression | WafSet | PathRateLimit | GlobalBan
)

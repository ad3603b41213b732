"""Cloud Armor rules as values: each kind of rule is one small type, its priority follows from the kind.

A request is judged by the first rule that matches, so order is security. It is not written by hand here:
each kind owns a band of priorities (`armor_compiler.py`), and the bands stand in the order probes, geography,
protocol, own denials, WAF sets, rate rules, default. A rate rule lets through what conforms, an allow lets
through everything; so none can come before a WAF set, except the one allow for probes, limited to GET
and HEAD of exact paths without a query. `AllowAddresses` makes no rule of its own: its ranges are exempted
*inside* the geographic and the ban expression. `preview` logs what a rule would do, and judgement goes on.

Not modelled, with the reason: redirects and reCAPTCHA (an API has no page to show), address groups, named
lists and threat intelligence (Enterprise only; where that tier is bought `DenyExpression` takes their
functions), rate keys other than the client address and several keys at once (a header or a cookie is the
caller's to change), a second threshold before a ban (the first one is wide already), signatures opted in one
by one at sensitivity 0 (a set would then miss what its level promises), headers added by a rule (the load
balancer adds them to every request).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from facts.refusal import RefusedError

__all__ = [
    "AllowAddresses",
    "AllowProbes",
    "BodyLimit",
    "DenyAddresses",
    "DenyExpression",
    "DenyHeaders",
    "DenyMethods",
    "DenyRegions",
    "DenyStatus",
    "Exclusion",
    "GlobalBan",
    "PathRateLimit",
    "Rule",
    "WafGroup",
    "WafSet",
    "WafSetName",
    "waf_sets",
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

    The one allow there is. `paths`: absolute paths below the root, one to four.
    """

    paths: Sequence[str]
    preview: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class AllowAddresses:
    """Exempt one to four ranges from the regions and from the ban, never from the WAF sets or a path's rate.

    Google takes five parts in an expression, so four ranges beside the regions. Without effect while
    neither of the two stands; previewed with them, not apart.
    """

    ranges: Sequence[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class DenyRegions:
    """Deny clients from one to a hundred ISO 3166-1 alpha-2 regions."""

    regions: Sequence[str]
    preview: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class DenyMethods:
    """Deny every method but one to ten allowed ones, in capitals."""

    allowed: Sequence[str]
    preview: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class DenyHeaders:
    """Deny requests with one of the headers, and agents with one of the words.

    One rule for both, because Google counts rules with an expression (`SecurityPolicyArgs`). At most three
    headers in lower case, at most forty words whatever their case, and one of the two at least.
    """

    headers: Sequence[str] = ()
    agent_words: Sequence[str] = ()
    preview: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class DenyAddresses:
    """Deny one to ten ranges of client addresses: what an operator does in an attack.

    Needs no expression and none of its quota. `position` 0 to 9 fixes the priority within the kind.
    """

    position: int
    ranges: Sequence[str]
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
    """Deny what one preconfigured set finds. `sensitivity` 1 (least noisy) to 4 is the paranoia level.

    `opt_out`: signatures left out everywhere. `file_opt_out`: signatures left out where the body is neither
    JSON nor a form, because files and media set them off by chance. `exempt_paths`: exact paths on which the
    set does not judge, whose application proves the sender by a signature.
    """

    rule_set: WafSetName
    sensitivity: int
    opt_out: Sequence[str] = ()
    file_opt_out: Sequence[str] = ()
    exclusions: Sequence[Exclusion] = ()
    exempt_paths: Sequence[str] = ()
    preview: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class WafGroup:
    """Two to five sets in one rule, because Google counts rules with an expression (`SecurityPolicyArgs`).

    Judged where its first set would stand. The sets' own `preview` and `exempt_paths` must be left out.
    """

    sets: Sequence[WafSet]
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

    One per policy, behind every other rule but the default.
    """

    count: int
    interval_seconds: int
    ban_seconds: int
    preview: bool = False


Rule = (
    AllowProbes
    | AllowAddresses
    | DenyRegions
    | DenyMethods
    | DenyHeaders
    | BodyLimit
    | DenyAddresses
    | DenyExpression
    | WafSet
    | WafGroup
    | PathRateLimit
    | GlobalBan
)


def waf_sets(
    sensitivities: Mapping[WafSetName, int],
    *,
    exclusions: Mapping[WafSetName, Sequence[Exclusion]] | None = None,
    opt_outs: Mapping[WafSetName, Sequence[str]] | None = None,
    file_opt_outs: Mapping[WafSetName, Sequence[str]] | None = None,
    exempt_paths: Mapping[WafSetName, Sequence[str]] | None = None,
) -> list[WafSet]:
    """The sets used, each with its exceptions by set; refused for a set not used."""
    excluded, silenced = exclusions or {}, opt_outs or {}
    silenced_in_files, exempt = file_opt_outs or {}, exempt_paths or {}
    for field, given in (
        ("exclusions", excluded),
        ("opt_outs", silenced),
        ("file_opt_outs", silenced_in_files),
        ("exempt_paths", exempt),
    ):
        for name in given:
            if name not in sensitivities:
                raise RefusedError(
                    f"{field} must be for a set that is used ({', '.join(sensitivities)}), got {name!r}: "
                    "remove it or use the set"
                )
    return [
        WafSet(
            rule_set=name,
            sensitivity=level,
            opt_out=silenced.get(name, ()),
            file_opt_out=silenced_in_files.get(name, ()),
            exclusions=excluded.get(name, ()),
            exempt_paths=exempt.get(name, ()),
        )
        for name, level in sensitivities.items()
    ]

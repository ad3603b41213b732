"""Compiles routes into the rules of a URL map, and into the tests that Google runs before it takes the map.

Priorities: closed paths from 10, routes from 1000, both ten apart, so a new one moves no other. Each route
yields a request of its own for the tests; one that an earlier route takes is never reached and refused here.
Google's tests do not look at weights, so a split has none: what such a test would expect is not documented,
and a map is refused for a test that fails.

Sources: the provider's page of the URL map (one path form a rule, 1,024 characters, weights 0 to 1,000, at
most 100 tests), Google's API reference (regular expressions only on regional load balancers).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, assert_never

import pulumi
import pulumi_gcp as gcp

from components.edge.routes import (
    MAIN,
    Closed,
    CookieIs,
    Match,
    PathBelow,
    PathIs,
    Route,
    Split,
    ToVariant,
)
from facts.refusal import RefusedError

__all__ = ["MAX_TESTS", "Request", "RoutePlan", "other_tests", "plan_routes", "route_rules", "route_tests"]

MAX_TESTS: Final = 100
_GAP: Final = 10
_ROUTES_FROM: Final = 1000
_ELSEWHERE: Final = "/url-map-test"


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What a test asks for."""

    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class RoutePlan:
    """Every rule in the order of judgement, by name and priority."""

    rules: Sequence[tuple[str, int, Match, ToVariant | Split | Closed]]

    def first(self, request: Request) -> str | None:
        """The name of the rule that takes the request; None when the main service does."""
        return next(
            (
                name
                for name, _, match, target in self.rules
                if _matches(match, request, ignore_case=isinstance(target, Closed))
            ),
            None,
        )

    def target(self, request: Request) -> ToVariant | Split | Closed:
        """Where a request goes."""
        taken = self.first(request)
        targets = {name: target for name, _, _, target in self.rules}
        return ToVariant(variant=MAIN) if taken is None else targets[taken]

    @property
    def requests(self) -> list[tuple[str, Request]]:
        """The requests of each rule by its name."""
        return [(name, request) for name, _, match, _ in self.rules for request in _requests(match)]


def plan_routes(
    closed_paths: Sequence[str], routes: Mapping[str, Route], variants: Sequence[str]
) -> RoutePlan:
    """The rules in order; refused when two share a position, one names no variant or is never reached."""
    rules: list[tuple[str, int, Match, ToVariant | Split | Closed]] = [
        (f"closed {path}", _GAP * index, Match(path=PathBelow(path=path)), Closed())
        for index, path in enumerate(closed_paths, start=1)
    ]
    positions: dict[int, str] = {}
    for key, route in sorted(routes.items(), key=lambda item: item[1].position):
        if route.position in positions:
            raise RefusedError(
                f"routes.{key}.position must be its own, got {route.position}, which is that of "
                f"{positions[route.position]}: give it another"
            )
        positions[route.position] = key
        for variant in _variants(route.target):
            if variant != MAIN and variant not in variants:
                raise RefusedError(
                    f"routes.{key} must lead to {', '.join((MAIN, *variants))}, got {variant!r}: "
                    "declare the variant or correct the route"
                )
        rules.append((key, _ROUTES_FROM + _GAP * route.position, route.match, route.target))
    plan = RoutePlan(rules=rules)
    for key, request in plan.requests:
        taken = plan.first(request)
        if taken != key:
            raise RefusedError(
                f"routes.{key} is never reached, since {taken} before it takes {request.path}: "
                "order them the other way or remove one"
            )
    return plan


def route_rules(
    plan: RoutePlan, backends: Mapping[str, pulumi.Input[str]]
) -> list[gcp.compute.URLMapPathMatcherRouteRuleArgsDict]:
    """The rules for one path matcher; `backends` by variant, the main service among them."""
    return [_rule(priority, match, target, backends) for _, priority, match, target in plan.rules]


def route_tests(
    plan: RoutePlan, host: str, backends: Mapping[str, pulumi.Input[str]]
) -> list[gcp.compute.URLMapTestArgsDict]:
    """A test for each request of each rule but of splits."""
    return [
        _test(host, key, request, target, backends)
        for key, request in plan.requests
        if not isinstance(target := plan.target(request), Split)
    ]


def other_tests(
    plan: RoutePlan, host: str, backends: Mapping[str, pulumi.Input[str]]
) -> list[gcp.compute.URLMapTestArgsDict]:
    """A test for a request that only a route for all requests takes; none where that is a split."""
    request = Request(path=_ELSEWHERE, headers={})
    target = plan.target(request)
    if isinstance(target, Split):
        return []
    return [_test(host, "everything else", request, target, backends)]


def _test(
    host: str,
    key: str,
    request: Request,
    target: ToVariant | Closed,
    backends: Mapping[str, pulumi.Input[str]],
) -> gcp.compute.URLMapTestArgsDict:
    # A closed path is a rule of the main service that never calls it.
    test: gcp.compute.URLMapTestArgsDict = {
        "description": f"{host}: {key}",
        "host": host,
        "path": request.path,
        "service": backends[target.variant if isinstance(target, ToVariant) else MAIN],
    }
    if request.headers:
        test["headers"] = [{"name": name, "value": value} for name, value in request.headers.items()]
    return test


def _variants(target: ToVariant | Split | Closed) -> Sequence[str]:
    match target:
        case ToVariant():
            return (target.variant,)
        case Split():
            return tuple(target.percents)
        case Closed():
            return ()
    assert_never(target)


def _rule(
    priority: int,
    match: Match,
    target: ToVariant | Split | Closed,
    backends: Mapping[str, pulumi.Input[str]],
) -> gcp.compute.URLMapPathMatcherRouteRuleArgsDict:
    made: gcp.compute.URLMapPathMatcherRouteRuleArgsDict = {
        "priority": priority,
        "match_rules": _match_rules(match, ignore_case=isinstance(target, Closed)),
    }
    match target:
        case ToVariant():
            made["service"] = backends[target.variant]
        case Split():
            shares = {**target.percents, MAIN: 100 - sum(target.percents.values())}
            made["route_action"] = {
                "weighted_backend_services": [
                    {"backend_service": backends[variant], "weight": percent}
                    for variant, percent in shares.items()
                ]
            }
        case Closed():
            made["service"] = backends[MAIN]
            made["route_action"] = {
                "fault_injection_policy": {"abort": {"http_status": target.status, "percentage": 100}}
            }
        case _:
            assert_never(target)
    return made


def _match_rules(
    match: Match, *, ignore_case: bool
) -> list[gcp.compute.URLMapPathMatcherRouteRuleMatchRuleArgsDict]:
    """One of them must match: each form of the path with each place of the cookie."""
    return [
        _match_rule(path, match, cookie, ignore_case=ignore_case)
        for path in _path_forms(match.path)
        for cookie in _cookie_forms(match.cookie)
    ]


def _match_rule(
    path: gcp.compute.URLMapPathMatcherRouteRuleMatchRuleArgsDict,
    match: Match,
    cookie: Sequence[gcp.compute.URLMapPathMatcherRouteRuleMatchRuleHeaderMatchArgsDict],
    *,
    ignore_case: bool,
) -> gcp.compute.URLMapPathMatcherRouteRuleMatchRuleArgsDict:
    headers: list[gcp.compute.URLMapPathMatcherRouteRuleMatchRuleHeaderMatchArgsDict] = [
        {"header_name": name, "exact_match": value} for name, value in match.headers.items()
    ]
    made: gcp.compute.URLMapPathMatcherRouteRuleMatchRuleArgsDict = {**path}
    if headers or cookie:
        made["header_matches"] = [*headers, *cookie]
    if ignore_case:
        made["ignore_case"] = True
    return made


def _path_forms(
    path: PathIs | PathBelow,
) -> Sequence[gcp.compute.URLMapPathMatcherRouteRuleMatchRuleArgsDict]:
    if isinstance(path, PathIs):
        return ({"full_path_match": path.path},)
    if path.path == "/":
        return ({"prefix_match": "/"},)
    return ({"full_path_match": path.path}, {"prefix_match": f"{path.path}/"})


def _cookie_forms(
    cookie: CookieIs | None,
) -> Sequence[Sequence[gcp.compute.URLMapPathMatcherRouteRuleMatchRuleHeaderMatchArgsDict]]:
    if cookie is None:
        return ((),)
    pair = f"{cookie.name}={cookie.value}"
    return (
        ({"header_name": "cookie", "exact_match": pair},),
        ({"header_name": "cookie", "prefix_match": f"{pair};"},),
        ({"header_name": "cookie", "suffix_match": f"; {pair}"},),
    )


def _requests(match: Match) -> list[Request]:
    """One request for each form of the path and each place of the cookie."""
    if isinstance(match.path, PathIs):
        paths = [match.path.path]
    elif match.path.path == "/":
        paths = [_ELSEWHERE]
    else:
        paths = [match.path.path, f"{match.path.path}{_ELSEWHERE}"]
    cookies: list[Mapping[str, str]] = [{}]
    if match.cookie is not None:
        pair = f"{match.cookie.name}={match.cookie.value}"
        cookies = [{"cookie": text} for text in (pair, f"{pair}; other=1", f"other=1; {pair}")]
    return [Request(path=path, headers={**match.headers, **cookie}) for path in paths for cookie in cookies]


def _matches(match: Match, request: Request, *, ignore_case: bool) -> bool:
    given = {name.lower(): value for name, value in request.headers.items()}
    asked, own = request.path, match.path.path
    if ignore_case:
        asked, own = asked.lower(), own.lower()
    if isinstance(match.path, PathIs):
        path = asked == own
    else:
        below = own.rstrip("/")
        path = asked == below or asked.startswith(f"{below}/")
    headers = all(given.get(name.lower()) == value for name, value in match.headers.items())
    if match.cookie is None:
        return path and headers
    pair, sent = f"{match.cookie.name}={match.cookie.value}", given.get("cookie", "")
    cookie = sent == pair or sent.startswith(f"{pair};") or sent.endswith(f"; {pair}")
    return path and headers and cookie

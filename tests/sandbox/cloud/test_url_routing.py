"""Where a URL map sends a request, by table, and beside the platform's own reading of its routes."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from components.edge.route_compiler import Request, plan_routes, route_rules
from components.edge.routes import CookieIs, Match, PathBelow, PathIs, Route, ToVariant
from sandbox.cloud.url_routing import Asked, route
from sandbox.values import UNKNOWN

MAP: dict[str, Any] = {
    "defaultUrlRedirect": {"hostRedirect": "a.example", "httpsRedirect": True, "stripQuery": False},
    "hostRules": [
        {"hosts": ["a.example", "*.b.example"], "pathMatcher": "rules"},
        {"hosts": ["*.example"], "pathMatcher": "paths"},
    ],
    "pathMatchers": [
        {
            "name": "rules",
            "defaultService": "main",
            "routeRules": [
                {"priority": 20, "service": "late", "matchRules": [{"prefixMatch": "/x"}]},
                {
                    "priority": 10,
                    "service": "early",
                    "matchRules": [
                        {"fullPathMatch": "/X/Y", "ignoreCase": True},
                        {"pathTemplateMatch": "/users/{id}/*"},
                        {
                            "prefixMatch": "/",
                            "headerMatches": [
                                {"headerName": "X-A", "presentMatch": True},
                                {"headerName": "x-b", "exactMatch": "1", "invertMatch": True},
                            ],
                            "queryParameterMatches": [{"name": "q", "exactMatch": "1"}],
                        },
                    ],
                },
                {
                    "priority": 30,
                    "matchRules": [{"prefixMatch": "/split"}],
                    "routeAction": {
                        "weightedBackendServices": [
                            {"backendService": "one", "weight": 1},
                            {"backendService": "two", "weight": 9},
                            {"backendService": "off", "weight": 0},
                        ],
                        "urlRewrite": {"hostRewrite": "inside.example"},
                    },
                },
                {
                    "priority": 40,
                    "matchRules": [{"prefixMatch": "/moved"}],
                    "urlRedirect": {
                        "pathRedirect": "/new",
                        "stripQuery": True,
                        "redirectResponseCode": "PERMANENT_REDIRECT",
                    },
                },
                {"priority": 50, "service": "never", "matchRules": [{"regexMatch": "/re.*"}]},
            ],
        },
        {
            "name": "paths",
            "defaultService": "main",
            "pathRules": [
                {"paths": ["/a/*"], "service": "wide"},
                {"paths": ["/a/b/*", "/c"], "service": "narrow"},
            ],
        },
    ],
}


@pytest.mark.parametrize(
    ("host", "path", "headers", "services"),
    [
        ("a.example", "/x/y", {}, ("early",)),
        ("a.example:443", "/x/z", {}, ("late",)),
        ("c.b.example", "/users/7/files", {}, ("early",)),
        ("a.example", "/split?x=1", {}, ("one", "two")),
        ("a.example", "/x?q=1", {"x-a": ""}, ("early",)),
        ("a.example", "/x?q=1", {"x-a": "", "x-b": "1"}, ("late",)),
        ("a.example", "/x?q=2", {"x-a": ""}, ("late",)),
        ("z.example", "/a/b/c", {}, ("narrow",)),
        ("z.example", "/a", {}, ("wide",)),
        ("z.example", "/c", {}, ("narrow",)),
        ("z.example", "/c/d", {}, ("main",)),
    ],
)
def test_service_is_the_one_of_the_best_rule(
    host: str, path: str, headers: dict[str, str], services: tuple[str, ...]
) -> None:
    answer = route(MAP, Asked(host, path, headers))
    assert answer is not None
    assert answer.services == services
    assert answer.status == 0


@pytest.mark.parametrize(
    ("host", "path", "url", "status"),
    [
        ("else.where", "/p?q=1", "https://a.example/p?q=1", 301),
        ("a.example", "/moved/x?q=1", "http://a.example/new", 308),
        ("a.example", "/split/x", "https://inside.example/split/x", 0),
    ],
)
def test_url_is_the_one_that_goes_out(host: str, path: str, url: str, status: int) -> None:
    answer = route(MAP, Asked(host, path, {}))
    assert answer is not None
    assert (answer.url, answer.status) == (url, status)


def test_what_cannot_be_known_is_not_decided() -> None:
    assert route(MAP, Asked("a.example", "/re", {})) is None
    assert route({"defaultService": UNKNOWN}, Asked("a.example", "/", {})) is None
    assert route({}, Asked("a.example", "/", {})) is None


names = st.sampled_from(("/a", "/a/b", "/A", "/metrics", "/c"))
conditions = st.builds(
    Match,
    path=st.one_of(
        st.builds(PathIs, path=names), st.builds(PathBelow, path=names), st.just(PathBelow(path="/"))
    ),
    headers=st.dictionaries(st.sampled_from(("X-A", "x-b")), st.sampled_from(("1", "2")), max_size=2),
    cookie=st.sampled_from((None, CookieIs(name="v", value="1"))),
)
requests = st.builds(
    Request,
    path=st.builds("{}{}".format, names, st.sampled_from(("", "/b", "/x"))),
    headers=st.fixed_dictionaries(
        {},
        optional={
            "x-a": st.sampled_from(("1", "2")),
            "x-b": st.sampled_from(("1", "2")),
            "cookie": st.sampled_from(("v=1", "v=1; w=2", "w=2; v=1", "w=2; v=1; u=3", "v=10")),
        },
    ),
)


@given(st.lists(conditions, max_size=4), st.lists(requests, min_size=1, max_size=5))
def test_google_s_reading_and_the_platform_s_agree(matches: list[Match], asked: list[Request]) -> None:
    routes = {
        f"r{place}": Route(position=place, match=match, target=ToVariant(variant="beta"))
        for place, match in enumerate(matches)
    }
    try:
        plan = plan_routes(("/metrics",), routes, ("beta",))
    except ValueError:
        assume(False)
        raise
    rules = [_camel(rule) for rule in route_rules(plan, {"main": "main", "beta": "beta"})]
    url_map = {
        "hostRules": [{"hosts": ["a.example"], "pathMatcher": "api"}],
        "pathMatchers": [{"name": "api", "defaultService": "main", "routeRules": rules}],
    }
    for request in asked:
        answer = route(url_map, Asked("a.example", request.path, request.headers))
        target = plan.target(request)
        assert answer is not None
        assert answer.services == ((target.variant if isinstance(target, ToVariant) else "main"),)


def _camel(value: Any) -> Any:
    """As the provider names the properties."""
    if isinstance(value, dict):
        return {_name(key): _camel(item) for key, item in cast("dict[str, Any]", value).items()}
    return [_camel(item) for item in cast("list[Any]", value)] if isinstance(value, list) else value


def _name(text: str) -> str:
    first, *others = text.split("_")
    return first + "".join(part.title() for part in others)

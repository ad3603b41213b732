"""Routes as values, the rules they become and the tests that Google runs on them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from components.edge.route_compiler import Request, other_tests, plan_routes, route_rules, route_tests
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

BACKENDS = {"main": "main-id", "beta": "beta-id"}
HOST = "api.example.com"
BETA = ToVariant(variant="beta")
COOKIE = CookieIs(name="variant", value="beta")

paths = st.sampled_from(("/a", "/a/b", "/c"))
matches = st.builds(
    Match,
    path=st.one_of(
        st.builds(PathIs, path=paths), st.builds(PathBelow, path=paths), st.just(PathBelow(path="/"))
    ),
    headers=st.dictionaries(st.sampled_from(("x-a", "x-b")), st.sampled_from(("1", "2")), max_size=2),
    cookie=st.sampled_from((None, COOKIE)),
)
targets = st.sampled_from((BETA, ToVariant(variant=MAIN), Split(percents={"beta": 5}), Closed(status=503)))


def route(position: int = 0, target: Any = BETA, **match: Any) -> Route:
    return Route(position=position, match=Match(**match), target=target)


def rules_of(**routes: Route) -> list[Any]:
    return route_rules(plan_routes(("/metrics",), routes, ("beta",)), BACKENDS)


def test_closed_paths_come_before_every_route() -> None:
    closed, beta = rules_of(beta=route())
    assert closed["priority"] < beta["priority"] == 1000
    assert beta == {"priority": 1000, "match_rules": [{"prefix_match": "/"}], "service": "beta-id"}


def test_position_fixes_the_priority() -> None:
    rules = rules_of(all=route(9), one=route(2, headers={"x-a": "1"}))
    assert [rule["priority"] for rule in rules] == [10, 1020, 1090]


def test_path_below_is_the_path_itself_and_what_follows_a_slash() -> None:
    (_, rule) = rules_of(beta=route(path=PathBelow(path="/v2")))
    assert rule["match_rules"] == [{"full_path_match": "/v2"}, {"prefix_match": "/v2/"}]


def test_headers_must_all_equal_and_the_cookie_stands_alone_first_or_last() -> None:
    (_, rule) = rules_of(beta=route(path=PathIs(path="/v2"), headers={"x-a": "1"}, cookie=COOKIE))
    header = {"header_name": "x-a", "exact_match": "1"}
    assert rule["match_rules"] == [
        {"full_path_match": "/v2", "header_matches": [header, {"header_name": "cookie", **place}]}
        for place in (
            {"exact_match": "variant=beta"},
            {"prefix_match": "variant=beta;"},
            {"suffix_match": "; variant=beta"},
        )
    ]


def test_split_leaves_the_rest_to_the_service() -> None:
    (_, rule) = rules_of(canary=route(target=Split(percents={"beta": 5})))
    assert "service" not in rule
    assert rule["route_action"]["weighted_backend_services"] == [
        {"backend_service": "beta-id", "weight": 5},
        {"backend_service": "main-id", "weight": 95},
    ]


def test_tests_name_what_each_request_must_reach() -> None:
    plan = plan_routes(
        ("/metrics",),
        {"beta": route(0, cookie=COOKIE), "canary": route(1, Split(percents={"beta": 5}))},
        ("beta",),
    )
    made = route_tests(plan, HOST, BACKENDS)
    assert [(test["path"], test.get("service")) for test in made] == [
        ("/metrics", "main-id"),
        ("/metrics/url-map-test", "main-id"),
        ("/url-map-test", "beta-id"),
        ("/url-map-test", "beta-id"),
        ("/url-map-test", "beta-id"),
    ]
    assert [test.get("headers") for test in made[2:5]] == [
        [{"name": "cookie", "value": text}]
        for text in ("variant=beta", "variant=beta; other=1", "other=1; variant=beta")
    ]
    assert other_tests(plan, HOST, BACKENDS) == [], "a split has no test"
    (other,) = other_tests(plan_routes((), {}, ()), HOST, BACKENDS)
    assert other.get("service") == "main-id"


@given(st.lists(st.tuples(matches, targets), max_size=5))
def test_every_route_is_reached_and_none_opens_a_closed_path(drawn: list[tuple[Match, Any]]) -> None:
    routes = {
        f"r{position}": Route(position=position, match=match, target=target)
        for position, (match, target) in enumerate(drawn)
    }
    try:
        plan = plan_routes(("/metrics", "/internal"), routes, ("beta",))
    except ValueError:
        assume(False)
        raise
    for name, request in plan.requests:
        assert plan.first(request) == name
    for path in ("/metrics", "/METRICS/x", "/internal/y"):
        assert plan.target(Request(path=path, headers={"x-a": "1", "cookie": "variant=beta"})) == Closed()
    priorities = [priority for _, priority, _, _ in plan.rules]
    assert priorities == sorted(set(priorities))


@pytest.mark.parametrize(
    ("routes", "message"),
    [
        (
            {"a": route(0), "b": route(1)},
            r"routes\.b is never reached, since a before it takes /url-map-test",
        ),
        (
            {"a": route(0, path=PathIs(path="/metrics/x"))},
            r"routes\.a is never reached, since closed /metrics",
        ),
        ({"a": route(0, path=PathIs(path="/METRICS"))}, r"routes\.a is never reached, since closed /metrics"),
        ({"a": route(3), "b": route(3)}, r"routes\.b\.position must be its own, got 3, which is that of a"),
        (
            {"a": route(0, ToVariant(variant="gamma"))},
            r"routes\.a must lead to main, beta, got 'gamma'",
        ),
    ],
)
def test_fails_when_routes_do_not_fit_together(routes: dict[str, Route], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plan_routes(("/metrics",), routes, ("beta",))


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (PathIs, {"path": "v2"}, "path must be an absolute path of at most 1024 characters, got 'v2'"),
        (PathIs, {"path": "/" + "a" * 1024}, "at most 1024 characters"),
        (PathBelow, {"path": "/v2/"}, "path must be written without a final slash, got '/v2/'"),
        (CookieIs, {"name": "a b", "value": "c"}, "name must be a cookie's name, got 'a b'"),
        (CookieIs, {"name": "a", "value": "b;c"}, "value must be 1 to 256 printable characters"),
        (Match, {"headers": {"a:": "b"}}, "headers must be names of headers, got 'a:'"),
        (Match, {"headers": {"a": ""}}, r"headers\.a must be 1 to 256 printable characters"),
        (Match, {"headers": {"Cookie": "a=b"}}, "headers must not hold cookie, got it: match it with"),
        (Match, {"headers": {f"x-{n}": "1" for n in range(6)}}, "headers must be at most 5, got 6"),
        (Split, {"percents": {}}, "percents must name one variant at least and not main"),
        (Split, {"percents": {"main": 5}}, "percents must name one variant at least and not main"),
        (Split, {"percents": {"beta": 100}}, r"percents\.beta must be between 1 and 99 percent, got 100"),
        (Split, {"percents": {"a": 50, "b": 50}}, "percents must be at most 99 together, got 100"),
        (Route, {"position": 90, "match": Match(), "target": BETA}, "position must be between 0 and 89"),
    ],
)
def test_fails_when_a_value_is_outside_what_google_takes(kind: Any, values: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kind(**values)

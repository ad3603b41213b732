"""Ways to meet what Google refuses of a URL map: its forms, its routes and its own tests."""

from __future__ import annotations

from typing import Any, Final

from tests.sandbox.cloud.case import Case
from tests.sandbox.cloud.stage import RUN

__all__ = ["URL_MAPS", "matcher"]

_SERVICE: Final = f"{RUN}/global/backendServices/api"
_CLASSIC: Final = (("tune", "BackendService", {"loadBalancingScheme": "EXTERNAL"}),)
_CLASSIC_CHAIN: Final = (*_CLASSIC, ("tune", "GlobalForwardingRule", {"loadBalancingScheme": "EXTERNAL"}))
_RETRY: Final = {"defaultRouteAction": {"retryPolicy": {"numRetries": 2}}}
_RESPONSE: Final = "defaultCustomErrorResponsePolicy"
_PAGE: Final = {"errorService": f"{RUN}/global/backendBuckets/pages"}


def matcher(**values: Any) -> dict[str, Any]:
    return {
        "pathMatchers": [{"name": "paths", "defaultService": _SERVICE, **values}],
        "hostRules": [{"hosts": ["api.example.com"], "pathMatcher": "paths"}],
    }


def _paths(*paths: str) -> dict[str, Any]:
    return matcher(pathRules=[{"paths": list(paths), "service": _SERVICE}])


def _routes(*priorities: int) -> dict[str, Any]:
    return matcher(
        routeRules=[
            {"priority": priority, "service": _SERVICE, "matchRules": [{"prefixMatch": "/"}]}
            for priority in priorities
        ]
    )


def _host(pattern: str) -> dict[str, Any]:
    return {**_paths("/*"), "hostRules": [{"hosts": [pattern], "pathMatcher": "paths"}]}


def _pages(*codes: str, **policy: Any) -> dict[str, Any]:
    rules = [{"matchResponseCodes": [code], "path": "/error.html"} for code in codes]
    return {_RESPONSE: {"errorResponseRules": rules, **policy}}


def _route(condition: dict[str, Any], **rule: Any) -> dict[str, Any]:
    leads = {} if rule.keys() & {"service", "routeAction", "urlRedirect"} else {"service": _SERVICE}
    return matcher(routeRules=[{"priority": 1, "matchRules": [condition], **leads, **rule}])


def _weights(*weights: int) -> dict[str, Any]:
    return {"weightedBackendServices": [{"backendService": _SERVICE, "weight": each} for each in weights]}


def _header_match(**form: Any) -> dict[str, Any]:
    return _route({"prefixMatch": "/", "headerMatches": [{"headerName": "x-a", **form}]})


def _tested(host: str = "api.example.com", path: str = "/", **test: Any) -> dict[str, Any]:
    """A map with a route of its own that redirects, and one test."""
    old: dict[str, Any] = {
        "priority": 1,
        "matchRules": [{"fullPathMatch": "/old"}],
        "urlRedirect": {"pathRedirect": "/new", "httpsRedirect": True, "stripQuery": True},
    }
    return {**matcher(routeRules=[old]), "tests": [{"host": host, "path": path, **test}]}


URL_MAPS: Final = (
    Case(
        "LB-029",
        "create",
        "URLMap",
        matcher(
            pathRules=[{"paths": ["/*"], "service": _SERVICE}],
            routeRules=[{"priority": 1, "service": _SERVICE, "matchRules": [{"prefixMatch": "/"}]}],
        ),
        fine=_paths("/*"),
    ),
    Case("LB-029", "update", "URLMap", _routes(1, 1), fine=_routes(1, 2)),
    Case("LB-030", "create", "URLMap", _paths("api/*"), fine=_paths("/api/*", "/api", "/")),
    Case("LB-030", "create", "URLMap", _paths("/a*"), fine=_paths("/a/*")),
    Case("LB-031", "create", "URLMap", _host("api.*.com"), fine=_host("*.example.com")),
    Case("LB-031", "update", "URLMap", _host("*example.com"), fine=_host("*")),
    Case(
        "LB-032",
        "create",
        "URLMap",
        _tested(service=f"{RUN}/global/backendServices/other"),
        fine=_tested(service=_SERVICE),
    ),
    Case("LB-032", "create", "URLMap", _tested(path="/old", service=_SERVICE), fine=_tested()),
    Case(
        "LB-032",
        "update",
        "URLMap",
        _tested(
            path="/old?a=1",
            expectedOutputUrl="https://api.example.com/new",
            expectedRedirectResponseCode=302,
        ),
        fine=_tested(
            path="/old?a=1",
            expectedOutputUrl="https://api.example.com/new",
            expectedRedirectResponseCode=301,
        ),
    ),
    Case(
        "LB-032",
        "update",
        "URLMap",
        _tested(expectedOutputUrl="https://api.example.com/a"),
        fine=_tested(expectedOutputUrl="http://api.example.com/"),
    ),
    Case(
        "LB-032",
        "create",
        "URLMap",
        _tested(service=_SERVICE, expectedRedirectResponseCode=301),
        fine=_tested(service=_SERVICE),
    ),
    Case(
        "LB-032",
        "create",
        "URLMap",
        {"tests": [{"host": "a.example.com", "path": "/", "service": _SERVICE}] * 101},
        fine={"tests": [{"host": "a.example.com", "path": "/", "service": _SERVICE}] * 100},
    ),
    Case("LB-100", "create", "URLMap", _route({"regexMatch": "/a.*"}), fine=_route({"prefixMatch": "/a"})),
    Case(
        "LB-100",
        "update",
        "URLMap",
        _header_match(regexMatch=".*a=b.*"),
        fine=_header_match(prefixMatch="a=b;"),
    ),
    Case(
        "LB-101",
        "create",
        "URLMap",
        _route({"prefixMatch": "/a", "fullPathMatch": "/a"}),
        fine=_route({"fullPathMatch": "/a"}),
    ),
    Case("LB-101", "create", "URLMap", _route({"prefixMatch": "a"}), fine=_route({"prefixMatch": "/"})),
    Case(
        "LB-101",
        "update",
        "URLMap",
        _route({"fullPathMatch": "/" + "a" * 1024}),
        fine=_route({"fullPathMatch": "/" + "a" * 1023}),
    ),
    Case(
        "LB-101",
        "update",
        "URLMap",
        _header_match(exactMatch="b", presentMatch=True),
        fine=_header_match(presentMatch=True),
    ),
    Case(
        "LB-102",
        "create",
        "URLMap",
        _route({"prefixMatch": "/"}, service=_SERVICE, routeAction=_weights(1)),
        fine=_route({"prefixMatch": "/"}, routeAction=_weights(1)),
    ),
    Case(
        "LB-102",
        "create",
        "URLMap",
        _route({"prefixMatch": "/"}, routeAction=_weights(1, 1001)),
        fine=_route({"prefixMatch": "/"}, routeAction=_weights(0, 1000)),
    ),
    Case(
        "LB-102",
        "update",
        "URLMap",
        _route({"prefixMatch": "/"}, routeAction=_weights(0, 0)),
        fine=_route({"prefixMatch": "/"}, routeAction=_weights(0, 1)),
    ),
    Case("LB-033", "create", "URLMap", _RETRY, _CLASSIC, {}),
    Case("LB-033", "update", "URLMap", matcher(**_RETRY), _CLASSIC_CHAIN, _paths("/*")),
    Case("LB-034", "create", "URLMap", _pages("5xx"), fine=_pages("5xx", **_PAGE)),
    Case("LB-034", "create", "URLMap", _pages("404", "404", **_PAGE), fine=_pages("404", "4xx", **_PAGE)),
)

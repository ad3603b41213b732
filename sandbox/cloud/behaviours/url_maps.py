"""URL maps: their own tests, which Google runs before it takes them, and what a route may hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import Values, as_list, as_map, plain
from sandbox.cloud.paths import same_reference
from sandbox.cloud.url_routing import Answer, Asked, headers_of, route
from sandbox.values import UNKNOWN

_MAP: Final = "gcp:compute/uRLMap:URLMap"
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_MAP_PAGE: Final = "terraform-provider-google-beta website/docs/r/compute_url_map"
_MOST_TESTS: Final = 100
_HEAVIEST: Final = 1000
_PATH_FORMS: Final = ("prefixMatch", "fullPathMatch", "regexMatch", "pathTemplateMatch")
_HEADER_FORMS: Final = (
    "exactMatch",
    "prefixMatch",
    "suffixMatch",
    "regexMatch",
    "presentMatch",
    "rangeMatch",
)


@behaviour("LB-032", _MAP, _BOTH, 400, "invalid", _MAP_PAGE)
def own_tests(call: Call) -> Iterator[Problem]:
    """A test of the map whose expectation does not hold, or more than 100 of them."""
    tests = call.blocks("tests")
    if len(tests) > _MOST_TESTS:
        yield Problem("tests", f"`tests` must be at most {_MOST_TESTS}, not {len(tests)}; remove some.")
    url_map = as_map(plain(call.inputs)) or {}
    for index, test in enumerate(tests):
        path = f"tests[{index}]"
        if test.get("service") is not None and test.get("expectedRedirectResponseCode"):
            yield Problem(
                f"{path}.expectedRedirectResponseCode",
                f"`{path}.expectedRedirectResponseCode` excludes service; remove one of the two.",
            )
            continue
        asked = Asked(str(test.get("host")), str(test.get("path")), headers_of(test))
        wrong = _failure(test, route(url_map, asked))
        if wrong:
            yield Problem(path, f"`{path}`: Test failure: {wrong}; correct the map or the test.")


def _failure(test: Values, answer: Answer | None) -> str:
    """In which way a test fails, or an empty text."""
    if answer is None:
        return ""
    service, url = test.get("service"), test.get("expectedOutputUrl")
    actual = " or ".join(str(item) for item in answer.services) or f"a redirect to {answer.url}"
    if service is not None and service is not UNKNOWN:
        known = [str(item) for item in answer.services]
        if not any(same_reference(str(service), item) for item in known):
            return f"Expect service {service}, Actual {actual}"
    if isinstance(url, str):
        # The scheme counts only in a redirect.
        same = url == answer.url if answer.status else _after_scheme(url) == _after_scheme(answer.url)
        if not same:
            return f"Expect URL {url}, Actual {answer.url}"
    code = test.get("expectedRedirectResponseCode")
    if isinstance(code, int | float) and code != answer.status:
        return f"Expect redirect {code:.0f}, Actual {answer.status or actual}"
    return ""


def _after_scheme(url: str) -> str:
    return url.partition("://")[2] or url


def _route_rules(call: Call) -> Iterator[tuple[str, Values]]:
    for index, matcher in enumerate(call.blocks("pathMatchers")):
        for place, item in enumerate(as_list(matcher.get("routeRules")) or []):
            rule = as_map(item)
            if rule is not None:
                yield f"pathMatchers[{index}].routeRules[{place}]", rule


def _conditions(call: Call) -> Iterator[tuple[str, Values]]:
    for where, rule in _route_rules(call):
        for index, item in enumerate(as_list(rule.get("matchRules")) or []):
            condition = as_map(item)
            if condition is not None:
                yield f"{where}.matchRules[{index}]", condition


@behaviour(
    "LB-100",
    _MAP,
    _BOTH,
    400,
    "invalid",
    "hashicorp/terraform-provider-google#14093; Google's API reference: only regional managed schemes",
)
def regular_expressions(call: Call) -> Iterator[Problem]:
    """A global external load balancer matches no regular expressions."""
    for where, condition in _conditions(call):
        found = [(f"{where}.regexMatch", condition)]
        for name in ("headerMatches", "queryParameterMatches"):
            for index, item in enumerate(as_list(condition.get(name)) or []):
                found.append((f"{where}.{name}[{index}].regexMatch", as_map(item) or {}))
        for path, values in found:
            if values.get("regexMatch"):
                yield Problem(path, f"`{path}`: Regex isn't allowed for a global map; match a prefix.")


@behaviour("LB-101", _MAP, _BOTH, 400, "invalid", _MAP_PAGE)
def one_form(call: Call) -> Iterator[Problem]:
    """A match rule has one form of the path, from a slash and up to 1,024 characters; a header one form."""
    for where, condition in _conditions(call):
        forms = [name for name in _PATH_FORMS if condition.get(name) is not None]
        if len(forms) > 1:
            yield Problem(where, f"`{where}` must hold one of {', '.join(forms)}, not {len(forms)}.")
        for name in ("prefixMatch", "fullPathMatch"):
            text = condition.get(name)
            if isinstance(text, str) and not (text.startswith("/") and len(text) <= 1024):
                path = f"{where}.{name}"
                yield Problem(
                    path, f"`{path}` must begin with / and have at most 1024 characters, not {text[:60]!r}."
                )
        for index, item in enumerate(as_list(condition.get("headerMatches")) or []):
            given = [name for name in _HEADER_FORMS if (as_map(item) or {}).get(name) is not None]
            if len(given) != 1:
                path = f"{where}.headerMatches[{index}]"
                yield Problem(
                    path, f"`{path}` must hold one of {', '.join(_HEADER_FORMS)}, not {len(given)}."
                )


@behaviour("LB-102", _MAP, _BOTH, 400, "invalid", _MAP_PAGE)
def one_target(call: Call) -> Iterator[Problem]:
    """A route leads to a service, to weights of 0 to 1,000 that are not all 0, or to a redirect."""
    for where, rule in _route_rules(call):
        action = as_map(rule.get("routeAction")) or {}
        shares = as_list(action.get("weightedBackendServices")) or []
        leads = [bool(rule.get("service")), bool(shares), bool(rule.get("urlRedirect"))]
        if sum(leads) != 1 and rule.get("service") is not UNKNOWN:
            yield Problem(
                where,
                f"`{where}` must hold one of service, weightedBackendServices and urlRedirect, "
                f"not {sum(leads)}.",
            )
        weights = [weight for item in shares if isinstance(weight := (as_map(item) or {}).get("weight"), int)]
        for weight in weights:
            if not 0 <= weight <= _HEAVIEST:
                path = f"{where}.routeAction.weightedBackendServices"
                yield Problem(path, f"`{path}`: a weight must be from 0 to {_HEAVIEST}, not {weight}.")
        if len(weights) == len(shares) and shares and not any(weights):
            path = f"{where}.routeAction.weightedBackendServices"
            yield Problem(path, f"`{path}`: one weight must be above 0; set it.")

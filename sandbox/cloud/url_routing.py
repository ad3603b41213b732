"""Where a URL map sends a request: the evaluation that Google makes for the map's own tests.

Host rules by the most exact host, path rules by the longest path, route rules by priority. What would need a
regular expression of another language is not decided (``None``), nor is what is not known yet.

Source: Google Cloud documentation, "URL map concepts", and the provider's page of the URL map.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from sandbox.cloud.data import Values, as_list, as_map, at, plain
from sandbox.values import UNKNOWN

__all__ = ["Answer", "Asked", "headers_of", "route"]

_REDIRECTS: Final = {
    "MOVED_PERMANENTLY_DEFAULT": 301,
    "FOUND": 302,
    "SEE_OTHER": 303,
    "TEMPORARY_REDIRECT": 307,
    "PERMANENT_REDIRECT": 308,
}
_ONE: Final = re.compile(r"\\\{\w+(?:=\\\*)?\\\}|\\\*")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: host, path with or without a query, headers by lower-case name."""

    host: str
    path: str
    headers: Mapping[str, str]

    @property
    def bare(self) -> str:
        """The path without its query."""
        return self.path.split("?")[0]


@dataclass(frozen=True, slots=True)
class Answer:
    """The services that may take the request and the URL they see, or the redirect with its status."""

    services: tuple[Any, ...]
    url: str
    status: int = 0


def route(url_map: Values, asked: Asked) -> Answer | None:
    """What the map does with a request, or None where that is not decided here."""
    for matcher in _blocks(url_map.get("pathMatchers")):
        if matcher.get("name") == _matcher_of(url_map, asked.host):
            return _in_matcher(matcher, asked)
    return _default(url_map, asked)


def _matcher_of(url_map: Values, host: str) -> str | None:
    """The path matcher of the most exact host rule."""
    name = host.lower().split(":")[0]
    best, found = -1, None
    for rule in _blocks(url_map.get("hostRules")):
        for pattern in as_list(rule.get("hosts")) or []:
            text = str(pattern).lower()
            exact = text == name
            wild = text.startswith("*") and name.endswith(text[1:]) and len(name) >= len(text)
            weight = 1000 if exact else len(text)
            if (exact or wild or text == "*") and weight > best:
                best, found = weight, str(rule.get("pathMatcher"))
    return found


def _in_matcher(matcher: Values, asked: Asked) -> Answer | None:
    rules = sorted(_blocks(matcher.get("routeRules")), key=lambda rule: _number(rule.get("priority")))
    for rule in rules:
        fits = [_fits(condition, asked) for condition in _blocks(rule.get("matchRules"))]
        if True in fits:
            return _action(rule, asked)
        if None in fits:
            return None
    longest, chosen = -1, None
    for rule in _blocks(matcher.get("pathRules")):
        for pattern in as_list(rule.get("paths")) or []:
            text = str(pattern)
            below = text.endswith("/*") and (asked.bare == text[:-2] or asked.bare.startswith(text[:-1]))
            if (below or text == asked.bare) and len(text) > longest:
                longest, chosen = len(text), rule
    return _default(matcher, asked) if chosen is None else _action(chosen, asked)


def _default(values: Values, asked: Asked) -> Answer | None:
    return _action(
        {
            "service": values.get("defaultService"),
            "routeAction": values.get("defaultRouteAction"),
            "urlRedirect": values.get("defaultUrlRedirect"),
        },
        asked,
    )


def _action(rule: Values, asked: Asked) -> Answer | None:
    redirect = as_map(rule.get("urlRedirect"))
    if redirect is not None:
        return _redirected(redirect, asked)
    action = as_map(rule.get("routeAction")) or {}
    services = [
        item.get("backendService")
        for item in _blocks(action.get("weightedBackendServices"))
        if item.get("weight") != 0
    ]
    if rule.get("service") is not None:
        services.append(rule["service"])
    if not services or UNKNOWN in services:
        return None
    rewrite = as_map(action.get("urlRewrite")) or {}
    if rewrite.get("pathPrefixRewrite") or rewrite.get("pathTemplateRewrite"):
        return None
    host = rewrite.get("hostRewrite") or asked.host
    return Answer(tuple(services), f"https://{host}{asked.path}")


def _redirected(redirect: Values, asked: Asked) -> Answer | None:
    if redirect.get("prefixRedirect"):
        return None
    path, _, query = asked.path.partition("?")
    path = str(redirect.get("pathRedirect") or path)
    if query and not redirect.get("stripQuery"):
        path = f"{path}?{query}"
    scheme = "https" if redirect.get("httpsRedirect") else "http"
    code = str(redirect.get("redirectResponseCode") or "MOVED_PERMANENTLY_DEFAULT")
    host = redirect.get("hostRedirect") or asked.host
    return Answer((), f"{scheme}://{host}{path}", _REDIRECTS.get(code, 301))


def _fits(condition: Values, asked: Asked) -> bool | None:
    """Whether all of a match rule holds; None when that is not decided."""
    found = [_path_fits(condition, asked.bare)]
    found += [_header_fits(item, asked) for item in _blocks(condition.get("headerMatches"))]
    found += [_parameter_fits(item, asked) for item in _blocks(condition.get("queryParameterMatches"))]
    if False in found:
        return False
    return None if None in found else True


def _path_fits(condition: Values, path: str) -> bool | None:
    fold = str.lower if condition.get("ignoreCase") else str
    if condition.get("regexMatch") is not None:
        return None
    if (full := condition.get("fullPathMatch")) is not None:
        return fold(path) == fold(str(full))
    if (template := condition.get("pathTemplateMatch")) is not None:
        pattern = _ONE.sub("[^/]+", re.escape(str(template)).replace(r"\*\*", ".*"))
        return re.fullmatch(pattern, path) is not None
    return fold(path).startswith(fold(str(condition.get("prefixMatch") or "")))


def _header_fits(condition: Values, asked: Asked) -> bool | None:
    given = asked.headers.get(str(condition.get("headerName")).lower())
    held = _value_fits(condition, given)
    return None if held is None else held != bool(condition.get("invertMatch"))


def _value_fits(condition: Values, given: str | None) -> bool | None:
    if condition.get("regexMatch") is not None or condition.get("rangeMatch") is not None:
        return None
    if condition.get("presentMatch"):
        return given is not None
    if given is None:
        return False
    for name, compare in (
        ("exactMatch", given.__eq__),
        ("prefixMatch", given.startswith),
        ("suffixMatch", given.endswith),
    ):
        if condition.get(name) is not None:
            return bool(compare(str(condition[name])))
    return None


def _parameter_fits(condition: Values, asked: Asked) -> bool | None:
    pairs = dict(parse_qsl(asked.path.partition("?")[2], keep_blank_values=True))
    return _value_fits(condition, pairs.get(str(condition.get("name"))))


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _blocks(value: object) -> Iterator[Values]:
    for item in as_list(plain(value)) or []:
        block = as_map(item)
        if block is not None:
            yield block


def headers_of(test: Values) -> Mapping[str, str]:
    """The headers of a map's test by lower-case name."""
    return {str(at(item, "name")).lower(): str(at(item, "value")) for item in _blocks(test.get("headers"))}

"""Where the load balancer sends a request: routes as values, for canaries and A/B tests.

A route is a match (one path form, headers that must equal, one cookie) and a target (one variant of the
service, a split by percentage, or nothing: closed). Google knows more forms and refuses many combinations of
them; those cannot be written here. Routes are judged by `position`, the first that matches decides, and what
none of them takes goes to the main service. Closed paths of the load balancer come before all routes.

A cookie is matched where it stands alone, first or last in the header: a global load balancer takes no
regular expressions, so one in the middle of others is not seen, and the request goes to the next route. What
must be certain sends a header.

Not modelled: regular expressions (refused by Google here), path templates, query parameters, ranges and
inverted matches, rewrites, mirroring, retries and timeouts (a serverless backend has Cloud Run's own), CORS
(the application answers it), redirects within a host; nothing here needs them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from facts.refusal import RefusedError

__all__ = [
    "MAIN",
    "Closed",
    "CookieIs",
    "Match",
    "PathBelow",
    "PathIs",
    "Route",
    "Split",
    "ToVariant",
]

MAIN: Final = "main"
"""The service itself, as a variant's name."""
_PATH: Final = re.compile(r"/[A-Za-z0-9/_.~-]*")
_NAME: Final = re.compile(r"[A-Za-z0-9!#$&*+.^_|~-]{1,64}")
_VALUE: Final = re.compile(r"[\x21-\x3a\x3c-\x7e]{1,256}")


@dataclass(frozen=True, kw_only=True, slots=True)
class PathIs:
    """Exactly this path, whatever the query."""

    path: str

    def __post_init__(self) -> None:
        _check_path("path", self.path)


@dataclass(frozen=True, kw_only=True, slots=True)
class PathBelow:
    """This path and everything below it, at the next slash; / is every path."""

    path: str = "/"

    def __post_init__(self) -> None:
        _check_path("path", self.path)
        if self.path != "/" and self.path.endswith("/"):
            raise RefusedError(f"path must be written without a final slash, got {self.path!r}: drop it")


@dataclass(frozen=True, kw_only=True, slots=True)
class CookieIs:
    """A cookie of this name with exactly this value."""

    name: str
    value: str

    def __post_init__(self) -> None:
        _check(_NAME, "name", self.name, "a cookie's name")
        _check(_VALUE, "value", self.value, "1 to 256 printable characters without space and semicolon")


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """What a request must have, all of it. Default: every request."""

    path: PathIs | PathBelow = field(default_factory=PathBelow)
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Header to the value it must have; at most five."""
    cookie: CookieIs | None = None

    def __post_init__(self) -> None:
        if len(self.headers) > 5:
            raise RefusedError(f"headers must be at most 5, got {len(self.headers)}: match fewer")
        for name, value in self.headers.items():
            _check(_NAME, "headers", name, "names of headers")
            _check(_VALUE, f"headers.{name}", value, "1 to 256 printable characters without space")
            if name.lower() == "cookie":
                raise RefusedError("headers must not hold cookie, got it: match it with CookieIs")


@dataclass(frozen=True, kw_only=True, slots=True)
class ToVariant:
    """Everything to one variant."""

    variant: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Split:
    """A share of the requests to each variant, 1 to 99 percent; the main service takes the rest.

    Each request is drawn by itself: a client that must stay needs a cookie or a header.
    """

    percents: Mapping[str, int]

    def __post_init__(self) -> None:
        if not self.percents or MAIN in self.percents:
            raise RefusedError(
                f"percents must name one variant at least and not {MAIN}, which takes the rest, "
                f"got {', '.join(self.percents) or 'none'}: name the variants"
            )
        for variant, percent in self.percents.items():
            if not 1 <= percent <= 99:
                raise RefusedError(
                    f"percents.{variant} must be between 1 and 99 percent, got {percent}: correct it"
                )
        total = sum(self.percents.values())
        if total > 99:
            raise RefusedError(f"percents must be at most 99 together, got {total}: leave some to {MAIN}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Closed:
    """Nothing: the edge answers, Cloud Run never sees the request."""

    status: Literal[403, 404, 503] = 404


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """A match and where it leads. `position` 0 to 89 orders the routes; gaps are free."""

    position: int
    match: Match
    target: ToVariant | Split | Closed

    def __post_init__(self) -> None:
        if not 0 <= self.position <= 89:
            raise RefusedError(f"position must be between 0 and 89, got {self.position}: correct it")


def _check_path(name: str, path: str) -> None:
    if not _PATH.fullmatch(path) or len(path) > 1024:
        raise RefusedError(
            f"{name} must be an absolute path of at most 1024 characters, got {path!r}: correct it"
        )


def _check(pattern: re.Pattern[str], name: str, text: str, what: str) -> None:
    if not pattern.fullmatch(text):
        raise RefusedError(f"{name} must be {what}, got {text!r}: correct it")

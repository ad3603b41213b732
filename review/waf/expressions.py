"""Expressions of Cloud Armor's rules language, compiled once and asked with each request.

The CEL library parses and evaluates; here stand the functions that Google adds and the ones it means
differently: `matches` is Google's RE2, `has` takes a header by index. An expression that fails on a request,
as with a header that is not there, does not match it; such failures are told apart from a plain no. What a
corpus cannot say (addresses' networks, TLS fingerprints, reCAPTCHA tokens, lists kept by Google) makes a
rule not evaluated, never a no.

Source: Google Cloud documentation, "Cloud Armor custom rules language attributes".
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final, cast

import cel
import re2

from facts.cel import ARMOR, check_attributes, check_expression, check_types, outside_quotes
from facts.refusal import RefusedError
from review.waf.corpus import Request
from review.waf.rulesets import NotEvaluatedError, SetCall
from review.waf.sequence import user_ip
from sandbox.errors import UsageError

__all__ = ["QUOTED", "SET_CALL", "Answer", "Asked", "Expressions", "in_range", "set_calls"]

QUOTED: Final = r"(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
_OUTSIDE: Final = re.compile(
    rf"(?P<has>\bhas\(\s*request\.headers\[\s*(?P<header>{QUOTED})\s*\]\s*\))|(?P<text>{QUOTED})|(?P<matches>\.matches\()"
)
SET_CALL: Final = re.compile(
    rf"\bevaluatePreconfigured(Waf|Expr)\(((?:[^()'\"]|{QUOTED})*)\)",
)
_SIGNATURE: Final = re.compile(r"(?:owasp-crs-(?:v[0-9]{6}-)?)?id([0-9]{6})(?:-[a-z-]+)?")
_UNANSWERABLE: Final = (
    "evaluateThreatIntelligence",
    "evaluateAddressGroup",
    "evaluateOrganizationAddressGroup",
    "evaluateAdaptiveProtectionAutoDeploy",
    "origin.asn",
    "origin.tls_ja3_fingerprint",
    "origin.tls_ja4_fingerprint",
    "token.",
)

Ask = Callable[[SetCall], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a rule matches; by which signatures of a set; why it could not be said."""

    matched: bool
    signatures: tuple[int, ...] = ()
    failure: str = ""


@dataclass(slots=True)
class Asked:
    """One request in the form that expressions read."""

    request: Request
    variables: Mapping[str, Any]

    @staticmethod
    def of(request: Request, user_ip_headers: tuple[str, ...] = ()) -> Asked:
        """The attributes that Google declares, but for those that a corpus cannot say."""
        names = dict.fromkeys(name for name, _ in request.headers)
        return Asked(
            request,
            {
                "request": {
                    "method": request.method,
                    "path": request.path,
                    "query": request.query,
                    "scheme": "https",
                    "headers": {name: request.header(name) or "" for name in names},
                },
                "origin": {
                    "ip": request.address,
                    "user_ip": user_ip(request, user_ip_headers),
                    "region_code": request.region,
                },
            },
        )


class Expressions:
    """Compiled expressions that share one set of functions."""

    def __init__(self, ask: Ask | None = None) -> None:
        self._ask = ask
        self._found: list[int] = []
        self._context = cel.Context()
        # Requests of a corpus share methods, agents and many paths.
        asked = {"matchesRe2": lru_cache(maxsize=4096)(_matches), "evaluatePreconfiguredWaf": self._waf}
        for name, function in {**_FUNCTIONS, **asked}.items():
            self._context.add_function(name, function)
        self._context.add_function("evaluatePreconfiguredExpr", self._expr)
        self._current: Asked | None = None

    def compile(self, expression: str) -> cel.Program:
        """Compile what Google takes, or raise UsageError; NotEvaluatedError where nobody here can say."""
        try:
            check_expression(expression, ARMOR)
            check_attributes(expression, ARMOR)
            check_types(expression)
        except RefusedError as error:
            raise UsageError(f"expression {expression!r:.100} {error}: correct it") from error
        bare = outside_quotes(expression)
        for word in _UNANSWERABLE:
            if word in bare:
                raise NotEvaluatedError(f"{word.rstrip('.')} is known to Google only")
        return cel.compile(_OUTSIDE.sub(_translated, expression))

    def ask(self, program: cel.Program, asked: Asked) -> Answer:
        """Evaluate for one request."""
        if self._current is not asked:
            for name, value in asked.variables.items():
                self._context.add_variable(name, value)
            self._current = asked
        self._found.clear()
        try:
            matched = program.execute(self._context) is True
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            return Answer(matched=False, failure=f"{type(error).__name__}: {error}")
        return Answer(matched, tuple(self._found) if matched else ())

    def _waf(self, name: str, options: Mapping[str, Any] | None = None) -> bool:
        return self._set(_call(name, options or {}))

    def _expr(self, name: str, opt_out: Iterable[str] = ()) -> bool:
        return self._set(_call(name, {"opt_out_rule_ids": list(opt_out)}))

    def _set(self, call: SetCall) -> bool:
        if self._ask is None:
            raise NotEvaluatedError(f"{call.name} is asked without rule sets")
        found = self._ask(call)
        self._found.extend(found)
        return bool(found)


def set_calls(expression: str) -> list[SetCall]:
    """The preconfigured sets that an expression asks. Raises UsageError for bad arguments."""
    calls: list[SetCall] = []
    for found in SET_CALL.finditer(expression):
        try:
            arguments: Any = cel.evaluate(f"[{found[2]}]")
            name, rest = arguments[0], arguments[1:]
            options: Any = rest[0] if rest else {}
            calls.append(_call(name, options if found[1] == "Waf" else {"opt_out_rule_ids": options or []}))
        except (IndexError, RuntimeError, TypeError, ValueError) as error:
            raise UsageError(
                f"evaluatePreconfigured{found[1]} needs a set's name and its options, got {found[2]!r:.80}: "
                "correct it"
            ) from error
    return calls


def _call(name: str, options: Mapping[str, Any]) -> SetCall:
    unknown = set(options) - {"sensitivity", "opt_out_rule_ids", "opt_in_rule_ids"}
    if unknown:
        raise UsageError(f"evaluatePreconfiguredWaf of {name} has no option {min(unknown)!r}: remove it")
    sensitivity = options.get("sensitivity", 4)
    if not isinstance(sensitivity, int) or not 0 <= sensitivity <= 4:
        raise UsageError(f"sensitivity of {name} must be 0 to 4, got {sensitivity!r}: correct it")
    opt_in = _signatures(name, options.get("opt_in_rule_ids", []))
    if opt_in and sensitivity:
        raise UsageError(f"opt_in_rule_ids of {name} needs sensitivity 0, got {sensitivity}: correct it")
    return SetCall(name, sensitivity, _signatures(name, options.get("opt_out_rule_ids", [])), opt_in)


def _signatures(name: str, ids: Iterable[Any]) -> frozenset[int]:
    found: set[int] = set()
    for text in ids:
        match = _SIGNATURE.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise UsageError(
                f"{text!r} is no signature id of {name}: write it as owasp-crs-v030301-id942100-sqli"
            )
        found.add(int(match[1]))
    return frozenset(found)


def _translated(found: re.Match[str]) -> str:
    if found["has"]:
        return f"({found['header']} in request.headers)"
    return ".matchesRe2(" if found["matches"] else found[0]


@cache
def _searcher(pattern: str) -> Callable[[str], object]:
    return re2.compile(pattern).search


def _matches(text: str, pattern: str) -> bool:
    return _searcher(pattern)(text) is not None


@cache
def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_network(text, strict=False)


@cache
def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def in_range(address: str, text: str) -> bool:
    """Whether an address lies in a range; never across IP versions, and never for what is no address."""
    found = _address(address)
    return found is not None and found in _network(text)


def _base64_decode(text: str) -> str:
    # Google takes both alphabets, and reads no further than it can.
    plain = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4)).decode("utf-8", "replace")
    except binascii.Error:
        return ""


def _url_decode(text: str) -> str:
    return _decoded(text, rb"%([0-9A-Fa-f]{2})")


def _url_decode_uni(text: str) -> str:
    return _decoded(text, rb"%(?:[uU]([0-9A-Fa-f]{4})|([0-9A-Fa-f]{2}))")


@lru_cache(maxsize=4096)
def _decoded(text: str, pattern: bytes) -> str:
    if "%" not in text and "+" not in text:
        return text

    def one(found: re.Match[bytes]) -> bytes:
        digits = cast("bytes", found[1] or found[found.re.groups])
        number = int(digits, 16)
        return bytes([number]) if len(digits) == 2 else chr(number).encode("utf-8", "replace")

    return re.sub(pattern, one, text.replace("+", " ").encode()).decode("utf-8", "replace")


def _utf8_to_unicode(text: str) -> str:
    return "".join(letter if ord(letter) < 128 else f"%u{ord(letter):04x}" for letter in text)


_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "inIpRange": in_range,
    "lower": str.lower,
    "upper": str.upper,
    "base64Decode": _base64_decode,
    "urlDecode": _url_decode,
    "urlDecodeUni": _url_decode_uni,
    "utf8ToUnicode": _utf8_to_unicode,
}

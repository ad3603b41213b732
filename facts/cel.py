"""The Common Expression Language as Google's services speak it: is a text an expression, and of which words.

A library parses, the one that evaluates Cloud Armor's rules elsewhere; here stands only which functions and
attributes each service declares. Sources: Google Cloud documentation, "Cloud Armor custom rules language
attributes" and "IAM conditions attribute reference".
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Final

import cel

from facts.refusal import RefusedError

__all__ = ["ARMOR", "Dialect", "check_attributes", "check_expression", "outside_quotes"]

_QUOTED: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
# Google's rules language lets `has` look at a header by index, which the language's macro does not.
_PRESENCE: Final = re.compile(rf"{_QUOTED.pattern}|\bhas\(")
_POSITION: Final = re.compile(r"<input>:(\d+):(\d+): (?:Syntax error: )?([^\n]*)")
_WORDS: Final = re.compile(r"\b(?:and|or|not)\b", re.IGNORECASE)
_SINGLE_EQUALS: Final = re.compile(r"(?<![=!<>])=(?!=)")


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a service declares: its functions, and the attributes of its variables."""

    functions: frozenset[str]
    attributes: frozenset[str]
    variables: frozenset[str]


ARMOR: Final = Dialect(
    functions=frozenset(
        {
            "inIpRange",
            "matches",
            "contains",
            "startsWith",
            "endsWith",
            "lower",
            "upper",
            "size",
            "int",
            "base64Decode",
            "urlDecode",
            "urlDecodeUni",
            "utf8ToUnicode",
            "has_",
            "evaluatePreconfiguredExpr",
            "evaluatePreconfiguredWaf",
            "evaluateThreatIntelligence",
            "evaluateAddressGroup",
            "evaluateOrganizationAddressGroup",
        }
    ),
    attributes=frozenset(
        {
            "origin.ip",
            "origin.user_ip",
            "origin.region_code",
            "origin.asn",
            "origin.tls_ja3_fingerprint",
            "origin.tls_ja4_fingerprint",
            "request.headers",
            "request.method",
            "request.path",
            "request.scheme",
            "request.query",
            "token.recaptcha_action",
            "token.recaptcha_exemption",
            "token.recaptcha_session",
        }
    ),
    variables=frozenset({"origin", "request", "token"}),
)


def outside_quotes(text: str) -> str:
    """The expression with its texts emptied."""
    return _QUOTED.sub("''", text)


def check_expression(text: str, dialect: Dialect | None = None) -> None:
    """Refuse what is no expression, or calls what ``dialect`` does not declare.

    Raises RefusedError with what is wrong, in words that go on from a property's name.
    """
    program = _compiled(text, dialect)
    if dialect is None:
        return
    for name in sorted(str(name) for name in program.functions()):
        if name.isidentifier() and not name.startswith("_") and name not in dialect.functions:
            raise RefusedError(f"calls {name}, which is no function here{_nearest(name, dialect.functions)}")


def check_attributes(text: str, dialect: Dialect) -> None:
    """Refuse variables and attributes that ``dialect`` does not declare; raises RefusedError as above."""
    bare = outside_quotes(text)
    for name in sorted(str(name) for name in _compiled(text, dialect).variables()):
        if name not in dialect.variables:
            raise RefusedError(f"uses {name}, which is no variable here{_nearest(name, dialect.variables)}")
        for attribute in re.findall(rf"(?<![\w.]){re.escape(name)}\.\w+", bare):
            if attribute not in dialect.attributes:
                near = _nearest(attribute, dialect.attributes)
                raise RefusedError(f"uses {attribute}, which is no attribute here{near}")


def _compiled(text: str, dialect: Dialect | None) -> cel.Program:
    try:
        return cel.compile(text if dialect is None else _PRESENCE.sub(_as_function, text))
    except ValueError as error:
        raise RefusedError(_wrong(text, str(error))) from error


def _as_function(found: re.Match[str]) -> str:
    return "has_(" if found[0] == "has(" else found[0]


def _wrong(text: str, said: str) -> str:
    bare = outside_quotes(text)
    if not bare.strip():
        return "is empty"
    if "recursion" in said.lower():
        return "is nested too deeply"
    if _WORDS.search(bare):
        return "must say &&, || and ! for and, or and not"
    if _SINGLE_EQUALS.search(bare):
        return "must compare with =="
    if "'" in _QUOTED.sub("", text) or '"' in _QUOTED.sub("", text):
        return "has an unclosed quote"
    found = _POSITION.search(said)
    if found is None:
        return "is no expression"
    reason = re.split(r" expecting | \|", found[3])[0].replace("<EOF>", "the end").strip()
    return f"is no expression: {reason} at character {found[2]}"


def _nearest(name: str, known: frozenset[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""

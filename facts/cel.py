"""The Common Expression Language as Google's services speak it: is a text an expression, and of which words.

A library parses, the one that evaluates Cloud Armor's rules elsewhere; here stands only which functions and
attributes each service declares. Sources: Google Cloud documentation, "Cloud Armor custom rules language
attributes" and "IAM conditions attribute reference".
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from dataclasses import dataclass
from typing import Final

import cel

from facts.refusal import RefusedError

__all__ = ["ARMOR", "Dialect", "check_attributes", "check_expression", "check_types", "outside_quotes"]

_QUOTED: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
# Google's rules language lets `has` look at a header by index, which the language's macro does not.
_PRESENCE: Final = re.compile(rf"{_QUOTED.pattern}|\bhas\(")
_POSITION: Final = re.compile(r"<input>:(\d+):(\d+): (?:Syntax error: )?([^\n]*)")
_OPERATORS: Final = {"@in": "`in`", "_?_:_": "a conditional", "@not_strictly_false": "a macro over a list"}
_WORDS: Final = re.compile(r"\b(?:and|or|not)\b", re.IGNORECASE)
_SINGLE_EQUALS: Final = re.compile(r"(?<![=!<>])=(?!=)")


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a service declares: its functions, its operators as CEL names them, its variables' attributes."""

    functions: frozenset[str]
    operators: frozenset[str]
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
            "evaluateAdaptiveProtectionAutoDeploy",
            "evaluateAddressGroup",
            "evaluateOrganizationAddressGroup",
        }
    ),
    operators=frozenset(
        {"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "_&&_", "_||_", "!_", "_+_", "-_", "_[_]"}
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
            "token.recaptcha_action.action",
            "token.recaptcha_action.captcha_status",
            "token.recaptcha_action.score",
            "token.recaptcha_action.valid",
            "token.recaptcha_exemption.valid",
            "token.recaptcha_session.score",
            "token.recaptcha_session.valid",
        }
    ),
    variables=frozenset({"origin", "request", "token"}),
)
# Headers are the one attribute that is looked into by a key.
_ATTRIBUTE: Final = (
    rf"(?<![\w.])(?:{'|'.join(map(re.escape, sorted(ARMOR.attributes - {'request.headers'})))}"
    r"|request\.headers\[''\])(?![\w.(\[])"
)
_LITERAL: Final = r"(?:''|-?\d+(?:\.\d+)?|true\b|false\b)"
_COMPARED: Final = re.compile(rf"({_ATTRIBUTE})\s*(?:[=!<>]=|<|>)\s*({_LITERAL})")
_OPERAND: Final = re.compile(rf"{_ATTRIBUTE}|{_LITERAL}")
_ARGUMENT: Final = re.compile(r"\.(contains|startsWith|endsWith|matches)\(\s*(?:\)|-?\d|true\b|false\b)")
_RANGE: Final = re.compile(r"\binIpRange\(\s*[\w.]+\s*,\s*['\"]([^'\"]*)['\"]\s*\)")


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
        if name in dialect.functions | dialect.operators:
            continue
        if name.isidentifier() and not name.startswith("_"):
            raise RefusedError(f"calls {name}, which is no function here{_nearest(name, dialect.functions)}")
        raise RefusedError(f"uses {_OPERATORS.get(name, name.strip('_@'))}, which is no operator here")


def check_attributes(text: str, dialect: Dialect) -> None:
    """Refuse variables and attributes that ``dialect`` does not declare; raises RefusedError as above."""
    bare = outside_quotes(text)
    for name in sorted(str(name) for name in _compiled(text, dialect).variables()):
        if name not in dialect.variables:
            raise RefusedError(f"uses {name}, which is no variable here{_nearest(name, dialect.variables)}")
        deep = r"(?:\.\w+){2}" if name == "token" else r"\.\w+"
        for attribute in re.findall(rf"(?<![\w.]){re.escape(name)}{deep}", bare):
            if attribute not in dialect.attributes:
                near = _nearest(attribute, dialect.attributes)
                raise RefusedError(f"uses {attribute}, which is no attribute here{near}")


def check_types(text: str) -> None:
    """Refuse a Cloud Armor expression that mixes types; raises RefusedError as above.

    Looks at attributes beside literals, at what joins by && and ||, at arguments of text functions and at
    ranges; types of longer computations stay unseen.
    """
    bare = outside_quotes(text)
    for attribute, literal in _COMPARED.findall(bare):
        if _type_of(attribute) != _type_of(literal):
            raise RefusedError(f"compares {attribute}, {_type_of(attribute)}, with {_type_of(literal)}")
    for function in _ARGUMENT.findall(bare):
        raise RefusedError(f"calls {function} without a text between its brackets")
    for part in re.split(r"&&|\|\|", bare):
        operand = part.strip("!() ")
        if _OPERAND.fullmatch(operand) and _type_of(operand) != "a truth value":
            raise RefusedError(f"holds {operand} where true or false is needed; compare it with something")
    for found in _RANGE.findall(text):
        try:
            ipaddress.ip_network(found, strict=False)
        except ValueError:
            raise RefusedError(f"gives inIpRange {found!r}, which is no range of addresses") from None


def _type_of(operand: str) -> str:
    if operand in {"true", "false"} or operand.endswith(".valid"):
        return "a truth value"
    if operand == "origin.asn" or operand.endswith(".score") or operand.lstrip("-")[0].isdigit():
        return "a number"
    return "a text"


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
    shown = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in reason)
    return f"is no expression: {shown} at character {found[2]}"


def _nearest(name: str, known: frozenset[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""

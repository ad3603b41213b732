"""The filter languages of Cloud Logging, Cloud Monitoring and Pub/Sub: does a text parse, and of which words.

Grammars after Google Cloud documentation, "Logging query language", "Monitoring filters" and "Filter messages
from a subscription". Precedence is of no account here: what parses with one parses with the other. Pub/Sub
wants parentheses where AND and OR meet.
"""

from __future__ import annotations

import difflib
import re
from functools import cache
from typing import Any, Final

from lark import Lark, Token, UnexpectedInput

from facts.refusal import RefusedError

__all__ = ["check_logging_filter", "check_message_filter", "check_monitoring_filter"]

_LONGEST_LOGGING: Final = 20_000
_LONGEST_MONITORING: Final = 2_048
_LONGEST_MESSAGE_BYTES: Final = 256
_EXPRESSION: Final = r"""
expression: joined ("AND"? joined)*
joined: negated ("OR" negated)*
negated: (NOT | MINUS)? primary
FUNCTION.3: /(?!(?:AND|OR|NOT)\()[A-Za-z_][\w.]*\(/
NOT.4: /NOT(?![^\s(])/
MINUS: /-(?=[^\s\d])/
NUMBER: /[+-]\d+(?:\.\d+)?/
OPERATOR: /=~|!~|!=|<=|>=|=|<|>|:/
%ignore /\s+/
"""
_LOGGING: Final = (
    _EXPRESSION
    + r"""
start: [expression]
primary: "(" expression ")" | comparison | TEXT | QUOTED | call
comparison: (TEXT | QUOTED | call) OPERATOR value
call: FUNCTION [argument ("," argument)*] ")"
argument: TEXT | QUOTED | NUMBER | call
value: TEXT | QUOTED | NUMBER | "*" | "(" values ")"
values: some ("AND"? some)*
some: one ("OR" one)*
one: (NOT | MINUS)? value
TEXT: /(?!(?:AND|OR|NOT)(?![^\s()]))[^\s"'()=<>!:,~*+.\-](?:(?<=\.)"(?:\\.|[^"\\])*"|[^\s"'()=<>!:,~*])*/
QUOTED: /"(?:\\.|[^"\\])*"/
%ignore /--[^\n]*/
"""
)
_MONITORING: Final = (
    _EXPRESSION
    + r"""
start: expression
primary: "(" expression ")" | comparison | call
comparison: TEXT OPERATOR value
call: FUNCTION [argument ("," argument)*] ")"
argument: TEXT | QUOTED | NUMBER
value: TEXT | QUOTED | NUMBER | call
TEXT: /(?!(?:AND|OR|NOT)(?![^\s()]))[^\s"'()=<>!:,~*+.\-](?:(?<=\.)"(?:\\.|[^"\\])*"|[^\s"'()=<>!:,~*])*/
QUOTED: /"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/
"""
)
_MESSAGE: Final = r"""
start: expression
expression: term (("AND" term)+ | ("OR" term)+)?
term: ("NOT" | "-")? primary
primary: "(" expression ")" | has | equals | prefix
has: "attributes" ":" key
equals: attribute ("=" | "!=") QUOTED
prefix: "hasPrefix" "(" attribute "," QUOTED ")"
attribute: "attributes" "." key
key: WORD | QUOTED
WORD: /[A-Za-z0-9_-]+/
QUOTED: /"(?:\\.|[^"\\])*"/
%ignore /\s+/
"""
_ENTRY: Final = (
    *("apphub", "apphubDestination", "apphubSource", "errorGroups", "httpRequest", "insertId", "jsonPayload"),
    *("labels", "logName", "metadata", "operation", "protoPayload", "receiveTimestamp", "resource"),
    *("severity", "sourceLocation", "spanId", "split", "textPayload", "timestamp", "trace", "traceSampled"),
)
_SERIES: Final = ("group", "metadata", "metric", "project", "resource", "user_labels")
_LOG_FUNCTIONS: Final = frozenset(
    {"log_id", "source", "sample", "ip_in_net", "search", "cast", "regexp_extract", "timezone"}
)
_SERIES_FUNCTIONS: Final = frozenset(
    {"starts_with", "ends_with", "has_substring", "one_of", "monitoring.regex.full_match"}
)
_SLO_FUNCTION: Final = re.compile(r"select_slo_[a-z_]+")
_OTHER_LANGUAGE: Final = re.compile(r"==|&&|\|\|")
_QUOTED: Final = re.compile(r"\"(?:\\.|[^\"\\])*\"")


def check_logging_filter(text: str) -> None:
    """Refuse what is no filter of log entries.

    Raises RefusedError with what is wrong, in words that go on from a property's name.
    """
    if len(text) > _LONGEST_LOGGING:
        raise RefusedError(f"must be at most {_LONGEST_LOGGING} characters, not {len(text)}")
    tree = _parsed(_logging(), text)
    for name in _functions(tree):
        if name.lower() not in _LOG_FUNCTIONS:
            raise RefusedError(f"calls {name}, which is no function of log filters")
    _check_fields(tree, _ENTRY, "a log entry")


def check_monitoring_filter(text: str) -> None:
    """Refuse what is no filter of time series; raises RefusedError as above."""
    if len(text) > _LONGEST_MONITORING:
        raise RefusedError(f"must be at most {_LONGEST_MONITORING} characters, not {len(text)}")
    tree = _parsed(_monitoring(), text)
    for name in _functions(tree):
        if name not in _SERIES_FUNCTIONS and not _SLO_FUNCTION.fullmatch(name):
            raise RefusedError(f"calls {name}, which is no function of metric filters")
    _check_fields(tree, _SERIES, "a time series")


def check_message_filter(text: str) -> None:
    """Refuse what is no filter of a subscription: it sees attributes, never the body; raises as above."""
    size = len(text.encode())
    if size > _LONGEST_MESSAGE_BYTES:
        raise RefusedError(f"must be at most {_LONGEST_MESSAGE_BYTES} bytes, not {size}")
    _parsed(_message(), text)


@cache
def _message() -> Lark:
    return Lark(_MESSAGE, parser="lalr")


@cache
def _logging() -> Lark:
    return Lark(_LOGGING, parser="lalr")


@cache
def _monitoring() -> Lark:
    return Lark(_MONITORING, parser="lalr")


def _parsed(parser: Any, text: str) -> Any:
    if _OTHER_LANGUAGE.search(_QUOTED.sub('""', text)):
        raise RefusedError("must say =, AND and OR for ==, && and ||")
    try:
        return parser.parse(text)
    except UnexpectedInput as error:
        raise RefusedError(_wrong(text, error)) from error


def _wrong(text: str, error: Any) -> str:
    bare = _QUOTED.sub('""', text)
    if '"' in bare.replace('""', ""):
        return "has an unclosed quote"
    if "'" in bare:
        return "quotes with ' where only double quotes are known"
    token = getattr(error, "token", None)
    if token is not None and token.type == "$END":
        return "does not parse: it ends too early"
    found = "character" if token is None else repr(str(token))
    where = f" at character {error.column}" if error.column > 0 and error.line == 1 else ""
    return f"does not parse: unexpected {found}{where}"


def _functions(tree: Any) -> list[str]:
    return [str(call.children[0])[:-1] for call in tree.find_data("call")]


def _check_fields(tree: Any, fields: tuple[str, ...], what: str) -> None:
    known = {_folded(field): field for field in fields}
    for comparison in tree.find_data("comparison"):
        left = comparison.children[0]
        if not isinstance(left, Token) or left.type != "TEXT":
            continue
        first = re.split(r"[.\[]", str(left), maxsplit=1)[0]
        if _folded(first) not in known and not first.startswith("$"):
            near = difflib.get_close_matches(_folded(first), known, n=1)
            hint = f"; did you mean {known[near[0]]}?" if near else ""
            raise RefusedError(f"names {first}, which is no field of {what}{hint}")


def _folded(name: str) -> str:
    return name.replace("_", "").lower()

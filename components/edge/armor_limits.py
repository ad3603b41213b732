"""What Google takes in a Cloud Armor rule: lengths, counts, lists of values, the words of an expression.

Sources: Google's rules language reference (attributes, functions, five subexpressions, 2,048 and 1,024
characters, no capture groups), the provider's validators (intervals, ban times, counts, ten ranges, 64
characters).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Final

from components.edge.armor_tier import ENTERPRISE_FUNCTIONS
from facts.cel import ARMOR, check_attributes, check_expression, check_types, outside_quotes
from facts.refusal import RefusedError

__all__ = [
    "BAN_SECONDS",
    "DESCRIPTION_CHARACTERS",
    "INTERVALS_SECONDS",
    "check_description",
    "check_items",
    "check_one_of",
    "check_pattern",
    "check_range",
    "check_ranges",
    "check_rules_language",
    "split_subexpressions",
]

INTERVALS_SECONDS: Final = (10, 30, 60, 120, 180, 240, 300, 600, 900, 1200, 1800, 2700, 3600)
BAN_SECONDS: Final = (60, 120, 180, 240, 300, 600, 900, 1200, 1800, 2700, 3600)
_SUBEXPRESSIONS: Final = 5
_EXPRESSION_CHARACTERS: Final = 2048
_SUBEXPRESSION_CHARACTERS: Final = 1024
DESCRIPTION_CHARACTERS: Final = 64
_LOOK_AROUND: Final = re.compile(r"\(\?(?:[=!(]|<[=!]|P=)|\\[1-9]")
# What Python's syntax has beyond RE2's: atomic groups, possessive counts, comments.
_NOT_RE2: Final = re.compile(r"\(\?[>#]|(?<!\\)[*+?}]\+")
_CLASS: Final = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]")
_COUNT: Final = re.compile(r"\{([0-9]+)(?:,([0-9]*))?\}")
_REPETITIONS: Final = 1000
_HEADER: Final = re.compile(r"(has\(\s*)?request\.headers\[\s*['\"]([^'\"]*)['\"]\s*\]")
_PATTERN: Final = re.compile(r"\.matches\(\s*r?(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")")


def check_description(text: str) -> None:
    """Refuse what is no description of a rule."""
    if not 1 <= len(text) <= DESCRIPTION_CHARACTERS:
        raise RefusedError(
            f"description must have 1 to {DESCRIPTION_CHARACTERS} characters, got {len(text)} in {text!r}: "
            "shorten it"
        )


def check_rules_language(description: str, expression: str, *, enterprise: bool) -> None:
    """Refuse an expression that Google would not compile, or that the tier does not pay for."""
    where = f"expression of {description!r}"
    if len(expression) > _EXPRESSION_CHARACTERS or not expression.isprintable():
        raise RefusedError(
            f"{where} must be one printable line of at most {_EXPRESSION_CHARACTERS} characters, "
            f"got {len(expression)}: split the rule"
        )
    parts = split_subexpressions(expression)
    if len(parts) > _SUBEXPRESSIONS:
        raise RefusedError(
            f"{where} must have at most {_SUBEXPRESSIONS} subexpressions, got {len(parts)}: "
            "split the rule or shorten its list"
        )
    longest = max(parts, key=len)
    if len(longest) > _SUBEXPRESSION_CHARACTERS:
        raise RefusedError(
            f"a subexpression of {description!r} must have at most {_SUBEXPRESSION_CHARACTERS} characters, "
            f"got {len(longest)}: split the rule"
        )
    try:
        check_expression(expression, ARMOR)
        check_attributes(expression, ARMOR)
        check_types(expression)
    except RefusedError as error:
        raise RefusedError(f"{where} {error}: correct it in {expression!r}") from None
    _check_guards(where, expression)
    for pattern in (first or second for first, second in _PATTERN.findall(expression)):
        _check_regular_expression(where, pattern)
    for function in ENTERPRISE_FUNCTIONS:
        if not enterprise and f"{function}(" in outside_quotes(expression):
            raise RefusedError(f"{where} must not call {function} on the tier Standard: remove it or enrol")


def _check_guards(where: str, expression: str) -> None:
    """A rule that reads an absent header is an error to Google, which takes that for no match."""
    named = {match[2] for match in _HEADER.finditer(expression) if not match[1]}
    guarded = {match[2] for match in _HEADER.finditer(expression) if match[1]}
    if bare := sorted(named - guarded):
        raise RefusedError(
            f"{where} must ask has(request.headers['{bare[0]}']) before it reads that header, got none: "
            "without it a request that leaves the header out ends the rule"
        )


def _check_regular_expression(where: str, pattern: str) -> None:
    """RE2 looks neither back nor around, and Google takes no groups that capture."""
    if _LOOK_AROUND.search(pattern):
        raise RefusedError(f"{where} must not look around or refer back, got {pattern!r}: rewrite it")
    outside = _CLASS.sub("q", pattern)
    if _NOT_RE2.search(outside):
        raise RefusedError(
            f"{where} must hold RE2's syntax, got an atomic group, a comment or a possessive "
            f"count in {pattern!r}: rewrite it"
        )
    counts = [int(text) for found in _COUNT.findall(outside) for text in found if text]
    if max(counts, default=0) > _REPETITIONS:
        raise RefusedError(f"{where} must repeat at most {_REPETITIONS} times, got {max(counts)}: lower it")
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise RefusedError(f"{where} must hold regular expressions, got {pattern!r}: {error}") from None
    if groups:
        raise RefusedError(f"{where} must not hold a group that captures, got {pattern!r}: write (?:...)")


def split_subexpressions(expression: str) -> list[str]:
    """The parts between the logical operators; operators inside quoted text are text."""
    bare = re.sub(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", lambda m: "q" * len(m.group()), expression)
    parts: list[str] = []
    start = 0
    for operator in re.finditer(r"&&|\|\|", bare):
        parts.append(expression[start : operator.start()].strip())
        start = operator.end()
    return [*parts, expression[start:].strip()]


def check_ranges(field: str, ranges: Sequence[str], high: int) -> None:
    """Refuse what is no range, and more of them than one rule takes."""
    check_items(field, ranges, 1, high)
    for text in ranges:
        try:
            ipaddress.ip_network(text)
        except ValueError as error:
            raise RefusedError(f"{field} must hold CIDR ranges, got {text!r}: {error}") from None


def check_items(field: str, items: Sequence[str], low: int, high: int) -> None:
    """Refuse a list that is too short or too long."""
    if not low <= len(items) <= high:
        raise RefusedError(f"{field} must hold {low} to {high} items, got {len(items)}: correct the list")


def check_range(field: str, value: int, low: int, high: int, unit: str = "") -> None:
    """Refuse a number outside its bounds."""
    if not low <= value <= high:
        words = f" {unit}" if unit else ""
        raise RefusedError(f"{field} must be between {low} and {high}{words}, got {value}: correct it")


def check_one_of(field: str, value: int, known: Sequence[int], remedy: str) -> None:
    """Refuse a number that is not in Google's list."""
    if value not in known:
        raise RefusedError(f"{field} must be one of {', '.join(map(str, known))}, got {value}: {remedy}")


def check_pattern(field: str, items: Sequence[str], pattern: str, what: str) -> None:
    """Refuse an item of another form."""
    for item in items:
        if not re.fullmatch(pattern, item):
            raise RefusedError(f"{field} must hold {what} each, got {item!r}: correct it")

"""Expressions and filters: IAM conditions, federation, Cloud Armor, logging; all are parsed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from facts.cel import ARMOR, Dialect, check_attributes, check_expression, check_types, outside_quotes
from facts.filter_languages import check_logging_filter, check_monitoring_filter
from facts.refusal import RefusedError
from sandbox.cloud.behaviours.armor_rules import RULES, rules_of
from sandbox.cloud.behaviours.iam_forms import GRANTS, bindings_of
from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import Values, as_list, as_map, at

_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_INVALID: Final = "INVALID_ARGUMENT"
_PAIRS: Final = {")": "(", "]": "[", "}": "{"}


def unbalanced(text: str) -> str:
    """Why the text is no expression of balanced brackets and closed quotes; empty when it is."""
    open_: list[str] = []
    quote = ""
    escaped = False
    for letter in text:
        if quote:
            if escaped:
                escaped = False
            elif letter == "\\":
                escaped = True
            elif letter == quote:
                quote = ""
        elif letter in "\"'":
            quote = letter
        elif letter in "([{":
            open_.append(letter)
        elif letter in _PAIRS and (not open_ or open_.pop() != _PAIRS[letter]):
            return f"an unopened {letter}"
    if quote:
        return "an unclosed quote"
    return f"an unclosed {open_[-1]}" if open_ else ""


def _cel(text: str, dialect: Dialect | None = None) -> str:
    """What is wrong with a CEL expression, or an empty text."""
    try:
        check_expression(text, dialect)
    except RefusedError as error:
        return str(error)
    return ""


@behaviour("IAM-017", GRANTS, _BOTH, 400, _INVALID, "general knowledge of IAM conditions")
def condition_expression(call: Call) -> Iterator[Problem]:
    """A condition that is no CEL."""
    given = [("condition.expression", call.text("condition.expression"))]
    given += [
        ("policyData", str(at(item, "condition.expression") or ""))
        for item in bindings_of(call.get("policyData"))
    ]
    for where, text in given:
        wrong = _cel(text) if text else ""
        if wrong:
            yield Problem(where, f"`{where}`: a condition {wrong}: {text!r}; correct the expression.")


@behaviour(
    "WIF-007",
    "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
    _BOTH,
    400,
    _INVALID,
    "Google Cloud documentation: IAM, attribute conditions",
)
def claim_condition(call: Call) -> Iterator[Problem]:
    """A condition on claims that is no CEL."""
    text = call.text("attributeCondition")
    wrong = _cel(text) if text else ""
    if wrong:
        yield Problem("attributeCondition", f"`attributeCondition` {wrong}: {text!r}; correct it.")


def _rules(call: Call) -> Iterator[tuple[str, str]]:
    for where, rule in rules_of(call):
        text = at(rule, "match.expr.expression")
        if isinstance(text, str):
            yield f"{where}match.expr.expression", text


@behaviour("ARM-023", RULES, _BOTH, 400, "invalid", "firezone/firezone, expression could not be parsed")
def armor_syntax(call: Call) -> Iterator[Problem]:
    """An expression that does not parse, calls what is no function or mixes types."""
    for where, text in _rules(call):
        try:
            check_expression(text, ARMOR)
            check_types(text)
        except RefusedError as error:
            yield Problem(where, f"`{where}` {error}; correct the expression.")


@behaviour(
    "ARM-021",
    RULES,
    _BOTH,
    400,
    "invalid",
    "GoogleCloudPlatform issue threads, limit of 5 subexpressions",
)
def armor_parts(call: Call) -> Iterator[Problem]:
    """An expression of more than five parts."""
    for where, text in _rules(call):
        parts = len(re.findall(r"&&|\|\|", outside_quotes(text))) + 1
        if parts > 5:
            yield Problem(where, f"`{where}` takes at most 5 subexpressions, not {parts}; split the rule.")


@behaviour(
    "ARM-024",
    RULES,
    _BOTH,
    400,
    "invalid",
    "Google Cloud documentation: Cloud Armor, custom rules language",
)
def armor_attribute(call: Call) -> Iterator[Problem]:
    """An attribute that the rules language does not have."""
    for where, text in _rules(call):
        if not _cel(text, ARMOR):
            try:
                check_attributes(text, ARMOR)
            except RefusedError as error:
                yield Problem(where, f"`{where}` {error}; correct the expression.")


@behaviour("ARM-025", RULES, _BOTH, 400, "invalid", "issue threads: regular expression is not supported")
def armor_pattern(call: Call) -> Iterator[Problem]:
    """A pattern with a look-around or a back-reference."""
    for where, text in _rules(call):
        for pattern in re.findall(r"matches\(\s*r?['\"](.*?)['\"]\s*\)", text):
            if re.search(r"\(\?(?:[=!]|<[=!])|\\[1-9]", pattern):
                yield Problem(
                    where, f"`{where}`: {pattern!r} needs look-around or back-references; rewrite it."
                )


@behaviour(
    "ARM-028",
    RULES,
    _BOTH,
    400,
    "invalid",
    "Google Cloud documentation: Cloud Armor, tune preconfigured rules",
)
def armor_sensitivity(call: Call) -> Iterator[Problem]:
    """A sensitivity outside 0 to 4, or opt-in and opt-out together."""
    for where, text in _rules(call):
        for level in re.findall(r"['\"]sensitivity['\"]\s*:\s*(\d+)", text):
            if int(level) > 4:
                yield Problem(where, f"`{where}`: sensitivity must be from 0 to 4, not {level}; correct it.")
        if "opt_in_rule_ids" in text and "opt_out_rule_ids" in text:
            yield Problem(
                where, f"`{where}`: opt_in_rule_ids excludes opt_out_rule_ids; remove one of the two."
            )


@behaviour(
    "LOG-024",
    ("gcp:logging/metric:Metric", "gcp:logging/projectSink:ProjectSink"),
    _BOTH,
    400,
    _INVALID,
    "general knowledge of Cloud Logging",
)
def log_filter(call: Call) -> Iterator[Problem]:
    """A filter that does not parse, or of more than 20,000 characters."""
    wrong = _filter(call.text("filter"), check_logging_filter)
    if wrong:
        yield Problem("filter", f"`filter` {wrong}; correct it.")
    for index, item in enumerate(call.blocks("exclusions")):
        path = f"exclusions[{index}].filter"
        wrong = _filter(str(item.get("filter") or ""), check_logging_filter)
        if wrong:
            yield Problem(path, f"`{path}` {wrong}; correct it.")


@behaviour(
    "MON-100",
    ("gcp:monitoring/alertPolicy:AlertPolicy", "gcp:monitoring/slo:Slo"),
    _BOTH,
    400,
    _INVALID,
    "Google Cloud documentation: monitoring filters, logging query language",
)
def series_filter(call: Call) -> Iterator[Problem]:
    """A filter of time series, or of log lines, that does not parse."""
    for where, name, text in _series_filters("", call.inputs):
        check = check_logging_filter if "conditionMatchedLog" in where else check_monitoring_filter
        wrong = _filter(text, check) if name != "filter" or text else "is empty"
        if wrong:
            yield Problem(f"{where}{name}", f"`{where}{name}` {wrong}; correct it.")


def _series_filters(where: str, values: Values) -> Iterator[tuple[str, str, str]]:
    """Every filter in a block and those inside: where it stands, its name and text."""
    for name, value in values.items():
        if name.lower().endswith("filter") and isinstance(value, str):
            yield where, name, value
        for index, item in enumerate(as_list(value) or []):
            block = as_map(item)
            if block is not None:
                yield from _series_filters(f"{where}{name}[{index}].", block)
        block = as_map(value)
        if block is not None and name not in {"userLabels", "documentation"}:
            yield from _series_filters(f"{where}{name}.", block)


def _filter(text: str, check: Callable[[str], None]) -> str:
    try:
        check(text)
    except RefusedError as error:
        return str(error)
    return ""


@behaviour("LOG-032", "gcp:logging/metric:Metric", _BOTH, 400, _INVALID, "issue threads of log-based metrics")
def one_group(call: Call) -> Iterator[Problem]:
    """REGEXP_EXTRACT takes exactly one group."""
    found = [("valueExtractor", call.text("valueExtractor"))]
    for key, value in (as_map(call.get("labelExtractors")) or {}).items():
        found.append((f"labelExtractors.{key}", str(value)))
    for where, text in found:
        match = re.fullmatch(r"REGEXP_EXTRACT\(.+?,\s*[\"'](.*)[\"']\)", text)
        if match is None:
            continue
        groups = len(re.findall(r"(?<!\\)\((?!\?:)", match[1]))
        if groups != 1:
            yield Problem(where, f"`{where}` must hold exactly one capture group, not {groups}; correct it.")

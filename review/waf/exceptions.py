"""What rules that ask preconfigured sets do not look at, each with the reason that somebody wrote down.

A signature opted out, a field excluded and a condition under which a set is asked are holes made on purpose.
`exceptions.yaml` beside this file says why; one without a reason keeps the proof from holding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from review.waf.expressions import QUOTED, SET_CALL, set_calls
from review.waf.fields import Exclusion
from review.waf.policy import Policy, Rule
from sandbox.errors import UsageError

__all__ = ["REASONS", "Reason", "Waiver", "load_reasons", "waivers"]

REASONS: Final = Path(__file__).parent / "exceptions.yaml"
CONDITIONS: Final = "requests outside its conditions"

_Text = Annotated[str, Field(min_length=1)]


class Reason(BaseModel):
    """Why some exceptions of one set, or of every set (``*``), are there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule_set: _Text
    what: Annotated[tuple[_Text, ...], Field(min_length=1)]
    """As the report says them: `signature 942100`, `query_param ENDS_WITH text`."""
    reason: _Text


@dataclass(frozen=True, slots=True)
class Waiver:
    """One thing that a rule does not look at; ``reason`` empty where none is written down."""

    rule: Rule
    rule_set: str
    what: str
    reason: str = ""


def load_reasons(path: Path = REASONS) -> tuple[Reason, ...]:
    """The written reasons. Raises UsageError for a file that is no good."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
        return TypeAdapter(tuple[Reason, ...]).validate_python(found or ())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path.name} cannot be read: write the reasons of exceptions there") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(
            f"{path.name}: {where}: {first['msg']}, got {first['input']!r:.80}: correct it"
        ) from (error)


def waivers(policy: Policy, reasons: Iterable[Reason]) -> list[Waiver]:
    """All exceptions of a policy, in the order of judgement, each once."""
    written = {(reason.rule_set, what): reason.reason for reason in reasons for what in reason.what}
    found: list[Waiver] = []
    for rule in policy.rules:
        if rule.is_waf:
            for rule_set, what in dict.fromkeys(_of(rule)):
                reason = written.get((rule_set, what)) or written.get(("*", what), "")
                found.append(Waiver(rule, rule_set, what, reason))
    return found


def _of(rule: Rule) -> Iterator[tuple[str, str]]:
    calls = set_calls(rule.expression)
    for call in calls:
        others = [other for other in calls if other.name == call.name]
        for signature in sorted(call.opt_out):
            everywhere = all(signature in other.opt_out for other in others)
            yield call.name, f"signature {signature}" + ("" if everywhere else " outside its conditions")
    for item in rule.exclusions:
        yield item.rule_set, _field(item)
    asked_always = set(_always_asked(rule.expression))
    for name in dict.fromkeys(call.name for call in calls):
        if name not in asked_always:
            yield name, CONDITIONS


def _alternatives(expression: str) -> Iterator[str]:
    """What stands between the `||` outside all brackets and quotes."""
    masked = _masked(expression)
    depth = start = 0
    for sign in re.finditer(r"[()]|\|\|", masked):
        depth += {"(": 1, ")": -1}.get(sign[0], 0)
        if sign[0] == "||" and not depth:
            yield expression[start : sign.start()].strip()
            start = sign.end()
    yield expression[start:].strip()


def _masked(expression: str) -> str:
    """The expression with quoted text made harmless, every sign in its place."""
    return re.sub(QUOTED, lambda text: "q" * len(text[0]), expression)


def _always_asked(expression: str) -> Iterator[str]:
    """The sets that every request meets which no earlier alternative stopped."""
    for part in _alternatives(expression):
        if SET_CALL.fullmatch(part):
            yield set_calls(part)[0].name
        elif _bracketed(part):
            yield from _always_asked(part[1:-1])


def _bracketed(part: str) -> bool:
    """Whether the first bracket closes with the last sign."""
    depth, masked = 0, _masked(part)
    for place, sign in enumerate(masked):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if not depth:
            return sign == ")" and place == len(masked) - 1
    return False


def _field(item: Exclusion) -> str:
    named = item.operator if item.operator == "EQUALS_ANY" else f"{item.operator} {item.value}"
    signatures = f" in {', '.join(map(str, sorted(item.signatures)))}" if item.signatures else ""
    return f"{item.part} {named}{signatures}"

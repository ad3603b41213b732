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

from review.waf.expressions import SET_CALL, set_calls
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
        for signature in sorted(call.opt_out):
            yield call.name, f"signature {signature}"
    for item in rule.exclusions:
        yield item.rule_set, _field(item)
    # What is left of the expression without its calls, their brackets and what joins them.
    if re.search(r"[^\s()|]", SET_CALL.sub("", rule.expression)):
        for name in dict.fromkeys(call.name for call in calls):
            yield name, CONDITIONS


def _field(item: Exclusion) -> str:
    named = item.operator if item.operator == "EQUALS_ANY" else f"{item.operator} {item.value}"
    signatures = f" in {', '.join(map(str, sorted(item.signatures)))}" if item.signatures else ""
    return f"{item.part} {named}{signatures}"

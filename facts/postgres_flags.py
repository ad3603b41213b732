"""The flags that Cloud SQL for PostgreSQL takes: kind, range, restart, and what a replica must not undercut.

A value is text, as Cloud SQL takes it: on or off, a plain number in the flag's own unit, a word. Source of
the data file: the flags page and the release notes of Cloud SQL, the parameter tables of PostgreSQL.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, cast

from facts.provider import data_file
from facts.refusal import RefusedError

__all__ = [
    "Flag",
    "Order",
    "catalogue",
    "change_order",
    "check_flags",
    "check_replica_flags",
    "refuse_weaker_flags",
    "restarting_flags",
]

Kind = Literal["boolean", "integer", "float", "enum", "string"]
Order = Literal["any", "replicas first", "primary first"]
"""Which instances change first, so that no replica stands below its primary meanwhile."""

# What logins without a password and the audit log depend on.
_FIXED: Final = ("cloudsql.iam_authentication", "cloudsql.enable_pgaudit")
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Flag:
    """One flag as Cloud SQL knows it."""

    name: str
    kind: Kind
    low: float | None = None
    """Least number, in the flag's own unit; None where the source states none."""
    high: float | None = None
    """Greatest number."""
    values: tuple[str, ...] = ()
    """Words that an enum takes; none where the source lists none."""
    restart: bool = True
    """Whether a change restarts the instance; so assumed where the source does not say."""
    replica: bool = False
    """Whether a replica's value must be at least its primary's."""

    def refuse(self, field: str, value: str) -> None:
        """Refuse a value that the flag does not take; ``field`` is the flag as a person wrote it."""
        match self.kind:
            case "boolean":
                allowed = ("on", "off")
            case "enum":
                allowed = self.values
            case "integer" | "float":
                self._refuse_number(field, value)
                return
            case "string":
                return
        if allowed and value not in allowed:
            raise RefusedError(f"{field} must be one of {', '.join(allowed)}, got {value!r}; choose one")

    def _refuse_number(self, field: str, value: str) -> None:
        whole = self.kind == "integer"
        if _NUMBER.fullmatch(value) is None or (whole and "." in value):
            kind = "whole number" if whole else "number"
            raise RefusedError(f"{field} must be a plain {kind} without a unit, got {value!r}; correct it")
        if self.low is None or self.high is None:
            return
        if not self.low <= float(value) <= self.high:
            raise RefusedError(
                f"{field} must be between {self.low:g} and {self.high:.10g}, got {value}; correct it"
            )


@cache
def catalogue() -> Mapping[str, Flag]:
    """Every flag by its name."""
    rows = json.loads(data_file("postgres_flags.json").read_text(encoding="utf-8"))["flags"]
    return {name: _flag(name, row) for name, row in cast("dict[str, dict[str, Any]]", rows).items()}


def check_flags(field: str, flags: Mapping[str, str]) -> None:
    """Refuse a flag that does not exist, or a value that it does not take."""
    for name, value in flags.items():
        flag = catalogue().get(name)
        if flag is None:
            near = difflib.get_close_matches(name, catalogue(), n=1)
            remedy = f"did you mean {near[0]!r}?" if near else "remove it"
            raise RefusedError(f"{field} must name flags of Cloud SQL for PostgreSQL, got {name!r}; {remedy}")
        flag.refuse(f"{field}.{name}", value)


def refuse_weaker_flags(field: str, flags: Mapping[str, str]) -> None:
    """Refuse to switch off what logins and the audit log depend on."""
    for flag in _FIXED:
        if flags.get(flag, "on") != "on":
            raise RefusedError(f"{field}.{flag} must stay on, got {flags[flag]!r}; remove it")


def check_replica_flags(field: str, primary: Mapping[str, str], replica: Mapping[str, str]) -> None:
    """Refuse a replica whose value is below its primary's where replay would stop; all flags are checked.

    A flag that only one of the two states is compared with nothing: its default depends on the memory.
    """
    for name, value in replica.items():
        above = primary.get(name)
        if above is None or not catalogue()[name].replica:
            continue
        if int(value) < int(above):
            raise RefusedError(
                f"{field}.{name} must be at least the {above} of the instance it follows, got {value}; "
                "raise it, or lower the other first"
            )


def restarting_flags(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[str, ...]:
    """Which of the flags that differ restart the instance, sorted; a removed flag counts as changed."""
    known = catalogue()
    differing = {name for name in {*old, *new} if old.get(name) != new.get(name)}
    return tuple(sorted(name for name in differing if name not in known or known[name].restart))


def change_order(name: str, old: str, new: str) -> Order:
    """Where a change of a flag begins, when primary and replicas share it."""
    if not catalogue()[name].replica or int(old) == int(new):
        return "any"
    return "replicas first" if int(new) > int(old) else "primary first"


def _flag(name: str, row: Mapping[str, Any]) -> Flag:
    return Flag(
        name=name,
        kind=row["kind"],
        low=row.get("low"),
        high=row.get("high"),
        values=tuple(row.get("values", ())),
        restart=row.get("restart", True),
        replica=row.get("replica", False),
    )

"""Cloud SQL: database flags of PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import facts.provider
from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import as_list, as_map, at, plain

_INSTANCE: Final = "gcp:sql/databaseInstance:DatabaseInstance"
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)


@cache
def _flags() -> dict[str, dict[str, Any]]:
    path = facts.provider.data_file("postgres_flags.json")
    return json.loads(path.read_text(encoding="utf-8"))["flags"]


def _given(call: Call) -> Iterator[tuple[str, str, str]]:
    if not call.text("databaseVersion").startswith("POSTGRES"):
        return
    for index, flag in enumerate(call.blocks("settings.databaseFlags")):
        yield f"settings.databaseFlags[{index}]", str(flag.get("name")), str(flag.get("value"))


@behaviour(
    "SQL-019",
    _INSTANCE,
    _BOTH,
    400,
    "invalidFlagName",
    "hashicorp/terraform-provider-google, flag requested is not supported",
)
def unknown_flag(call: Call) -> Iterator[Problem]:
    """A flag that Cloud SQL for PostgreSQL does not have."""
    for where, name, _ in _given(call):
        if name not in _flags() and "." not in name:
            yield Problem(
                f"{where}.name", f"`{where}.name`: Cloud SQL has no flag {name!r}; correct or remove it."
            )


@behaviour(
    "SQL-020",
    _INSTANCE,
    _BOTH,
    400,
    "invalidFlagValue",
    "hashicorp/terraform-provider-google, value requested is not valid",
)
def flag_value(call: Call) -> Iterator[Problem]:
    """A flag's value is of the wrong kind or out of range."""
    for where, name, value in _given(call):
        flag = _flags().get(name, {})
        path = f"{where}.value"
        if flag.get("kind") == "boolean" and value not in {"on", "off"}:
            yield Problem(path, f"`{path}` of {name} must be on or off, not {value!r}; correct it.")
        if flag.get("kind") != "integer":
            continue
        low, high = flag.get("low"), flag.get("high")
        if not value.lstrip("-").isdigit():
            yield Problem(path, f"`{path}` of {name} must be a whole number, not {value!r}; correct it.")
        elif low is not None and high is not None and not low <= int(value) <= high:
            yield Problem(path, f"`{path}` of {name} must be from {low} to {high}, not {value}; correct it.")


@behaviour(
    "SQL-018", _INSTANCE, _BOTH, 400, "INVALID_ARGUMENT", "general knowledge of PostgreSQL replication"
)
def below_primary(call: Call) -> Iterator[Problem]:
    """A replica's flag is below that of its primary."""
    name = call.text("masterInstanceName").rsplit("/", 1)[-1]
    primary = call.world.get(_INSTANCE, name) if name else None
    if primary is None:
        return
    listed = as_list(at(plain(primary.inputs), "settings.databaseFlags")) or []
    wanted = {str(flag.get("name")): str(flag.get("value")) for item in listed if (flag := as_map(item))}
    own = {flag: (where, value) for where, flag, value in _given(call)}
    for flag, value in wanted.items():
        if not _flags().get(flag, {}).get("replica") or not value.isdigit():
            continue
        where, mine = own.get(flag, ("settings.databaseFlags", ""))
        if mine.isdigit() and int(mine) < int(value):
            yield Problem(where, f"`{where}`: {flag} {mine} is below the primary's {value}; raise it.")

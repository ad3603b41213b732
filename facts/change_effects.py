"""What an update in place does to those who use a resource: it restarts, breaks off, costs, weakens.

Source of the data file: Google's pages on each product and the provider's update steps; a path covers what is
below it unless that has an entry of its own. Harmless changes have none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, cast

from facts.postgres_flags import restarting_flags
from facts.provider import data_file

__all__ = ["effect_of", "types"]

_DATABASE: Final = "gcp:sql/databaseInstance:DatabaseInstance"
_FLAGS: Final = "settings.databaseFlags"
_WORDS: Final[Mapping[str, str]] = {
    "restart": "restarts the instance",
    "brief-outage": "breaks some connections",
    "outage": "is an outage",
    "data-loss": "can lose data",
    "irreversible": "cannot be undone",
    "security-weakened": "weakens a protection",
    "propagation-delay": "takes effect little by little",
    "cost-step": "changes the bill",
}


@cache
def _table() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    return cast(
        "Mapping[str, Mapping[str, Mapping[str, Any]]]",
        json.loads(data_file("change_effects.json").read_text(encoding="utf-8")),
    )


def types() -> frozenset[str]:
    """The resource types about whose changes something is known."""
    return frozenset(_table())


def effect_of(type: str, path: str, old: Any, new: Any) -> str | None:
    """What a change of one property in place does, as the end of a sentence; None if nothing to be told."""
    entries = _table().get(type, {})
    plain = re.sub(r"\[[^\]]*\]", "", path)
    row = next((entries[name] for name in _prefixes(plain) if name in entries), None)
    if row is None or _harmless_flags(type, plain, old, new):
        return None
    words = [_WORDS[word] for word in _direction(row, old, new)]
    if not words:
        return None
    details = "; ".join(str(row[key]) for key in ("when", "duration") if key in row)
    return " and ".join(words) + (f" ({details})" if details else "")


def _prefixes(path: str) -> Iterator[str]:
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        yield ".".join(parts[:length])


def _direction(row: Mapping[str, Any], old: Any, new: Any) -> Sequence[str]:
    effects = cast("Sequence[str]", row.get("effects", ()))
    if isinstance(old, int | float) and isinstance(new, int | float) and old != new:
        return cast("Sequence[str]", row.get("up" if new > old else "down", effects))
    return effects


def _harmless_flags(type: str, path: str, old: Any, new: Any) -> bool:
    """Whether only flags differ that PostgreSQL reads anew while it runs; both are whole lists."""
    if type != _DATABASE or path != _FLAGS or not isinstance(old, list) or not isinstance(new, list):
        return False
    return not restarting_flags(_flags(cast("list[Any]", old)), _flags(cast("list[Any]", new)))


def _flags(items: Sequence[Any]) -> dict[str, str]:
    rows = [cast("Mapping[str, Any]", item) for item in items if isinstance(item, Mapping)]
    return {str(row.get("name")): str(row.get("value")) for row in rows}

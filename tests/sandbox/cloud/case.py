"""How a way to meet a behaviour is written down."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["Case"]


class Case(NamedTuple):
    """One refusal: the verb, the class of the type, the differing inputs, and what happens before."""

    behaviour: str
    verb: str
    name: str
    changes: dict[str, Any]
    before: tuple[tuple[str, str, dict[str, Any]], ...] = ()
    fine: dict[str, Any] | None = None
    """The nearest inputs that are accepted; else the platform's own ones are."""

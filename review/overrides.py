"""A step that loses something stateful needs its name, `--allow-replace NAME`; protection stays in force.

Protection guards staging and prod as a whole; where it is off, as in dev, a replacement still goes through
only when whoever asks for it names what is lost.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from facts.stateful import STATEFUL
from sandbox.model import Refusal
from sandbox.urn import type_of

__all__ = ["unnamed", "unprotected"]

# As both engines write them; a replacement also shows as its parts.
_LOST: Final = {"delete": "deleted", "replace": "replaced", "delete-replaced": "replaced"}


def unnamed(steps: Iterable[tuple[str, str]], allowed: Collection[str]) -> list[Refusal]:
    """Refusals of the steps (operation, URN) that lose something stateful which ``allowed`` does not name."""
    return list({refusal.urn: refusal for refusal in _refusals(steps, allowed)}.values())


def unprotected(states: Iterable[Mapping[str, Any]]) -> bool:
    """Whether an exported state holds something stateful that the engine itself would let go."""
    return any(state["type"] in STATEFUL and not state.get("protect") for state in states)


def _refusals(steps: Iterable[tuple[str, str]], allowed: Collection[str]) -> Iterator[Refusal]:
    for op, urn in steps:
        name, type = urn.rsplit("::", 1)[-1], type_of(urn)
        if op in _LOST and type in STATEFUL and not {name, urn} & {*allowed}:
            yield Refusal(
                kind="protect",
                message=(
                    f"{name} ({type}) holds what cannot be made again and would be {_LOST[op]}: undo that "
                    f"change, or name it with ARGS='--allow-replace {name}'"
                ),
                urn=urn,
            )

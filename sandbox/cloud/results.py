"""What the stand-in cloud answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.values import DiffKind

__all__ = ["CheckFailure", "DiffResult"]


@dataclass(frozen=True, slots=True)
class CheckFailure:
    """One property that the provider refuses, and why, in one sentence."""

    property: str
    reason: str


@dataclass(frozen=True, slots=True)
class DiffResult:
    """What differs between a resource and its new inputs.

    ``not_compared`` lists the encrypted values whose key is not here: they count as equal.
    """

    detailed: Mapping[str, DiffKind] = field(default_factory=dict[str, DiffKind])
    replaces: tuple[str, ...] = ()
    delete_before_replace: bool = False
    not_compared: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether anything differs."""
        return bool(self.detailed)

"""What a `down` must not touch: it is refused before the first delete, on every target in the same words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = ["KEPT_BY_GOOGLE", "refused_down"]

KEPT_BY_GOOGLE: Final = frozenset({"gcp:kms/keyRing:KeyRing", "gcp:kms/cryptoKey:CryptoKey"})
"""Kinds that Google never deletes: a stack lets go of them and the next ``up`` adopts them."""


def refused_down(stack: str, protected: Iterable[tuple[str, str]]) -> str | None:
    """The sentence that refuses it, from name and type of what is protected; None where nothing is."""
    held = sorted(
        f"{name} ({type.rsplit(':', 1)[-1]})" for name, type in protected if type not in KEPT_BY_GOOGLE
    )
    if not held:
        return None
    return (
        f"down of {stack} would delete {len(held)} protected resources, and nothing was deleted: "
        f"{', '.join(held)}; take their protection off in the stack file and run up first"
    )

"""Errors that Google gives while something fresh is still becoming visible; they pass by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

__all__ = ["PROPAGATION", "REPEATS", "propagation_of"]

REPEATS: Final = 3
"""How often an ``up`` is repeated at most."""

PROPAGATION: Final[tuple[tuple[str, str], ...]] = (
    ("a service agent that was made a moment ago", r"Service account \S+ does not exist"),
    ("a service agent that was made a moment ago", r"service account \S+ (was )?not found"),
    (
        "an API that was switched on a moment ago",
        r"has not been used in project \S+ before or it is disabled",
    ),
    ("an API that was switched on a moment ago", r"SERVICE_DISABLED"),
    ("a key grant made a moment ago", r"cloudkms\.cryptoKeyVersions\.use\w* (permission )?denied"),
    ("a key grant made a moment ago", r"Permission 'cloudkms\.cryptoKeyVersions\.\w+' denied"),
    ("a key grant made a moment ago", r"does not have permission to use (the )?(KMS|Cloud KMS) key"),
    (
        "a grant made a moment ago",
        r"IAM_PERMISSION_DENIED_PROPAGATING|may take (up to )?\S+ minutes? to propagate",
    ),
    ("a metric made a moment ago", r"Cannot find metric that matches type"),
)


def propagation_of(messages: Iterable[str]) -> str | None:
    """What Google does not see yet, when every one of ``messages`` is a listed error; else None."""
    found: str | None = None
    for message in messages:
        names = [name for name, pattern in PROPAGATION if re.search(pattern, message, re.IGNORECASE)]
        if not names:
            return None
        found = names[0]
    return found

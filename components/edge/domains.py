"""What a host name is, for every component of the edge."""

from __future__ import annotations

import re
from typing import Final

from facts.refusal import RefusedError

__all__ = ["check_host", "is_domain"]

_DOMAIN: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")


def is_domain(text: str) -> bool:
    """Whether it is a full name in lower case, without wildcard and without a dot at the end."""
    return len(text) <= 253 and _DOMAIN.fullmatch(text) is not None


def check_host(field: str, host: str) -> None:
    """Refuse what is no domain."""
    if not is_domain(host):
        raise RefusedError(
            f"{field} must be a lower-case host name without wildcard, got {host!r}: correct it"
        )

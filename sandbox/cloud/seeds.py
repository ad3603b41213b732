"""Values that Google would make itself, derived from a seed so that a run can be repeated."""

from __future__ import annotations

import base64
import hashlib
import uuid
from typing import Final

__all__ = ["Seeds", "project_number_of"]

_EPOCH: Final = "2026-01-05T09:00:00"


class Seeds:
    """A family of made-up values: the same seed and purpose give the same value."""

    __slots__ = ("_seed",)

    def __init__(self, *parts: str) -> None:
        self._seed = "\0".join(parts)

    def _bytes(self, purpose: str, count: int = 32) -> bytes:
        return hashlib.shake_256(f"{self._seed}\0{purpose}".encode()).digest(count)

    def hex(self, purpose: str, length: int) -> str:
        """``length`` hexadecimal digits."""
        return self._bytes(purpose, (length + 1) // 2).hex()[:length]

    def digits(self, purpose: str, length: int) -> str:
        """``length`` decimal digits, the first not 0."""
        low = 10 ** (length - 1)
        return str(low + int.from_bytes(self._bytes(purpose), "big") % (9 * low))

    def below(self, purpose: str, limit: int) -> int:
        """An integer from 0 to ``limit - 1``."""
        return int.from_bytes(self._bytes(purpose), "big") % limit

    def pick(self, purpose: str, alphabet: str, length: int) -> str:
        """``length`` letters of an alphabet."""
        return "".join(alphabet[byte % len(alphabet)] for byte in self._bytes(purpose, 2 * length)[::2])

    def base64(self, purpose: str, count: int) -> str:
        """``count`` bytes in base64."""
        return base64.b64encode(self._bytes(purpose, count)).decode()

    def uuid(self, purpose: str) -> str:
        """A version 4 UUID."""
        return str(uuid.UUID(bytes=self._bytes(purpose, 16), version=4))

    def time(self, purpose: str = "time") -> str:
        """A moment of creation in RFC 3339."""
        return f"{_EPOCH}.{self.below(purpose, 10**6):06d}Z"


def project_number_of(project: str) -> str:
    """The number that stands for a project without a known number: 12 digits, always the same."""
    return Seeds("project", project).digits("number", 12)

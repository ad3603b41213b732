"""What code raises when it refuses a value that a person gave."""

from __future__ import annotations

__all__ = ["RefusedError"]


class RefusedError(ValueError):
    """A value that cannot be used; the message is one sentence: field, rule, value, remedy.

    Only this becomes a sentence without a place in the code; any other exception is a bug and says where.
    """

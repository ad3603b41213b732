"""Ctrl-C: what it left behind, in one sentence."""

from __future__ import annotations

__all__ = ["AS_BEFORE", "GOES_ON", "RunInterruptedError"]

AS_BEFORE = "interrupted; the state is as it was before"
GOES_ON = "interrupted; what was done until then is kept, and the same command again goes on from there"


class RunInterruptedError(Exception):
    """A run that may have changed something was interrupted; the text says what is true of it."""

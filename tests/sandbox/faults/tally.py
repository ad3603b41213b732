"""How many faults the tests of this folder put into deployments."""

from __future__ import annotations

__all__ = ["TALLY"]


class Tally:
    """A count that the summary of the run shows."""

    def __init__(self) -> None:
        self.put = 0


TALLY = Tally()

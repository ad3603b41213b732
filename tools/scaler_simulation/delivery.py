"""How Pub/Sub delivers again, and when it gives a message up: as the platform's queue of jobs declares it."""

from __future__ import annotations

from dataclasses import dataclass

from config_messaging import Messaging

__all__ = ["DECLARED", "Delivery"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """What a subscription does with a message that was not acknowledged."""

    attempts: int
    """Deliveries until it becomes a dead letter."""
    minimum_backoff_seconds: float
    maximum_backoff_seconds: float
    lease_seconds: float
    """Of a delivery; a worker extends it at half of the time."""

    def backoff(self, failures: int) -> float:
        """Wait after so many failed deliveries: doubled each time, between the bounds."""
        doubled = self.minimum_backoff_seconds * 2 ** (failures - 1)
        return min(self.maximum_backoff_seconds, doubled)

    def lease_left(self, held: float) -> float:
        """Until Pub/Sub notices that the worker that held a message so long is dead."""
        return self.lease_seconds - held % (self.lease_seconds / 2)


_JOBS = Messaging().queues["jobs"]
DECLARED = Delivery(
    attempts=_JOBS.max_delivery_attempts,
    minimum_backoff_seconds=_JOBS.minimum_backoff_seconds,
    maximum_backoff_seconds=_JOBS.maximum_backoff_seconds,
    lease_seconds=_JOBS.ack_deadline_seconds,
)
"""The platform's own."""

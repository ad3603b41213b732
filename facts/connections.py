"""How many connections a database can be asked for: instances x pool size, against what it takes.

Pure arithmetic. `RESERVED` connections are left to others: three are the server's own for superusers
(PostgreSQL's default of superuser_reserved_connections); the rest is for Cloud SQL's agents, whose number
Google does not publish, and for migration, rotation, drill and a person with psql. While a revision is
rolled out the old one still holds its connections, so each client counts twice at its upper bound.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["RESERVED", "Budget", "Client", "budget"]

RESERVED = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Client:
    """A service that keeps one pool per instance to one endpoint."""

    name: str
    minimum: int
    """Instances at least, 0 or more."""
    maximum: int
    """Instances at most, `minimum` or more."""
    pool: int
    """Connections that one instance opens at most, 1 or more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """What the clients of one endpoint may open together."""

    limit: int
    """The endpoint's max_connections."""
    minimum: int
    maximum: int
    rollout: int
    """While every client is rolled out at its upper bound."""

    @property
    def available(self) -> int:
        """What the clients may share."""
        return max(0, self.limit - RESERVED)

    @property
    def fits(self) -> bool:
        """Whether even the roll-out finds its connections."""
        return self.rollout <= self.available


def budget(limit: int, clients: Iterable[Client]) -> Budget:
    """The budget of an endpoint that takes `limit` connections."""
    found = list(clients)
    maximum = sum(client.maximum * client.pool for client in found)
    return Budget(
        limit=limit,
        minimum=sum(client.minimum * client.pool for client in found),
        maximum=maximum,
        rollout=2 * maximum,
    )

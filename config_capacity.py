"""Whether the sizes of the stack configuration fit together: instances and what the database takes."""

from __future__ import annotations

from collections.abc import Iterable

from config_sections import Postgres, Scaling, Workers
from facts.connections import RESERVED, Client, budget
from facts.refusal import RefusedError
from facts.sizes import connection_limit

__all__ = ["check_connections"]


def check_connections(
    postgres: Postgres, workers: Workers, api_pool: int, api_scalings: Iterable[Scaling]
) -> None:
    """Refuse pools that the primary cannot serve. A replica serves its own region only, so it has no more."""
    clients = [_client("api", scaling, api_pool) for scaling in api_scalings]
    clients += [
        _client("workers", scaling, workers.database_pool_size)
        for scaling in (workers.scaling, workers.batch_scaling)
        if scaling is not None
    ]
    limit = connection_limit(postgres.tier)
    found = budget(limit, clients)
    if not found.fits:
        raise RefusedError(
            f"database_pool_size x max_instances of api and workers must be at most {found.available} "
            f"connections during a roll-out (postgres.tier {postgres.tier} takes {limit}, {RESERVED} are "
            f"reserved), got {found.rollout}; lower one of them or raise postgres.tier"
        )


def _client(name: str, scaling: Scaling, pool: int) -> Client:
    return Client(name=name, minimum=scaling.min_instances, maximum=scaling.max_instances, pool=pool)

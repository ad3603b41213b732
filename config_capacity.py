"""Whether the sizes of the stack configuration fit together: instances and what the database takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from config_database import Postgres
from config_sections import Scaling, Workers
from facts.addresses import subnet_prefix
from facts.connections import RESERVED, Client, budget
from facts.refusal import RefusedError

__all__ = ["check_connections", "check_instances"]


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
    limit = postgres.connection_limit
    found = budget(limit, clients)
    if not found.fits:
        raise RefusedError(
            f"database_pool_size x max_instances of api and workers must be at most {found.available} "
            f"connections during a roll-out (postgres.tier {postgres.tier} takes {limit}, {RESERVED} are "
            f"reserved), got {found.rollout}; lower one of them or raise postgres.tier"
        )


def check_instances(
    api: Mapping[str, Scaling], homes: Sequence[str], workers: Workers, run_prefix: int
) -> None:
    """Refuse more instances than a region's subnet has addresses for; workers run at home only."""
    batch = workers.batch_scaling
    for region, scaling in api.items():
        instances = scaling.max_instances
        if region in homes:
            instances += workers.scaling.max_instances + (batch.max_instances if batch else 0)
        needed = subnet_prefix(instances)
        if needed < run_prefix:
            raise RefusedError(
                f"network.run_prefix must be {needed} or less for {instances} instances in {region}, "
                f"got {run_prefix}; lower it, or lower max_instances of api and workers"
            )


def _client(name: str, scaling: Scaling, pool: int) -> Client:
    return Client(name=name, minimum=scaling.min_instances, maximum=scaling.max_instances, pool=pool)

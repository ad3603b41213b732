"""The connection budget: what the workloads of a stack may open to each database, against what it takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from facts.connections import RESERVED, Budget, Client, budget
from facts.sizes import connection_limit
from policies.model import UNKNOWN, Finding, Resource, number, say, stack_rule, text
from policies.sql_instances import INSTANCE

__all__ = ["POOL_SIZE", "RULES", "Endpoint", "endpoints"]

SERVICE: Final = "gcp:cloudrunv2/service:Service"
POOL: Final = "gcp:cloudrunv2/workerPool:WorkerPool"
POOL_SIZE: Final = "DATABASE_POOL_SIZE"
"""The variable by which an image is told how many connections an instance may open to each database."""
_SCALER: Final = "SCALER_CONFIG"
"""The variable by which a scaler is told which pools it scales and how far."""
# Cloud Run's own default, where a service states no upper bound.
_UNBOUNDED: Final = 100
_TIER: Final = re.compile(r"db-custom-\d+-\d+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """One database and the workloads that are given its connection name."""

    urn: str
    resource: Resource
    clients: tuple[Client, ...]
    budget: Budget


def endpoints(resources: Sequence[Resource]) -> list[Endpoint]:
    """Every database whose limit is known, by name; a workload counts where its pool size is known."""
    scaled = _scaled(resources)
    found = [
        Endpoint(urn=instance.urn, resource=instance, clients=clients, budget=budget(limit, clients))
        for instance in resources
        if instance.type == INSTANCE and (limit := _limit(instance)) is not None
        for clients in [tuple(_clients(instance, resources, scaled))]
    ]
    return sorted(found, key=lambda one: one.resource.name)


def _limit(instance: Resource) -> int | None:
    for flag in instance.each("settings.databaseFlags"):
        if flag.get("name") == "max_connections":
            value = number(flag.get("value"))
            return None if value is None else int(value)
    tier = text(instance.get("settings.tier"))
    return connection_limit(tier) if tier is not None and _TIER.fullmatch(tier) else None


def _scaled(resources: Sequence[Resource]) -> Mapping[tuple[str, str], int]:
    """Location and name of each pool that a scaler raises, and how far; what cannot be read is left out."""
    found: dict[tuple[str, str], int] = {}
    for service in resources:
        for container in service.each("template.containers") if service.type == SERVICE else ():
            for variable in container.each("envs"):
                value = text(variable.get("value")) if variable.get("name") == _SCALER else None
                pools: Mapping[str, Any] = json.loads(value)["pools"] if value is not None else {}
                found |= {(str(one["location"]), name): int(one["maximum"]) for name, one in pools.items()}
    return found


def _clients(
    instance: Resource, resources: Sequence[Resource], scaled: Mapping[tuple[str, str], int]
) -> Iterator[Client]:
    region, name = text(instance.get("region")), text(instance.get("name"))
    if region is None or name is None:
        return
    for workload in resources:
        if workload.type not in (SERVICE, POOL):
            continue
        for container in workload.each("template.containers"):
            variables = {one.get("name"): one.get("value") for one in container.each("envs")}
            size = number(variables.get(POOL_SIZE))
            if size is not None and any(
                _names(value, workload, instance, f":{region}:{name}")
                for key, value in variables.items()
                if isinstance(key, str) and key.startswith("DATABASE_") and key.endswith("INSTANCE")
            ):
                yield _client(workload, int(size), scaled)


def _names(value: object, workload: Resource, instance: Resource, end: str) -> bool:
    """Whether a variable holds the instance's connection name, or will once the instance stands."""
    if value is UNKNOWN:
        return instance.urn in workload.property_dependencies.get("template", ())
    return isinstance(value, str) and value.endswith(end)


def _client(workload: Resource, size: int, scaled: Mapping[tuple[str, str], int]) -> Client:
    if workload.type == POOL:
        count = int(number(workload.get("scaling.manualInstanceCount")) or 0)
        key = text(workload.get("location")) or "", text(workload.get("name")) or ""
        return Client(name=workload.name, minimum=count, maximum=max(count, scaled.get(key, 0)), pool=size)
    minimum = int(number(workload.get("template.scaling.minInstanceCount")) or 0)
    # An upper bound that cannot be read proves nothing, so it counts for nothing.
    maximum = int(number(workload.get("template.scaling.maxInstanceCount", _UNBOUNDED)) or 0)
    return Client(name=workload.name, minimum=minimum, maximum=max(minimum, maximum), pool=size)


@stack_rule(
    "sql-connections-fit",
    "No database is asked for more connections than it takes, a roll-out included",
    controls=("RUN-20",),
    source="Google Cloud SQL: quotas and limits (connections)",
)
def connections_fit(resources: Sequence[Resource]) -> Iterator[Finding]:
    for endpoint in endpoints(resources):
        if not endpoint.budget.fits:
            names = ", ".join(sorted(client.name for client in endpoint.clients))
            yield Finding(
                endpoint.urn,
                say(
                    endpoint.resource,
                    f"the connections of {names} during a roll-out",
                    f"be at most {endpoint.budget.available} (it takes {endpoint.budget.limit}, "
                    f"{RESERVED} are reserved)",
                    endpoint.budget.rollout,
                    f"lower {POOL_SIZE} or the instances, or raise the tier",
                ),
            )


RULES = (connections_fit,)

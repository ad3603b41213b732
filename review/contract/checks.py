"""Where demands.yaml and the program speak of the same thing, they say the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from review.contract.demands import Demands
from review.contract.messages import Message
from review.contract.program import Given
from review.contract.wiring import EdgeOf
from review.contract.workloads import Workload

__all__ = ["differences"]

_DAY = 86_400


def differences(demands: Demands, messages: Mapping[str, Message], given: Given) -> list[str]:
    """One sentence for each thing that the two say differently, of one environment."""
    found = [
        *_variables(demands, given.workloads),
        *_secrets_and_files(given.workloads),
        *_probes(demands, given),
        *_database(demands, given.workloads),
        *_workers(demands, given.workloads),
        *_queues(demands, messages, given),
        *_buckets(demands, given),
        *(_edge(demands, given.edge) if given.edge is not None else ()),
        *_stores(demands, given),
        *_metrics(demands, given.metrics_read),
    ]
    return [f"{given.stack}: {sentence}" for sentence in dict.fromkeys(found)]


def _variables(demands: Demands, workloads: Sequence[Workload]) -> Iterator[str]:
    for one in workloads:
        names = [*(variable.name for variable in one.environment), *(secret.name for secret in one.secrets)]
        for name in names:
            if not any(fnmatchcase(name, pattern) for pattern in demands.variables):
                yield (
                    f"{one.name} gets {name}, of which the contract says nothing: describe it under "
                    "variables in review/contract/demands.yaml"
                )
        for pattern, variable in demands.variables.items():
            wanted = variable.of in {"all", one.kind}
            if wanted and not any(fnmatchcase(name, pattern) for name in names):
                yield (
                    f"{one.name} must get {pattern}, as the contract promises a {one.kind}, and does not: "
                    "hand it over in stacks/compute.py, or correct variables in review/contract/demands.yaml"
                )


def _secrets_and_files(workloads: Sequence[Workload]) -> Iterator[str]:
    for one in workloads:
        for secret in one.secrets:
            if secret.version == "latest":
                yield f"{one.name} reads {secret.secret} as latest: pin it, or a rotation changes it unseen"
        held = {f"{mount.path}/{file}" for mount in one.mounts for file in mount.files}
        for variable in one.environment:
            if variable.name.endswith("_FILE") and variable.value not in held:
                yield f"{one.name} gets {variable.name} {variable.value}, which no mount holds: mount it"


def _probes(demands: Demands, given: Given) -> Iterator[str]:
    health = demands.endpoint("health")
    for one in given.workloads:
        if one.kind != "service":
            continue
        paths = {probe.path for probe in one.probes}
        if paths != {health.path}:
            asked = ", ".join(sorted(str(path) for path in paths)) or "nothing"
            yield f"{one.name} must be probed at {health.path}, got {asked}: correct one of the two"
        longest = max(demand.maximum_ms for demand in demands.endpoints) / 1000
        if one.timeout_seconds is not None and one.timeout_seconds < longest:
            yield f"{one.name} ends requests after {one.timeout_seconds} s, before {longest} s: raise it"
    for check in given.uptime:
        body = {f"$.{key}": value for key, value in health.body.items()}
        if check.path != health.path or check.body != body:
            found = (check.path, dict(check.body))
            yield _differ(f"uptime check of {check.host}", found, (health.path, body))


def _database(demands: Demands, workloads: Sequence[Workload]) -> Iterator[str]:
    for one in workloads:
        size, most = one.value("DATABASE_POOL_SIZE"), demands.database.pool_sizes.get(one.kind)
        if size is not None and most is not None and int(size) != most:
            yield _differ(f"DATABASE_POOL_SIZE of {one.name}", size, most)
        user = one.value("DATABASE_USER")
        login = one.account.removesuffix(".gserviceaccount.com")
        if user is not None and user != login:
            yield f"{one.name} must log in as {login} (IAM), got {user}: correct DATABASE_USER"
        sockets = {file for mount in one.mounts if mount.kind == "database_sockets" for file in mount.files}
        for name in ("DATABASE_INSTANCE", "DATABASE_READ_INSTANCE"):
            instance = one.value(name)
            if instance is not None and sockets and instance not in sockets:
                yield f"{one.name} gets {name} {instance} without its socket: mount it"


def _workers(demands: Demands, workloads: Sequence[Workload]) -> Iterator[str]:
    for one in workloads:
        jobs = one.value("JOBS_PER_INSTANCE")
        if jobs is not None and int(jobs) != demands.workers.concurrent_jobs:
            yield _differ(f"number of jobs at a time of {one.name}", jobs, demands.workers.concurrent_jobs)


def _queues(demands: Demands, messages: Mapping[str, Message], given: Given) -> Iterator[str]:
    purposes = {one.purpose: one for one in given.queues}
    for purpose in sorted({*purposes, *demands.queues}):
        if purpose not in demands.queues:
            yield f"{purpose} has no message schema: add it under queues in review/contract/demands.yaml"
            continue
        wanted = demands.queues[purpose]
        if wanted.message not in messages:
            yield f"queues.{purpose} must name a schema that there is, got {wanted.message}: write it"
        if purpose not in purposes:
            yield f"queues.{purpose} is in the contract and no image gets it: hand it over, or drop it"
            continue
        queue = purposes[purpose]
        pairs = (
            ("ack deadline", queue.ack_deadline_seconds, wanted.ack_deadline_seconds),
            ("attempts", queue.attempts, wanted.attempts),
        )
        for what, found, demanded in pairs:
            if found != demanded:
                yield _differ(f"{what} of {purpose}", found, demanded)
        yield from (
            f"{name} gets the topic of {purpose} and may not publish to it: grant it, or do not hand it over"
            for name in sorted({*queue.named_by} - {*queue.publishers})
        )
    hooks, queue = demands.webhooks, purposes.get("notifications")
    if queue is not None:
        if queue.attempts != hooks.attempts:
            yield _differ("number of webhooks' attempts", queue.attempts, hooks.attempts)
        kept = (queue.dead_letters_kept_seconds or 0) // _DAY
        if kept != hooks.dead_letter_days:
            yield _differ("number of days that webhooks' dead letters stay", kept, hooks.dead_letter_days)


def _buckets(demands: Demands, given: Given) -> Iterator[str]:
    uploads = demands.uploads
    for one in given.buckets:
        kept = uploads.kept_days.get(one.purpose)
        if one.deleted_after_days != kept:
            yield _differ(f"number of days that {one.name} keeps objects", one.deleted_after_days, kept)
        if one.cors_origins:
            found = (sorted(one.cors_methods), one.cors_max_age_seconds)
            agreed = (sorted(uploads.cors_methods), uploads.cors_max_age_seconds)
            if found != agreed:
                yield _differ(f"CORS of {one.name}", found, agreed)


def _edge(demands: Demands, edge: EdgeOf) -> Iterator[str]:
    wanted, uploads = demands.edge, demands.uploads
    rates = {one.path: (one.requests * 60 / one.interval_seconds, one.ban_seconds) for one in edge.rates}
    agreed: Mapping[str | None, tuple[float, int]] = {
        None: (wanted.requests_per_minute, wanted.ban_seconds),
        **{path: (count, 0) for path, count in wanted.paths_per_minute.items()},
    }
    pairs: tuple[tuple[str, object, object], ...] = (
        ("methods", sorted(edge.methods), sorted(wanted.methods)),
        ("body limit in bytes", edge.maximum_body_bytes, uploads.max_body_bytes),
        ("closed paths", sorted(edge.closed_paths), sorted(wanted.closed)),
        ("denied headers", sorted(edge.denied_headers), sorted(wanted.denied_headers)),
        ("rates", rates, dict(agreed)),
    )
    for what, found, demanded in pairs:
        if found != demanded:
            yield _differ(f"{what} of the edge", found, demanded)
    # A customer's own host is the only one that adds more.
    promised = {one.name for one in demands.request_headers if one.sender == "edge"}
    if not {*edge.request_headers} <= promised:
        names = ", ".join(sorted({*edge.request_headers} - promised))
        yield f"the edge adds {names}, of which the contract says nothing: describe it under request_headers"
    for needed in ("X-Client-Address", "X-Client-Region"):
        if needed not in edge.request_headers:
            yield f"the edge must add {needed}, as the contract promises: add it in components/edge"
    for endpoint in demands.endpoints:
        if endpoint.method not in edge.methods:
            yield f"{endpoint.method} {endpoint.path} cannot pass the edge: allow the method, or take another"
        closed = any(
            endpoint.path == path or endpoint.path.startswith(f"{path}/") for path in edge.closed_paths
        )
        if closed != (endpoint.reach == "inside"):
            yield _differ(f"way to {endpoint.path}", "closed" if closed else "open", endpoint.reach)
    for name, tier in demands.limits.tiers.items():
        if tier.requests_per_minute > wanted.requests_per_minute:
            yield f"tier {name} may send more a minute than the edge lets through: lower it"


def _stores(demands: Demands, given: Given) -> Iterator[str]:
    for eviction in given.eviction:
        if eviction != demands.cache.eviction:
            yield _differ("eviction of the cache", eviction, demands.cache.eviction)
    regions = {one.region for one in given.workloads}
    for region in sorted(regions - {name for name, count in given.egress_addresses.items() if count}):
        yield f"{region} has no reserved egress address, which the contract promises receivers: reserve one"


def _metrics(demands: Demands, names: Sequence[str]) -> Iterator[str]:
    promised = {one.name for one in demands.metrics.required}
    for name in names:
        if name not in promised:
            yield (
                f"an alert or a board reads {name}, which the contract does not ask for: add it under "
                "metrics.required in review/contract/demands.yaml"
            )


def _differ(what: str, found: object, demanded: object) -> str:
    return f"the {what} is {found} in the program and {demanded} in the contract: make them agree"

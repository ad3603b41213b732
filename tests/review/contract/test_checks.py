"""Where program and contract speak of the same thing, a difference is one sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from review.contract.checks import differences
from review.contract.demands import Demands, load_demands
from review.contract.messages import load_messages
from review.contract.program import Given
from review.contract.wiring import EdgeOf, QueueOf, RateLimit, Uptime
from review.contract.workloads import SecretVariable, Variable, Workload

DEMANDS = load_demands()


def test_repository_has_no_difference(environments: Mapping[str, Given]) -> None:
    for one in environments.values():
        assert differences(DEMANDS, load_messages(), one) == []


def _first(given: Given, **changes: Any) -> Given:
    first, *others = given.workloads
    return replace(given, workloads=(replace(first, **changes), *others))


def _variable(given: Given, name: str, value: str | None) -> Given:
    """The first workload with another value, or without it."""
    kept = [one for one in given.workloads[0].environment if one.name != name]
    more = [] if value is None else [Variable(name=name, value=value, known="declared")]
    return _first(given, environment=(*kept, *more))


def _queue(given: Given, purpose: str, /, **changes: Any) -> Given:
    def change(one: QueueOf) -> QueueOf:
        return replace(one, **changes) if one.purpose == purpose else one

    return replace(given, queues=tuple(change(one) for one in given.queues))


def _edge(given: Given, **changes: Any) -> Given:
    assert isinstance(given.edge, EdgeOf)
    return replace(given, edge=replace(given.edge, **changes))


def _bucket(given: Given, **changes: Any) -> Given:
    first, *others = given.buckets
    return replace(given, buckets=(replace(first, **changes), *others))


def _probes(given: Given, path: str) -> Given:
    return _first(given, probes=tuple(replace(one, path=path) for one in given.workloads[0].probes))


LATEST = (SecretVariable(name="REDIS_AUTH", secret="aiprod-cache-auth", version="latest"),)
OF_PROGRAM: dict[str, tuple[Callable[[Given], Given], str]] = {
    "another variable": (
        lambda one: _variable(one, "MORE", "1"),
        "gets MORE, of which the contract says nothing",
    ),
    "a variable less": (
        lambda one: _variable(one, "PUBLIC_HOST", None),
        "must get PUBLIC_HOST, as the contract promises",
    ),
    "a secret that floats": (
        lambda one: _first(one, secrets=LATEST),
        "reads aiprod-cache-auth as latest: pin it",
    ),
    "a file nobody mounts": (
        lambda one: _variable(one, "REDIS_CA_FILE", "/ca.pem"),
        "/ca.pem, which no mount holds",
    ),
    "another probe": (lambda one: _probes(one, "/healthz"), "must be probed at /health, got /healthz"),
    "no probe": (lambda one: _first(one, probes=()), "must be probed at /health, got nothing"),
    "a short time": (lambda one: _first(one, timeout_seconds=0), "ends requests after 0 s, before 1.0 s"),
    "another uptime path": (
        lambda one: replace(one, uptime=(Uptime(host="h", path="/", body={}, timeout_seconds=1),)),
        "the uptime check of h is ('/', {}) in the program and ('/health', {'$.status': 'ok'}) in",
    ),
    "a larger pool": (
        lambda one: _variable(one, "DATABASE_POOL_SIZE", "9"),
        "DATABASE_POOL_SIZE of aiprod-v33-api is 9",
    ),
    "another login": (lambda one: _variable(one, "DATABASE_USER", "postgres"), "(IAM), got postgres"),
    "an instance without socket": (
        lambda one: _variable(one, "DATABASE_READ_INSTANCE", "p:r:other"),
        "gets DATABASE_READ_INSTANCE p:r:other without its socket",
    ),
    "another deadline": (
        lambda one: _queue(one, "jobs", ack_deadline_seconds=10),
        "the ack deadline of jobs is 10",
    ),
    "more attempts": (
        lambda one: _queue(one, "notifications", attempts=9),
        "the number of webhooks' attempts is 9",
    ),
    "dead letters for a week": (
        lambda one: _queue(one, "notifications", dead_letters_kept_seconds=604_800),
        "webhooks' dead letters stay is 7 in the program and 31 in the contract",
    ),
    "a topic without the right": (
        lambda one: _queue(one, "jobs", publishers=()),
        "aiprod-v33-api gets the topic of jobs and may not publish to it",
    ),
    "a queue less": (
        lambda one: replace(one, queues=tuple(q for q in one.queues if q.purpose != "batch")),
        "queues.batch is in the contract and no image gets it",
    ),
    "a queue more": (lambda one: _queue(one, "jobs", purpose="more"), "more has no message schema"),
    "results for ever": (
        lambda one: _bucket(one, deleted_after_days=None),
        "keeps objects is None in the program and 30",
    ),
    "another CORS": (
        lambda one: _bucket(one, cors_origins=("https://a",), cors_methods=("GET",), cors_max_age_seconds=1),
        "the CORS of aiprod-484120-results is (['GET'], 1) in the program and (['PUT'], 3600)",
    ),
    "a method more": (
        lambda one: _edge(one, methods=("GET", "PATCH")),
        "the methods of the edge is ['GET', 'PATCH']",
    ),
    "a method less": (lambda one: _edge(one, methods=("GET",)), "POST /pipeline/run cannot pass the edge"),
    "a larger body": (
        lambda one: _edge(one, maximum_body_bytes=1),
        "the body limit in bytes of the edge is 1",
    ),
    "open metrics": (lambda one: _edge(one, closed_paths=("/internal",)), "the way to /metrics is open"),
    "closed presets": (
        lambda one: _edge(one, closed_paths=("/metrics", "/internal", "/presets")),
        "the way to /presets is closed in the program and public in the contract",
    ),
    "another header denied": (
        lambda one: _edge(one, denied_headers=()),
        "the denied headers of the edge is []",
    ),
    "another rate": (
        lambda one: _edge(
            one, rates=(RateLimit(path=None, requests=5, interval_seconds=60, ban_seconds=60),)
        ),
        "the rates of the edge is {None: (5.0, 60)}",
    ),
    "no client address": (
        lambda one: _edge(one, request_headers={"X-Client-Region": "{client_region}"}),
        "the edge must add X-Client-Address",
    ),
    "a header nobody described": (
        lambda one: _edge(one, request_headers={**_headers(one), "X-New": "1"}),
        "the edge adds X-New, of which the contract says nothing",
    ),
    "another eviction": (
        lambda one: replace(one, eviction=("noeviction",)),
        "the eviction of the cache is noeviction",
    ),
    "no egress address": (
        lambda one: replace(one, egress_addresses={"europe-west1": 2}),
        "europe-west4 has no reserved",
    ),
    "a metric more": (
        lambda one: replace(one, metrics_read=("jobs_lost_total",)),
        "reads jobs_lost_total, which the",
    ),
    "two jobs at a time": (
        lambda one: _variable(one, "JOBS_PER_INSTANCE", "2"),
        "jobs at a time of aiprod-v33-api is 2",
    ),
}


def _headers(given: Given) -> Mapping[str, str]:
    assert given.edge is not None
    return given.edge.request_headers


@pytest.mark.parametrize("case", OF_PROGRAM)
def test_a_program_that_differs_is_told(case: str, prod: Given) -> None:
    change, said = OF_PROGRAM[case]
    found = differences(DEMANDS, load_messages(), change(prod))
    assert any(said in sentence for sentence in found), found
    assert all(sentence.startswith("prod: ") and "\n" not in sentence for sentence in found)


def _part(name: str, **changes: Any) -> Demands:
    return DEMANDS.model_copy(update={name: getattr(DEMANDS, name).model_copy(update=changes)})


OF_CONTRACT: dict[str, tuple[Demands, str]] = {
    "an unknown schema": (
        DEMANDS.model_copy(
            update={
                "queues": {
                    **DEMANDS.queues,
                    "jobs": DEMANDS.queues["jobs"].model_copy(update={"message": "none"}),
                }
            }
        ),
        "queues.jobs must name a schema that there is, got none",
    ),
    "a tier above the edge": (
        _part("edge", requests_per_minute=10),
        "tier pro may send more a minute than the edge",
    ),
    "a smaller upload": (
        _part("uploads", max_body_bytes=1),
        "the body limit in bytes of the edge is 10485760",
    ),
    "fewer webhooks' attempts": (_part("webhooks", attempts=3), "and 3 in the contract"),
}


@pytest.mark.parametrize("case", OF_CONTRACT)
def test_a_contract_that_differs_is_told(case: str, prod: Given) -> None:
    demands, said = OF_CONTRACT[case]
    found = differences(demands, load_messages(), prod)
    assert any(said in sentence for sentence in found), found


def test_workloads_are_of_every_kind_and_none_is_a_function(environments: Mapping[str, Given]) -> None:
    for one in environments.values():
        found: dict[str, set[str]] = {}
        for workload in one.workloads:
            found.setdefault(workload.kind, set()).add(workload.image)
        assert found["service"] == {"api"}
        assert found["worker_pool"] == {"worker"}
        assert {"api", "worker"} >= found.get("job", set())
        assert not any(
            isinstance(workload, Workload) and "rotation" in workload.name for workload in one.workloads
        )

"""Alerts on what callers feel: the API, the workers, the edge, the objectives.

Pure: values in, alerts out. Windows are at least two sampling periods and the delay of the metric (Cloud Run
60 s and 120 s, load balancing 60 s and 210 s). A ratio has a minimum of traffic and a numerator that exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.observability.alert_policy import Alert, BurnRate, LogMatch, Query, Severity

__all__ = ["CRASHES_METRIC", "ServiceTargets", "service_alerts"]

CRASHES_METRIC = "container_crashes"
_MINIMUM_REQUESTS_PER_SECOND = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceTargets:
    """What is watched."""

    owner: str
    service: str
    """Name of the Cloud Run service."""
    host: str
    maximum_instances: Mapping[str, int]
    """Region to the most instances that the service may have there."""
    availability_objective: pulumi.Input[str]
    latency_objective: pulumi.Input[str]
    blocked_requests_per_second: int = 20
    """Rate of denied requests that counts as an attack."""


def service_alerts(targets: ServiceTargets) -> dict[str, Alert]:
    """Every alert of this page by id."""
    return {
        **_api_alerts(targets),
        **_container_alerts(targets),
        **_edge_alerts(targets),
        **_burn_alerts("availability", targets.availability_objective, targets.owner),
        **_burn_alerts("latency", targets.latency_objective, targets.owner),
    }


def _api_alerts(targets: ServiceTargets) -> dict[str, Alert]:
    service = f'service_name="{targets.service}"'
    return {
        "api-errors": Alert(
            title="API answers more than 1 % with errors",
            severity="ERROR",
            owner=targets.owner,
            summary="More than 1 % of the API's requests ended in a server error for five minutes.",
            runbook="api-errors",
            condition=Query(promql=_error_ratio(service, 0.01), for_seconds=300),
        ),
        "api-errors-severe": Alert(
            title="API answers more than 5 % with errors",
            severity="CRITICAL",
            owner=targets.owner,
            summary="More than 5 % of the API's requests ended in a server error for two minutes.",
            runbook="api-errors",
            condition=Query(promql=_error_ratio(service, 0.05), for_seconds=120),
        ),
        "api-latency": Alert(
            title="API is slow",
            severity="ERROR",
            owner=targets.owner,
            summary="The slowest 5 % of the API's requests took more than one second for five minutes.",
            runbook="api-latency",
            condition=Query(
                promql=(
                    "histogram_quantile(0.95, sum by (le, service_name) "
                    f"(rate(run_googleapis_com:request_latencies_bucket{{{service}}}[5m]))) > 1000"
                ),
                for_seconds=300,
            ),
        ),
        "api-instances": Alert(
            title="API is at its ceiling of instances",
            severity="WARNING",
            owner=targets.owner,
            summary="The API runs with 90 % or more of its instances; it may soon refuse requests.",
            runbook="api-instances",
            condition=Query(promql=_at_ceiling(service, targets.maximum_instances), for_seconds=300),
        ),
        "api-unreachable": Alert(
            title="API is not reachable from outside",
            severity="CRITICAL",
            owner=targets.owner,
            summary=f"At least two places in the world get no good answer from {targets.host}.",
            runbook="api-unreachable",
            condition=Query(
                promql=(
                    "count by (host) (max_over_time(monitoring_googleapis_com:uptime_check_check_passed"
                    f'{{monitored_resource="uptime_url", host="{targets.host}"}}[3m]) == 0) >= 2'
                ),
                for_seconds=60,
            ),
        ),
    }


def _container_alerts(targets: ServiceTargets) -> dict[str, Alert]:
    return {
        "api-memory": _memory("API", "cloud_run_revision", "service_name", targets.owner),
        "worker-memory": _memory("Worker", "cloud_run_worker_pool", "worker_pool_name", targets.owner),
        "container-crash": Alert(
            title="A container crashed",
            severity="ERROR",
            owner=targets.owner,
            summary="A container ended by itself, was killed for its memory or failed its start.",
            runbook="container-crash",
            condition=Query(
                promql=f"sum by (reason) (increase(logging_googleapis_com:user_{CRASHES_METRIC}[5m])) > 0"
            ),
        ),
    }


def _edge_alerts(targets: ServiceTargets) -> dict[str, Alert]:
    requests = "loadbalancing_googleapis_com:https_request_count"
    total = f"sum(rate({requests}[10m]))"
    return {
        "edge-errors": Alert(
            title="Load balancer answers more than 1 % with errors",
            severity="ERROR",
            owner=targets.owner,
            summary="More than 1 % of the requests at the load balancer ended in 5xx, whoever sent them.",
            runbook="edge-errors",
            condition=Query(
                promql=(
                    f'(sum(rate({requests}{{response_code_class="500"}}[10m])) or 0 * {total}) '
                    f"/ {total} > 0.01 and {total} > {_MINIMUM_REQUESTS_PER_SECOND}"
                ),
                for_seconds=300,
            ),
        ),
        "edge-denied": Alert(
            title="Many requests are denied at the edge",
            severity="WARNING",
            owner=targets.owner,
            summary="Cloud Armor denies far more than usual: an attack, or a rule that hits good callers.",
            runbook="edge-attack",
            condition=Query(
                promql=(
                    "sum by (policy_name) (rate(networksecurity_googleapis_com:https_request_count"
                    f'{{blocked="true"}}[10m])) > {targets.blocked_requests_per_second}'
                ),
                for_seconds=300,
            ),
        ),
        "edge-attack": Alert(
            title="Adaptive protection sees an attack",
            severity="ERROR",
            owner=targets.owner,
            summary="Cloud Armor's adaptive protection reports traffic that looks like an attack.",
            runbook="edge-attack",
            condition=LogMatch(
                filter='resource.type="network_security_policy" AND jsonPayload.alertId:*',
                extractors={"policy": "EXTRACT(resource.labels.policy_name)"},
            ),
        ),
        "certificate-expiry": _certificate(targets, 30, "WARNING"),
        "certificate-expiry-near": _certificate(targets, 7, "CRITICAL"),
    }


def _certificate(targets: ServiceTargets, days: int, severity: Severity) -> Alert:
    metric = "monitoring_googleapis_com:uptime_check_time_until_ssl_cert_expires"
    return Alert(
        title=f"Certificate ends in less than {days} days",
        severity=severity,
        owner=targets.owner,
        summary=f"The certificate of {targets.host} was not renewed; Google renews about a month ahead.",
        runbook="certificate-expiry",
        condition=Query(
            promql=(
                f'min by (host) (min_over_time({metric}{{monitored_resource="uptime_url", '
                f'host="{targets.host}"}}[10m])) < {days}'
            ),
            for_seconds=600,
        ),
    )


def _memory(what: str, resource: str, label: str, owner: str) -> Alert:
    return Alert(
        title=f"{what} runs out of memory",
        severity="ERROR",
        owner=owner,
        summary="The fullest containers use more than 95 % of their memory; the next step is a kill.",
        runbook="container-memory",
        condition=Query(
            promql=(
                f"histogram_quantile(0.99, sum by (le, {label}) "
                "(rate(run_googleapis_com:container_memory_utilizations_bucket"
                f'{{monitored_resource="{resource}"}}[5m]))) > 0.95'
            ),
            for_seconds=60,
        ),
    )


def _burn_alerts(kind: str, objective: pulumi.Input[str], owner: str) -> dict[str, Alert]:
    """Google's three pairs of windows: 2 %, 5 % and 10 % of a month's budget."""
    hour = 3600
    fast = BurnRate(objective=objective, rate=14.4, long_window_seconds=hour, short_window_seconds=300)
    slow = BurnRate(objective=objective, rate=6, long_window_seconds=6 * hour, short_window_seconds=1800)
    creeping = BurnRate(
        objective=objective, rate=3, long_window_seconds=24 * hour, short_window_seconds=2 * hour
    )
    summary = f"The error budget of the {kind} objective is burning faster than the objective allows."

    def burn(word: str, severity: Severity, condition: BurnRate) -> Alert:
        return Alert(
            title=f"{kind.capitalize()} objective burns {word}",
            severity=severity,
            owner=owner,
            summary=summary,
            runbook="objective-burn",
            condition=condition,
        )

    return {
        f"{kind}-burn-fast": burn("very fast", "CRITICAL", fast),
        f"{kind}-burn-slow": burn("fast", "ERROR", slow),
        f"{kind}-burn-creeping": burn("steadily", "WARNING", creeping),
    }


def _error_ratio(service: str, share: float) -> str:
    requests = "run_googleapis_com:request_count"
    total = f"sum by (service_name) (rate({requests}{{{service}}}[5m]))"
    errors = f'sum by (service_name) (rate({requests}{{{service}, response_code_class="5xx"}}[5m]))'
    return f"({errors} or 0 * {total}) / {total} > {share} and {total} > {_MINIMUM_REQUESTS_PER_SECOND}"


def _at_ceiling(service: str, maximum_instances: Mapping[str, int]) -> str:
    series = 'run_googleapis_com:container_instance_count{monitored_resource="cloud_run_revision", '
    return " or ".join(
        f'sum by (location) (max_over_time({series}{service}, location="{region}"}}[5m])) >= {0.9 * most:g}'
        for region, most in maximum_instances.items()
    )

"""What users are promised, measured: an availability and a latency objective of one Cloud Run service.

Makes a `monitoring.CustomService` and two request-based `monitoring.Slo` over a rolling window: the share of
requests that do not end in 5xx, and the share that is answered within the threshold. A custom service, for a
generic one can only be made once the Cloud Run service exists, and objectives stand before the first release.

Does not make: burn-rate alerts (`alert_policy.py` takes the objectives' names), objectives per customer tier
(need the application's own metric). Google's objective reaches 0.9999 at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from facts.refusal import RefusedError

__all__ = ["ServiceObjectives", "ServiceObjectivesArgs"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceObjectivesArgs:
    """Which service, which goals."""

    service_name: str
    """Name of the Cloud Run service; both regions together count."""
    display_name: str
    availability_goal: float
    """Share of requests without a server error, above 0 to 0.9999."""
    latency_goal: float
    """Share of requests within `latency_threshold_ms`, above 0 to 0.9999."""
    latency_threshold_ms: int
    labels: Mapping[str, str]
    rolling_period_days: int = 28
    """1 to 30 days; four weeks hold each weekday equally often."""

    def __post_init__(self) -> None:
        for field, goal in (
            ("availability_goal", self.availability_goal),
            ("latency_goal", self.latency_goal),
        ):
            if not 0 < goal <= 0.9999:
                raise RefusedError(f"{field} must be above 0 and at most 0.9999, got {goal}: correct it")
        if not 1 <= self.rolling_period_days <= 30:
            raise RefusedError(
                f"rolling_period_days must be between 1 and 30 days, got {self.rolling_period_days}"
            )
        if self.latency_threshold_ms < 1:
            raise RefusedError(
                f"latency_threshold_ms must be at least 1 millisecond, got {self.latency_threshold_ms}"
            )


class ServiceObjectives(pulumi.ComponentResource):
    """Availability and latency objectives."""

    availability: pulumi.Output[str]
    """Resource name of the availability objective."""
    latency: pulumi.Output[str]
    """Resource name of the latency objective."""

    def __init__(
        self, name: str, args: ServiceObjectivesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("aiprod:observability:ServiceObjectives", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        service = gcp.monitoring.CustomService(
            name,
            service_id=name,
            display_name=args.display_name,
            user_labels=args.labels,
            opts=child,
        )
        requests = _filter("run.googleapis.com/request_count", args.service_name)
        availability = gcp.monitoring.Slo(
            f"{name}-availability",
            service=service.service_id,
            slo_id=f"{name}-availability",
            display_name=f"{args.availability_goal:.2%} of requests without a server error",
            goal=args.availability_goal,
            rolling_period_days=args.rolling_period_days,
            request_based_sli={
                "good_total_ratio": {
                    "bad_service_filter": f'{requests} AND metric.labels.response_code_class="5xx"',
                    "total_service_filter": requests,
                }
            },
            user_labels=args.labels,
            opts=child,
        )
        latency = gcp.monitoring.Slo(
            f"{name}-latency",
            service=service.service_id,
            slo_id=f"{name}-latency",
            display_name=f"{args.latency_goal:.2%} of requests within {args.latency_threshold_ms} ms",
            goal=args.latency_goal,
            rolling_period_days=args.rolling_period_days,
            request_based_sli={
                "distribution_cut": {
                    "distribution_filter": _filter("run.googleapis.com/request_latencies", args.service_name),
                    "range": {"min": 0, "max": args.latency_threshold_ms},
                }
            },
            user_labels=args.labels,
            opts=child,
        )
        self.availability = availability.name
        self.latency = latency.name
        self.register_outputs({"availability": self.availability, "latency": self.latency})


def _filter(metric: str, service_name: str) -> str:
    return (
        f'metric.type="{metric}" AND resource.type="cloud_run_revision" '
        f'AND resource.labels.service_name="{service_name}"'
    )

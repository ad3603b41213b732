"""Availability and latency objectives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.observability.service_objectives import ServiceObjectives, ServiceObjectivesArgs
from tests.recording import Build, Recorder

SLO = "monitoring/slo:Slo"
SERVICE = 'resource.type="cloud_run_revision" AND resource.labels.service_name="api"'


def example_args(**changes: Any) -> ServiceObjectivesArgs:
    return replace(
        ServiceObjectivesArgs(
            service_name="api",
            display_name="API",
            availability_goal=0.9995,
            latency_goal=0.95,
            latency_threshold_ms=1000,
            labels={"system": "aiprod"},
        ),
        **changes,
    )


def test_availability_is_the_share_of_requests_without_a_server_error(
    build: Build, recorder: Recorder
) -> None:
    build(lambda: ServiceObjectives("subject", example_args()))
    slo = recorder.one(SLO, "subject-availability").inputs
    requests = f'metric.type="run.googleapis.com/request_count" AND {SERVICE}'
    assert slo["goal"] == 0.9995
    assert slo["rollingPeriodDays"] == 28
    assert slo["requestBasedSli"] == {
        "goodTotalRatio": {
            "badServiceFilter": f'{requests} AND metric.labels.response_code_class="5xx"',
            "totalServiceFilter": requests,
        }
    }


def test_latency_is_the_share_within_the_threshold(build: Build, recorder: Recorder) -> None:
    build(lambda: ServiceObjectives("subject", example_args()))
    slo = recorder.one(SLO, "subject-latency").inputs
    assert slo["service"] == recorder.one("CustomService", "subject").inputs["serviceId"] == "subject"
    assert slo["requestBasedSli"] == {
        "distributionCut": {
            "distributionFilter": f'metric.type="run.googleapis.com/request_latencies" AND {SERVICE}',
            "range": {"min": 0, "max": 1000},
        }
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"availability_goal": 1.0}, r"availability_goal must be above 0 and at most 0\.9999, got 1\.0"),
        ({"latency_goal": 0.0}, "latency_goal must be above 0"),
        ({"rolling_period_days": 31}, "between 1 and 30 days, got 31"),
        ({"latency_threshold_ms": 0}, "at least 1 millisecond, got 0"),
    ],
)
def test_fails_when_google_would_refuse_the_objective(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        example_args(**change)

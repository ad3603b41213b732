"""The uptime check."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.observability.uptime_check import UptimeCheck, UptimeCheckArgs
from tests.recording import Build, Recorder


def example_args(**changes: Any) -> UptimeCheckArgs:
    return replace(
        UptimeCheckArgs(
            project="project",
            host="api.example.com",
            path="/health",
            display_name="API",
            json_path="$.status",
            json_value="ok",
            labels={"system": "aiprod"},
        ),
        **changes,
    )


def test_check_asks_over_tls_from_three_places(build: Build, recorder: Recorder) -> None:
    build(lambda: UptimeCheck("api", example_args()))
    check = recorder.one("UptimeCheckConfig", "api").inputs
    assert check["monitoredResource"] == {
        "type": "uptime_url",
        "labels": {"project_id": "project", "host": "api.example.com"},
    }
    assert check["httpCheck"]["useSsl"] is True
    assert check["httpCheck"]["validateSsl"] is True
    assert check["selectedRegions"] == ["EUROPE", "USA_VIRGINIA", "ASIA_PACIFIC"]
    assert (check["period"], check["timeout"]) == ("60s", "10s")


def test_answer_must_say_that_all_is_well(build: Build, recorder: Recorder) -> None:
    build(lambda: UptimeCheck("api", example_args()))
    assert recorder.one("UptimeCheckConfig").inputs["contentMatchers"] == [
        {
            "content": '"ok"',
            "matcher": "MATCHES_JSON_PATH",
            "jsonPathMatcher": {"jsonPath": "$.status", "jsonMatcher": "EXACT_MATCH"},
        }
    ]


def test_usa_counts_as_three_places() -> None:
    assert example_args(regions=("USA",)).regions == ("USA",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"regions": ("EUROPE", "EUROPE", "ASIA_PACIFIC")}, "at least 3 locations, got 2"),
        ({"timeout_seconds": 61}, "between 1 and 60 seconds, got 61"),
        ({"path": "health"}, "path must begin with a slash, got 'health'"),
    ],
)
def test_fails_when_google_would_refuse_the_check(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        example_args(**change)

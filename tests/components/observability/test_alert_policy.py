"""Alert policies as they are handed to the provider."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.observability.alert_policy import (
    Alert,
    AlertPolicies,
    AlertPoliciesArgs,
    BurnRate,
    LogMatch,
    Query,
)
from facts.refusal import RefusedError
from tests.recording import Build, Recorder

POLICY = "monitoring/alertPolicy:AlertPolicy"


def alert(**changes: Any) -> Alert:
    return replace(
        Alert(
            title="Something is wrong",
            severity="ERROR",
            owner="platform",
            summary="It is wrong.",
            runbook="something",
            condition=Query(promql="up == 0", for_seconds=300),
        ),
        **changes,
    )


def example_args(**changes: Any) -> AlertPoliciesArgs:
    return replace(
        AlertPoliciesArgs(
            alerts={"something": alert()},
            channels={"CRITICAL": ["mail", "sms"], "ERROR": ["mail"], "WARNING": ["slack"]},
            environment="test",
            runbook_base_url="https://example.com/runbooks",
            labels={"system": "aiprod"},
        ),
        **changes,
    )


def made(build: Build, recorder: Recorder, one: Alert) -> dict[str, Any]:
    build(lambda: AlertPolicies("alert", example_args(alerts={"something": one})))
    return dict(recorder.one(POLICY, "alert-something").inputs)


def test_alert_says_who_acts_how_badly_and_by_which_page(build: Build, recorder: Recorder) -> None:
    policy = made(build, recorder, alert())
    assert policy["displayName"] == "test: Something is wrong"
    assert policy["severity"] == "ERROR"
    assert policy["enabled"] is True
    assert policy["userLabels"] == {
        "system": "aiprod",
        "owner": "platform",
        "priority": "p2",
        "runbook": "something",
    }
    assert policy["documentation"]["subject"] == "[P2] test: Something is wrong"
    assert policy["documentation"]["links"] == [
        {"displayName": "Runbook", "url": "https://example.com/runbooks/something.md"}
    ]


@pytest.mark.parametrize(
    ("severity", "channels"),
    [("CRITICAL", ["mail", "sms"]), ("ERROR", ["mail"]), ("WARNING", ["slack"])],
)
def test_channels_follow_the_severity(
    build: Build, recorder: Recorder, severity: Any, channels: list[str]
) -> None:
    assert made(build, recorder, alert(severity=severity))["notificationChannels"] == channels


def test_query_is_promql_that_may_name_a_metric_not_written_yet(build: Build, recorder: Recorder) -> None:
    policy = made(build, recorder, alert())
    assert policy["combiner"] == "OR"
    assert policy["conditions"] == [
        {
            "displayName": "Something is wrong",
            "conditionPrometheusQueryLanguage": {
                "query": "up == 0",
                "duration": "300s",
                "evaluationInterval": "60s",
                "disableMetricValidation": True,
            },
        }
    ]
    assert policy["alertStrategy"] == {"autoClose": "3600s", "notificationPrompts": ["OPENED", "CLOSED"]}


def test_critical_alert_is_repeated_while_open(build: Build, recorder: Recorder) -> None:
    strategy = made(build, recorder, alert(severity="CRITICAL"))["alertStrategy"]
    assert strategy["notificationChannelStrategies"] == [
        {"notificationChannelNames": ["mail", "sms"], "renotifyInterval": "1800s"}
    ]


def test_log_match_is_alone_and_limited_in_rate(build: Build, recorder: Recorder) -> None:
    condition = LogMatch(filter='severity="ERROR"', extractors={"who": "EXTRACT(labels.who)"})
    policy = made(build, recorder, alert(condition=condition, severity="CRITICAL"))
    assert policy["conditions"] == [
        {
            "displayName": "Something is wrong",
            "conditionMatchedLog": {
                "filter": 'severity="ERROR"',
                "labelExtractors": {"who": "EXTRACT(labels.who)"},
            },
        }
    ]
    assert policy["alertStrategy"] == {
        "autoClose": "86400s",
        "notificationPrompts": ["OPENED"],
        "notificationRateLimit": {"period": "300s"},
    }


def test_burn_rate_needs_both_windows(build: Build, recorder: Recorder) -> None:
    burn = BurnRate(objective="slo", rate=14.4, long_window_seconds=3600, short_window_seconds=300)
    policy = made(build, recorder, alert(condition=burn))
    assert policy["combiner"] == "AND"
    thresholds = [condition["conditionThreshold"] for condition in policy["conditions"]]
    assert [threshold["filter"] for threshold in thresholds] == [
        'select_slo_burn_rate("slo", "3600s")',
        'select_slo_burn_rate("slo", "300s")',
    ]
    assert {threshold["thresholdValue"] for threshold in thresholds} == {14.4}


@pytest.mark.parametrize("seconds", [30, -60, 86_460])
def test_fails_when_a_query_must_hold_for_an_odd_time(seconds: int) -> None:
    with pytest.raises(ValueError, match=f"multiple of 60 from 0 to 86400 seconds, got {seconds}"):
        Query(promql="up", for_seconds=seconds)


def test_fails_when_a_query_is_empty() -> None:
    with pytest.raises(ValueError, match="promql must be a query"):
        Query(promql=" ")


def test_fails_when_a_log_filter_has_single_quotes_or_an_odd_rate() -> None:
    with pytest.raises(ValueError, match="only double quotes"):
        LogMatch(filter="severity='ERROR'")
    with pytest.raises(ValueError, match="between 60 and 86400 seconds, got 10"):
        LogMatch(filter="severity=ERROR", quiet_seconds=10)


def test_fails_when_burn_windows_are_swapped_or_slow() -> None:
    with pytest.raises(ValueError, match="below long_window_seconds 300, got 3600"):
        BurnRate(objective="slo", rate=2, long_window_seconds=300, short_window_seconds=3600)
    with pytest.raises(ValueError, match=r"rate must be at least 1, got 0\.5"):
        BurnRate(objective="slo", rate=0.5, long_window_seconds=3600, short_window_seconds=300)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"runbook": "Api Errors"}, "runbook must be lower case"),
        ({"owner": "The Team"}, "owner must be a label value"),
        ({"title": ""}, "title must have 1 to 100 characters"),
    ],
)
def test_fails_when_an_alert_is_not_complete(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        alert(**change)


def test_fails_when_a_severity_reaches_nobody() -> None:
    with pytest.raises(ValueError, match=r"channels\.WARNING must be 1 to 16, got 0"):
        example_args(channels={"CRITICAL": ["mail"], "ERROR": ["mail"]})


def test_fails_when_the_runbook_address_is_not_https() -> None:
    with pytest.raises(ValueError, match="runbook_base_url must be https"):
        example_args(runbook_base_url="http://example.com")


def test_an_alert_may_reach_channels_besides_those_of_its_severity(build: Build, recorder: Recorder) -> None:
    args = example_args()
    first, *others = args.alerts
    build(lambda: AlertPolicies("alert", replace(args, besides={first: ["projects/p/mail"]})))
    heard = {
        r.name: "projects/p/mail" in r.inputs["notificationChannels"] for r in recorder.of_type("AlertPolicy")
    }
    assert heard == {f"alert-{first}": True, **{f"alert-{key}": False for key in others}}


def test_fails_when_channels_are_added_to_an_alert_that_is_not_there() -> None:
    with pytest.raises(RefusedError, match="besides must name alerts, got 'nothing'"):
        replace(example_args(), besides={"nothing": ["projects/p/mail"]})

"""Observability as the stack files make it: who hears of what, how long logs stay, what is watched."""

from __future__ import annotations

from functools import cache
from typing import Any

import pulumi
import pytest

from config import Settings
from naming import Names
from stacks.observability import observability
from tests.recording import Build, Recorded, Recorder
from tests.stack_files import STACKS, settings

POLICY = "monitoring/alertPolicy:AlertPolicy"
CHANNEL = "monitoring/notificationChannel:NotificationChannel"
BUCKET = "logging/projectBucketConfig:ProjectBucketConfig"


def record(given: Settings) -> Recorder:
    recorder = Recorder()
    names = Names(system="aiprod", environment=given.environment, project_id=given.project_id)

    def program() -> None:
        token = pulumi.Output.secret("token")
        slack: dict[str, Any] = {"slack_token": token} if given.observability.slack_channel else {}
        observability(
            rotated_secrets=("suno-api-key",),
            settings=given.model_copy(update=slack),
            names=names,
            log_key_id="log-key",
            after=(),
            opts=pulumi.ResourceOptions(),
        )

    build = Build(recorder)
    build(program)
    build.close()
    return recorder


@cache
def recorded(stack: str) -> Recorder:
    return record(settings(stack))


def alert(stack: str, key: str) -> Recorded:
    return recorded(stack).one(POLICY, f"alert-{key}")


@pytest.mark.parametrize(
    ("stack", "kinds"),
    [("dev", {"email"}), ("staging", {"email", "slack"}), ("prod", {"email", "slack", "sms"})],
)
def test_channels_are_those_of_the_environment(stack: str, kinds: set[str]) -> None:
    assert {channel.inputs["type"] for channel in recorded(stack).of_type(CHANNEL)} == kinds


def test_channels_of_an_alert_follow_its_priority_in_production() -> None:
    mail = ["channel-devops", "channel-incident-commander"]
    assert alert("prod", "database-down").inputs["notificationChannels"] == [
        *mail,
        "channel-slack",
        "channel-on-call",
    ]
    assert alert("prod", "api-errors").inputs["notificationChannels"] == [*mail, "channel-slack"]
    assert alert("prod", "replica-lag").inputs["notificationChannels"] == ["channel-slack"]


def test_the_rotations_of_each_secret_reach_mail_in_every_environment() -> None:
    assert alert("prod", "rotation-told-suno-api-key").inputs["notificationChannels"] == [
        "channel-slack",
        "channel-devops",
    ]
    for stack in ("dev", "staging"):
        assert "channel-devops" in alert(stack, "rotation-told-suno-api-key").inputs["notificationChannels"]


def test_without_slack_mail_takes_the_warnings() -> None:
    assert alert("dev", "cache-memory").inputs["notificationChannels"] == ["channel-devops"]


@pytest.mark.parametrize(
    ("stack", "kept"),
    [
        ("dev", {"aiprod-logs": 30}),
        ("staging", {"aiprod-logs": 30}),
        ("prod", {"aiprod-logs": 90, "aiprod-logs-security": 400}),
    ],
)
def test_logs_are_kept_as_long_as_the_environment_says(stack: str, kept: dict[str, int]) -> None:
    buckets = recorded(stack).of_type(BUCKET)
    assert {bucket.name: bucket.inputs["retentionDays"] for bucket in buckets} == kept
    assert {bucket.inputs["location"] for bucket in buckets} == {"europe-west1"}
    assert {bucket.inputs["cmekSettings"]["kmsKeyName"] for bucket in buckets} == {"log-key"}


def test_alerts_differ_between_environments_only_where_something_is_missing() -> None:
    keys = {stack: set(recorded(stack).names(POLICY)) for stack in STACKS}
    assert keys["staging"] == keys["prod"]
    assert keys["prod"] - keys["dev"] == {
        "alert-cache-failover",
        "alert-database-backup-missing",
        "alert-database-down",
        "alert-replica-broken",
        "alert-replica-lag",
        "alert-drill-clone-left",
        "alert-drill-failed",
        "alert-drill-overdue",
        "alert-scaler-silent",
    }
    assert not keys["dev"] - keys["prod"]


@pytest.mark.parametrize("stack", STACKS)
def test_every_metric_that_an_alert_counts_from_logs_is_made(stack: str) -> None:
    made = {metric.inputs["name"] for metric in recorded(stack).of_type("logging/metric:Metric")}
    queries = " ".join(str(policy.inputs["conditions"]) for policy in recorded(stack).of_type(POLICY))
    # What rests at night cannot be missed by its silence.
    silent = {"database_backups", "scaler_runs"} if stack == "dev" else set[str]()
    for name in made:
        assert f"logging_googleapis_com:user_{name}" in queries or name in silent
    assert queries.count("logging_googleapis_com:user_") == len(made) - len(silent)


@pytest.mark.parametrize(("stack", "most"), [("dev", "> 80"), ("staging", "> 80"), ("prod", "> 320")])
def test_connection_limit_follows_the_tier(stack: str, most: str) -> None:
    condition = alert(stack, "database-connections").inputs["conditions"][0]
    assert condition["conditionPrometheusQueryLanguage"]["query"].endswith(most)


def test_uptime_check_comes_with_the_release() -> None:
    assert recorded("prod").names("UptimeCheckConfig") == ["api"]
    assert record(settings("prod", release=False)).names("UptimeCheckConfig") == []

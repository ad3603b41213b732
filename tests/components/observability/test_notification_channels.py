"""Notification channels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pulumi
import pytest

from components.observability.notification_channels import (
    Email,
    NotificationChannels,
    NotificationChannelsArgs,
    PubSub,
    Slack,
    Sms,
)
from tests.recording import Build, Recorder

CHANNEL = "monitoring/notificationChannel:NotificationChannel"


def example_args(**changes: Any) -> NotificationChannelsArgs:
    return replace(
        NotificationChannelsArgs(
            channels={"devops": Email(address="devops@example.com")}, labels={"system": "aiprod"}
        ),
        **changes,
    )


def test_each_kind_has_its_own_labels(build: Build, recorder: Recorder) -> None:
    def factory() -> NotificationChannels:
        return NotificationChannels(
            "channel",
            example_args(
                channels={
                    "devops": Email(address="devops@example.com"),
                    "on-call": Sms(number="+33199000001"),
                    "incidents": PubSub(topic="projects/p/topics/t"),
                }
            ),
        )

    build(factory)
    made = {one.name: (one.inputs["type"], one.inputs["labels"]) for one in recorder.of_type(CHANNEL)}
    assert made == {
        "channel-devops": ("email", {"email_address": "devops@example.com"}),
        "channel-on-call": ("sms", {"number": "+33199000001"}),
        "channel-incidents": ("pubsub", {"topic": "projects/p/topics/t"}),
    }


def test_slack_token_is_a_secret_and_not_a_label(build: Build, recorder: Recorder) -> None:
    def factory() -> NotificationChannels:
        slack = Slack(channel="#alerts", token=pulumi.Output.secret("token"))
        return NotificationChannels("channel", example_args(channels={"slack": slack}))

    build(factory)
    channel = recorder.one(CHANNEL, "channel-slack")
    assert channel.inputs["labels"] == {"channel_name": "#alerts"}
    assert channel.inputs["sensitiveLabels"] == {"authToken": "token"}
    assert "sensitiveLabels" in channel.secrets


def test_channels_are_made_one_after_the_other(build: Build, recorder: Recorder) -> None:
    channels = {key: Email(address=f"{key}@example.com") for key in ("a", "b", "c")}
    build(lambda: NotificationChannels("channel", example_args(channels=channels)))
    made = {one.name: one for one in recorder.of_type(CHANNEL)}
    assert made["channel-a"].dependencies == ()
    assert made["channel-b"].dependencies == (made["channel-a"].urn,)
    assert made["channel-c"].dependencies == (made["channel-b"].urn,)


def test_names_are_given_by_key(build: Build) -> None:
    made = build(lambda: NotificationChannels("channel", example_args()))
    assert build.resolve(made.names["devops"]) == "channel-devops"


@pytest.mark.parametrize(
    ("channel", "message"),
    [
        (Email(address="devops"), r"channels\.one\.address must be a mail address"),
        (Sms(number="0199"), r"channels\.one\.number must be in E\.164 form"),
    ],
)
def test_fails_when_an_address_is_not_one(channel: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        example_args(channels={"one": channel})


def test_fails_when_a_slack_channel_has_no_hash(build: Build) -> None:
    def factory() -> None:
        slack = Slack(channel="alerts", token=pulumi.Output.secret("token"))
        with pytest.raises(ValueError, match=r"must be a channel with its #, got 'alerts'"):
            example_args(channels={"one": slack})

    build(factory)

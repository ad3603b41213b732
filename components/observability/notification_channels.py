"""Who hears of trouble: notification channels by key.

Makes one `monitoring.NotificationChannel` per entry, one after the other, because Google wants channel
changes of a project one at a time.

Does not make: rotas and acknowledgement (Cloud Monitoring has none; that is PagerDuty's), Slack's incoming
webhooks (the native channel takes a bot token). A new mail or SMS channel can ask to be verified once; a
Slack bot must be a member of its channel. Google never returns tokens, so a changed token is invisible to a
refresh. Slack, PagerDuty and webhooks share one delivery path: keep a mail channel beside them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

import pulumi
import pulumi_gcp as gcp

from facts.refusal import RefusedError

__all__ = [
    "Channel",
    "Email",
    "NotificationChannels",
    "NotificationChannelsArgs",
    "PubSub",
    "Slack",
    "Sms",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Email:
    """Mail to one address."""

    address: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Slack:
    """Messages of the bot that owns `token` (a secret) to one channel, written with its `#`."""

    channel: str
    token: pulumi.Output[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sms:
    """Short texts without documentation to one number in E.164 form."""

    number: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PubSub:
    """Incidents as messages to one topic (`projects/P/topics/T`), for an operator who wires another pager.

    Monitoring's agent publishes there.
    """

    topic: pulumi.Input[str]


Channel = Email | Slack | Sms | PubSub


@dataclass(frozen=True, kw_only=True, slots=True)
class NotificationChannelsArgs:
    """The channels."""

    channels: Mapping[str, Channel]
    """Key to channel; the key names the child and is what alerts refer to."""
    labels: Mapping[str, str]
    """User labels of every channel."""

    def __post_init__(self) -> None:
        for key, channel in self.channels.items():
            match channel:
                case Email(address=address) if not re.fullmatch(r"[^@\s]+@[a-z0-9.-]+\.[a-z]{2,}", address):
                    raise RefusedError(
                        f"channels.{key}.address must be a mail address, got {address!r}: correct it"
                    )
                case Slack(channel=text) if not re.fullmatch(r"#[a-z0-9_-]{1,80}", text):
                    raise RefusedError(
                        f"channels.{key}.channel must be a channel with its #, got {text!r}: correct it"
                    )
                case Sms(number=number) if not re.fullmatch(r"\+[1-9][0-9]{6,14}", number):
                    raise RefusedError(
                        f"channels.{key}.number must be in E.164 form such as +33..., got a text of "
                        f"{len(number)} characters: correct it"
                    )
                case _:
                    pass


class NotificationChannels(pulumi.ComponentResource):
    """Notification channels."""

    names: Mapping[str, pulumi.Output[str]]
    """Key to the channel's resource name, as alert policies take it."""

    def __init__(
        self, name: str, args: NotificationChannelsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("aiprod:observability:NotificationChannels", name, None, opts)
        made: dict[str, gcp.monitoring.NotificationChannel] = {}
        for key, channel in args.channels.items():
            previous = list(made.values())[-1:]
            child = pulumi.ResourceOptions(parent=self, depends_on=previous)
            made[key] = _channel(f"{name}-{key}", key, channel, args.labels, child)
        self.names = {key: channel.name for key, channel in made.items()}
        self.register_outputs({"names": self.names})


def _channel(
    name: str, key: str, channel: Channel, labels: Mapping[str, str], opts: pulumi.ResourceOptions
) -> gcp.monitoring.NotificationChannel:
    target: Mapping[str, pulumi.Input[str]]
    sensitive: gcp.monitoring.NotificationChannelSensitiveLabelsArgsDict | None = None
    match channel:
        case Email(address=address):
            kind, target = "email", {"email_address": address}
        case Slack(channel=text, token=token):
            kind, target = "slack", {"channel_name": text}
            sensitive = {"auth_token": token}
        case Sms(number=number):
            kind, target = "sms", {"number": number}
        case PubSub(topic=topic):
            kind, target = "pubsub", {"topic": topic}
        case _:
            assert_never(channel)
    return gcp.monitoring.NotificationChannel(
        name,
        display_name=f"{key} ({kind})",
        type=kind,
        labels=target,
        sensitive_labels=sensitive,
        user_labels=labels,
        enabled=True,
        force_delete=False,
        opts=opts,
    )

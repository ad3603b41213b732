"""A work queue: a topic, its one subscription, and a dead-letter topic that keeps what failed.

The dead-letter topic has a pull subscription of its own, because a topic without one drops what it receives,
and the Pub/Sub service agent gets the two grants without which dead-lettering silently does nothing:
publisher on the dead-letter topic and subscriber on the source subscription.

Not made here: the workers, their identities, the keys, the alerts on backlog and dead letters. Not modelled:
schema, filter, ordering, transforms, BigQuery and Cloud Storage delivery; nothing here uses them yet.

Another topic or subscription name replaces it and loses its backlog. Retention is billed by stored bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import assert_never

import pulumi
import pulumi_gcp as gcp

from components._checks import require_between
from facts.names import check_name
from facts.refusal import RefusedError
from facts.sizes import check_waits

__all__ = ["Delivery", "Pull", "Push", "RetryPolicy", "WorkQueue", "WorkQueueArgs"]

_DEAD_LETTER_SUFFIX = "-dlq"
_NEVER = ""
_PUBLISHER = "roles/pubsub.publisher"
_SUBSCRIBER = "roles/pubsub.subscriber"
_SECONDS_PER_DAY = 86_400


@dataclass(frozen=True, kw_only=True, slots=True)
class Pull:
    """Workers ask for messages and extend their leases; right for jobs longer than ten minutes."""

    exactly_once: bool = False
    """Whether an acknowledged message is never delivered again (per region); costs throughput."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Push:
    """Pub/Sub calls an address and takes a 2xx answer as acknowledgement."""

    endpoint: pulumi.Input[str]
    """Address that receives messages; https only."""
    service_account: pulumi.Input[str]
    """Email of the account whose OIDC token comes with each call; it needs to be an invoker of the target."""
    audience: pulumi.Input[str] | None = None
    """Audience of the token; the endpoint when unset."""

    def __post_init__(self) -> None:
        if isinstance(self.endpoint, str) and not self.endpoint.startswith("https://"):
            message = f"endpoint must begin with https://, got {self.endpoint!r}"
            raise RefusedError(message)


Delivery = Pull | Push


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryPolicy:
    """How long Pub/Sub waits before it delivers a failed message again; grows from minimum to maximum."""

    minimum_seconds: int = 10
    """Wait after the first failure, 0 to 600 s."""
    maximum_seconds: int = 600
    """Longest wait, 0 to 600 s."""

    def __post_init__(self) -> None:
        require_between("minimum_seconds", self.minimum_seconds, 0, 600, "seconds")
        require_between("maximum_seconds", self.maximum_seconds, 0, 600, "seconds")
        check_waits("minimum_seconds", self.minimum_seconds, "maximum_seconds", self.maximum_seconds)


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkQueueArgs:
    """What a work queue needs to know."""

    project: pulumi.Input[str]
    """Project that holds the queue."""
    topic_name: str
    """Physical name of the topic; the dead-letter topic adds -dlq."""
    subscription_name: str
    """Physical name of the subscription; the dead-letter subscription adds -dlq."""
    delivery: Delivery
    """How messages reach the workers."""
    kms_key: pulumi.Input[str]
    """Key that encrypts both topics; the Pub/Sub service agent must be able to use it beforehand."""
    persistence_regions: tuple[str, ...]
    """Regions that may store messages; publishers elsewhere are refused in transit as well."""
    service_agent: pulumi.Input[str]
    """IAM member of the project's Pub/Sub service agent, which moves failed messages."""
    labels: Mapping[str, str]
    """Labels of all topics and subscriptions."""
    publishers: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    """IAM members that may publish, by a key that names the grant."""
    consumers: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    """IAM members that may receive and acknowledge, by a key that names the grant."""
    ack_deadline_seconds: int = 600
    """Time to acknowledge or extend, 10 to 600 s."""
    max_delivery_attempts: int = 10
    """Deliveries before a message is dead-lettered, 5 to 100, best effort."""
    retention_days: int = 7
    """How long an unacknowledged message is kept, 1 to 31 days."""
    dead_letter_retention_days: int = 31
    """How long a dead letter is kept, 1 to 31 days."""
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    """Back-off between deliveries; 10 to 600 s."""
    deletion_protection: bool = True
    """Whether topics and subscriptions refuse deletion; deleting a subscription loses its backlog."""

    def __post_init__(self) -> None:
        for suffix in ("", _DEAD_LETTER_SUFFIX):
            check_name("topic", self.topic_name + suffix)
            check_name("topic", self.subscription_name + suffix)
        require_between("ack_deadline_seconds", self.ack_deadline_seconds, 10, 600, "seconds")
        require_between("max_delivery_attempts", self.max_delivery_attempts, 5, 100, "attempts")
        require_between("retention_days", self.retention_days, 1, 31, "days")
        require_between("dead_letter_retention_days", self.dead_letter_retention_days, 1, 31, "days")
        if not self.persistence_regions:
            message = "persistence_regions must name at least one region, got none"
            raise RefusedError(message)


class WorkQueue(pulumi.ComponentResource):
    """A topic, its subscription, and the dead letters with everything they need to be kept."""

    topic_id: pulumi.Output[str]
    """Full path of the topic, projects/P/topics/T."""
    topic_name: pulumi.Output[str]
    """Short name of the topic."""
    subscription_id: pulumi.Output[str]
    """Full path of the subscription."""
    subscription_name: pulumi.Output[str]
    """Short name of the subscription, as metrics carry it."""
    dead_letter_subscription_id: pulumi.Output[str]
    """Full path of the subscription that keeps dead letters."""
    dead_letter_subscription_name: pulumi.Output[str]
    """Short name of the subscription that keeps dead letters."""

    def __init__(self, name: str, args: WorkQueueArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Make the queue."""
        super().__init__("aiprod:messaging:WorkQueue", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        kept = pulumi.ResourceOptions(parent=self, protect=args.deletion_protection)

        topic = _topic(name, args.topic_name, args, kept)
        dead_letters = _topic(f"{name}-dead-letter", args.topic_name + _DEAD_LETTER_SUFFIX, args, kept)
        subscription = _subscription(name, args, topic, dead_letters, kept)
        dead_letter_subscription = gcp.pubsub.Subscription(
            f"{name}-dead-letter",
            project=args.project,
            name=args.subscription_name + _DEAD_LETTER_SUFFIX,
            topic=dead_letters.id,
            ack_deadline_seconds=600,
            message_retention_duration=_days(args.dead_letter_retention_days),
            expiration_policy={"ttl": _NEVER},
            labels=args.labels,
            opts=kept,
        )
        _agent_grants(name, args, subscription, dead_letters, child)
        _client_grants(name, args, topic, subscription, child)

        self.topic_id = topic.id
        self.topic_name = topic.name
        self.subscription_id = subscription.id
        self.subscription_name = subscription.name
        self.dead_letter_subscription_id = dead_letter_subscription.id
        self.dead_letter_subscription_name = dead_letter_subscription.name
        self.register_outputs(
            {
                "topic_id": self.topic_id,
                "topic_name": self.topic_name,
                "subscription_id": self.subscription_id,
                "subscription_name": self.subscription_name,
                "dead_letter_subscription_id": self.dead_letter_subscription_id,
                "dead_letter_subscription_name": self.dead_letter_subscription_name,
            }
        )


def _topic(name: str, topic_name: str, args: WorkQueueArgs, opts: pulumi.ResourceOptions) -> gcp.pubsub.Topic:
    return gcp.pubsub.Topic(
        name,
        project=args.project,
        name=topic_name,
        kms_key_name=args.kms_key,
        message_storage_policy={
            "allowed_persistence_regions": list(args.persistence_regions),
            "enforce_in_transit": True,
        },
        labels=args.labels,
        opts=opts,
    )


def _subscription(
    name: str,
    args: WorkQueueArgs,
    topic: gcp.pubsub.Topic,
    dead_letters: gcp.pubsub.Topic,
    opts: pulumi.ResourceOptions,
) -> gcp.pubsub.Subscription:
    push_config: gcp.pubsub.SubscriptionPushConfigArgsDict | None
    match args.delivery:
        case Pull(exactly_once=exactly_once):
            push_config = None
        case Push():
            exactly_once = None
            push_config = _push_config(args.delivery)
        case _:
            assert_never(args.delivery)
    return gcp.pubsub.Subscription(
        name,
        project=args.project,
        name=args.subscription_name,
        topic=topic.id,
        ack_deadline_seconds=args.ack_deadline_seconds,
        message_retention_duration=_days(args.retention_days),
        expiration_policy={"ttl": _NEVER},
        enable_exactly_once_delivery=exactly_once,
        push_config=push_config,
        retry_policy={
            "minimum_backoff": f"{args.retry.minimum_seconds}s",
            "maximum_backoff": f"{args.retry.maximum_seconds}s",
        },
        dead_letter_policy={
            "dead_letter_topic": dead_letters.id,
            "max_delivery_attempts": args.max_delivery_attempts,
        },
        labels=args.labels,
        opts=opts,
    )


def _push_config(push: Push) -> gcp.pubsub.SubscriptionPushConfigArgsDict:
    token: gcp.pubsub.SubscriptionPushConfigOidcTokenArgsDict = {
        "service_account_email": push.service_account
    }
    if push.audience is not None:
        token["audience"] = push.audience
    return {"push_endpoint": push.endpoint, "oidc_token": token}


def _agent_grants(
    name: str,
    args: WorkQueueArgs,
    subscription: gcp.pubsub.Subscription,
    dead_letters: gcp.pubsub.Topic,
    opts: pulumi.ResourceOptions,
) -> None:
    gcp.pubsub.TopicIAMMember(
        f"{name}-dead-letter-agent",
        project=args.project,
        topic=dead_letters.name,
        role=_PUBLISHER,
        member=args.service_agent,
        opts=opts,
    )
    gcp.pubsub.SubscriptionIAMMember(
        f"{name}-agent",
        project=args.project,
        subscription=subscription.name,
        role=_SUBSCRIBER,
        member=args.service_agent,
        opts=opts,
    )


def _client_grants(
    name: str,
    args: WorkQueueArgs,
    topic: gcp.pubsub.Topic,
    subscription: gcp.pubsub.Subscription,
    opts: pulumi.ResourceOptions,
) -> None:
    for key, member in args.publishers.items():
        gcp.pubsub.TopicIAMMember(
            f"{name}-publisher-{key}",
            project=args.project,
            topic=topic.name,
            role=_PUBLISHER,
            member=member,
            opts=opts,
        )
    for key, member in args.consumers.items():
        gcp.pubsub.SubscriptionIAMMember(
            f"{name}-consumer-{key}",
            project=args.project,
            subscription=subscription.name,
            role=_SUBSCRIBER,
            member=member,
            opts=opts,
        )


def _days(days: int) -> str:
    return f"{days * _SECONDS_PER_DAY}s"

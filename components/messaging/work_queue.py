"""A work queue: a topic, its one subscription, and a dead-letter topic that keeps what failed.

The dead-letter topic has a pull subscription of its own, because a topic without one drops what it receives,
and the Pub/Sub service agent gets the two grants without which dead-lettering silently does nothing:
publisher on the dead-letter topic and subscriber on the source subscription. A queue that writes rows or
files also grants its writer two roles on that table or bucket. Both subscriptions never expire.

Not made here: the workers, their identities, the keys, the table or bucket that is written to, the alerts on
backlog, age, dead letters and expiry, which take the names and the two retentions. Not modelled:
message transforms, ingestion from other clouds and snapshots; nothing here uses them.

Another topic or subscription name, filter or ordering replaces it and loses its backlog: put a new queue
beside the old one and drain that. Retention is billed by stored bytes.
"""

from __future__ import annotations

from typing import assert_never

import pulumi
import pulumi_gcp as gcp

from components.messaging._delivery import (
    AvroFiles,
    BigQuery,
    Delivery,
    MessageColumns,
    Pull,
    Push,
    Storage,
    TableColumns,
    TextFiles,
    TopicColumns,
    Unwrapped,
    bigquery_config,
    push_config,
    storage_config,
)
from components.messaging._queue_args import (
    DEAD_LETTER_SUFFIX,
    Avro,
    Protobuf,
    RetryPolicy,
    Schema,
    WorkQueueArgs,
)
from components.messaging._queue_grants import grant_agent, grant_clients, grant_writer

__all__ = [
    "DEAD_LETTER_SUFFIX",
    "Avro",
    "AvroFiles",
    "BigQuery",
    "Delivery",
    "MessageColumns",
    "Protobuf",
    "Pull",
    "Push",
    "RetryPolicy",
    "Schema",
    "Storage",
    "TableColumns",
    "TextFiles",
    "TopicColumns",
    "Unwrapped",
    "WorkQueue",
    "WorkQueueArgs",
]

_NEVER = ""
_SECONDS_PER_DAY = 86_400


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

        topic = _source_topic(name, args, child, kept)
        dead_letters = _topic(f"{name}-dead-letter", args.topic_name + DEAD_LETTER_SUFFIX, args, kept)
        writes = grant_writer(name, args, child)
        written = pulumi.ResourceOptions(parent=self, protect=args.deletion_protection, depends_on=writes)
        subscription = _subscription(name, args, topic, dead_letters, written)
        dead_letter_subscription = gcp.pubsub.Subscription(
            f"{name}-dead-letter",
            project=args.project,
            name=args.subscription_name + DEAD_LETTER_SUFFIX,
            topic=dead_letters.id,
            ack_deadline_seconds=600,
            message_retention_duration=_days(args.dead_letter_retention_days),
            enable_message_ordering=_ordered(args) or None,
            expiration_policy={"ttl": _NEVER},
            labels=args.labels,
            opts=kept,
        )
        grant_agent(name, args, subscription, dead_letters, child)
        grant_clients(name, args, topic, subscription, dead_letter_subscription, child)

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


def _source_topic(
    name: str, args: WorkQueueArgs, child: pulumi.ResourceOptions, kept: pulumi.ResourceOptions
) -> gcp.pubsub.Topic:
    retention = None if args.topic_retention_days is None else _days(args.topic_retention_days)
    if args.schema is None:
        return _topic(name, args.topic_name, args, kept, retention=retention)
    match args.schema.definition:
        case Avro(definition=definition):
            kind = "AVRO"
        case Protobuf(definition=definition):
            kind = "PROTOCOL_BUFFER"
        case _:
            assert_never(args.schema.definition)
    schema = gcp.pubsub.Schema(
        f"{name}-schema", project=args.project, type=kind, definition=definition, opts=child
    )
    settings: gcp.pubsub.TopicSchemaSettingsArgsDict = {
        "schema": schema.id,
        "encoding": args.schema.encoding,
    }
    if args.schema.first_revision is not None:
        settings["first_revision_id"] = args.schema.first_revision
    if args.schema.last_revision is not None:
        settings["last_revision_id"] = args.schema.last_revision
    return _topic(name, args.topic_name, args, kept, retention=retention, schema=settings)


def _topic(
    name: str,
    topic_name: str,
    args: WorkQueueArgs,
    opts: pulumi.ResourceOptions,
    *,
    retention: str | None = None,
    schema: gcp.pubsub.TopicSchemaSettingsArgsDict | None = None,
) -> gcp.pubsub.Topic:
    return gcp.pubsub.Topic(
        name,
        project=args.project,
        name=topic_name,
        kms_key_name=args.kms_key,
        message_storage_policy={
            "allowed_persistence_regions": list(args.persistence_regions),
            "enforce_in_transit": True,
        },
        message_retention_duration=retention,
        schema_settings=schema,
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
    delivery = args.delivery
    return gcp.pubsub.Subscription(
        name,
        project=args.project,
        name=args.subscription_name,
        topic=topic.id,
        ack_deadline_seconds=args.ack_deadline_seconds,
        message_retention_duration=_days(args.retention_days),
        retain_acked_messages=args.keep_acknowledged or None,
        filter=args.filter,
        enable_message_ordering=_ordered(args) or None,
        expiration_policy={"ttl": _NEVER},
        enable_exactly_once_delivery=delivery.exactly_once if isinstance(delivery, Pull) else None,
        push_config=push_config(delivery) if isinstance(delivery, Push) else None,
        bigquery_config=bigquery_config(delivery) if isinstance(delivery, BigQuery) else None,
        cloud_storage_config=storage_config(delivery) if isinstance(delivery, Storage) else None,
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


def _ordered(args: WorkQueueArgs) -> bool:
    return isinstance(args.delivery, Pull | Push) and args.delivery.ordered


def _days(days: int) -> str:
    return f"{days * _SECONDS_PER_DAY}s"

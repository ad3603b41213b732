"""Who may do what with a work queue: the service agent always, everybody else by capability."""

from __future__ import annotations

from typing import assert_never

import pulumi
import pulumi_gcp as gcp

from components.messaging._delivery import BigQuery, Pull, Push, Storage
from components.messaging._queue_args import WorkQueueArgs

__all__ = ["grant_agent", "grant_clients", "grant_writer"]

_PUBLISHER = "roles/pubsub.publisher"
_SUBSCRIBER = "roles/pubsub.subscriber"
_ROWS = {"rows": "roles/bigquery.dataEditor", "metadata": "roles/bigquery.metadataViewer"}
_FILES = {"files": "roles/storage.objectCreator", "metadata": "roles/storage.legacyBucketReader"}


def grant_agent(
    name: str,
    args: WorkQueueArgs,
    subscription: gcp.pubsub.Subscription,
    dead_letters: gcp.pubsub.Topic,
    opts: pulumi.ResourceOptions,
) -> None:
    """The two grants without which nothing is dead-lettered and nobody says so."""
    _publisher(f"{name}-dead-letter-agent", args, dead_letters, args.service_agent, opts)
    _subscriber(f"{name}-agent", args, subscription, args.service_agent, opts)


def grant_clients(
    name: str,
    args: WorkQueueArgs,
    topic: gcp.pubsub.Topic,
    subscription: gcp.pubsub.Subscription,
    dead_letters: gcp.pubsub.Subscription,
    opts: pulumi.ResourceOptions,
) -> None:
    """Publishers, consumers, and those who bring dead letters back."""
    for key, member in args.publishers.items():
        _publisher(f"{name}-publisher-{key}", args, topic, member, opts)
    for key, member in args.consumers.items():
        _subscriber(f"{name}-consumer-{key}", args, subscription, member, opts)
    for key, member in args.replayers.items():
        _publisher(f"{name}-replayer-{key}", args, topic, member, opts)
        _subscriber(f"{name}-dead-letter-replayer-{key}", args, dead_letters, member, opts)


def grant_writer(name: str, args: WorkQueueArgs, opts: pulumi.ResourceOptions) -> list[pulumi.Resource]:
    """What must stand before Google accepts a subscription that writes somewhere."""
    match args.delivery:
        case BigQuery():
            return _on_table(name, args.delivery, _writer(args, args.delivery.account), opts)
        case Storage():
            return _on_bucket(name, args.delivery, _writer(args, args.delivery.account), opts)
        case Pull() | Push():
            return []
        case _:
            assert_never(args.delivery)


def _writer(args: WorkQueueArgs, account: pulumi.Input[str] | None) -> pulumi.Input[str]:
    return args.service_agent if account is None else pulumi.Output.concat("serviceAccount:", account)


def _on_table(
    name: str, rows: BigQuery, writer: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> list[pulumi.Resource]:
    return [
        gcp.bigquery.IamMember(
            f"{name}-writer-{key}",
            project=rows.project,
            dataset_id=rows.dataset,
            table_id=rows.table,
            role=role,
            member=writer,
            opts=opts,
        )
        for key, role in _ROWS.items()
    ]


def _on_bucket(
    name: str, files: Storage, writer: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> list[pulumi.Resource]:
    return [
        gcp.storage.BucketIAMMember(
            f"{name}-writer-{key}", bucket=files.bucket, role=role, member=writer, opts=opts
        )
        for key, role in _FILES.items()
    ]


def _publisher(
    name: str,
    args: WorkQueueArgs,
    topic: gcp.pubsub.Topic,
    member: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> None:
    gcp.pubsub.TopicIAMMember(
        name, project=args.project, topic=topic.name, role=_PUBLISHER, member=member, opts=opts
    )


def _subscriber(
    name: str,
    args: WorkQueueArgs,
    subscription: gcp.pubsub.Subscription,
    member: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> None:
    gcp.pubsub.SubscriptionIAMMember(
        name,
        project=args.project,
        subscription=subscription.name,
        role=_SUBSCRIBER,
        member=member,
        opts=opts,
    )

"""Work between services: one queue per purpose, and who publishes to it and works on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

from components.messaging.task_queue import Rate, Retries, Target, TaskQueue, TaskQueueArgs
from components.messaging.work_queue import (
    Avro,
    Protobuf,
    Pull,
    RetryPolicy,
    Schema,
    WorkQueue,
    WorkQueueArgs,
)
from config import Settings
from config_messaging import MessageSchema, Webhooks
from naming import Names
from stacks.foundation import Foundation
from stacks.providers import Providers
from stacks.runtimes import Role

__all__ = ["Messaging", "messaging"]

_PUBLISHERS: Mapping[str, tuple[Role, ...]] = {
    "jobs": ("api",),
    "results": ("worker", "batch"),
    "notifications": ("api", "worker", "batch"),
    "batch": ("api",),
}
_CONSUMERS: Mapping[str, tuple[Role, ...]] = {
    "jobs": ("worker",),
    "results": ("worker",),
    "notifications": ("worker",),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Messaging:
    """What other layers take from here: queues by purpose, and what each runtime publishes and pulls."""

    queues: Mapping[str, WorkQueue]
    published: Mapping[Role, tuple[str, ...]]
    consumed: Mapping[Role, tuple[str, ...]]


def messaging(settings: Settings, names: Names, providers: Providers, foundation: Foundation) -> Messaging:
    """Batch jobs go to the batch workers where there are some, else to the one pool."""
    batch_worker: Role = "worker" if settings.workers.batch_scaling is None else "batch"
    consumers: dict[str, tuple[Role, ...]] = {**_CONSUMERS, "batch": (batch_worker,)}
    queues = {
        purpose: _queue(purpose, consumers[purpose], settings, names, providers, foundation)
        for purpose in settings.messaging.queues
    }
    consumed: dict[Role, tuple[str, ...]] = {
        worker: tuple(purpose for purpose in queues if worker in consumers[purpose])
        for workers in consumers.values()
        for worker in workers
    }
    published: dict[Role, tuple[str, ...]] = {
        publisher: tuple(purpose for purpose in queues if publisher in _PUBLISHERS[purpose])
        for publishers in _PUBLISHERS.values()
        for publisher in publishers
    }
    if settings.messaging.webhooks is not None:
        _webhooks(settings.messaging.webhooks, settings, providers, foundation)
    return Messaging(queues=queues, published=published, consumed=consumed)


def _webhooks(
    config: Webhooks, settings: Settings, providers: Providers, foundation: Foundation
) -> TaskQueue:
    """Calls of the service that sends webhooks: it goes out by the reserved addresses, a task does not."""
    return TaskQueue(
        "webhooks",
        TaskQueueArgs(
            project=settings.project_id,
            queue_name=config.queue,
            location=settings.home,
            rate=Rate(per_second=config.per_second, at_once=config.at_once),
            retries=Retries(
                attempts=config.attempts,
                minimum_seconds=config.minimum_backoff_seconds,
                maximum_seconds=config.maximum_backoff_seconds,
            ),
            target=Target(
                host=config.host,
                path=config.path,
                account=foundation.identities["pubsub-push"].email,
                audience=f"https://{config.host}",
            ),
            enqueuers=foundation.members(*_PUBLISHERS["notifications"]),
        ),
        providers.resources,
    )


def _replayers(settings: Settings, foundation: Foundation) -> dict[str, pulumi.Input[str]]:
    """People run the replay where they are, under their own names: what it moves was looked at before, and it
    must work when nothing of ours does. Nobody may act as an account, so the groups hold the grants, and the
    runtime's own account holds them once it stands.
    """
    people = {address.partition("@")[0]: f"group:{address}" for address in settings.messaging.operators}
    return {**people, **foundation.members("replay")}


def _queue(
    purpose: str,
    consumers: tuple[Role, ...],
    settings: Settings,
    names: Names,
    providers: Providers,
    foundation: Foundation,
) -> WorkQueue:
    config = settings.messaging.queues[purpose]
    keys = foundation.keys[settings.home]
    return WorkQueue(
        f"queue-{purpose}",
        WorkQueueArgs(
            project=settings.project_id,
            topic_name=config.topic,
            subscription_name=config.subscription,
            # Jobs outlast the ten minutes of a push: workers pull and extend their leases.
            delivery=Pull(),
            kms_key=keys.key_ids["pubsub"],
            persistence_regions=settings.regions,
            service_agent=foundation.agents.members["pubsub"],
            labels=names.labels("messaging", "confidential"),
            publishers=foundation.members(*_PUBLISHERS[purpose]),
            consumers=foundation.members(*consumers),
            replayers=_replayers(settings, foundation),
            schema=_schema(config.message_schema),
            ack_deadline_seconds=config.ack_deadline_seconds,
            max_delivery_attempts=config.max_delivery_attempts,
            dead_letter_retention_days=settings.messaging.dead_letter_retention_days,
            retry=RetryPolicy(
                minimum_seconds=config.minimum_backoff_seconds,
                maximum_seconds=config.maximum_backoff_seconds,
            ),
            deletion_protection=settings.deletion_protection,
        ),
        pulumi.ResourceOptions.merge(providers.resources, pulumi.ResourceOptions(depends_on=[keys])),
    )


def _schema(config: MessageSchema | None) -> Schema | None:
    """The contract's messages are JSON, whatever language the schema is written in."""
    if config is None:
        return None
    definition = Avro if config.language == "avro" else Protobuf
    return Schema(
        definition=definition(definition=config.definition),
        encoding="JSON",
        first_revision=config.first_revision,
        last_revision=config.last_revision,
    )

"""Queues between the workloads: `messaging` of the stack file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from config_types import (
    Groups,
    Hostname,
    PathPrefix,
    QueueName,
    SchemaRevision,
    Section,
    TopicName,
    refuse_other_purposes,
)
from facts.message_schemas import check_avro, check_protobuf
from facts.refusal import RefusedError
from facts.sizes import check_waits

# Who publishes and consumes stands in stacks/messaging.py.
QUEUE_PURPOSES = ("jobs", "results", "notifications", "batch")


class MessageSchema(Section):
    """What Pub/Sub asks of a message, in JSON; docs/adr/0015-message-schemas.md says why no queue has one."""

    language: Literal["avro", "protobuf"]
    definition: str
    # Revisions that a message may have, from `gcloud pubsub schemas list-revisions`; all when left out.
    first_revision: SchemaRevision | None = None
    last_revision: SchemaRevision | None = None

    @model_validator(mode="after")
    def _readable(self) -> MessageSchema:
        check = check_avro if self.language == "avro" else check_protobuf
        try:
            check(self.definition)
        except RefusedError as error:
            raise RefusedError(f"definition {error}; correct it") from None
        return self


class Waits(Section):
    """Two waits between attempts, the shorter one first; each kind of queue has its own bounds."""

    minimum_backoff_seconds: int
    maximum_backoff_seconds: int

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        check_waits(
            "minimum_backoff_seconds",
            self.minimum_backoff_seconds,
            "maximum_backoff_seconds",
            self.maximum_backoff_seconds,
        )
        return self


class Queue(Waits):
    """A topic, its worker's subscription and their dead letters."""

    topic: TopicName
    subscription: TopicName
    ack_deadline_seconds: Annotated[int, Field(ge=10, le=600)] = 600
    max_delivery_attempts: Annotated[int, Field(ge=5, le=100)] = 5
    minimum_backoff_seconds: Annotated[int, Field(ge=0, le=600)] = 10
    maximum_backoff_seconds: Annotated[int, Field(ge=0, le=600)] = 600
    # Wait until work on a message begins that 95 of 100 do not exceed: what the scaler keeps. Metrics of
    # Pub/Sub show a message too late for less than five minutes.
    promise_seconds: Annotated[int, Field(ge=300, le=86_400)] = 300
    # Mean time of a job until the scaler has measured enough of them.
    job_seconds: Annotated[int, Field(ge=1, le=3_600)] = 60
    # None: publishers hold to the contract by themselves.
    message_schema: MessageSchema | None = None


def _queues() -> dict[str, Queue]:
    return {
        "jobs": Queue(
            topic="aiprod-pipeline-jobs",
            subscription="aiprod-job-processor",
            max_delivery_attempts=10,
            maximum_backoff_seconds=120,
        ),
        "results": Queue(topic="aiprod-job-results", subscription="aiprod-result-notifier", job_seconds=1),
        "notifications": Queue(
            topic="aiprod-job-notifications", subscription="aiprod-job-notifications-sender", job_seconds=1
        ),
        "batch": Queue(
            topic="aiprod-batch-jobs",
            subscription="aiprod-batch-processor",
            max_delivery_attempts=10,
            maximum_backoff_seconds=120,
            promise_seconds=1_800,
        ),
    }


class Webhooks(Waits):
    """Calls of a service that sends webhooks, at a rate; docs/adr/0013-webhooks.md says why there is none."""

    queue: QueueName = "aiprod-webhooks"
    # The service that signs and sends, and where it takes a task.
    host: Hostname
    path: PathPrefix = "/webhooks"
    per_second: Annotated[float, Field(ge=0.01, le=500)] = 10.0
    at_once: Annotated[int, Field(ge=1, le=5_000)] = 50
    attempts: Annotated[int, Field(ge=1, le=100)] = 5
    minimum_backoff_seconds: Annotated[int, Field(ge=1, le=3_600)] = 10
    maximum_backoff_seconds: Annotated[int, Field(ge=1, le=3_600)] = 600


class Messaging(Section):
    """Queues by purpose; batch has its own so that it cannot starve interactive jobs.

    Workers send webhooks from the queue `notifications`; `webhooks` is for a service that does it instead.
    """

    queues: Mapping[str, Queue] = Field(default_factory=_queues)
    # A message may wait seven days before it is one, and must not be older than it may become.
    dead_letter_retention_days: Annotated[int, Field(ge=7, le=31)] = 31
    # Addresses of the groups that bring dead letters back with `make replay`, for which they must read them.
    operators: Groups = ()
    webhooks: Webhooks | None = None

    @model_validator(mode="after")
    def _wired(self) -> Messaging:
        refuse_other_purposes("queues", self.queues, QUEUE_PURPOSES)
        for field in ("topic", "subscription"):
            _refuse_shared({purpose: getattr(queue, field) for purpose, queue in self.queues.items()}, field)
        for address in self.operators:
            # The runtime of the replay has the grant of this name.
            if address.startswith("replay@"):
                raise RefusedError(f"operators must not be named replay, got {address}; rename the group")
        return self


def _refuse_shared(names: Mapping[str, str], field: str) -> None:
    """Each queue has two of a kind: its own, and `-dlq` for its dead letters."""
    taken: dict[str, str] = {}
    for purpose, own in names.items():
        for name in (own, f"{own}-dlq"):
            if name in taken:
                raise RefusedError(
                    f"queues.{purpose}.{field} must share no name with queues.{taken[name]}, dead letters "
                    f"(-dlq) included, got {name!r} for both; rename one"
                )
        taken |= {own: purpose, f"{own}-dlq": purpose}

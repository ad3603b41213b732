"""What a work queue needs to know, and which combinations it refuses before anything is made."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import pulumi

from components._checks import require_between
from components.messaging._delivery import AvroFiles, BigQuery, Delivery, Pull, Storage, TopicColumns
from facts.filter_languages import check_message_filter
from facts.members import check_members
from facts.message_schemas import check_avro, check_protobuf
from facts.names import check_name
from facts.refusal import RefusedError
from facts.sizes import check_waits

__all__ = ["DEAD_LETTER_SUFFIX", "Avro", "Protobuf", "RetryPolicy", "Schema", "WorkQueueArgs"]

DEAD_LETTER_SUFFIX = "-dlq"
_SECONDS_PER_DAY = 86_400
_REVISION = re.compile(r"[0-9a-f]{8}")

Members: TypeAlias = Mapping[str, pulumi.Input[str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Avro:
    """A schema in Avro: one record, as JSON."""

    definition: str
    """The text; a changed one is a new revision, which Google refuses where old messages would not fit."""

    def __post_init__(self) -> None:
        _about("definition", self.definition, check_avro)


@dataclass(frozen=True, kw_only=True, slots=True)
class Protobuf:
    """A schema as a protocol buffer: one top-level message without imports."""

    definition: str
    """As of `Avro`."""

    def __post_init__(self) -> None:
        _about("definition", self.definition, check_protobuf)


@dataclass(frozen=True, kw_only=True, slots=True)
class Schema:
    """What a message must look like; a publisher of another one is refused."""

    definition: Avro | Protobuf
    """The schema."""
    encoding: Literal["JSON", "BINARY"]
    """How publishers write it."""
    first_revision: str | None = None
    """Oldest revision that a message may have, 8 hexadecimal digits; the first one when unset."""
    last_revision: str | None = None
    """Newest revision that a message may have; the newest one when unset."""

    def __post_init__(self) -> None:
        for name in ("first_revision", "last_revision"):
            revision = getattr(self, name)
            if revision is not None and _REVISION.fullmatch(revision) is None:
                raise RefusedError(
                    f"{name} must be the 8 hexadecimal digits of a revision, got {revision!r}; copy its id"
                )


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
    """How messages reach whoever works on them."""
    kms_key: pulumi.Input[str]
    """Key that encrypts both topics; the Pub/Sub service agent must be able to use it beforehand."""
    persistence_regions: tuple[str, ...]
    """Regions that may store messages; publishers elsewhere are refused in transit as well."""
    service_agent: pulumi.Input[str]
    """IAM member of the project's Pub/Sub service agent, which moves failed messages."""
    labels: Mapping[str, str]
    """Labels of all topics and subscriptions."""
    publishers: Members = field(default_factory=dict[str, pulumi.Input[str]])
    """IAM members that may publish, by a key that names the grant."""
    consumers: Members = field(default_factory=dict[str, pulumi.Input[str]])
    """IAM members that may receive and acknowledge, by a key that names the grant; for `Pull` alone."""
    replayers: Members = field(default_factory=dict[str, pulumi.Input[str]])
    """IAM members that may take dead letters and publish them again, by a key that names the two grants."""
    schema: Schema | None = None
    """What messages must look like; anything by default. Dead letters are kept whatever they look like."""
    filter: str | None = None
    """Expression over attributes, at most 256 bytes; immutable. Messages that it leaves out are lost here."""
    ack_deadline_seconds: int = 600
    """Time to acknowledge or extend, 10 to 600 s."""
    max_delivery_attempts: int = 10
    """Deliveries before a message is dead-lettered, 5 to 100, best effort."""
    retention_days: int = 7
    """How long an unacknowledged message is kept, 1 to 31 days, longer than its attempts can take."""
    keep_acknowledged: bool = False
    """Whether acknowledged messages are kept as long, for a seek back; billed by stored bytes."""
    topic_retention_days: int | None = None
    """How long the topic keeps every message for seeks, 1 to 31 days; not when unset."""
    dead_letter_retention_days: int = 31
    """How long a dead letter is kept, 1 to 31 days, not less than retention_days."""
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    """Back-off between deliveries; 10 to 600 s."""
    deletion_protection: bool = True
    """Whether topics and subscriptions refuse deletion; deleting a subscription loses its backlog."""

    def __post_init__(self) -> None:
        for suffix in ("", DEAD_LETTER_SUFFIX):
            check_name("topic", self.topic_name + suffix)
            check_name("topic", self.subscription_name + suffix)
        require_between("ack_deadline_seconds", self.ack_deadline_seconds, 10, 600, "seconds")
        require_between("max_delivery_attempts", self.max_delivery_attempts, 5, 100, "attempts")
        if not self.persistence_regions:
            message = (
                "persistence_regions must name at least one region, got none; name where messages may lie"
            )
            raise RefusedError(message)
        if self.filter is not None:
            _about("filter", self.filter, check_message_filter)
        _check_retention(self)
        _check_delivery(self)
        for name in ("publishers", "consumers", "replayers"):
            check_members(name, getattr(self, name))


def _about(name: str, text: str, check: Callable[[str], None]) -> None:
    """One sentence that begins with the field."""
    try:
        check(text)
    except RefusedError as error:
        raise RefusedError(f"{name} {error}; correct it") from error


def _check_retention(args: WorkQueueArgs) -> None:
    for name in ("retention_days", "dead_letter_retention_days", "topic_retention_days"):
        days = getattr(args, name)
        if days is not None:
            require_between(name, days, 1, 31, "days")
    attempts = args.max_delivery_attempts * (args.ack_deadline_seconds + args.retry.maximum_seconds)
    if args.retention_days * _SECONDS_PER_DAY <= attempts:
        raise RefusedError(
            f"retention_days must outlast {args.max_delivery_attempts} attempts of "
            f"{args.ack_deadline_seconds + args.retry.maximum_seconds} seconds, or messages vanish before "
            f"they are dead letters, got {args.retention_days}; raise it"
        )
    if args.dead_letter_retention_days < args.retention_days:
        raise RefusedError(
            f"dead_letter_retention_days must be at least retention_days {args.retention_days}, "
            f"got {args.dead_letter_retention_days}; raise it"
        )


def _check_delivery(args: WorkQueueArgs) -> None:
    delivery = args.delivery
    if args.consumers and not isinstance(delivery, Pull):
        raise RefusedError(
            f"consumers must be none where {type(delivery).__name__} delivers, got "
            f"{', '.join(sorted(args.consumers))}; let Pull deliver or remove them"
        )
    match delivery:
        case BigQuery(columns=TopicColumns()):
            needs_schema = "columns"
        case Storage(format=AvroFiles(topic_schema=True)):
            needs_schema = "format"
        case _:
            needs_schema = ""
    if needs_schema and args.schema is None:
        raise RefusedError(
            f"{needs_schema} must not be those of the topic's schema where schema is none, got "
            f"{type(delivery).__name__}; give the queue a schema"
        )
    if isinstance(delivery, Storage) and delivery.maximum_seconds > args.ack_deadline_seconds:
        raise RefusedError(
            f"maximum_seconds must be at most ack_deadline_seconds {args.ack_deadline_seconds}, "
            f"got {delivery.maximum_seconds}; lower it"
        )

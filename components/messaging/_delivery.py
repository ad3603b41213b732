"""How a queue hands out its messages: pulled, pushed, as rows of BigQuery or as files of Cloud Storage.

What excludes each other cannot be written: exactly-once delivery is a property of `Pull` alone, ordering one
of `Pull` and `Push`, for a table and a bucket have no order of their own. Not modelled: Bigtable, which the
provider does not offer, and the attributes of a push request, which has one version.

Sources: Pub/Sub's pages on exactly-once delivery, ordering, BigQuery and Cloud Storage subscriptions; the
provider's pubsub_subscription page for the limits of a file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

import pulumi
import pulumi_gcp as gcp

from components._checks import require_between
from facts.names import check_name
from facts.refusal import RefusedError

__all__ = [
    "AvroFiles",
    "BigQuery",
    "Delivery",
    "MessageColumns",
    "Pull",
    "Push",
    "Storage",
    "TableColumns",
    "TextFiles",
    "TopicColumns",
    "Unwrapped",
    "bigquery_config",
    "push_config",
    "storage_config",
]

_DATASET = re.compile(r"[A-Za-z0-9_]{1,1024}")
_TABLE = re.compile(r"[\w\- ]{1,1024}")
_KIB, _GIB = 1024, 1024**3


@dataclass(frozen=True, kw_only=True, slots=True)
class Pull:
    """Workers ask for messages and extend their leases; right for jobs longer than ten minutes."""

    exactly_once: bool = False
    """Whether an acknowledged message is never delivered again (per region); costs throughput."""
    ordered: bool = False
    """Whether messages of one ordering key come in the order of their publication; immutable. A dead letter
    lets the next of its key through, and publishers must use one region's endpoint."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unwrapped:
    """The request's body is the message's data itself."""

    metadata: bool = True
    """Whether id and attributes come as headers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Push:
    """Pub/Sub calls an address and takes a 2xx answer as acknowledgement."""

    endpoint: pulumi.Input[str]
    """Address that receives messages; https only."""
    service_account: pulumi.Input[str]
    """Email of the account whose OIDC token comes with each call; it needs to be an invoker of the target."""
    audience: pulumi.Input[str] | None = None
    """Audience of the token; the endpoint when unset."""
    unwrapped: Unwrapped | None = None
    """Sends bare data; by default the JSON envelope that Pub/Sub documents."""
    ordered: bool = False
    """As of `Pull`; one message of a key is under way at a time."""

    def __post_init__(self) -> None:
        if isinstance(self.endpoint, str) and not self.endpoint.startswith("https://"):
            message = f"endpoint must begin with https://, got {self.endpoint!r}; use https"
            raise RefusedError(message)


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageColumns:
    """The whole message in the table's column `data`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TopicColumns:
    """Columns as the topic's schema has fields; the queue needs a schema."""

    drop_unknown_fields: bool = False
    """Whether fields that the table does not have are left out; by default such a message fails."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TableColumns:
    """JSON fields go to the columns of their names."""

    drop_unknown_fields: bool = False
    """As of `TopicColumns`."""


Columns: TypeAlias = MessageColumns | TopicColumns | TableColumns


@dataclass(frozen=True, kw_only=True, slots=True)
class BigQuery:
    """Pub/Sub writes each message as a row; the queue grants the writer its two roles on this one table."""

    project: str
    """Project of the table."""
    dataset: str
    """Dataset, which must stand beforehand."""
    table: str
    """Table, which must stand beforehand, in a location that the topic's regions may send to."""
    columns: Columns = field(default_factory=MessageColumns)
    """Where the fields go."""
    metadata: bool = False
    """Whether id, publish time, attributes and ordering key get columns of their own."""
    account: pulumi.Input[str] | None = None
    """Email of an account that writes, and as which the Pub/Sub agent may act; by default that agent."""

    def __post_init__(self) -> None:
        check_name("project id", self.project)
        _check_account(self.account)
        for name, value, form in (("dataset", self.dataset, _DATASET), ("table", self.table, _TABLE)):
            if form.fullmatch(value) is None:
                raise RefusedError(
                    f"{name} must be the {name}'s own name without a dot, got {value!r}; "
                    "give project, dataset and table apart"
                )


@dataclass(frozen=True, kw_only=True, slots=True)
class TextFiles:
    """One line a message, data alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AvroFiles:
    """Avro records."""

    topic_schema: bool = False
    """Whether records have the topic's schema; the queue needs one. By default they carry bytes."""
    metadata: bool = False
    """Whether id, publish time, attributes and ordering key are kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Storage:
    """Pub/Sub gathers messages in files; the queue grants the writer its two roles on this one bucket."""

    bucket: pulumi.Input[str]
    """Name of the bucket, which must stand beforehand."""
    format: TextFiles | AvroFiles = field(default_factory=TextFiles)
    """What a file holds."""
    prefix: str = ""
    """Beginning of each file's name; none by default."""
    suffix: str = ""
    """End of each file's name, not a slash; none by default."""
    maximum_seconds: int = 300
    """When a file is closed at the latest, 60 to 600 s, not above the queue's ack_deadline_seconds."""
    maximum_bytes: int | None = None
    """Size at which a file is closed, 1 KiB to 10 GiB; by time alone when unset."""
    maximum_messages: int | None = None
    """Messages at which a file is closed, 1000 or more; by time alone when unset."""
    account: pulumi.Input[str] | None = None
    """As of `BigQuery`."""

    def __post_init__(self) -> None:
        if isinstance(self.bucket, str):
            check_name("bucket", self.bucket)
        _check_account(self.account)
        require_between("maximum_seconds", self.maximum_seconds, 60, 600, "seconds")
        if self.maximum_bytes is not None:
            require_between("maximum_bytes", self.maximum_bytes, _KIB, 10 * _GIB, "bytes")
        if self.maximum_messages is not None and self.maximum_messages < 1000:
            raise RefusedError(
                f"maximum_messages must be 1000 messages or more, got {self.maximum_messages}; raise it"
            )
        if self.suffix.endswith("/"):
            raise RefusedError(f"suffix must not end with a slash, got {self.suffix!r}; remove it")


Delivery: TypeAlias = Pull | Push | BigQuery | Storage


def push_config(push: Push) -> gcp.pubsub.SubscriptionPushConfigArgsDict:
    """The provider's block."""
    token: gcp.pubsub.SubscriptionPushConfigOidcTokenArgsDict = {
        "service_account_email": push.service_account
    }
    if push.audience is not None:
        token["audience"] = push.audience
    config: gcp.pubsub.SubscriptionPushConfigArgsDict = {"push_endpoint": push.endpoint, "oidc_token": token}
    if push.unwrapped is not None:
        config["no_wrapper"] = {"write_metadata": push.unwrapped.metadata}
    return config


def bigquery_config(rows: BigQuery) -> gcp.pubsub.SubscriptionBigqueryConfigArgsDict:
    """The provider's block."""
    config: gcp.pubsub.SubscriptionBigqueryConfigArgsDict = {
        "table": f"{rows.project}.{rows.dataset}.{rows.table}",
        "write_metadata": rows.metadata,
    }
    match rows.columns:
        case TopicColumns(drop_unknown_fields=drop):
            config["use_topic_schema"] = True
            config["drop_unknown_fields"] = drop
        case TableColumns(drop_unknown_fields=drop):
            config["use_table_schema"] = True
            config["drop_unknown_fields"] = drop
        case MessageColumns():
            pass
    if rows.account is not None:
        config["service_account_email"] = rows.account
    return config


def storage_config(files: Storage) -> gcp.pubsub.SubscriptionCloudStorageConfigArgsDict:
    """The provider's block."""
    config: gcp.pubsub.SubscriptionCloudStorageConfigArgsDict = {
        "bucket": files.bucket,
        "max_duration": f"{files.maximum_seconds}s",
    }
    match files.format:
        case AvroFiles(topic_schema=topic_schema, metadata=metadata):
            config["avro_config"] = {"use_topic_schema": topic_schema, "write_metadata": metadata}
        case TextFiles():
            config["text_config"] = {}
    if files.prefix:
        config["filename_prefix"] = files.prefix
    if files.suffix:
        config["filename_suffix"] = files.suffix
    if files.maximum_bytes is not None:
        config["max_bytes"] = files.maximum_bytes
    if files.maximum_messages is not None:
        config["max_messages"] = files.maximum_messages
    if files.account is not None:
        config["service_account_email"] = files.account
    return config


def _check_account(account: object) -> None:
    if isinstance(account, str) and re.fullmatch(r"[^@\s:]+@[^@\s:]+\.gserviceaccount\.com", account) is None:
        raise RefusedError(
            f"account must be the email of a service account, got {account!r}; "
            "write NAME@PROJECT.iam.gserviceaccount.com"
        )

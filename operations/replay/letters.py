"""One dead letter: what Pub/Sub hands out, and what of it is published again.

Pub/Sub adds attributes of its own when it gives a message up (`CloudPubSubDeadLetterSource...`), it and its
clients write `googclient_...`, and keys that begin with goog are reserved. None of them is published again:
the topic's schema and the next failure write theirs anew. The ordering key is kept.

Source: Google Cloud documentation, "Forward messages to dead-letter topics", "Publish messages: attributes",
"Quotas and limits" (100 attributes, keys of 256 and values of 1024 bytes).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

__all__ = ["REPLAYS", "REPLAY_OF", "Letter", "read"]

REPLAY_OF = "aiprod_replay_of"
REPLAYS = "aiprod_replays"
_DEAD_LETTER = "CloudPubSubDeadLetterSource"
_RESERVED = ("goog", _DEAD_LETTER)
_MOST_ATTRIBUTES = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """A dead letter and the lease that it is held by."""

    ack_id: str
    id: str
    # As it came, in base64; never decoded, never shown.
    data: str
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])
    ordering_key: str = ""
    # When it became a dead letter.
    died: datetime
    # When it was published to its topic; as `died` where Pub/Sub does not say.
    published: datetime

    @property
    def origin(self) -> str:
        """The id of the dead letter that was replayed first: this one, unless it came from a replay."""
        return self.attributes.get(REPLAY_OF) or self.id

    @property
    def replays(self) -> int:
        """How often it was replayed already."""
        count = self.attributes.get(REPLAYS, "0")
        return int(count) if count.isascii() and count.isdigit() else 0

    @property
    def deliveries(self) -> str:
        """How often its subscription tried before it gave up, or a question mark."""
        return self.attributes.get(f"{_DEAD_LETTER}DeliveryCount", "?")

    @property
    def own(self) -> dict[str, str]:
        """The attributes that its publisher gave it."""
        return {
            key: value
            for key, value in self.attributes.items()
            if not key.startswith(_RESERVED) and key not in (REPLAY_OF, REPLAYS)
        }

    @property
    def content(self) -> str:
        """A digest of everything that is published again."""
        parts = [self.ordering_key, self.data, sorted(self.own.items())]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @property
    def unfit(self) -> str:
        """Why Pub/Sub would not take it; empty when it would."""
        count = len(self.own) + 2
        return f"{count} attributes, at most {_MOST_ATTRIBUTES}" if count > _MOST_ATTRIBUTES else ""

    def again(self, replays: int) -> dict[str, Any]:
        """The message to publish, as the `replays`-th replay."""
        message: dict[str, Any] = {"attributes": {**self.own, REPLAY_OF: self.origin, REPLAYS: str(replays)}}
        if self.data:
            message["data"] = self.data
        if self.ordering_key:
            message["orderingKey"] = self.ordering_key
        return message


def read(received: Mapping[str, Any]) -> Letter:
    """A `ReceivedMessage` of the REST API."""
    message = cast("Mapping[str, Any]", received["message"])
    attributes = cast("Mapping[str, str]", message.get("attributes") or {})
    died = _moment(str(message["publishTime"])) or datetime.fromtimestamp(0, UTC)
    return Letter(
        ack_id=str(received["ackId"]),
        id=str(message["messageId"]),
        data=str(message.get("data") or ""),
        attributes=attributes,
        ordering_key=str(message.get("orderingKey") or ""),
        died=died,
        published=_moment(attributes.get(f"{_DEAD_LETTER}TopicPublishTime", "")) or died,
    )


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)

"""Pub/Sub as its REST API (v1) shows it: topics, subscriptions, leases, redelivery, dead letters.

One state machine for the loopback server and for the simulation. Time is given; nothing happens but by a
call. A late acknowledgement is ignored, the least that Pub/Sub promises; a pull may leave out what is there.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]
PROJECT = "projects/aiprod-dev"
JOBS, DEAD = f"{PROJECT}/topics/jobs", f"{PROJECT}/topics/jobs-dlq"
WORKER, KEPT = f"{PROJECT}/subscriptions/worker", f"{PROJECT}/subscriptions/worker-dlq"


class RefusedCallError(Exception):
    def __init__(self, code: int, status: str, message: str) -> None:
        super().__init__(message)
        self.code, self.status, self.message = code, status, message


@dataclass
class Entry:
    """A message as one subscription has it."""

    message: Json
    failures: int = 0
    ack_id: str = ""
    # Leased until; 0 when it may be handed out.
    until: float = 0.0


@dataclass
class Subscription:
    topic: str
    deadline: float = 600
    dead_letter_topic: str = ""
    attempts: int = 5
    entries: dict[str, Entry] = field(default_factory=dict[str, Entry])


class PubSub:
    """A project's Pub/Sub with one queue and its dead letters."""

    def __init__(self, now: Callable[[], float], chance: random.Random | None = None) -> None:
        self.now = now
        self.chance = chance
        self.topics = {JOBS, DEAD}
        self.subscriptions = {
            WORKER: Subscription(JOBS, deadline=60, dead_letter_topic=DEAD),
            KEPT: Subscription(DEAD),
        }
        # Verbs with a name that the caller may not use, and what a topic's schema says to a message.
        self.denied: set[str] = set()
        self.schema: Callable[[Json], str] = lambda _message: ""
        self._serial = 0

    def call(self, path: str, body: Json) -> Json:
        """Answer one POST. Errors: RefusedCallError as Google would."""
        name, _, verb = path.partition(":")
        if path in self.denied:
            raise RefusedCallError(403, "PERMISSION_DENIED", "User not authorized to perform this action.")
        if name not in self.topics and name not in self.subscriptions:
            raise RefusedCallError(
                404, "NOT_FOUND", f"Resource not found (resource={name.rsplit('/', 1)[-1]})."
            )
        match verb:
            case "publish":
                return {"messageIds": [self._publish(name, message) for message in body["messages"]]}
            case "pull":
                return self._pull(self.subscriptions[name], int(body["maxMessages"]))
            case "acknowledge":
                for entry in self._leased(name, body):
                    del self.subscriptions[name].entries[entry.message["messageId"]]
                return {}
            case "modifyAckDeadline":
                return self._modify(name, body)
            case _:
                raise RefusedCallError(404, "NOT_FOUND", f"no method {verb}")

    def settle(self) -> None:
        """Leases that are over are over."""
        for subscription in list(self.subscriptions.values()):
            for entry in list(subscription.entries.values()):
                if entry.until and entry.until <= self.now():
                    self._fail(subscription, entry)

    def waiting(self, name: str) -> list[Json]:
        """The messages of a subscription, leased or not."""
        return [entry.message for entry in self.subscriptions[name].entries.values()]

    def leased(self, name: str) -> int:
        return sum(entry.until > self.now() for entry in self.subscriptions[name].entries.values())

    def _publish(self, topic: str, message: Json) -> str:
        attributes = message.get("attributes", {})
        if not message.get("data") and not attributes:
            raise RefusedCallError(400, "INVALID_ARGUMENT", "Some messages in the batch are empty.")
        wrong = self.schema(message) if topic == JOBS else ""
        if wrong or len(attributes) > 100:
            raise RefusedCallError(400, "INVALID_ARGUMENT", wrong or "The request has too many attributes.")
        for key, value in attributes.items():
            if key.startswith("goog") or not key or len(key.encode()) > 256 or len(value.encode()) > 1024:
                raise RefusedCallError(400, "INVALID_ARGUMENT", "One of the attributes has an invalid key.")
        return self._store(topic, message)

    def _store(self, topic: str, message: Json) -> str:
        self._serial += 1
        id = str(10_000 + self._serial)
        stored = {"data": "", **message, "messageId": id, "publishTime": self._moment()}
        for subscription in self.subscriptions.values():
            if subscription.topic == topic:
                subscription.entries[id] = Entry(stored)
        return id

    def _pull(self, subscription: Subscription, most: int) -> Json:
        if not 1 <= most <= 1000:
            raise RefusedCallError(400, "INVALID_ARGUMENT", "max_messages must be between 1 and 1000.")
        self.settle()
        free = [entry for entry in subscription.entries.values() if not entry.until]
        if self.chance is not None and free:
            free = self.chance.sample(free, self.chance.randint(0, len(free)))
        received: list[Json] = []
        for entry in free[:most]:
            self._serial += 1
            entry.ack_id, entry.until = f"ack-{self._serial}", self.now() + subscription.deadline
            one: Json = {"ackId": entry.ack_id, "message": entry.message}
            if subscription.dead_letter_topic:
                one["deliveryAttempt"] = entry.failures + 1
            received.append(one)
        return {"receivedMessages": received} if received else {}

    def _modify(self, name: str, body: Json) -> Json:
        seconds = body["ackDeadlineSeconds"]
        if not 0 <= seconds <= 600:
            raise RefusedCallError(400, "INVALID_ARGUMENT", "ack_deadline_seconds must be between 0 and 600.")
        for entry in self._leased(name, body):
            if seconds:
                entry.until = self.now() + seconds
            else:
                self._fail(self.subscriptions[name], entry)
        return {}

    def _leased(self, name: str, body: Json) -> list[Entry]:
        ids = body["ackIds"]
        if not ids:
            raise RefusedCallError(400, "INVALID_ARGUMENT", "No ack ids specified.")
        held = {
            entry.ack_id: entry
            for entry in self.subscriptions[name].entries.values()
            if entry.until > self.now()
        }
        return [held[id] for id in ids if id in held]

    def _fail(self, subscription: Subscription, entry: Entry) -> None:
        entry.until, entry.failures = 0.0, entry.failures + 1
        if subscription.dead_letter_topic and entry.failures >= subscription.attempts:
            message = entry.message
            del subscription.entries[message["messageId"]]
            own = {key: message[key] for key in ("data", "orderingKey") if key in message}
            attributes = {
                **message.get("attributes", {}),
                "CloudPubSubDeadLetterSourceDeliveryCount": str(entry.failures),
                "CloudPubSubDeadLetterSourceSubscription": WORKER.rsplit("/", 1)[-1],
                "CloudPubSubDeadLetterSourceSubscriptionProject": PROJECT.rsplit("/", 1)[-1],
                "CloudPubSubDeadLetterSourceTopicPublishTime": message["publishTime"],
            }
            self._store(subscription.dead_letter_topic, {**own, "attributes": attributes})

    def _moment(self) -> str:
        return (
            datetime.fromtimestamp(self.now(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        )

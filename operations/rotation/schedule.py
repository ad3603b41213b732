"""Which message makes what happen.

| attribute `eventType` | what happens |
|---|---|
| SECRET_ROTATE (Google, or `make rotate`) | the secret of `secretId` is rotated |
| the same, for a secret of `reminders` | a ticket: a person follows its runbook |
| the same, for a secret that nobody knows | an alarm: it is due and nothing here rotates it |
| AIPROD_ROLLBACK (`make rotate-rollback`) | its version before comes back into use |
| AIPROD_SWEEP (hourly, Cloud Scheduler) | unfinished rotations go on, old versions are retired, reminders |
| anything else | acknowledged and ignored |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from .database import DatabaseRotation
from .lease import BusyError
from .outcome import Outcome
from .vendor import VendorRotation

__all__ = ["Message", "Rotations"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """What Pub/Sub delivered."""

    attributes: Mapping[str, str]
    published: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Rotations:
    """Every secret that is rotated here, by its short id."""

    databases: Mapping[str, DatabaseRotation]
    vendors: Mapping[str, VendorRotation]
    # Secret -> what a person does when it is due.
    reminders: Mapping[str, str]

    def answer(self, message: Message) -> Iterator[Outcome]:
        """Errors of one secret's rotation; a sweep tells them as outcomes and goes on with the next."""
        kind = message.attributes.get("eventType")
        secret = message.attributes.get("secretId", "").rsplit("/", 1)[-1]
        if kind == "AIPROD_SWEEP":
            for each in (*self.databases, *self.vendors):
                yield self._swept(each)
        elif kind == "AIPROD_ROLLBACK" and (one := self._of(secret)):
            yield one.roll_back(secret, message.published)
        elif kind == "AIPROD_ROLLBACK":
            yield Outcome(
                secret=secret, kind="failed", message="nothing here rotates it, so nothing goes back"
            )
        elif kind == "SECRET_ROTATE" and secret in self.databases:
            at_once = message.attributes.get("atOnce") == "true"
            yield self.databases[secret].rotate(secret, message.published, at_once=at_once)
        elif kind == "SECRET_ROTATE" and secret in self.vendors:
            confirmed = message.attributes.get("confirmed", "")
            number = int(confirmed) if confirmed.isdecimal() else None
            yield self.vendors[secret].rotate(secret, message.published, confirmed=number)
        elif kind == "SECRET_ROTATE" and secret in self.reminders:
            yield Outcome(secret=secret, kind="ticket", message=f"due: {self.reminders[secret]}")
        elif kind == "SECRET_ROTATE":
            yield Outcome(secret=secret, kind="alarm", message="is due and nothing rotates it; declare it")

    def _of(self, secret: str) -> DatabaseRotation | VendorRotation | None:
        return self.databases.get(secret) or self.vendors.get(secret)

    def _swept(self, secret: str) -> Outcome:
        one = self._of(secret)
        assert one is not None
        try:
            return one.sweep(secret)
        except BusyError as error:
            return Outcome(secret=secret, kind="waiting", message=str(error))
        except Exception as error:
            # One secret's trouble must not keep the others from being looked after.
            return Outcome(secret=secret, kind="failed", message=f"{type(error).__name__}: {error}")

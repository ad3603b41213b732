"""A vendor's key: nobody can make one from here, so a human adds it and the rotator does the rest.

A message opens a ticket. A version that somebody added is probed with the vendor, then `current` moves; once
no revision serves the old one and its grace period is over, it is disabled. Reminders count from the age of
the version in use: 75 days a reminder, 90 an alarm, each at most once a day.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import httpx

from .lease import Lease, leased
from .outcome import Outcome
from .service import CURRENT, PREVIOUS, Shared, utc

__all__ = ["HttpProbe", "Probe", "VendorRotation"]

_REMINDER_DAYS = 75
_ALARM_DAYS = 90
_TOLD = "rotation-told"
_REFUSED = "rotation-refused"
_MESSAGES = {
    "rotated": "is proven and `current`; release it to the services that read it",
    "rolled-back": "is `current` again; release it to the services that read it",
}
# Value -> whether the vendor accepts it.
Probe = Callable[[str], bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpProbe:
    """A GET that only a valid key is allowed, which changes nothing and costs nothing at the vendor."""

    url: str
    header: str
    prefix: str = ""

    def __call__(self, key: str) -> bool:
        """Errors: httpx.HTTPError when the vendor cannot be reached or answers neither yes nor no."""
        answer = httpx.get(self.url, headers={self.header: self.prefix + key}, timeout=20)
        if answer.status_code in (401, 403):
            return False
        answer.raise_for_status()
        return True


@dataclass(frozen=True, kw_only=True, slots=True)
class VendorRotation:
    """One vendor's key."""

    shared: Shared
    # None where the vendor offers no such call: then a human confirms the version.
    probe: Probe | None

    def rotate(self, secret: str, published: datetime, *, confirmed: int | None = None) -> Outcome:
        """Answer a message: take a version that waits into use, or open a ticket."""
        with leased(self.shared.secrets, secret, self.shared.now) as lease:
            self.shared.adopt(lease)
            if moved := self._forward(secret, lease, confirmed):
                return moved
            if self.shared.handled(lease, published):
                return Outcome(secret=secret, kind="unchanged", message="this message was answered before")
            message = (
                "due: make a new key at the vendor and add it as a version (docs/runbooks/secret-rotation.md)"
            )
            return Outcome(secret=secret, kind="ticket", message=message)

    def sweep(self, secret: str) -> Outcome:
        """Take what waits into use, retire what is past its grace period, remind of what is old."""
        shared = self.shared
        with leased(shared.secrets, secret, shared.now) as lease:
            shared.adopt(lease)
            moved = self._forward(secret, lease, None)
            if moved is not None and moved.kind != "waiting":
                return moved
            retired = self._retire(secret, lease)
            if retired is not None and retired.kind != "waiting":
                return retired
            # Whatever waits, the key in use grows older.
            reminder = self._remind(secret, lease)
            return reminder if reminder.kind != "unchanged" else moved or retired or reminder

    def roll_back(self, secret: str, published: datetime) -> Outcome:
        """Bring the version before into use again, once for each message. Errors: LookupError without one."""
        shared = self.shared
        with leased(shared.secrets, secret, shared.now) as lease:
            if shared.rolled_back(lease, published):
                return shared.tell_once(lease, _MESSAGES) or Outcome(
                    secret=secret, kind="unchanged", message="this message was answered before"
                )
            if PREVIOUS not in lease.seen.aliases:
                raise LookupError(f"{secret} has no version before: its grace period is over; add a new key")
            number = lease.seen.aliases[PREVIOUS]
            lease.check()
            shared.secrets.enable(secret, number)
            shared.swap(lease, number, "rolled-back", answered=published)
            return self._told(lease)

    def _forward(self, secret: str, lease: Lease, confirmed: int | None) -> Outcome | None:
        if untold := self.shared.tell_once(lease, _MESSAGES):
            return untold
        waiting = self.shared.waiting(lease)
        if not waiting:
            return None
        number = waiting[0].number
        if self.probe is None and confirmed != number:
            message = f"version {number} waits: no probe is known, confirm it with CONFIRMED={number}"
            return Outcome(secret=secret, kind="waiting", message=message, version=number)
        if self.probe is not None and not self.probe(self.shared.secrets.access(secret, number)):
            message = (
                f"the vendor refuses version {number}; add a key that works, the one before stays in use"
            )
            # Swept hourly, told once a day.
            said = f"{number} {utc(self.shared.now()):%Y-%m-%d}"
            if lease.seen.annotations.get(_REFUSED) == said:
                return Outcome(secret=secret, kind="waiting", message=message, version=number)
            lease.write(annotations={_REFUSED: said})
            return Outcome(secret=secret, kind="failed", message=message, version=number)
        self.shared.swap(lease, number, "rotated")
        return self._told(lease)

    def _retire(self, secret: str, lease: Lease) -> Outcome | None:
        shared = self.shared
        if PREVIOUS not in lease.seen.aliases or shared.in_grace(lease):
            return None
        number = lease.seen.aliases[PREVIOUS]
        if late := shared.late(lease):
            message = f"version {number} is still served by {', '.join(late)}; release the new one"
            return shared.waits(lease, message, number)
        shared.disable_others(lease)
        lease.write(aliases={name: at for name, at in lease.seen.aliases.items() if name != PREVIOUS})
        return Outcome(secret=secret, kind="retired", message=f"version {number} is disabled", version=number)

    def _told(self, lease: Lease) -> Outcome:
        outcome = self.shared.tell_once(lease, _MESSAGES)
        assert outcome is not None
        return outcome

    def _remind(self, secret: str, lease: Lease) -> Outcome:
        number = lease.seen.aliases[CURRENT]
        created = next(one.created for one in self.shared.secrets.versions(secret) if one.number == number)
        now = utc(self.shared.now())
        age = (now - created).days
        today = f"{now:%Y-%m-%d}"
        if age < _REMINDER_DAYS or lease.seen.annotations.get(_TOLD) == today:
            return Outcome(secret=secret, kind="unchanged", message="nothing to do")
        lease.write(annotations={_TOLD: today})
        kind = "alarm" if age >= _ALARM_DAYS else "reminder"
        message = f"version {number} is {age} days old, 90 are allowed; add a new key"
        return Outcome(secret=secret, kind=kind, message=message, version=number)

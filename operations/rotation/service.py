"""What the two kinds of rotation share: which versions are in use, when the grace period ends, retiring."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from .google import CloudRun, SecretManager, Version
from .lease import Lease, Now
from .outcome import Kind, Outcome

__all__ = ["CURRENT", "PREVIOUS", "Shared", "utc"]

CURRENT = "current"
PREVIOUS = "previous"
# When the version before may be retired, in seconds since 1970.
GRACE_UNTIL = "rotation-grace-until"
# What must still be told of the version in use: a process may die between the move and the mail.
UNTOLD = "rotation-untold"
# The time of the newest rollback message that was answered, in seconds since 1970.
ROLLED_BACK = "rotation-rolled-back"
# The day on which it was last said that a version is not served everywhere.
LATE = "rotation-late"
# How long after the grace period a revision may still read the version before, unremarked.
_PATIENCE_SECONDS = 48 * 3_600


def utc(moment: float) -> datetime:
    """Seconds since 1970 as a time with its zone."""
    return datetime.fromtimestamp(moment, UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shared:
    """Google and the clock."""

    secrets: SecretManager
    run: CloudRun
    # Secret -> full names of the services and worker pools that may read it.
    consumers: Mapping[str, tuple[str, ...]]
    now: Now
    grace_seconds: int
    tell: Callable[[Outcome], None]

    def handled(self, lease: Lease, published: datetime) -> bool:
        """Whether the newest version in use is younger than the message: it was answered already."""
        newest = max(lease.seen.aliases.get(CURRENT, 0), lease.seen.aliases.get(PREVIOUS, 0))
        return any(
            version.number == newest and version.created >= published
            for version in self.secrets.versions(lease.name)
        )

    def in_grace(self, lease: Lease) -> bool:
        """Whether the way back is still open."""
        return PREVIOUS in lease.seen.aliases and self.now() < float(
            lease.seen.annotations.get(GRACE_UNTIL, "0")
        )

    def waiting(self, lease: Lease) -> list[Version]:
        """Enabled versions newer than those in use, newest first."""
        newest = max(lease.seen.aliases.get(CURRENT, 0), lease.seen.aliases.get(PREVIOUS, 0))
        return [one for one in self.secrets.versions(lease.name) if one.enabled and one.number > newest]

    def adopt(self, lease: Lease) -> int:
        """The version in use; the oldest enabled one when nobody has said so yet, for a newer one has to
        prove itself first. Errors: LookupError.
        """
        if CURRENT not in lease.seen.aliases:
            enabled = [one.number for one in self.secrets.versions(lease.name) if one.enabled]
            if not enabled:
                raise LookupError(f"{lease.name} has no enabled version; add one")
            lease.write(aliases={**lease.seen.aliases, CURRENT: min(enabled)})
        return lease.seen.aliases[CURRENT]

    def swap(self, lease: Lease, number: int, kind: Kind, *, answered: datetime | None = None) -> None:
        """`current` becomes this version, `previous` the one before, and the grace period begins.

        `answered` is the message of a rollback: one that comes twice must not roll forward again.
        """
        old = lease.seen.aliases[CURRENT]
        message = {} if answered is None else {ROLLED_BACK: f"{answered.timestamp():.6f}"}
        lease.write(
            aliases={**lease.seen.aliases, CURRENT: number, PREVIOUS: old},
            annotations={GRACE_UNTIL: f"{self.now() + self.grace_seconds:.0f}", UNTOLD: kind, **message},
        )

    def rolled_back(self, lease: Lease, published: datetime) -> bool:
        """Whether this rollback message, or a later one, was answered already."""
        answered = lease.seen.annotations.get(ROLLED_BACK)
        return answered is not None and published.timestamp() <= float(answered)

    def waits(self, lease: Lease, message: str, number: int) -> Outcome:
        """Nothing goes on until a release moves revisions; once a day an alarm when that takes too long."""
        today = f"{utc(self.now()):%Y-%m-%d}"
        end = float(lease.seen.annotations.get(GRACE_UNTIL, "inf")) + _PATIENCE_SECONDS
        if self.now() < end or lease.seen.annotations.get(LATE) == today:
            return Outcome(secret=lease.name, kind="waiting", message=message, version=number)
        lease.write(annotations={LATE: today})
        return Outcome(secret=lease.name, kind="alarm", message=message, version=number)

    def finish(self, lease: Lease, messages: Mapping[str, str]) -> Outcome | None:
        """Once every consumer serves `current`, `tell_once`."""
        number = lease.seen.aliases[CURRENT]
        if late := self.late(lease):
            return self.waits(lease, f"version {number} waits for revisions of {', '.join(late)}", number)
        return self.tell_once(lease, messages)

    def tell_once(self, lease: Lease, messages: Mapping[str, str]) -> Outcome | None:
        """Tell what is untold of `current`, at least once; None when nothing is. `messages` is by kind."""
        number = lease.seen.aliases[CURRENT]
        kind = lease.seen.annotations.get(UNTOLD)
        if kind is None:
            return None
        known: Kind = "rolled-back" if kind == "rolled-back" else "rotated"
        message = f"version {number} {messages[known]}"
        outcome = Outcome(secret=lease.name, kind=known, message=message, version=number)
        self.tell(outcome)
        lease.write(annotations={UNTOLD: None})
        return replace(outcome, told=True)

    def late(self, lease: Lease) -> list[str]:
        """The consumers that do not serve `current` yet: a release moves them, the rotator waits."""
        number = str(lease.seen.aliases[CURRENT])
        # A reference to an alias is read when an instance starts: nobody knows which version it holds.
        return [
            consumer
            for consumer in self.consumers.get(lease.name, ())
            if self.run.serving(consumer, lease.name) - {number}
        ]

    def disable_others(self, lease: Lease) -> None:
        """Leave only `current` enabled, among the versions up to it and to `previous`."""
        keep = lease.seen.aliases[CURRENT]
        newest = max(keep, lease.seen.aliases.get(PREVIOUS, 0))
        for version in self.secrets.versions(lease.name):
            if version.enabled and version.number != keep and version.number <= newest:
                lease.check()
                self.secrets.disable(lease.name, version.number)

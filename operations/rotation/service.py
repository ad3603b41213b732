"""What the two kinds of rotation share: which versions are in use, when the grace period ends, retiring."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from .google import CloudRun, SecretManager, Version
from .lease import Lease, Now
from .outcome import Kind, Outcome

__all__ = ["CURRENT", "PREVIOUS", "Consumer", "Shared", "utc"]

CURRENT = "current"
PREVIOUS = "previous"
# When the version before may be retired, in seconds since 1970.
GRACE_UNTIL = "rotation-grace-until"
# What must still be told of the version in use: a process may die between the move and the mail.
UNTOLD = "rotation-untold"


def utc(moment: float) -> datetime:
    """Seconds since 1970 as a time with its zone."""
    return datetime.fromtimestamp(moment, UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Consumer:
    """A service or pool whose revisions read the secret."""

    # Full resource name.
    name: str
    # Whether the rotator makes its revision; otherwise a release does and the rotator waits for it.
    moved: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Shared:
    """Google and the clock."""

    secrets: SecretManager
    run: CloudRun
    consumers: Mapping[str, tuple[Consumer, ...]]
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
        """The version in use; the newest enabled one when nobody has said so yet. Errors: LookupError."""
        if CURRENT not in lease.seen.aliases:
            enabled = [one.number for one in self.secrets.versions(lease.name) if one.enabled]
            if not enabled:
                raise LookupError(f"{lease.name} has no enabled version; add one")
            lease.write(aliases={**lease.seen.aliases, CURRENT: enabled[0]})
        return lease.seen.aliases[CURRENT]

    def swap(self, lease: Lease, number: int, kind: Kind) -> None:
        """`current` becomes this version, `previous` the one before, and the grace period begins."""
        old = lease.seen.aliases[CURRENT]
        lease.write(
            aliases={**lease.seen.aliases, CURRENT: number, PREVIOUS: old},
            annotations={GRACE_UNTIL: f"{self.now() + self.grace_seconds:.0f}", UNTOLD: kind},
        )

    def finish(self, lease: Lease, messages: Mapping[str, str]) -> Outcome | None:
        """Serve, then `tell_once`. Errors: as `serve`."""
        number = lease.seen.aliases[CURRENT]
        if late := self.serve(lease):
            message = f"version {number} waits for revisions of {', '.join(late)}"
            return Outcome(secret=lease.name, kind="waiting", message=message, version=number)
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

    def serve(self, lease: Lease) -> list[str]:
        """Bring revisions to `current`; returns the consumers that do not serve it yet.

        Errors: OperationError when a revision does not start; the one before keeps the traffic.
        """
        number = lease.seen.aliases[CURRENT]
        late: list[str] = []
        for consumer in self.consumers.get(lease.name, ()):
            if consumer.moved:
                lease.check()
                self.run.move(consumer.name, lease.name, number)
            if self.run.serving(consumer.name, lease.name) - {str(number), CURRENT}:
                late.append(consumer.name)
        return late

    def disable_others(self, lease: Lease) -> None:
        """Leave only `current` enabled, among the versions up to it and to `previous`."""
        keep = lease.seen.aliases[CURRENT]
        newest = max(keep, lease.seen.aliases.get(PREVIOUS, 0))
        for version in self.secrets.versions(lease.name):
            if version.enabled and version.number != keep and version.number <= newest:
                lease.check()
                self.secrets.disable(lease.name, version.number)

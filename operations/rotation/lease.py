"""One rotator at a time for a secret: a lease in its annotations, taken and kept by etag.

A holder that dies leaves the lease to its end. A holder that lives stops writing `MARGIN_SECONDS` before the
end, so that nobody writes under a lease that another may have taken.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager

import httpx

from .google import Secret, SecretManager
from .transport import ApiError, ConflictError

__all__ = ["LEASE_SECONDS", "BusyError", "Lease", "leased"]

LEASE_SECONDS = 900
MARGIN_SECONDS = 120
ANNOTATION = "rotation-lease"
Now = Callable[[], float]


class BusyError(Exception):
    """Another rotator holds the secret; come back later."""


class Lease:
    """The right to change one secret, with what was last seen of it."""

    def __init__(self, secrets: SecretManager, name: str, seen: Secret, until: float, now: Now) -> None:
        self._secrets = secrets
        self._now = now
        self.until = until
        self.name = name
        self.seen = seen

    def check(self) -> None:
        """Before every write. Errors: BusyError when the lease is about to end."""
        if self._now() > self.until - MARGIN_SECONDS:
            raise BusyError(f"the lease on {self.name} is about to end; the next delivery goes on")

    def write(
        self,
        *,
        aliases: Mapping[str, int] | None = None,
        annotations: Mapping[str, str | None] | None = None,
        closing: bool = False,
    ) -> None:
        """Aliases as given, annotations changed by what is given (None removes), in one call."""
        if not closing:
            self.check()
        merged = {**self.seen.annotations, **(annotations or {})}
        self.seen = self._secrets.write(
            self.name,
            self.seen,
            aliases=self.seen.aliases if aliases is None else aliases,
            annotations={key: value for key, value in merged.items() if value is not None},
        )


@contextmanager
def leased(secrets: SecretManager, name: str, now: Now) -> Generator[Lease]:
    """Errors: BusyError when somebody else holds it. Given back at the end, by an error too."""
    seen = secrets.get(name)
    until = float(seen.annotations.get(ANNOTATION, "0"))
    if until > now():
        raise BusyError(f"{name} is being rotated; come back in {until - now():.0f} seconds")
    lease = Lease(secrets, name, seen, now() + LEASE_SECONDS, now)
    try:
        lease.write(annotations={ANNOTATION: f"{now() + LEASE_SECONDS:.0f}"})
    except ConflictError:
        raise BusyError(f"{name} was changed meanwhile; come back later") from None
    try:
        yield lease
    finally:
        _give_back(secrets, name, lease, now)


def _give_back(secrets: SecretManager, name: str, lease: Lease, now: Now) -> None:
    """A lease that cannot be given back ends by itself, so that is no error of what was done under it."""
    for _ in range(2):
        if now() >= lease.until:
            return
        with contextlib.suppress(ApiError, httpx.TransportError):
            # Read again: a write in between by somebody else must not keep the lease.
            lease.seen = secrets.get(name)
            lease.write(annotations={ANNOTATION: None}, closing=True)
            return

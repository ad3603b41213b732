"""A database password: two users that take turns, so that one of them always works.

The order makes every moment safe. The value is a version before any server knows it, so no password is ever
known only to a process that can die; it goes to the user that nobody uses; `current` moves only after a real
login; the old user keeps its password through the grace period. After that its version is disabled and
its password is overwritten by one that nobody knows.

A value is JSON, `{"user": ..., "password": ...}`. A value that is not is the first password that the program
wrote, and belongs to the first user.
"""

from __future__ import annotations

import json
import secrets as randomness
import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from .google import CloudSql
from .lease import Lease, leased
from .outcome import Outcome
from .postgres import Login
from .service import CURRENT, PREVIOUS, Shared

__all__ = ["DatabaseRotation", "RefusedLoginError"]

_LENGTH = 40
# Unreserved in an address (RFC 3986); Cloud SQL's policy asks for one sign.
_SIGNS = "-_.~"
_MESSAGES = {"rotated": "is in use, proven by a login", "rolled-back": "is in use again"}
_ALPHABET = string.ascii_letters + string.digits + _SIGNS


class RefusedLoginError(Exception):
    """The database refuses a password that should work; nothing was moved."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseRotation:
    """One database secret."""

    shared: Shared
    sql: CloudSql
    login: Login
    instance: str
    # The two users, the one of the program's first password first.
    users: tuple[str, str]

    def rotate(self, secret: str, published: datetime, *, at_once: bool = False) -> Outcome:
        """Answer a message. `at_once` gives up the way back of a rotation still in its grace period.

        Errors: BusyError, ApiError, OperationError, RefusedLoginError; a later call goes on from there.
        """
        shared = self.shared
        with leased(shared.secrets, secret, shared.now) as lease:
            shared.adopt(lease)
            if done := shared.finish(lease, _MESSAGES):
                return done
            if not shared.waiting(lease):
                if shared.handled(lease, published):
                    return Outcome(
                        secret=secret, kind="unchanged", message="this message was answered before"
                    )
                if shared.in_grace(lease) and not at_once:
                    message = (
                        "not rotated: the last rotation can still be rolled back; send it with atOnce=true"
                    )
                    return Outcome(secret=secret, kind="unchanged", message=message)
            return self._forward(secret, lease)

    def sweep(self, secret: str) -> Outcome:
        """Go on with what was left unfinished, and retire what is past its grace period."""
        shared = self.shared
        with leased(shared.secrets, secret, shared.now) as lease:
            shared.adopt(lease)
            if done := shared.finish(lease, _MESSAGES):
                return done
            if shared.waiting(lease):
                return self._forward(secret, lease)
            if PREVIOUS not in lease.seen.aliases or shared.in_grace(lease):
                return Outcome(secret=secret, kind="unchanged", message="nothing to do")
            return self._retire(secret, lease)

    def roll_back(self, secret: str, published: datetime) -> Outcome:
        """Bring the version before into use again, if its password still works. Once for each message.

        Errors: LookupError when there is none, RefusedLoginError when its password was overwritten.
        """
        shared = self.shared
        with leased(shared.secrets, secret, shared.now) as lease:
            if shared.rolled_back(lease, published):
                return shared.finish(lease, _MESSAGES) or Outcome(
                    secret=secret, kind="unchanged", message="this message was answered before"
                )
            if PREVIOUS not in lease.seen.aliases:
                raise LookupError(f"{secret} has no version before: its grace period is over; rotate instead")
            number = lease.seen.aliases[PREVIOUS]
            lease.check()
            shared.secrets.enable(secret, number)
            user, password = self._value(secret, number)
            if not self.login(user, password):
                raise RefusedLoginError(f"the database refuses version {number} of {secret}; rotate instead")
            shared.swap(lease, number, "rolled-back", answered=published)
            return self._finished(lease)

    def _forward(self, secret: str, lease: Lease) -> Outcome:
        number, user, password = self._candidate(secret, lease)
        if not self.login(user, password):
            lease.check()
            self.sql.set_password(self.instance, user, password)
            if not self.login(user, password):
                raise RefusedLoginError(
                    f"the database refuses version {number} of {secret}; nothing was moved"
                )
        self.shared.swap(lease, number, "rotated")
        return self._finished(lease)

    def _finished(self, lease: Lease) -> Outcome:
        outcome = self.shared.finish(lease, _MESSAGES)
        assert outcome is not None
        return outcome

    def _candidate(self, secret: str, lease: Lease) -> tuple[int, str, str]:
        """The version that waits to be put into use, or a new one; for the user that nobody uses."""
        used, _ = self._value(secret, lease.seen.aliases[CURRENT])
        idle = self.users[1] if used == self.users[0] else self.users[0]
        for version in self.shared.waiting(lease):
            user, password = self._value(secret, version.number)
            if user == idle:
                return version.number, user, password
        password = new_password()
        lease.check()
        version = self.shared.secrets.add(secret, json.dumps({"user": idle, "password": password}))
        return version.number, idle, password

    def _retire(self, secret: str, lease: Lease) -> Outcome:
        number = lease.seen.aliases[PREVIOUS]
        used, _ = self._value(secret, lease.seen.aliases[CURRENT])
        idle = self.users[1] if used == self.users[0] else self.users[0]
        self.shared.disable_others(lease)
        lease.check()
        self.sql.set_password(self.instance, idle, new_password())
        lease.write(aliases={name: at for name, at in lease.seen.aliases.items() if name != PREVIOUS})
        message = f"version {number} is disabled and its password overwritten"
        return Outcome(secret=secret, kind="retired", message=message, version=number)

    def _value(self, secret: str, number: int) -> tuple[str, str]:
        text = self.shared.secrets.access(secret, number)
        try:
            value: Any = json.loads(text)
        except ValueError:
            return self.users[0], text
        if not isinstance(value, dict):
            return self.users[0], text
        fields = cast("Mapping[str, Any]", value)
        return str(fields["user"]), str(fields["password"])


def new_password() -> str:
    """40 characters with each class that the password policy asks for."""
    while True:
        text = "".join(randomness.choice(_ALPHABET) for _ in range(_LENGTH))
        classes = (string.ascii_lowercase, string.ascii_uppercase, string.digits, _SIGNS)
        if all(set(text) & set(one) for one in classes):
            return text

"""A rotator wired to the stand-in and the real database, with a clock that is moved and a plug to pull."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from operations.rotation.database import DatabaseRotation
from operations.rotation.google import CloudRun, CloudSql, SecretManager
from operations.rotation.outcome import Outcome
from operations.rotation.postgres import make_login
from operations.rotation.service import Shared, utc
from operations.rotation.transport import HttpTransport
from operations.rotation.vendor import HttpProbe, VendorRotation
from tests.operations.rotation.server import FIRST, USERS, Server
from tests.operations.rotation.stand_in import PROJECT, Json, StandIn, served

SECRET = "database-password"
VENDOR = "elevenlabs-api-key"
START = 1_800_000_000.0
GRACE = 86_400


class Killed(BaseException):
    """The process is gone: nothing it would still do, happens."""


@dataclass
class Plug:
    """Ends the process at the n-th step, before it or just after it (the answer is lost)."""

    at: int | None = None
    after: bool = False
    steps: int = 0
    dead: bool = False

    def around(self, step: Callable[[], Any]) -> Any:
        if self.dead:
            raise Killed
        mine = self.steps == self.at
        self.steps += 1
        if mine and not self.after:
            self.dead = True
            raise Killed
        result = step()
        if mine:
            self.dead = True
            raise Killed
        return result


@dataclass
class World:
    """One secret of each kind, at `START`."""

    server: Server
    time: float = START
    told: list[Outcome] = field(default_factory=list[Outcome])

    def __post_init__(self) -> None:
        for user in USERS:
            self.server.set_password(user, f"{FIRST}-{user}")
        self.google = StandIn(self.server.set_password, lambda: self.time)
        self.google.add_secret(SECRET, f"{FIRST}-{USERS[0]}")
        self.google.add_secret(VENDOR, "key-1")
        self.http = served(self.google)
        self.login = make_login(
            host="127.0.0.1", port=self.server.port, database="postgres", ca_file=self.server.ca_file
        )

    def close(self) -> None:
        self.http.stop()

    @property
    def root(self) -> str:
        return self.http.url

    def _shared(self, plug: Plug) -> tuple[Shared, CloudSql]:
        inner = HttpTransport(lambda: "local")

        def send(method: str, url: str, body: Json | None = None) -> Json:
            return plug.around(lambda: inner(method, url, body))

        shared = Shared(
            secrets=SecretManager(send, PROJECT, f"{self.root}/secretmanager"),
            run=CloudRun(send, f"{self.root}/run"),
            consumers={secret: tuple(self.google.pools) for secret in (SECRET, VENDOR)},
            now=lambda: self.time,
            grace_seconds=GRACE,
            tell=lambda outcome: plug.around(lambda: self.told.append(outcome)),
        )
        return shared, CloudSql(send, PROJECT, f"{self.root}/sql", lambda _: None)

    def database(self, plug: Plug | None = None) -> DatabaseRotation:
        """A new process."""
        own = plug or Plug()
        shared, sql = self._shared(own)
        return DatabaseRotation(
            shared=shared,
            sql=sql,
            login=lambda user, password: bool(own.around(lambda: self.login(user, password))),
            instance="main",
            users=USERS,
        )

    def vendor(self, *, probed: bool = True) -> VendorRotation:
        shared, _ = self._shared(Plug())
        probe = HttpProbe(url=f"{self.root}/vendor", header="xi-api-key")
        return VendorRotation(shared=shared, probe=probe if probed else None)

    @property
    def published(self) -> datetime:
        """A new message, a second after what was before."""
        self.time += 1
        return utc(self.time)

    def credentials(self, alias: str) -> tuple[str, str] | None:
        """What an application reads; version 1 before any alias exists."""
        aliases = self.google.secrets[SECRET]["versionAliases"]
        number = aliases.get(alias, "1" if not aliases else None)
        if number is None:
            return None
        version = self.google.versions[SECRET][int(number) - 1]
        if version["state"] != "ENABLED":
            return None
        try:
            value = json.loads(version["value"])
        except ValueError:
            return USERS[0], str(version["value"])
        return str(value["user"]), str(value["password"])

    def works(self, alias: str = "current") -> bool:
        found = self.credentials(alias)
        return found is not None and self.login(*found)

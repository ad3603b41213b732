"""Secret Manager, Cloud SQL Admin and Cloud Run Admin, no wider than the rotator needs.

Shapes are those of the REST references: secretmanager v1, sqladmin v1, run v2.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast
from urllib.parse import quote

import google_crc32c

from .transport import Json, Transport

__all__ = ["CloudRun", "CloudSql", "Endpoints", "OperationError", "Secret", "SecretManager", "Version"]

_POLLS = 60
_POLL_SECONDS = 5.0
Pause = Callable[[float], None]


class OperationError(Exception):
    """A long-running operation failed or took too long; no payload is in the text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoints:
    """Roots of the APIs."""

    secrets: str = "https://secretmanager.googleapis.com/v1"
    sql: str = "https://sqladmin.googleapis.com/v1"
    run: str = "https://run.googleapis.com/v2"


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """One version of a secret, without its value."""

    number: int
    enabled: bool
    destroyed: bool
    created: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Secret:
    """What a secret says about itself."""

    etag: str
    aliases: Mapping[str, int] = field(default_factory=dict[str, int])
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])


class SecretManager:
    """The secrets of one project."""

    def __init__(self, send: Transport, project: str, root: str) -> None:
        self._send = send
        self._root = f"{root}/projects/{project}/secrets"

    def get(self, secret: str) -> Secret:
        """The secret with its aliases and annotations."""
        return _secret(self._send("GET", f"{self._root}/{secret}"))

    def write(
        self, secret: str, seen: Secret, *, aliases: Mapping[str, int], annotations: Mapping[str, str]
    ) -> Secret:
        """Both maps anew, in one call, only if nobody wrote since `seen`. Errors: ConflictError."""
        body: Json = {
            "etag": seen.etag,
            "versionAliases": {name: str(number) for name, number in aliases.items()},
            "annotations": dict(annotations),
        }
        mask = "versionAliases,annotations"
        return _secret(self._send("PATCH", f"{self._root}/{secret}?updateMask={mask}", body))

    def versions(self, secret: str) -> list[Version]:
        """All versions, newest first."""
        found: list[Version] = []
        page = ""
        while True:
            url = f"{self._root}/{secret}/versions?pageSize=100"
            answer = self._send("GET", url + (f"&pageToken={quote(page)}" if page else ""))
            found.extend(_version(one) for one in cast("list[Json]", answer.get("versions", [])))
            page = str(answer.get("nextPageToken", ""))
            if not page:
                return sorted(found, key=lambda one: -one.number)

    def access(self, secret: str, number: int) -> str:
        """The value. Errors: ValueError when its checksum is wrong."""
        payload = self._send("GET", f"{self._root}/{secret}/versions/{number}:access")["payload"]
        data = base64.b64decode(payload["data"])
        if _checksum(data) != int(payload["dataCrc32c"]):
            raise ValueError(f"version {number} of {secret} arrived damaged; try again")
        return data.decode()

    def add(self, secret: str, value: str) -> Version:
        """A new version; Google checks it against the checksum."""
        data = value.encode()
        payload = {"data": base64.b64encode(data).decode(), "dataCrc32c": str(_checksum(data))}
        return _version(self._send("POST", f"{self._root}/{secret}:addVersion", {"payload": payload}))

    def enable(self, secret: str, number: int) -> None:
        """Make the version readable again."""
        self._send("POST", f"{self._root}/{secret}/versions/{number}:enable", {})

    def disable(self, secret: str, number: int) -> None:
        """Make the version unreadable, not lost."""
        self._send("POST", f"{self._root}/{secret}/versions/{number}:disable", {})


class CloudSql:
    """The built-in users of an instance."""

    def __init__(self, send: Transport, project: str, root: str, pause: Pause) -> None:
        self._send = send
        self._root = f"{root}/projects/{project}"
        self._pause = pause

    def set_password(self, instance: str, user: str, password: str) -> None:
        """Returns once the server has it. Errors: OperationError."""
        body = {"name": user, "password": password}
        operation = self._send("PUT", f"{self._root}/instances/{instance}/users?name={quote(user)}", body)
        for _ in range(_POLLS):
            if operation["status"] == "DONE":
                if errors := operation.get("error", {}).get("errors"):
                    raise OperationError(
                        f"Cloud SQL could not set the password of {user}: {errors[0]['code']}"
                    )
                return
            self._pause(_POLL_SECONDS)
            operation = self._send("GET", f"{self._root}/operations/{operation['name']}")
        raise OperationError(f"Cloud SQL did not set the password of {user} in time")


class CloudRun:
    """Services and worker pools by full name, `projects/P/locations/L/services/S`; never changed."""

    def __init__(self, send: Transport, root: str) -> None:
        self._send = send
        self._root = root

    def serving(self, name: str, secret: str) -> set[str]:
        """Versions of the secret that the revisions with traffic read, as their templates write them."""
        found: set[str] = set()
        for revision in _revisions(self._send("GET", f"{self._root}/{name}")):
            template = self._send("GET", f"{self._root}/{name}/revisions/{revision}")
            found.update(str(one["version"]) for one in _references(template, secret))
        return found


def _checksum(data: bytes) -> int:
    return int.from_bytes(google_crc32c.Checksum(data).digest(), "big")


def _secret(raw: Json) -> Secret:
    aliases = cast("Mapping[str, str]", raw.get("versionAliases", {}))
    return Secret(
        etag=str(raw["etag"]),
        aliases={name: int(number) for name, number in aliases.items()},
        annotations=cast("Mapping[str, str]", raw.get("annotations", {})),
    )


def _version(raw: Json) -> Version:
    return Version(
        number=int(str(raw["name"]).rsplit("/", 1)[-1]),
        enabled=raw["state"] == "ENABLED",
        destroyed=raw["state"] == "DESTROYED",
        created=datetime.fromisoformat(str(raw["createTime"])),
    )


def _revisions(service: Json) -> Iterator[str]:
    ready = str(service.get("latestReadyRevision", "")).rsplit("/", 1)[-1]
    shares = service.get("trafficStatuses") or service.get("instanceSplitStatuses") or [{"percent": 100}]
    for share in cast("list[Json]", shares):
        revision = str(share.get("revision") or ready)
        if share.get("percent") and revision:
            yield revision


def _references(template: Json, secret: str) -> Iterator[Json]:
    """Every mention of the secret in a template."""
    for container in cast("list[Json]", template.get("containers", [])):
        for variable in cast("list[Json]", container.get("env", [])):
            reference = variable.get("valueSource", {}).get("secretKeyRef")
            if reference and str(reference["secret"]).rsplit("/", 1)[-1] == secret:
                yield reference
    for volume in cast("list[Json]", template.get("volumes", [])):
        source = volume.get("secret")
        if source and str(source["secret"]).rsplit("/", 1)[-1] == secret:
            yield from cast("list[Json]", source.get("items", []))

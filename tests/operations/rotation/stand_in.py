"""Secret Manager, Cloud SQL Admin, Cloud Run Admin and the metadata server on one local port.

Speaks the REST shapes of secretmanager v1, sqladmin v1 and run v2: resource names, etags, error bodies,
base64 payloads with CRC32C, operations that end later. A password set here is set
on the real PostgreSQL given.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import google_crc32c

from tests.loopback import Handler, LoopbackServer

Json = dict[str, Any]
PROJECT = "aiprod-dev"


class RefusedCallError(Exception):
    def __init__(self, code: int, status: str, message: str) -> None:
        super().__init__(message)
        self.code, self.status, self.message = code, status, message


class StandIn:
    """The state of the stand-in; `set_password` reaches the database."""

    def __init__(self, set_password: Callable[[str, str], None], now: Callable[[], float]) -> None:
        self.set_password = set_password
        self.now = now
        self.secrets: dict[str, Json] = {}
        self.versions: dict[str, list[Json]] = {}
        self.operations: dict[str, int] = {}
        self.revisions: dict[str, Json] = {}
        self.calls: list[tuple[str, str]] = []
        self.vendor_keys: set[str] = set()
        self._serial = 0
        self._lock = threading.RLock()
        self.pools: dict[str, Json] = {}

    def add_secret(self, name: str, value: str) -> None:
        self.secrets[name] = {
            "name": f"projects/{PROJECT}/secrets/{name}",
            "etag": self._etag(),
            "versionAliases": {},
            "annotations": {},
        }
        self.versions[name] = []
        self.add_version(name, value)

    def add_version(self, name: str, value: str) -> Json:
        number = len(self.versions[name]) + 1
        version = {
            "name": f"projects/123456789012/secrets/{name}/versions/{number}",
            "createTime": datetime.fromtimestamp(self.now(), UTC).isoformat().replace("+00:00", "Z"),
            "state": "ENABLED",
            "etag": self._etag(),
            "value": value,
        }
        self.versions[name].append(version)
        return version

    def release_pool(self, name: str, secret: str, version: str) -> None:
        """What a release does: a revision that pins the version, with every instance on it."""
        env = [{"name": "KEY", "valueSource": {"secretKeyRef": {"secret": secret, "version": version}}}]
        revision = f"worker-{len(self.revisions) + 1:05}"
        self.revisions[revision] = {"containers": [{"env": env}]}
        self.pools[name] = {
            "name": name,
            "template": {"containers": [{"env": env}]},
            "latestReadyRevision": f"{name}/revisions/{revision}",
            "instanceSplitStatuses": [{"type": "INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST", "percent": 100}],
        }

    def value(self, name: str, alias: str) -> Json | None:
        """What an application reads through an alias, as JSON; None when there is none."""
        with self._lock:
            number = self.secrets[name]["versionAliases"].get(alias)
            if number is None:
                return None
            version = self.versions[name][int(number) - 1]
            return None if version["state"] != "ENABLED" else json.loads(version["value"])

    def call(self, method: str, url: str, body: Json | None) -> Json:
        """Answer one call. Errors: RefusedCallError as Google would."""
        with self._lock:
            parts = urlsplit(url)
            root, _, path = parts.path.removeprefix("/").partition("/")
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            self.calls.append((method, parts.path))
            match root:
                case "secretmanager":
                    return self._secret_manager(method, path.split("/"), query, body or {})
                case "sql":
                    return self._sql(method, path.split("/"), query, body or {})
                case "run":
                    return self._run(method, path)
                case "metadata":
                    return {"access_token": "local", "expires_in": 3599, "token_type": "Bearer"}
                case _:
                    raise RefusedCallError(404, "NOT_FOUND", f"no such path {parts.path}")

    def _secret_manager(self, method: str, path: list[str], query: dict[str, str], body: Json) -> Json:
        name, _, verb = path[3].partition(":")
        if name not in self.secrets:
            raise RefusedCallError(404, "NOT_FOUND", f"Secret [projects/{PROJECT}/secrets/{name}] not found.")
        secret = self.secrets[name]
        if len(path) == 4 and method == "GET":
            return json.loads(json.dumps(secret))
        if len(path) == 4 and method == "PATCH":
            if body.get("etag") not in (None, secret["etag"]):
                raise RefusedCallError(
                    400, "FAILED_PRECONDITION", "The etag provided does not match the etag on file."
                )
            for field in query["updateMask"].split(","):
                secret[field] = body.get(field, {})
            known = {str(number + 1) for number in range(len(self.versions[name]))}
            if not set(secret["versionAliases"].values()) <= known:
                raise RefusedCallError(
                    400, "INVALID_ARGUMENT", "An alias names a version that does not exist."
                )
            secret["etag"] = self._etag()
            return json.loads(json.dumps(secret))
        if verb == "addVersion":
            data = base64.b64decode(body["payload"]["data"])
            if _checksum(data) != int(body["payload"]["dataCrc32c"]):
                raise RefusedCallError(400, "INVALID_ARGUMENT", "The checksum does not match.")
            return _shown(self.add_version(name, data.decode()))
        return self._version(name, path[5] if len(path) > 5 else "")

    def _version(self, name: str, target: str) -> Json:
        if not target:
            return {"versions": [_shown(one) for one in reversed(self.versions[name])], "totalSize": 1}
        number, _, verb = target.partition(":")
        version = self.versions[name][int(number) - 1]
        if verb == "access":
            if version["state"] != "ENABLED":
                text = f"Secret Version [{version['name']}] is in {version['state']} state."
                raise RefusedCallError(400, "FAILED_PRECONDITION", text)
            data = version["value"].encode()
            payload = {"data": base64.b64encode(data).decode(), "dataCrc32c": str(_checksum(data))}
            return {"name": version["name"], "payload": payload}
        version["state"] = {"enable": "ENABLED", "disable": "DISABLED"}[verb]
        return _shown(version)

    def _sql(self, method: str, path: list[str], query: dict[str, str], body: Json) -> Json:
        if path[2] == "operations":
            self.operations[path[3]] -= 1
            left = self.operations[path[3]]
            return _operation(path[3], "DONE" if left <= 0 else "RUNNING")
        if method != "PUT" or path[4] != "users" or query["name"] != body["name"]:
            raise RefusedCallError(400, "INVALID_ARGUMENT", "Invalid request.")
        self.set_password(body["name"], body["password"])
        self._serial += 1
        name = f"op-{self._serial}"
        self.operations[name] = 2
        return _operation(name, "PENDING")

    def _run(self, method: str, path: str) -> Json:
        if "/revisions/" in path:
            return self.revisions[path.rsplit("/", 1)[-1]]
        if method != "GET":
            raise RefusedCallError(403, "PERMISSION_DENIED", "The rotator may only look.")
        return next(pool for name, pool in self.pools.items() if path.endswith(name))

    def _etag(self) -> str:
        self._serial += 1
        return f'"{self._serial:08x}"'


def _checksum(data: bytes) -> int:
    return int.from_bytes(google_crc32c.Checksum(data).digest(), "big")


def _shown(version: Json) -> Json:
    return {key: value for key, value in version.items() if key != "value"}


def _operation(name: str, status: str) -> Json:
    return {"kind": "sql#operation", "name": name, "status": status, "operationType": "UPDATE_USER"}


def served(stand_in: StandIn) -> LoopbackServer:
    """The stand-in as a server."""

    class Answering(Handler):
        verbs = ("GET", "POST", "PATCH", "PUT")

        def answer(self) -> None:
            raw = self.content()
            key = self.headers.get("xi-api-key")
            if self.path == "/vendor":
                code, answer = (200, {}) if key in stand_in.vendor_keys else (401, {})
            elif not self.path.startswith("/metadata") and self.headers["Authorization"] != "Bearer local":
                code, answer = (
                    401,
                    {"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "no token"}},
                )
            else:
                try:
                    code, answer = 200, stand_in.call(self.command, self.path, json.loads(raw or b"null"))
                except RefusedCallError as error:
                    detail = {"code": error.code, "message": error.message, "status": error.status}
                    code, answer = error.code, {"error": detail}
            self.send_json(code, answer)

    return LoopbackServer(Answering)

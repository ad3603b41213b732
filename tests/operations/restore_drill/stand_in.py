"""The Cloud SQL Admin API, Workflows' own API and the check function on loopback, in Google's wire shapes.

Time is the workflow's clock: an operation is PENDING, then RUNNING, then DONE as the clock moves. Faults are
answered before or after the action that they stand in the way of. Every request is written down with the
permission that Google asks for. Sources: the reference of the Admin API v1 (instances, operations,
backupRuns), its page of deletion protection ("the new instance receives the deletion protection option from
the source"), the reference of the Executions API v1.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.loopback import Handler, LoopbackServer
from tests.operations.restore_drill.interpreter import Clock

__all__ = ["CHECK_URL", "PROJECT", "SOURCE", "WORKFLOW", "Fault", "Google", "served", "stamp"]

PROJECT = "aiprod-example"
SOURCE = "aiprod-postgres"
WORKFLOW = f"projects/{PROJECT}/locations/europe-west1/workflows/restore-drill"
CHECK_URL = "https://restore-drill-abcdefghij-ew.a.run.app"

Answer = tuple[int, Any, float]


def stamp(seconds: float) -> str:
    """RFC 3339 in UTC, as Google writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass
class Fault:
    """Answers `status` to the next `times` requests that match; `after`: the action was done all the same."""

    method: str
    path: str
    status: int
    times: int = 1_000_000
    after: bool = False
    reason: str = "backendError"


@dataclass
class Operation:
    """One long-running operation."""

    name: str
    kind: str
    target: str
    inserted: float
    seconds: float
    done: Callable[[], None]
    error: str | None = None
    finished: bool = False


@dataclass
class Google:
    """What stands: instances, backups, operations, executions."""

    clock: Clock
    instances: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    backups: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    operations: dict[str, Operation] = field(default_factory=dict[str, Operation])
    executions: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    faults: list[Fault] = field(default_factory=list[Fault])
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    # Operation type -> Google's error code in its result.
    failing: dict[str, str] = field(default_factory=dict[str, str])
    requests: list[str] = field(default_factory=list[str])
    permissions: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    bodies: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])
    final_backups: list[str] = field(default_factory=list[str])
    log_behind: float = 240
    workflow_created: float = 0
    check: Callable[[str, dict[str, Any]], Answer] = lambda path, body: (500, {}, 0.0)

    def settle(self) -> None:
        """Ends what is due."""
        for one in self.operations.values():
            if not one.finished and self.clock.now >= one.inserted + one.seconds:
                one.finished = True
                if one.error is None:
                    one.done()

    def start(self, kind: str, target: str, done: Callable[[], None]) -> Answer:
        name = f"op-{len(self.operations) + 1}"
        seconds = self.seconds.get(kind, 60)
        error = self.failing.get(kind)
        self.operations[name] = Operation(name, kind, target, self.clock.now, seconds, done, error)
        return 200, self.shape(self.operations[name]), 0.0

    def shape(self, one: Operation) -> dict[str, Any]:
        waited = self.clock.now - one.inserted
        status = "DONE" if one.finished else "RUNNING" if waited >= 5 else "PENDING"
        shape = {
            "kind": "sql#operation",
            "name": one.name,
            "operationType": one.kind,
            "status": status,
            "targetId": one.target,
            "targetProject": PROJECT,
            "insertTime": stamp(one.inserted),
        }
        if status == "DONE" and one.error is not None:
            said = {"kind": "sql#operationError", "code": one.error, "message": f"{one.kind} failed"}
            shape["error"] = {"kind": "sql#operationErrors", "errors": [said]}  # pyright: ignore[reportArgumentType]
        return shape

    def answer(self, method: str, target: str, token: str, body: Any) -> Answer:
        self.settle()
        self.requests.append(f"{method} {target}")
        found = next((one for one in self.faults if one.times and self._hits(one, method, target)), None)
        if found is not None:
            found.times -= 1
            if not found.after:
                return error(found.status, found.reason)
        if target.startswith(("/reference", "/compare")):
            if token != f"Bearer identity:{CHECK_URL}":
                return error(401, "unauthenticated")
            given = self.check(target, body)
        elif token != "Bearer access":
            return error(401, "authError")
        elif "/workflows/" in target:
            given = self._workflows(target)
        else:
            given = self._sql(method, target.removeprefix(f"/v1/projects/{PROJECT}"), body)
        return error(found.status, found.reason) if found is not None else given

    def _hits(self, fault: Fault, method: str, target: str) -> bool:
        return fault.method == method and re.search(fault.path, target) is not None

    def _workflows(self, target: str) -> Answer:
        self.permissions.append(
            ("workflows.executions.list" if "/executions" in target else "workflows.workflows.get", WORKFLOW)
        )
        if "/executions" not in target:
            return 200, {"name": WORKFLOW, "createTime": stamp(self.workflow_created)}, 0.0
        state = re.search(r"filter=state%3D%22(\w+)%22", target)
        assert state is not None
        return 200, {"executions": [one for one in self.executions if one["state"] == state[1]]}, 0.0

    def _sql(self, method: str, target: str, body: Any) -> Answer:
        path, _, query = target.partition("?")
        parts = path.strip("/").split("/")
        name = parts[1] if len(parts) > 1 else ""
        verb = parts[2] if len(parts) > 2 else ""
        self.bodies.append((f"{method} {target}", body))
        match (method, parts[0], verb):
            case ("GET", "operations", ""):
                return self._operations(name, query)
            case ("GET", "instances", "") if not name:
                self.permissions.append(("list", ""))
                items = list(self.instances.values())
                return 200, {"kind": "sql#instancesList", **({"items": items} if items else {})}, 0.0
            case ("POST", "instances", "") if not name:
                self.permissions.append(("create", body["name"]))
                return self._make("CREATE", body["name"], body)
            case (_, "instances", _) if name not in self.instances:
                return error(404, "instanceDoesNotExist")
            case ("GET", "instances", ""):
                self.permissions.append(("get", name))
                return 200, self.instances[name], 0.0
            case ("GET", "instances", "getLatestRecoveryTime"):
                self.permissions.append(("get", name))
                return self._latest(name)
            case ("GET", "instances", "backupRuns"):
                self.permissions.append(("cloudsql.backupRuns.list", name))
                return 200, {"kind": "sql#backupRunsList", "items": self.backups}, 0.0
            case ("POST", "instances", "clone"):
                context = body["cloneContext"]
                self.permissions += [("clone", name), ("create", context["destinationInstanceName"])]
                return self._make("CLONE", context["destinationInstanceName"], deepcopy(self.instances[name]))
            case _:
                return self._change(method, name, verb, body)

    def _operations(self, name: str, query: str) -> Answer:
        if name:
            one = self.operations.get(name)
            return (200, self.shape(one), 0.0) if one else error(404, "operationDoesNotExist")
        target = query.rpartition("instance=")[2]
        items = [self.shape(one) for one in reversed(self.operations.values()) if one.target == target]
        return 200, {"kind": "sql#operationsList", "items": items[:1]}, 0.0

    def _latest(self, name: str) -> Answer:
        settings = self.instances[name]["settings"]
        if not settings["backupConfiguration"].get("pointInTimeRecoveryEnabled"):
            return error(400, "invalidOperation")
        return (
            200,
            {"kind": "sql#recoveryTime", "latestRecoveryTime": stamp(self.clock.now - self.log_behind)},
            0.0,
        )

    def _make(self, kind: str, name: str, like: dict[str, Any]) -> Answer:
        if name in self.instances:
            return error(409, "instanceAlreadyExists")
        self.instances[name] = {**like, "name": name, "state": "PENDING_CREATE"}
        return self.start(kind, name, lambda: self.instances[name].update(state="RUNNABLE"))

    def _change(self, method: str, name: str, verb: str, body: Any) -> Answer:
        permission = {"PATCH": "update", "DELETE": "delete"}.get(method, verb)
        self.permissions.append((permission, name))
        if any(one.target == name and not one.finished for one in self.operations.values()):
            return error(409, "operationInProgress")
        settings = self.instances[name]["settings"]
        if method == "PATCH":
            if self.instances[name]["state"] == "FAILED":
                return error(400, "invalidState")
            return self.start("UPDATE", name, lambda: settings.update(body["settings"]))
        if method == "DELETE":
            if settings.get("deletionProtectionEnabled"):
                return error(400, "instanceDeletionProtectionEnabled")
            return self.start("DELETE", name, lambda: self._gone(name))
        if verb == "restoreBackup":
            return self.start("RESTORE_VOLUME", name, lambda: None)
        return error(404, "notFound")

    def _gone(self, name: str) -> None:
        settings = self.instances.pop(name)["settings"]
        if settings.get("finalBackupConfig", {}).get("enabled") or settings.get("retainBackupsOnDelete"):
            self.final_backups.append(name)


def error(status: int, reason: str) -> Answer:
    """Google's error object."""
    said = {"message": f"{reason}.", "domain": "global", "reason": reason}
    return status, {"error": {"code": status, "message": f"{reason}.", "errors": [said]}}, 0.0


@contextmanager
def served(google: Google) -> Generator[dict[str, str]]:
    """Each host that the drill calls -> where it is served."""
    lock = threading.Lock()

    class Answering(Handler):
        # Those of the Admin API and the Executions API that the stand-in tells apart by itself.
        verbs = ("GET", "POST", "PATCH", "PUT", "DELETE")

        def answer(self) -> None:
            body = json.loads(self.content() or b"null")
            with lock:
                token = self.headers.get("Authorization", "")
                status, said, slept = google.answer(self.command, self.path, token, body)
            self.send_json(status, said, {"X-Slept": str(slept)})

    hosts = ("sqladmin.googleapis.com", "workflowexecutions.googleapis.com", "workflows.googleapis.com")
    with LoopbackServer(Answering) as server:
        yield dict.fromkeys((*hosts, CHECK_URL.removeprefix("https://")), server.url)

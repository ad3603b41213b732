"""Cloud Run and Cloud Monitoring as far as a release asks them, over HTTP, with a clock that a test moves."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import httpx

from operations.release.decide import Rules
from operations.release.google import Google
from operations.release.record import Record, record_of
from operations.release.walk import Place, Walk
from tests.loopback import Handler, LoopbackServer

REGIONS = ("europe-west1", "europe-west4")
SERVICES = tuple(f"projects/p-example/locations/{region}/services/api" for region in REGIONS)
OBJECTIVES = tuple(
    f"projects/p-example/services/api/serviceLevelObjectives/api-{kind}"
    for kind in ("availability", "latency")
)
PLACE = Place(project="p-example", services=SERVICES, objectives=OBJECTIVES)
STABLE, NEW = "api-00001-abc", "api-00002-xyz"
LATEST = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
REVISION = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
# Namespaces of annotations that Google keeps for itself.
REFUSED = ("run.googleapis.com", "cloud.googleapis.com", "serving.knative.dev", "autoscaling.knative.dev")
TAGGED = {"type": REVISION, "revision": STABLE, "percent": 0, "tag": "beta"}


def named(**shares: int) -> list[dict[str, Any]]:
    """Traffic by name, `s` the stable and `n` the new revision."""
    names = {"s": STABLE, "n": NEW}
    return [
        {"type": REVISION, "revision": names[side], "percent": percent}
        for side, percent in shares.items()
        if percent
    ]


class World:
    """A service in two regions. What is counted follows the shares: 1,000 requests a minute in all."""

    def __init__(self) -> None:
        self.traffic = {name: named(s=100) for name in SERVICES}
        self.newest = dict.fromkeys(SERVICES, NEW)
        self.ready = dict.fromkeys(SERVICES, NEW)
        self.etag = dict.fromkeys(SERVICES, 1)
        # What serves: as the traffic, but where an operation ended in error.
        self.statuses = dict(self.traffic)
        self.annotations = {name: {"team": "platform"} for name in SERVICES}
        # Oldest first, and those of them that did not start.
        self.revisions = {name: [STABLE, NEW] for name in SERVICES}
        self.broken = set[str]()
        self.minute_requests = 1_000
        self.failing = {STABLE: 0.001, NEW: 0.001}
        self.p95 = {STABLE: 200.0, NEW: 220.0}
        self.burn: dict[str, float | None] = dict.fromkeys(OBJECTIVES, 0.5)
        self.patches: list[tuple[str, dict[str, int]]] = []
        self.counted: dict[str, float] = {STABLE: 0.0, NEW: 0.0}
        self.minutes = 0
        # A status that is answered instead, by the last part of the address and the verb.
        self.refuse: Callable[[str, str], int | None] = lambda _verb, _path: None
        # The one that is taken; any when empty.
        self.token = ""
        self.tick: Callable[[int], None] = lambda _minute: None
        # The error with which the operation of a PATCH ends; its shares then do not serve.
        self.ends_in: Callable[[str], str] = lambda _name: ""
        self.error = ""

    def deploy(self, revision: str, names: Sequence[str] = SERVICES) -> None:
        """A new revision, as an `up` makes it: with nothing where the traffic is by name."""
        for name in names:
            self.revisions[name].append(revision)
            self.newest[name] = self.ready[name] = revision
            self.etag[name] += 1

    def record(self, name: str) -> Record | None:
        return record_of(self.annotations[name])

    def shares(self, name: str) -> dict[str, int]:
        return {
            str(one.get("revision", self.ready[name])): int(one["percent"])
            for one in self.traffic[name]
            if one.get("percent")
        }

    def sleep(self, seconds: float) -> None:
        """A minute of traffic; a shorter wait is none."""
        if seconds < 60:
            return
        self.minutes += 1
        for name in SERVICES:
            for revision, percent in self.shares(name).items():
                self.counted[revision] = (
                    self.counted.get(revision, 0.0) + self.minute_requests / 2 * percent / 100
                )
        self.tick(self.minutes)

    def now(self) -> datetime:
        return datetime(2026, 3, 2, 9, 0, tzinfo=UTC) + timedelta(minutes=self.minutes)

    def answer(self, verb: str, path: str, query: Mapping[str, list[str]], body: dict[str, Any]) -> Any:
        if path.startswith("/run/v2/projects/p-example/operations/"):
            ended = {"error": {"message": self.error}} if self.error else {}
            return {"done": True, "name": path.removeprefix("/run/v2/"), **ended}
        name = path.removeprefix("/run/v2/")
        if name.endswith("/revisions"):
            service = name.removesuffix("/revisions")
            return {"revisions": [self._revision(service, one) for one in self.revisions[service]]}
        if name in self.traffic and verb == "PATCH":
            masked = query["updateMask"][0].split(",")
            assert set(masked) <= {"traffic", "annotations"}
            assert set(body) == {*masked, "etag"}
            if body["etag"] != str(self.etag[name]):
                return 409
            assert sum(int(one["percent"]) for one in body["traffic"]) == 100
            if any(
                one["revision"] not in self.revisions[name] for one in body["traffic"] if "revision" in one
            ):
                return 400
            annotations = body.get("annotations", self.annotations[name])
            if any(key.partition("/")[0] in REFUSED for key in annotations):
                return 400
            assert all(isinstance(value, str) for value in annotations.values())
            # As a whole: what is not sent is gone.
            self.annotations[name], self.traffic[name] = annotations, body["traffic"]
            self.error = self.ends_in(name)
            if not self.error:
                self.statuses[name] = body["traffic"]
            self.etag[name] += 1
            self.counted = dict.fromkeys(self.counted, 0.0)
            self.patches.append((name.split("/")[3], self.shares(name)))
            return {"name": "projects/p-example/operations/1", "done": False}
        if name in self.traffic:
            return {
                "name": name,
                "traffic": self.traffic[name],
                "trafficStatuses": self.statuses[name],
                "annotations": self.annotations[name],
                "latestCreatedRevision": f"{name}/revisions/{self.newest[name]}",
                "latestReadyRevision": f"{name}/revisions/{self.ready[name]}",
                "etag": str(self.etag[name]),
            }
        if path.endswith("/timeSeries"):
            return {"timeSeries": self._series(query["filter"][0])}
        return 404

    def _revision(self, name: str, revision: str) -> dict[str, Any]:
        state = "CONDITION_FAILED" if revision in self.broken else "CONDITION_SUCCEEDED"
        day = self.revisions[name].index(revision) // 24 + 1
        hour = self.revisions[name].index(revision) % 24
        return {
            "name": f"{name}/revisions/{revision}",
            "createTime": f"2026-03-{day:02}T{hour:02}:00:00Z",
            "conditions": [
                {"type": "Active", "state": "CONDITION_FAILED"},
                {"type": "Ready", "state": state},
            ],
        }

    def _series(self, asked: str) -> list[dict[str, Any]]:
        if asked.startswith("select_slo_burn_rate"):
            name = asked.split('"')[1]
            rate = self.burn[name]
            point = {"interval": {"endTime": "2026-03-02T09:00:00Z"}, "value": {"doubleValue": rate}}
            return [] if rate is None else [{"points": [point]}]
        assert 'resource.labels.service_name = "api"' in asked
        found: list[dict[str, Any]] = []
        for revision, count in self.counted.items():
            labels = {"labels": {"revision_name": revision}}
            if count < 1:
                continue
            if "request_latencies" in asked:
                value = {
                    "distributionValue": {
                        "count": str(int(count)),
                        "bucketOptions": {"explicitBuckets": {"bounds": [0, self.p95.get(revision, 200.0)]}},
                        "bucketCounts": ["0", str(int(count))],
                    }
                }
                found.append({"resource": labels, "metric": {}, "points": [{"value": value}]})
                continue
            failed = round(count * self.failing.get(revision, 0.001))
            for kind, number in (("2xx", int(count) - failed), ("5xx", failed)):
                value = {"int64Value": str(number)}
                metric = {"labels": {"response_code_class": kind}}
                found.append({"resource": labels, "metric": metric, "points": [{"value": value}]})
        return found


def respond(
    world: World, verb: str, address: str, authorization: str, content: bytes
) -> tuple[int, dict[str, Any]]:
    """Status and body of an answer."""
    parts = urlsplit(address)
    if world.token and authorization != f"Bearer {world.token}":
        return 401, {"error": {"message": "no"}}
    answer: Any = world.refuse(verb, parts.path)
    if answer is None:
        body = cast("dict[str, Any]", json.loads(content) if content else {})
        answer = world.answer(verb, parts.path, parse_qs(parts.query), body)
    return (answer, {"error": {"message": "no"}}) if isinstance(answer, int) else (200, answer)


@contextmanager
def served(world: World) -> Generator[str]:
    """The stand-ins' address."""

    class Answering(Handler):
        verbs = ("GET", "PATCH")

        def answer(self) -> None:
            token = self.headers.get("Authorization", "")
            status, body = respond(world, self.command, self.path, token, self.content())
            self.send_json(status, body)

    with LoopbackServer(Answering) as server:
        yield server.url


def walk_of(world: World, said: list[str], **rules: Any) -> Walk:
    """A walk on the stand-ins, without a network between them: what they raise ends the walk."""

    def handle(request: httpx.Request) -> httpx.Response:
        token = request.headers.get("Authorization", "")
        status, body = respond(world, request.method, str(request.url), token, request.content)
        return httpx.Response(status, json=body)

    client = httpx.Client(transport=httpx.MockTransport(handle))
    google = Google(client, lambda service: f"https://stand-in/{service}", world.sleep)
    return Walk(google, PLACE, Rules(latency_ms=1_000, **rules), said.append, world.sleep, world.now)

"""What a release reads and sets at Google: shares of Cloud Run, what Cloud Monitoring counted.

Needs `run.services.get` and `.update`, `run.revisions.list`, `run.operations.get`, to act as the services'
account, and `monitoring.timeSeries.list`; the deployer has them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx

from .decide import Sample

__all__ = ["Google", "GoogleError", "Live", "MovedError", "google"]

_LATEST = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
_REVISION = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
_OPERATION_SECONDS = 300
_BURN_LOOKBACK = "900s"
_BURN_FRESH = timedelta(minutes=15)
# A busy or unlucky moment of Google's; everything asked here may be asked again.
_AGAIN = frozenset({408, 429, 500, 502, 503, 504})
_ATTEMPTS = 4
_Json = dict[str, Any]


class GoogleError(Exception):
    """Google refused, or what it answered cannot be gone on with; one sentence."""


class MovedError(GoogleError):
    """Somebody else changed the service since it was read."""


class MissingError(GoogleError):
    """There is no such thing."""


@dataclass(frozen=True, slots=True)
class Live:
    """A service as it stands."""

    name: str
    """Full name."""
    newest: str
    """Short name of the newest revision, whether it is ready or not."""
    ready: str
    """Short name of the newest revision that started."""
    shares: Mapping[str, int]
    """Revision to percent, without those that have none; the newest one where traffic follows it."""
    follows: bool
    """Whether some traffic follows the newest revision, whatever comes."""
    tagged: Sequence[Mapping[str, Any]]
    """Entries that carry a tag; they stay."""
    etag: str

    @property
    def region(self) -> str:
        """Where it stands."""
        return self.name.split("/")[3]


class Google:
    """One project, as one caller."""

    def __init__(
        self,
        client: httpx.Client,
        roots: Callable[[str], str],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`roots`: service (`run`, `monitoring`) to its address."""
        self._client = client
        self._roots = roots
        self._sleep = sleep

    def find(self, name: str) -> Live | None:
        """A service as it stands; None where there is none yet."""
        try:
            return self.service(name)
        except MissingError:
            return None

    def service(self, name: str) -> Live:
        """A service as it stands."""
        found = self._call("GET", f"{self._roots('run')}/v2/{name}")
        ready = _short(found.get("latestReadyRevision"))
        shares: dict[str, int] = {}
        follows, tagged = False, list[Mapping[str, Any]]()
        for entry in cast("list[_Json]", found.get("traffic", [])) or [{"type": _LATEST, "percent": 100}]:
            percent = int(entry.get("percent", 0))
            latest = entry.get("type") != _REVISION
            if entry.get("tag"):
                tagged.append({**entry, "percent": 0})
            if percent:
                follows = follows or latest
                revision = ready if latest else str(entry["revision"])
                shares[revision] = shares.get(revision, 0) + percent
        return Live(
            name=name,
            newest=_short(found.get("latestCreatedRevision")),
            ready=ready,
            shares=shares,
            follows=follows,
            tagged=tagged,
            etag=str(found.get("etag", "")),
        )

    def share(self, live: Live, shares: Mapping[str, int]) -> None:
        """Give revisions their shares, by name, and wait until it is done."""
        traffic = [
            {"type": _REVISION, "revision": revision, "percent": percent}
            for revision, percent in shares.items()
            if percent
        ]
        body = {"traffic": [*traffic, *live.tagged], "etag": live.etag}
        url = f"{self._roots('run')}/v2/{live.name}"
        operation = self._call("PATCH", url, params={"updateMask": "traffic"}, json=body)
        self._finish(operation)

    def before(self, live: Live, revision: str) -> str | None:
        """The newest revision that started before `revision` was made; None where there is none."""
        url = f"{self._roots('run')}/v2/{live.name}/revisions"
        found = [
            (str(one["createTime"]), _short(one["name"]), _started(one))
            for one in self._pages(url, {"pageSize": "100"}, "revisions")
        ]
        own = next((created for created, name, _ in found if name == revision), None)
        older = [(created, name) for created, name, good in found if good and own and created < own]
        return max(older)[1] if older else None

    def samples(
        self, project: str, service: str, sides: Mapping[str, Collection[str]], since: datetime
    ) -> dict[str, Sample]:
        """What was counted of each side's revisions since then."""
        end = datetime.now(UTC)
        seconds = max(60, int((end - since).total_seconds()))

        def series(metric: str, *group: str) -> Iterator[_Json]:
            query = [
                (
                    "filter",
                    " AND ".join(
                        (
                            f'metric.type = "run.googleapis.com/{metric}"',
                            'resource.type = "cloud_run_revision"',
                            f'resource.labels.service_name = "{service}"',
                        )
                    ),
                ),
                ("interval.startTime", _time(end - timedelta(seconds=seconds))),
                ("interval.endTime", _time(end)),
                ("aggregation.alignmentPeriod", f"{seconds}s"),
                ("aggregation.perSeriesAligner", "ALIGN_DELTA"),
                ("aggregation.crossSeriesReducer", "REDUCE_SUM"),
                *(("aggregation.groupByFields", field) for field in group),
            ]
            return self._pages(
                f"{self._roots('monitoring')}/v3/projects/{project}/timeSeries", query, "timeSeries"
            )

        requests = list(
            series("request_count", "resource.labels.revision_name", "metric.labels.response_code_class")
        )
        latencies = list(series("request_latencies", "resource.labels.revision_name"))
        return {side: _sample(revisions, requests, latencies) for side, revisions in sides.items()}

    def burn(self, project: str, objective: str) -> float | None:
        """How many times too fast an objective's budget burns; None where nothing fresh is known."""
        end = datetime.now(UTC)
        query = {
            "filter": f'select_slo_burn_rate("{objective}", "{_BURN_LOOKBACK}")',
            "interval.startTime": _time(end - _BURN_FRESH),
            "interval.endTime": _time(end),
        }
        url = f"{self._roots('monitoring')}/v3/projects/{project}/timeSeries"
        points = [
            (str(point["interval"]["endTime"]), float(point["value"].get("doubleValue", 0.0)))
            for one in self._pages(url, query, "timeSeries")
            for point in one.get("points", [])
        ]
        return max(points)[1] if points else None

    def _finish(self, operation: _Json) -> None:
        waited = 0
        while not operation.get("done"):
            if waited >= _OPERATION_SECONDS:
                raise GoogleError(
                    f"Cloud Run did not set the shares within {_OPERATION_SECONDS} s: look at the service, "
                    "then give the same command again"
                )
            self._sleep(2)
            waited += 2
            operation = self._call("GET", f"{self._roots('run')}/v2/{operation['name']}")
        if "error" in operation:
            raise GoogleError(
                f"Cloud Run did not set the shares: {operation['error'].get('message', 'no reason')}"
            )

    def _pages(
        self, url: str, query: Mapping[str, str] | Sequence[tuple[str, str]], field: str
    ) -> Iterator[_Json]:
        asked = list(query.items()) if isinstance(query, Mapping) else list(query)
        page = ""
        while True:
            body = self._call("GET", url, params=[*asked, *([("pageToken", page)] if page else [])])
            yield from cast("list[_Json]", body.get(field, []))
            page = str(body.get("nextPageToken", ""))
            if not page:
                return

    def _call(self, method: str, url: str, **given: Any) -> _Json:
        problem = ""
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._sleep(2.0**attempt)
            try:
                answer = self._client.request(method, url, **given)
            except httpx.TransportError as error:
                problem = f"{type(error).__name__} at {httpx.URL(url).host}"
                continue
            if answer.status_code < 300:
                return cast("_Json", answer.json())
            path = httpx.URL(url).path
            problem = f"Google answered {answer.status_code} to {method} {path}: {_reason(answer)}"
            if answer.status_code in {409, 412}:
                raise MovedError(f"somebody else changed {path} meanwhile: look at it, then begin again")
            if answer.status_code == 404:
                raise MissingError(problem)
            if answer.status_code not in _AGAIN:
                break
        raise GoogleError(problem)


class _Bearer(httpx.Auth):
    """A token that outlives a walk: asked for anew when Google no longer takes it."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._ask = token
        self._token = token()

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        answer = yield request
        if answer.status_code == 401:
            self._token = self._ask()
            request.headers["Authorization"] = f"Bearer {self._token}"
            yield request


def google(token: Callable[[], str]) -> Google:
    """The real one, with whatever gives a token; RELEASE_ROOT is given by tests."""
    root = os.environ.get("RELEASE_ROOT")
    client = httpx.Client(timeout=60, auth=_Bearer(token))
    return Google(
        client, lambda service: f"{root}/{service}" if root else f"https://{service}.googleapis.com"
    )


def _short(name: Any) -> str:
    return str(name or "").rsplit("/", 1)[-1]


def _started(revision: _Json) -> bool:
    return any(
        one.get("type") == "Ready" and one.get("state") == "CONDITION_SUCCEEDED"
        for one in cast("list[_Json]", revision.get("conditions", []))
    )


def _reason(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return "no reason given"


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _sample(revisions: Collection[str], requests: Sequence[_Json], latencies: Sequence[_Json]) -> Sample:
    counted = failed = 0
    for one in requests:
        if one["resource"]["labels"].get("revision_name") in revisions:
            number = sum(int(point["value"].get("int64Value", 0)) for point in one.get("points", []))
            counted += number
            failed += number if one["metric"].get("labels", {}).get("response_code_class") == "5xx" else 0
    buckets: dict[float, int] = {}
    for one in latencies:
        if one["resource"]["labels"].get("revision_name") in revisions:
            for point in one.get("points", []):
                for bound, count in _bounds(point["value"]["distributionValue"]):
                    buckets[bound] = buckets.get(bound, 0) + count
    return Sample(requests=counted, errors=failed, p95_ms=_percentile(buckets, 0.95))


def _bounds(distribution: _Json) -> Iterator[tuple[float, int]]:
    """Upper end and count of each bucket; the last one is taken at its lower end, for it has no other."""
    options = cast("_Json", distribution.get("bucketOptions", {}))
    counts = [int(count) for count in distribution.get("bucketCounts", [])]
    ends: list[float]
    if "explicitBuckets" in options:
        ends = [float(bound) for bound in options["explicitBuckets"].get("bounds", [])]
    elif "linearBuckets" in options:
        one = options["linearBuckets"]
        ends = [
            float(one.get("offset", 0)) + float(one["width"]) * i
            for i in range(int(one["numFiniteBuckets"]) + 1)
        ]
    else:
        one = options.get("exponentialBuckets", {"numFiniteBuckets": 0, "growthFactor": 2, "scale": 1})
        ends = [
            float(one["scale"]) * float(one["growthFactor"]) ** i
            for i in range(int(one["numFiniteBuckets"]) + 1)
        ]
    for index, count in enumerate(counts):
        if count and ends:
            yield ends[min(index, len(ends) - 1)], count


def _percentile(buckets: Mapping[float, int], share: float) -> float | None:
    total, seen = sum(buckets.values()), 0
    for bound, count in sorted(buckets.items()):
        seen += count
        if seen >= share * total:
            return bound
    return None

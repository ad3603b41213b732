"""What a release reads and sets at Google: shares and record of Cloud Run, what Cloud Monitoring counted.

A PATCH carries the etag of what was read. Its answer can be lost after it was carried out; then the same
PATCH again is refused for its etag, so what stands decides, not the refusal. Cloud Run replaces annotations
as a whole: they are read, added to and sent back. Sources: Cloud Run Admin API v2, Service (etag,
annotations, reconciling, trafficStatuses); AIP-154.

Needs `run.services.get` and `.update`, `run.revisions.list`, `run.operations.get`, to act as the services'
account, and `monitoring.timeSeries.list`; the deployer has them.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import httpx

from operations.login import LoginError

from .counted import sample
from .decide import Sample
from .record import ANNOTATION, Record, record_of

__all__ = ["Google", "GoogleError", "Live", "MissingError", "MovedError", "google"]

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
    annotations: Mapping[str, str]
    """All of them: a release sends back those that are not its own."""
    etag: str

    @property
    def region(self) -> str:
        """Where it stands."""
        return self.name.split("/")[3]

    @property
    def record(self) -> Record | None:
        """The last walk's; None before the first one."""
        return record_of(self.annotations)

    def is_as(self, other: Live) -> bool:
        """Whether nothing that a release minds changed between the two."""
        return replace(self, etag="", newest="", ready="") == replace(other, etag="", newest="", ready="")


class Google:
    """One project, as one caller."""

    def __init__(
        self,
        client: httpx.Client,
        roots: Callable[[str], str],
        sleep: Callable[[float], None],
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
        entries = cast("list[_Json]", found.get("traffic", [])) or [{"type": _LATEST, "percent": 100}]
        return Live(
            name=name,
            newest=_short(found.get("latestCreatedRevision")),
            ready=ready,
            shares=_shares(entries, ready),
            follows=any(entry.get("percent") and entry.get("type") != _REVISION for entry in entries),
            tagged=[{**entry, "percent": 0} for entry in entries if entry.get("tag")],
            annotations=cast("dict[str, str]", found.get("annotations", {})),
            etag=str(found.get("etag", "")),
        )

    def share(self, live: Live, shares: Mapping[str, int], record: Record | None = None) -> None:
        """Give revisions their shares, by name, with the record in the same call, and wait until it is done.

        Raises MovedError when the service is neither as it was read nor as it is wanted.
        """
        wanted = {revision: percent for revision, percent in shares.items() if percent}
        traffic = [
            {"type": _REVISION, "revision": revision, "percent": percent}
            for revision, percent in wanted.items()
        ]
        body: _Json = {"traffic": [*traffic, *live.tagged]}
        if record is not None:
            body["annotations"] = {**live.annotations, ANNOTATION: record.text()}
        params = {"updateMask": ",".join(body)}
        url = f"{self._roots('run')}/v2/{live.name}"
        read = live
        for _ in range(_ATTEMPTS):
            try:
                operation = self._call("PATCH", url, params=params, json={**body, "etag": read.etag})
            except MovedError:
                read = self.service(live.name)
                if dict(read.shares) == wanted and not read.follows and record in (None, read.record):
                    # An earlier try of this very call was carried out, and its answer lost.
                    self._served(live.name, wanted, "nothing more is known")
                    return
                if not read.is_as(live):
                    raise
                continue
            self._finish(live.name, operation, wanted)
            return
        raise MovedError(
            f"{live.region}: the service is changed again and again: look at it, then begin again"
        )

    def revisions(self, name: str) -> dict[str, bool]:
        """The service's revisions that there are, the newest first, and whether each has started."""
        url = f"{self._roots('run')}/v2/{name}/revisions"
        found = [
            one for one in self._pages(url, {"pageSize": "100"}, "revisions") if not one.get("deleteTime")
        ]
        newest_first = sorted(found, key=lambda one: str(one.get("createTime", "")), reverse=True)
        return {_short(one["name"]): _started(one) for one in newest_first}

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
        return {side: sample(revisions, requests, latencies) for side, revisions in sides.items()}

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
        # Nothing divided by nothing is not calm: it is not known.
        points = [point for point in points if not math.isnan(point[1])]
        return max(points)[1] if points else None

    def _finish(self, name: str, operation: _Json, wanted: Mapping[str, int]) -> None:
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
            # It ends in error as well when only another revision than these does not start.
            self._served(name, wanted, str(operation["error"].get("message", "no reason")))

    def _served(self, name: str, wanted: Mapping[str, int], why: str) -> None:
        """Wait until Cloud Run is at rest, then hold what it serves against what is wanted."""
        for _ in range(_OPERATION_SECONDS // 2):
            found = self._call("GET", f"{self._roots('run')}/v2/{name}")
            if not found.get("reconciling"):
                statuses = cast("list[_Json]", found.get("trafficStatuses", []))
                if _shares(statuses, _short(found.get("latestReadyRevision"))) == dict(wanted):
                    return
                break
            self._sleep(2)
        raise GoogleError(f"Cloud Run did not set the shares: {why}")

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
            path = httpx.URL(url).path
            try:
                answer = self._client.request(method, url, **given)
                if answer.status_code < 300:
                    return cast("_Json", answer.json())
            except httpx.HTTPError as error:
                problem = f"{type(error).__name__} at {httpx.URL(url).host}"
                continue
            except LoginError as error:
                problem = f"no token for {method} {path}: {error}"
                continue
            except ValueError:
                problem = f"the answer to {method} {path} is no JSON: is a proxy in between?"
                continue
            problem = f"Google answered {answer.status_code} to {method} {path}: {_reason(answer)}"
            if answer.status_code in {409, 412}:
                raise MovedError(
                    f"somebody else changed {path} meanwhile ({_reason(answer)}): "
                    "look at it, then begin again"
                )
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


def google(token: Callable[[], str], sleep: Callable[[float], None]) -> Google:
    """The real one, with whatever gives a token; RELEASE_ROOT is given by tests."""
    root = os.environ.get("RELEASE_ROOT")
    client = httpx.Client(timeout=60, auth=_Bearer(token))
    return Google(
        client, lambda service: f"{root}/{service}" if root else f"https://{service}.googleapis.com", sleep
    )


def _shares(entries: Sequence[Mapping[str, Any]], ready: str) -> dict[str, int]:
    """Revision to percent; what follows the newest counts for the newest that started."""
    shares: dict[str, int] = {}
    for entry in entries:
        percent = int(entry.get("percent", 0))
        if percent:
            revision = _short(entry.get("revision")) or ready
            shares[revision] = shares.get(revision, 0) + percent
    return shares


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

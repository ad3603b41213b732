"""What Cloud Monitoring knows of a pool's subscriptions: backlog, age, what left and how, how long it took.

Five requests, whatever the number of subscriptions. Needs `monitoring.timeSeries.list` on the project.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, cast

import httpx

from .decide import WINDOW_MINUTES, Reading

__all__ = ["readings"]

_PREFIX = "pubsub.googleapis.com/subscription"
# Google shows a sample within two minutes; one that is older than this is no news.
_FRESH_MINUTES = 5

# Minute since the epoch -> value, by subscription.
_Series = dict[str, dict[int, Any]]


class _Asked(NamedTuple):
    metric: str
    aligner: str
    reducer: str
    only: str
    """Further condition on the series, or nothing."""


def readings(
    client: httpx.Client, root: str, project: str, subscriptions: Sequence[str], now: datetime
) -> dict[str, Reading | None]:
    """A reading for each subscription; None for one whose backlog, or its age, has no sample of five minutes.

    Errors: httpx.HTTPError.
    """

    def series(metric: str, aligner: str, reducer: str, only: str = "") -> _Series:
        url = f"{root}/v3/projects/{project}/timeSeries"
        return _series(client, url, _Asked(metric, aligner, reducer, only), subscriptions, now)

    backlog = series("num_undelivered_messages", "ALIGN_MAX", "REDUCE_SUM")
    age = series("oldest_unacked_message_age", "ALIGN_MAX", "REDUCE_MAX")
    # What a filter dropped was never in the backlog.
    acknowledged = series(
        "ack_message_count", "ALIGN_DELTA", "REDUCE_SUM", 'metric.labels.delivery_type != "filter"'
    )
    # One that could not be published to the dead-letter topic stays.
    dead = series(
        "dead_letter_message_count", "ALIGN_DELTA", "REDUCE_SUM", 'metric.labels.response_code = "success"'
    )
    latency = series("ack_latencies", "ALIGN_DELTA", "REDUCE_SUM")
    this_minute = int(now.timestamp() // 60)
    return {
        name: _reading(
            this_minute,
            backlog.get(name, {}),
            age.get(name, {}),
            acknowledged.get(name, {}),
            dead.get(name, {}),
            latency.get(name, {}),
        )
        for name in subscriptions
    }


def _reading(
    now: int,
    backlog: Mapping[int, int],
    age: Mapping[int, int],
    acknowledged: Mapping[int, int],
    dead: Mapping[int, int],
    latency: Mapping[int, tuple[int, float]],
) -> Reading | None:
    newest = max(backlog, default=0)
    if newest < now - _FRESH_MINUTES:
        return None
    minutes = range(max(min(backlog), newest - WINDOW_MINUTES + 1), newest + 1)
    samples: list[int] = []
    for minute in minutes:
        # A sample that Google lost is taken to be as the one before.
        samples.append(backlog.get(minute, samples[-1] if samples else 0))
    # The series of age may be a minute behind that of the backlog: an age that is not there is no age of 0.
    oldest = max((minute for minute in age if minute >= newest - _FRESH_MINUTES), default=None)
    if oldest is None and backlog[newest]:
        return None
    measured = [latency[minute] for minute in minutes if minute in latency]
    return Reading(
        backlog=samples,
        # Nothing acknowledged in a minute has no point.
        acknowledged=[acknowledged.get(minute, 0) for minute in minutes],
        dead_lettered=[dead.get(minute, 0) for minute in minutes],
        oldest_age_seconds=0.0 if oldest is None else float(age[oldest] + max(0, newest - oldest) * 60),
        jobs=sum(count for count, _ in measured),
        job_seconds_sum=sum(seconds for _, seconds in measured),
    )


def _series(
    client: httpx.Client,
    url: str,
    asked: _Asked,
    subscriptions: Sequence[str],
    now: datetime,
) -> _Series:
    end = now.astimezone(UTC).replace(second=0, microsecond=0)
    start = end - timedelta(minutes=WINDOW_MINUTES + _FRESH_MINUTES)
    names = ", ".join(f'"{name}"' for name in subscriptions)
    query = {
        "filter": (
            f'metric.type = "{_PREFIX}/{asked.metric}" AND resource.type = "pubsub_subscription" '
            f"AND resource.labels.subscription_id = one_of({names})"
            + (f" AND {asked.only}" if asked.only else "")
        ),
        "interval.startTime": _time(start),
        "interval.endTime": _time(end),
        "aggregation.alignmentPeriod": "60s",
        "aggregation.perSeriesAligner": asked.aligner,
        "aggregation.crossSeriesReducer": asked.reducer,
        "aggregation.groupByFields": "resource.labels.subscription_id",
    }
    found: _Series = {}
    for one in _pages(client, url, query):
        points = found.setdefault(str(one["resource"]["labels"]["subscription_id"]), {})
        for point in one.get("points", []):
            minute = int(datetime.fromisoformat(point["interval"]["endTime"]).timestamp() // 60)
            points[minute] = _value(point["value"])
    return found


def _value(value: Mapping[str, Any]) -> int | tuple[int, float]:
    """A number, or of a distribution of milliseconds how many and their seconds."""
    if "distributionValue" in value:
        distribution = cast("dict[str, Any]", value["distributionValue"])
        count = int(distribution.get("count", 0))
        return count, count * float(distribution.get("mean", 0.0)) / 1000
    return int(value.get("int64Value", value.get("doubleValue", 0)))


def _pages(client: httpx.Client, url: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    page = ""
    while True:
        answer = client.get(url, params={**query, **({"pageToken": page} if page else {})})
        body = cast("dict[str, Any]", answer.raise_for_status().json())
        yield from cast("list[dict[str, Any]]", body.get("timeSeries", []))
        page = str(body.get("nextPageToken", ""))
        if not page:
            return


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

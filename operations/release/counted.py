"""What Cloud Monitoring counted, as a sample of one side of a release; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, cast

from .decide import Sample

__all__ = ["sample"]

_Json = dict[str, Any]


def sample(revisions: Collection[str], requests: Sequence[_Json], latencies: Sequence[_Json]) -> Sample:
    """Requests, server errors and 95th percentile of these revisions together."""
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

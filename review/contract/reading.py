"""Numbers and names in the inputs of resources."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, cast

from policies.model import Resource, number, seconds

__all__ = ["metrics_read", "whole", "whole_seconds"]

_ALERT: Final = "gcp:monitoring/alertPolicy:AlertPolicy"
_DASHBOARD: Final = "gcp:monitoring/dashboard:Dashboard"
_TYPE: Final = re.compile(r"prometheus\.googleapis\.com/([a-z_:][a-z0-9_:]*)/")
# What is no metric in a query: strings, selectors, windows, lists of labels.
_NO_METRIC: Final = re.compile(
    r'"(?:[^"\\]|\\.)*"|\{[^{}]*\}|\[[^\]]*\]|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)'
)
_WORD: Final = re.compile(r"(?<![A-Za-z0-9_:.])[A-Za-z_:][A-Za-z0-9_:]*(?!\s*\(|[A-Za-z0-9_:])")
_KEYWORDS: Final = frozenset(
    {"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "group_left", "group_right"}
    | {"sum", "min", "max", "avg", "count", "topk", "bottomk", "quantile", "inf", "nan", "e"}
)
# Google's own metrics, and those it counts from logs, have their service in the name.
_OF_GOOGLE: Final = "_googleapis_com:"
_OF_IMAGES: Final = "prometheus_googleapis_com:"
_FAMILY: Final = re.compile(r"_(?:bucket|count|sum)$")


def whole(value: object) -> int | None:
    """A known number, rounded down."""
    found = number(value)
    return None if found is None else int(found)


def whole_seconds(value: object) -> int | None:
    """A known duration such as ``600s``."""
    found = seconds(value)
    return None if found is None else int(found)


def metrics_read(resources: Sequence[Resource]) -> tuple[str, ...]:
    """Families of the images' own metrics that alerts, objectives and dashboards read, by name."""
    found: set[str] = set()
    for one in resources:
        if not one.type.startswith("gcp:monitoring/"):
            continue
        found |= {match[1] for text in _strings(one.props) for match in _TYPE.finditer(text)}
        for query in _queries(one):
            found |= set(_names(query))
    return tuple(sorted({_FAMILY.sub("", name) for name in found}))


def _queries(resource: Resource) -> Iterator[str]:
    if resource.type == _ALERT:
        for condition in resource.each("conditions"):
            query = condition.get("conditionPrometheusQueryLanguage.query")
            if isinstance(query, str):
                yield query
    if resource.type == _DASHBOARD and isinstance(resource.get("dashboardJson"), str):
        yield from _under("prometheusQuery", json.loads(resource.get("dashboardJson")))


def _names(query: str) -> Iterator[str]:
    for name in _WORD.findall(_NO_METRIC.sub(" ", query)):
        if name.startswith(_OF_IMAGES):
            yield name.removeprefix(_OF_IMAGES).split(":")[0]
        elif _OF_GOOGLE not in name and name.lower() not in _KEYWORDS:
            yield name


def _under(key: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in cast("dict[str, Any]", value).items():
            if name == key and isinstance(item, str):
                yield item
            yield from _under(key, item)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _under(key, item)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in cast("dict[str, Any]", value).values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _strings(item)

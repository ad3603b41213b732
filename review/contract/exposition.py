"""Reads what `/metrics` answers: the text format of Prometheus 0.0.4, and OpenMetrics where it is the same.

https://prometheus.io/docs/instrumenting/exposition_formats/. A line that breaks the format is one error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Exposition", "Family", "read_exposition"]

_NAME: Final = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_VALUE: Final = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?|Inf|NaN)"
_LABEL: Final = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\\n]|\\["\\n])*)"\s*(,|$)')
# Labels may hold any bracket within quotes; an exemplar of OpenMetrics follows a hash.
_SAMPLE: Final = re.compile(
    rf'(?P<name>{_NAME})(?:\{{(?P<labels>(?:[^"}}]|"(?:[^"\\]|\\.)*")*)\}})?\s+(?P<value>{_VALUE})'
    rf"(?:\s+{_VALUE})?(?:\s+# \{{.*\}}.*)?\s*"
)
_TYPE: Final = re.compile(rf"# TYPE (?P<name>{_NAME}) (?P<type>\S+)\s*")
_TYPES: Final = frozenset(
    {"counter", "gauge", "histogram", "summary", "untyped", "unknown", "info", "stateset", "gaugehistogram"}
)
_ENDINGS: Final = {
    "counter": ("", "_total", "_created"),
    "histogram": ("_bucket", "_sum", "_count", "_created"),
    "gaugehistogram": ("_bucket", "_gsum", "_gcount"),
    "summary": ("", "_sum", "_count", "_created"),
    "info": ("", "_info"),
}
_ALL_ENDINGS: Final = tuple(sorted({ending for each in _ENDINGS.values() for ending in each}))


@dataclass(slots=True)
class Family:
    """A metric with its type, and the names of the labels that its samples carry."""

    name: str
    type: str
    labels: set[str] = field(default_factory=set[str])
    samples: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposition:
    """Families by name, and one sentence for each line that cannot be read."""

    families: dict[str, Family]
    errors: tuple[str, ...]


def read_exposition(text: str) -> Exposition:
    """Never fails: what cannot be read is among the errors, with its line's number."""
    families: dict[str, Family] = {}
    seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
    errors: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        reason = _comment(line, families) if line.startswith("#") else _sample(line, families, seen)
        if reason is not None:
            errors.append(f"line {number}: {reason}")
    return Exposition(families=families, errors=tuple(errors))


def _comment(line: str, families: dict[str, Family]) -> str | None:
    if not line.startswith("# TYPE"):
        return None
    match = _TYPE.fullmatch(line)
    if match is None:
        return "a TYPE line without name and type"
    if match["type"] not in _TYPES:
        return f"unknown type {match['type']!r}"
    if match["name"] in families:
        return f"a second TYPE of {match['name']}"
    families[match["name"]] = Family(match["name"], match["type"])
    return None


def _sample(
    line: str, families: dict[str, Family], seen: set[tuple[str, tuple[tuple[str, str], ...]]]
) -> str | None:
    match = _SAMPLE.fullmatch(line)
    if match is None:
        return "no sample"
    labels = _labels(match["labels"] or "")
    if labels is None:
        return f"labels of {match['name']} cannot be read"
    if len({name for name, _ in labels}) != len(labels):
        return f"a label of {match['name']} stands twice"
    key = (match["name"], tuple(sorted(labels)))
    if key in seen:
        return f"{match['name']} has the same labels twice"
    seen.add(key)
    family = _family(match["name"], families)
    if family is not None:
        family.samples += 1
        family.labels |= {name for name, _ in labels}
    return None


def _labels(text: str) -> list[tuple[str, str]] | None:
    found: list[tuple[str, str]] = []
    place = 0
    while place < len(text):
        if not text[place:].strip():
            break
        match = _LABEL.match(text, place)
        if match is None:
            return None
        found.append((match[1], match[2]))
        place = match.end()
    return found


def _family(name: str, families: dict[str, Family]) -> Family | None:
    for ending in _ALL_ENDINGS:
        family = families.get(name.removesuffix(ending)) if name.endswith(ending) else None
        if family is not None and ending in _ENDINGS.get(family.type, ("",)):
            return family
    return families.get(name)

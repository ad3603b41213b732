"""What the metrics collector of a release reads: `release.collector` of the stack file.

The sidecar parses its document strictly and ends on what it cannot read, after every gate has passed it. So
each section here takes what the sidecar takes, and what it would silently leave aside (`proxyUrl`) is no key.
Sources: GoogleCloudPlatform/run-gmp-sidecar, confgenerator/config.go and util.go; prometheus/common,
ParseDuration; prometheus/prometheus, relabel.Config.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import SchemaError, SchemaValidator, ValidationError, core_schema

from config_types import Section
from facts.refusal import RefusedError

__all__ = ["Collector"]

_UNITS = {
    "y": 31_536_000_000,
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
# The largest unit first, each one once.
_DURATION = re.compile("".join(rf"(?:([0-9]+){unit})?" for unit in _UNITS))
# What the sidecar's 64 bits of nanoseconds hold.
_LONGEST_MS = 2**63 // 1_000_000 - 1
# They name the instance for Managed Prometheus; a rule must not write, drop or leave out one.
_PROTECTED = ("location", "cluster", "namespace", "job", "instance", "instanceId", "__address__")
_TARGET = re.compile(r"(?:(?:[a-zA-Z_]|\$(?:\{[0-9A-Za-z_]+\}|[0-9A-Za-z_]+))+[0-9A-Za-z_]*)+")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_ACTIONS = ("replace", "keep", "drop", "hashmod", "labeldrop", "labelkeep")


def _milliseconds(text: str) -> int:
    """Of a duration as Prometheus writes it; 0 for what is none."""
    found = _DURATION.fullmatch(text)
    if found is None:
        return 0
    return sum(int(count or 0) * size for count, size in zip(found.groups(), _UNITS.values(), strict=True))


def _duration(value: Any) -> Any:
    if not isinstance(value, str) or not 0 < _milliseconds(value) <= _LONGEST_MS:
        raise RefusedError(
            f"must be a Prometheus duration above 0, as text such as 30s or 1m30s, got {value!r}; correct it"
        )
    return value


def _port(value: Any) -> Any:
    number = int(value) if isinstance(value, str) and re.fullmatch(r"[1-9][0-9]{0,4}", value) else value
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= 65_535:
        raise RefusedError(f"must be a port from 1 to 65535, got {value!r}; correct it")
    return value


def _regex(value: str) -> str:
    try:
        _matcher(value)
    except SchemaError:
        raise RefusedError(
            f"must be a regular expression without look-around and back-references, got {value!r}; correct it"
        ) from None
    return value


def _matcher(pattern: str) -> SchemaValidator:
    """Pydantic's engine: as RE2, it knows neither look-around nor back-references."""
    return SchemaValidator(core_schema.str_schema(pattern=f"^(?s:{pattern})$"))


def _matched(pattern: str, labels: Iterable[str]) -> set[str]:
    matcher, found = _matcher(pattern), set[str]()
    for label in labels:
        try:
            found.add(matcher.validate_python(label))
        except ValidationError:
            continue
    return found


Duration = Annotated[str, BeforeValidator(_duration)]
Port = Annotated[int | str, BeforeValidator(_port)]
Regex = Annotated[str, AfterValidator(_regex)]


class Metadata(Section):
    """`name` is the label `job` of every metric."""

    name: Annotated[str, Field(min_length=1)] | None = None
    namespace: str | None = None
    labels: Mapping[str, str] | None = None
    annotations: Mapping[str, str] | None = None


class Relabeling(Section):
    """A rule on metrics that were read, without `labelmap`, which the sidecar does not take."""

    sourceLabels: tuple[str, ...] | None = None
    separator: str | None = None
    targetLabel: str | None = None
    regex: Regex | None = None
    modulus: Annotated[int, Field(ge=1, lt=2**64)] | None = None
    replacement: str | None = None
    action: str | None = None

    @model_validator(mode="after")
    def _taken(self) -> Relabeling:
        action = (self.action or "replace").lower()
        if action not in _ACTIONS:
            raise RefusedError(
                f"action must be one of {', '.join(_ACTIONS)}, got {self.action!r}; correct it"
            )
        if "instanceId" in (self.sourceLabels or ()):
            raise RefusedError(
                "sourceLabels must not name instanceId, which comes after the rules, got "
                f"{', '.join(self.sourceLabels or ())}; leave it out"
            )
        if action in {"replace", "hashmod"}:
            self._writes(action)
        if action in {"labeldrop", "labelkeep"}:
            self._drops(action)
        return self

    def _writes(self, action: str) -> None:
        target = self.targetLabel or ""
        if (_LABEL if action == "hashmod" else _TARGET).fullmatch(target) is None:
            raise RefusedError(
                f"targetLabel must name the label that {action} writes, got {target or 'none'!r}; correct it"
            )
        if target in _PROTECTED:
            raise RefusedError(
                f"targetLabel must be none of {', '.join(_PROTECTED)}, got {target!r}; choose another label"
            )
        if action == "hashmod" and self.modulus is None:
            raise RefusedError("modulus must be given for hashmod, got none; add it")

    def _drops(self, action: str) -> None:
        beside = sorted(self.model_fields_set - {"action", "regex"})
        if beside:
            raise RefusedError(
                f"action must be {action} with regex alone, got {', '.join(beside)} beside it; leave that out"
            )
        matched = _matched(self.regex or ".*", _PROTECTED)
        lost = matched if action == "labeldrop" else set(_PROTECTED) - matched
        if lost:
            rule = "not match" if action == "labeldrop" else "match"
            raise RefusedError(
                f"regex must {rule} {', '.join(_PROTECTED)} under {action}, got "
                f"{self.regex or '.*'!r}, which loses {', '.join(sorted(lost))}; correct it"
            )


class Endpoint(Section):
    """A port of the instance that is read each `interval`, by default its path /metrics over http."""

    port: Port
    interval: Duration
    # As long as the interval when left out.
    timeout: Duration | None = None
    scheme: Literal["http", "https"] | None = None
    path: Annotated[str, Field(pattern=r"^/[^\s?#]*$")] | None = None
    params: Mapping[str, tuple[str, ...]] | None = None
    metricRelabeling: tuple[Relabeling, ...] | None = None

    @model_validator(mode="after")
    def _in_time(self) -> Endpoint:
        if self.timeout is not None and _milliseconds(self.timeout) > _milliseconds(self.interval):
            raise RefusedError(
                f"timeout must be at most interval {self.interval}, got {self.timeout}; shorten it"
            )
        return self


class TargetLabels(Section):
    """What is told of the instance beside each metric; all of it when left out."""

    metadata: tuple[Literal["instance", "revision", "service", "configuration"], ...] | None = None


class Limits(Section):
    """What one reading may hold at most; 0, or left out, for no limit."""

    samples: Annotated[int, Field(ge=0, lt=2**64)] | None = None
    labels: Annotated[int, Field(ge=0, lt=2**64)] | None = None
    labelNameLength: Annotated[int, Field(ge=0, lt=2**64)] | None = None
    labelValueLength: Annotated[int, Field(ge=0, lt=2**64)] | None = None


class Spec(Section):
    """What is read."""

    endpoints: tuple[Endpoint, ...] = ()
    targetLabels: TargetLabels | None = None
    limits: Limits | None = None

    @model_validator(mode="after")
    def _something(self) -> Spec:
        if not self.endpoints:
            raise RefusedError("endpoints must list what is read, got none; add one")
        return self


class RunMonitoring(Section):
    """The document."""

    apiVersion: Literal["monitoring.googleapis.com/v1beta"]
    kind: Literal["RunMonitoring"]
    metadata: Metadata | None = None
    spec: Spec


class Collector(Section):
    """A RunMonitoring document, as Google's sidecar takes it."""

    config: RunMonitoring

    @property
    def document(self) -> Mapping[str, Any]:
        """The document as the stack file has it, without what it leaves open."""
        return self.config.model_dump(mode="json", exclude_unset=True, exclude_none=True)

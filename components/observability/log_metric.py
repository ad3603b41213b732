"""A counter of log entries, for alerts on what only a log says.

Makes one `logging.Metric` (DELTA, INT64) with labels extracted from the entries. Its type is
`logging.googleapis.com/user/<name>`; in PromQL `logging_googleapis_com:user_<name>` with `-` written as
`_`. It counts from its creation on, entries that a sink excludes among them. Kind and labels cannot be
changed: take a new name.

Does not make: distributions, nor the alert (`alert_policy.py`). Cost: by volume of series, small.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_gcp as gcp

from facts.refusal import RefusedError

__all__ = ["LogMetric", "LogMetricArgs"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LogMetricArgs:
    """What is counted."""

    metric_name: str
    """Lower case with `_`, at most 100 characters; the same word is used in PromQL."""
    description: str
    filter: str
    """Logging query language, at most 20,000 characters, strings in double quotes."""
    extractors: Mapping[str, str] = field(default_factory=dict[str, str])
    """Label to EXTRACT(...) or REGEXP_EXTRACT(..., "(one group)"); at most 10."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,99}", self.metric_name):
            raise RefusedError(
                f"metric_name must be lower case letters, digits and _, at most 100, "
                f"got {self.metric_name!r}: correct it"
            )
        if not self.filter or len(self.filter) > 20_000 or "'" in self.filter:
            raise RefusedError(
                f"filter of {self.metric_name} must have 1 to 20,000 characters and only double quotes, got "
                f"{len(self.filter)} characters: correct it"
            )
        if len(self.extractors) > 10:
            raise RefusedError(f"extractors must be at most 10, got {len(self.extractors)}: drop some")
        for label, text in self.extractors.items():
            if not re.match(r"(REGEXP_)?EXTRACT\(", text):
                raise RefusedError(
                    f"extractors.{label} must be EXTRACT(...) or REGEXP_EXTRACT(...), got {text!r}"
                )


class LogMetric(pulumi.ComponentResource):
    """A log-based counter."""

    metric_name: pulumi.Output[str]

    def __init__(self, name: str, args: LogMetricArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aiprod:observability:LogMetric", name, None, opts)
        metric = gcp.logging.Metric(
            name,
            name=args.metric_name,
            description=args.description,
            filter=args.filter,
            metric_descriptor={
                "metric_kind": "DELTA",
                "value_type": "INT64",
                "unit": "1",
                "labels": [{"key": label, "value_type": "STRING"} for label in args.extractors],
            },
            label_extractors=args.extractors,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.metric_name = metric.name
        self.register_outputs({"metric_name": self.metric_name})

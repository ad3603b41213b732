"""Alert policies from typed alerts: each with severity, owner, runbook and the channels of its severity.

Makes one `monitoring.AlertPolicy` per alert. Three kinds of condition exist: a PromQL query, a log entry
that matches, the burn rate of an objective. Queries are created without metric validation, because Google
refuses a metric that nothing has written yet; a wrong name is therefore found by the tests of the
expressions, not here.

P1 is CRITICAL, P2 ERROR, P3 WARNING; P4 is a dashboard and no alert. Only CRITICAL is repeated while open.

Does not make: the log-based metrics (`log_metric.py`), rotas and escalation by time (PagerDuty's), snoozes.
A log match opens an incident and never closes it, so it closes by itself. Cost: per condition and month.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, assert_never

import pulumi
import pulumi_gcp as gcp

from facts.refusal import RefusedError

__all__ = [
    "Alert",
    "AlertPolicies",
    "AlertPoliciesArgs",
    "BurnRate",
    "Condition",
    "LogMatch",
    "Query",
    "Severity",
]

Severity = Literal["CRITICAL", "ERROR", "WARNING"]
PRIORITY: Mapping[Severity, str] = {"CRITICAL": "p1", "ERROR": "p2", "WARNING": "p3"}
MAX_CHANNELS = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """A PromQL query that returns series while something is wrong. Functions of Prometheus 2.44 only."""

    promql: str
    for_seconds: int = 0
    """How long it must be true; 0 or a multiple of 60 seconds, at most a day."""

    def __post_init__(self) -> None:
        if self.for_seconds % 60 or not 0 <= self.for_seconds <= 86_400:
            raise RefusedError(
                f"for_seconds must be a multiple of 60 from 0 to 86400 seconds, got {self.for_seconds}"
            )
        if not self.promql.strip():
            raise RefusedError("promql must be a query, got an empty text: write one")


@dataclass(frozen=True, kw_only=True, slots=True)
class LogMatch:
    """A log entry that matches a filter of the logging query language (OR binds tighter than AND there)."""

    filter: str
    extractors: Mapping[str, str] = field(default_factory=dict[str, str])
    """Label to EXTRACT(...), shown in the incident."""
    quiet_seconds: int = 300
    """At most one notification in this time, 60 seconds to a day."""

    def __post_init__(self) -> None:
        if not 60 <= self.quiet_seconds <= 86_400:
            raise RefusedError(
                f"quiet_seconds must be between 60 and 86400 seconds, got {self.quiet_seconds}: correct it"
            )
        if not self.filter or len(self.filter) > 2_048 or "'" in self.filter:
            raise RefusedError(
                f"filter must have 1 to 2,048 characters and only double quotes, got {len(self.filter)}"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class BurnRate:
    """An objective whose error budget burns `rate` times too fast, in a long and in a short window."""

    objective: pulumi.Input[str]
    """Resource name of the objective."""
    rate: float
    long_window_seconds: int
    short_window_seconds: int

    def __post_init__(self) -> None:
        if not 0 < self.short_window_seconds < self.long_window_seconds:
            raise RefusedError(
                f"short_window_seconds must be above 0 and below long_window_seconds "
                f"{self.long_window_seconds}, got {self.short_window_seconds}: correct it"
            )
        if self.rate < 1:
            raise RefusedError(f"rate must be at least 1, got {self.rate}: below it no budget is lost")


Condition = Query | LogMatch | BurnRate


@dataclass(frozen=True, kw_only=True, slots=True)
class Alert:
    """One thing to be told."""

    title: str
    severity: Severity
    owner: str
    """Team that acts, as a label value."""
    summary: str
    """One or two sentences: what is wrong and for whom. No secret, no personal data."""
    runbook: str
    """Name of the page below the runbook address, without .md."""
    condition: Condition

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", self.runbook):
            raise RefusedError(
                f"runbook must be lower case letters, digits and dashes, got {self.runbook!r}: name the page"
            )
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", self.owner):
            raise RefusedError(f"owner must be a label value of at most 63, got {self.owner!r}: correct it")
        if not 1 <= len(self.title) <= 100:
            raise RefusedError(f"title must have 1 to 100 characters, got {len(self.title)}: shorten it")


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertPoliciesArgs:
    """The alerts and who hears of which severity."""

    alerts: Mapping[str, Alert]
    """Id to alert; the id names the child."""
    channels: Mapping[Severity, Sequence[pulumi.Input[str]]]
    """Severity to the resource names of its channels, one to sixteen each."""
    environment: str
    runbook_base_url: str
    """Address of the folder of runbooks, without a slash at the end."""
    labels: Mapping[str, str]
    besides: Mapping[str, Sequence[pulumi.Input[str]]] = field(
        default_factory=dict[str, Sequence[pulumi.Input[str]]]
    )
    """Id of an alert to channels that hear of it besides those of its severity; none of them twice."""

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.besides) - set(self.alerts)):
            raise RefusedError(f"besides must name alerts, got {unknown[0]!r}; name one of alerts")
        for severity in PRIORITY:
            count = len(self.channels.get(severity, ()))
            if not 1 <= count <= MAX_CHANNELS:
                raise RefusedError(
                    f"channels.{severity} must be 1 to {MAX_CHANNELS}, got {count}: name a channel"
                )
        if not self.runbook_base_url.startswith("https://") or self.runbook_base_url.endswith("/"):
            raise RefusedError(
                f"runbook_base_url must be https without a final slash, got {self.runbook_base_url!r}"
            )


class AlertPolicies(pulumi.ComponentResource):
    """Alert policies."""

    policy_names: Mapping[str, pulumi.Output[str]]
    """Id of the alert to the policy's resource name."""

    def __init__(
        self, name: str, args: AlertPoliciesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("aiprod:observability:AlertPolicies", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.policy_names = {
            key: _policy(f"{name}-{key}", alert, args, args.besides.get(key, ()), child).name
            for key, alert in args.alerts.items()
        }
        self.register_outputs({"policy_names": self.policy_names})


def _policy(
    name: str,
    alert: Alert,
    args: AlertPoliciesArgs,
    besides: Sequence[pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
) -> gcp.monitoring.AlertPolicy:
    runbook = f"{args.runbook_base_url}/{alert.runbook}.md"
    priority = PRIORITY[alert.severity]
    channels = [*args.channels[alert.severity], *besides]
    return gcp.monitoring.AlertPolicy(
        name,
        display_name=f"{args.environment}: {alert.title}",
        combiner="AND" if isinstance(alert.condition, BurnRate) else "OR",
        conditions=_conditions(alert),
        severity=alert.severity,
        enabled=True,
        notification_channels=channels,
        alert_strategy=_strategy(alert, channels),
        documentation={
            "mime_type": "text/markdown",
            "subject": f"[{priority.upper()}] {args.environment}: {alert.title}",
            "content": f"{alert.summary}\n\nOwner: {alert.owner}. Runbook: {runbook}",
            "links": [{"display_name": "Runbook", "url": runbook}],
        },
        user_labels={**args.labels, "owner": alert.owner, "priority": priority, "runbook": alert.runbook},
        opts=opts,
    )


def _conditions(alert: Alert) -> list[gcp.monitoring.AlertPolicyConditionArgsDict]:
    match alert.condition:
        case Query(promql=promql, for_seconds=for_seconds):
            return [
                {
                    "display_name": alert.title,
                    "condition_prometheus_query_language": {
                        "query": promql,
                        "duration": f"{for_seconds}s",
                        "evaluation_interval": "60s",
                        "disable_metric_validation": True,
                    },
                }
            ]
        case LogMatch(filter=text, extractors=extractors):
            match: gcp.monitoring.AlertPolicyConditionConditionMatchedLogArgsDict = {"filter": text}
            if extractors:
                match["label_extractors"] = extractors
            return [{"display_name": alert.title, "condition_matched_log": match}]
        case BurnRate():
            return [
                _burn(alert.condition, alert.condition.long_window_seconds, "long window"),
                _burn(alert.condition, alert.condition.short_window_seconds, "short window"),
            ]
    assert_never(alert.condition)


def _burn(
    condition: BurnRate, window_seconds: int, words: str
) -> gcp.monitoring.AlertPolicyConditionArgsDict:
    return {
        "display_name": f"Budget burns {condition.rate:g} times too fast ({words})",
        "condition_threshold": {
            "filter": pulumi.Output.concat(
                'select_slo_burn_rate("', condition.objective, f'", "{window_seconds}s")'
            ),
            "comparison": "COMPARISON_GT",
            "threshold_value": condition.rate,
            "duration": "0s",
        },
    }


def _strategy(
    alert: Alert, channels: Sequence[pulumi.Input[str]]
) -> gcp.monitoring.AlertPolicyAlertStrategyArgsDict:
    if isinstance(alert.condition, LogMatch):
        return {
            "auto_close": "86400s",
            "notification_prompts": ["OPENED"],
            "notification_rate_limit": {"period": f"{alert.condition.quiet_seconds}s"},
        }
    strategy: gcp.monitoring.AlertPolicyAlertStrategyArgsDict = {
        "auto_close": "3600s",
        "notification_prompts": ["OPENED", "CLOSED"],
    }
    if alert.severity == "CRITICAL":
        strategy["notification_channel_strategies"] = [
            {"notification_channel_names": channels, "renotify_interval": "1800s"}
        ]
    return strategy

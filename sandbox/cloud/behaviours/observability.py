"""Logging and monitoring."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.durations import seconds
from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import as_list, as_map, at

_LOG_BUCKET: Final = "gcp:logging/projectBucketConfig:ProjectBucketConfig"
_METRIC: Final = "gcp:logging/metric:Metric"
_ALERT: Final = "gcp:monitoring/alertPolicy:AlertPolicy"
_CHANNEL: Final = "gcp:monitoring/notificationChannel:NotificationChannel"
_UPTIME: Final = "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig"
_SLO: Final = "gcp:monitoring/slo:Slo"
_DASHBOARD: Final = "gcp:monitoring/dashboard:Dashboard"
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_REASON: Final = "INVALID_ARGUMENT"
_SUBTYPES: Final = (
    "conditionAbsent",
    "conditionMatchedLog",
    "conditionMonitoringQueryLanguage",
    "conditionPrometheusQueryLanguage",
    "conditionSql",
    "conditionThreshold",
)


@behaviour(
    "LOG-001",
    _LOG_BUCKET,
    _BOTH,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/logging_project_bucket_con",
)
def retention(call: Call) -> Iterator[Problem]:
    """Logs are kept 1 to 3650 days."""
    days = call.get("retentionDays")
    if isinstance(days, int) and not 1 <= days <= 3650:
        yield Problem("retentionDays", f"`retentionDays` must be from 1 to 3650, not {days}.")


@behaviour(
    "LOG-002",
    _LOG_BUCKET,
    Phase.UPDATE,
    400,
    "FAILED_PRECONDITION",
    "terraform-provider-google-beta website/docs/r/logging_project_bucket_con",
)
def locked(call: Call) -> Iterator[Problem]:
    """A locked bucket keeps its retention and its lock."""
    if call.old_inputs.get("locked") is not True:
        return
    if call.get("locked") is not True:
        yield Problem("locked", "`locked` cannot be taken back.")
    elif call.get("retentionDays") != call.old_inputs.get("retentionDays"):
        yield Problem("retentionDays", "`retentionDays` of a locked bucket cannot change.")


@behaviour(
    "LOG-003",
    _LOG_BUCKET,
    Phase.DELETE,
    400,
    "FAILED_PRECONDITION",
    "hashicorp/terraform-provider-google#16099",
)
def locked_bucket_stays(call: Call) -> Iterator[Problem]:
    """A locked bucket is not deleted."""
    if call.get("locked") is True:
        yield Problem("locked", f"{call.id} is locked and cannot be deleted before its logs expire.")


@behaviour(
    "LOG-008",
    _LOG_BUCKET,
    Phase.UPDATE,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/logging_project_bucket_con",
)
def analytics_off(call: Call) -> Iterator[Problem]:
    """Analytics cannot be turned off."""
    if call.old_inputs.get("enableAnalytics") is True and call.get("enableAnalytics") is not True:
        yield Problem("enableAnalytics", "`enableAnalytics` cannot be turned off once it is on.")


@behaviour(
    "LOG-012",
    _LOG_BUCKET,
    Phase.UPDATE,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/logging_project_bucket_con",
)
def key_removed(call: Call) -> Iterator[Problem]:
    """A key cannot be taken away from a bucket."""
    if call.old_inputs.get("cmekSettings") and call.absent("cmekSettings"):
        yield Problem("cmekSettings", "`cmekSettings` cannot be removed once it is set.")


@behaviour("LOG-028", _METRIC, _BOTH, 400, _REASON, "chainguard-dev/terraform-infra-common#470")
def metric_labels(call: Call) -> Iterator[Problem]:
    """Every label has an extractor, and every extractor a label."""
    declared = {str(item.get("key")) for item in call.blocks("metricDescriptor.labels")}
    extracted = set(as_map(call.get("labelExtractors")) or {})
    if declared != extracted:
        names = ", ".join(sorted(declared ^ extracted))
        yield Problem(
            "labelExtractors", f"`labelExtractors` and the labels of the metric differ in: {names}."
        )


@behaviour("LOG-029", _METRIC, _BOTH, 400, _REASON, "hashicorp/terraform-provider-google#14332")
def extractor(call: Call) -> Iterator[Problem]:
    """A distribution needs an extractor, a counter has none."""
    kind = call.text("metricDescriptor.valueType")
    given = bool(call.text("valueExtractor"))
    if kind == "DISTRIBUTION" and not given and not call.get("valueExtractor"):
        yield Problem("valueExtractor", "`valueExtractor` is needed for a distribution; set it.")
    if kind == "INT64" and given:
        yield Problem("valueExtractor", "`valueExtractor` cannot be set on a counter (INT64); remove it.")


@behaviour(
    "MON-005",
    _ALERT,
    _BOTH,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/monitoring_alert_policy",
)
def minutes(call: Call) -> Iterator[Problem]:
    """Durations and alignment periods are whole minutes."""
    for index, condition in enumerate(call.blocks("conditions")):
        where = f"conditions[{index}].conditionThreshold"
        block = as_map(condition.get("conditionThreshold")) or {}
        found = [(f"{where}.duration", block.get("duration"))]
        for number, item in enumerate(as_list(block.get("aggregations")) or []):
            found.append((f"{where}.aggregations[{number}].alignmentPeriod", at(item, "alignmentPeriod")))
        for path, value in found:
            length = seconds(value) if isinstance(value, str) else 0
            if length is None or length % 60:
                yield Problem(path, f"`{path}` must be a multiple of 60s, not {value!r}.")


@behaviour("MON-007", _ALERT, _BOTH, 400, _REASON, "google-cloud.md MON-2.6")
def log_alerts(call: Call) -> Iterator[Problem]:
    """Alerts on log lines, and only they, are limited in rate; they stand alone."""
    conditions = call.blocks("conditions")
    matched = [item for item in conditions if item.get("conditionMatchedLog")]
    limited = bool(call.get("alertStrategy.notificationRateLimit"))
    path = "alertStrategy.notificationRateLimit"
    if matched and not limited:
        yield Problem(path, f"`{path}` is needed with conditionMatchedLog; set its period.")
    if limited and not matched:
        yield Problem(path, f"`{path}` is for conditionMatchedLog only; remove it.")
    if matched and len(conditions) > 1:
        yield Problem("conditions", "`conditions` must hold conditionMatchedLog alone; split the policy.")


@behaviour("MON-009", _ALERT, _BOTH, 400, _REASON, "googleapis/nodejs-monitoring#603")
def one_subtype(call: Call) -> Iterator[Problem]:
    """A condition is of exactly one kind."""
    for index, condition in enumerate(call.blocks("conditions")):
        count = sum(1 for name in _SUBTYPES if condition.get(name) is not None)
        if count != 1:
            where = f"conditions[{index}]"
            yield Problem(where, f"`{where}` must be of exactly one kind, not {count}.")


@behaviour("MON-010", _ALERT, _BOTH, 400, _REASON, "google-cloud.md MON-2.6")
def many(call: Call) -> Iterator[Problem]:
    """At most 6 conditions and 16 channels."""
    for name, highest in (("conditions", 6), ("notificationChannels", 16)):
        count = len(as_list(call.get(name)) or [])
        if count > highest:
            yield Problem(name, f"`{name}` takes at most {highest} entries, not {count}.")


@behaviour("MON-022", _CHANNEL, _BOTH, 400, _REASON, "hashicorp/terraform-provider-google#11346")
def channel_labels(call: Call) -> Iterator[Problem]:
    """A channel lacks the label that its type needs."""
    needed = {
        "email": "email_address",
        "sms": "number",
        "slack": "channel_name",
        "pubsub": "topic",
        "webhook_tokenauth": "url",
        "webhook_basicauth": "url",
    }
    label = needed.get(call.text("type"))
    labels = call.get("labels")
    if label is not None and isinstance(labels, dict | None) and not (as_map(labels) or {}).get(label):
        path = f"labels.{label}"
        yield Problem(path, f"`{path}` is needed for a channel of type {call.text('type')}; set it.")


@behaviour(
    "MON-031",
    _UPTIME,
    _BOTH,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/monitoring_uptime_check_co",
)
def check_times(call: Call) -> Iterator[Problem]:
    """A check runs every 1, 5, 10 or 15 minutes and takes up to a minute."""
    period = call.text("period")
    if period and period not in {"60s", "300s", "600s", "900s"}:
        yield Problem("period", f"`period` must be 60s, 300s, 600s or 900s, not {period}.")
    timeout = seconds(call.text("timeout")) if call.text("timeout") else 10
    if timeout is None or not 1 <= timeout <= 60:
        yield Problem("timeout", f"`timeout` must be from 1s to 60s, not {call.text('timeout')!r}.")


@behaviour(
    "MON-030",
    _UPTIME,
    _BOTH,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/monitoring_uptime_check_co",
)
def check_regions(call: Call) -> Iterator[Problem]:
    """A check runs from at least three places."""
    regions = call.texts("selectedRegions")
    places = sum(3 if region == "USA" else 1 for region in regions)
    if regions and places < 3:
        yield Problem("selectedRegions", f"`selectedRegions` must cover at least 3 places, not {places}.")


@behaviour(
    "MON-037",
    _SLO,
    Phase.CHECK,
    400,
    _REASON,
    "terraform-provider-google-beta google-beta/services/monitoring/resource_",
)
def goal(call: Call) -> Iterator[Problem]:
    """A goal is above 0 and at most 0.9999."""
    value = call.get("goal")
    if isinstance(value, int | float) and not 0 < value <= 0.9999:
        yield Problem("goal", f"`goal` must be above 0 and at most 0.9999, not {value}.")


@behaviour(
    "MON-047",
    (_SLO, "gcp:monitoring/customService:CustomService"),
    Phase.CHECK,
    400,
    _REASON,
    "terraform-provider-google-beta google-beta/services/monitoring/resource_",
)
def id_form(call: Call) -> Iterator[Problem]:
    """An id outside Google's form."""
    for name in ("sloId", "serviceId"):
        value = call.text(name)
        if value and not re.fullmatch(r"[a-zA-Z0-9_:.-]+", value):
            yield Problem(name, f"`{name}` must be letters, digits and _:.- only, not {value!r}.")


@behaviour(
    "MON-048",
    _DASHBOARD,
    Phase.CHECK,
    400,
    _REASON,
    "terraform-provider-google-beta google-beta/services/monitoring/resource_",
)
def dashboard_json(call: Call) -> Iterator[Problem]:
    """A dashboard is JSON."""
    text = call.text("dashboardJson")
    try:
        json.loads(text or "{}")
    except json.JSONDecodeError as error:
        yield Problem("dashboardJson", f"`dashboardJson` is not JSON at line {error.lineno}; correct it.")

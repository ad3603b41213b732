"""Alert policies, notification channels and uptime checks: what the API refuses of their shape."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from sandbox.cloud.behaviours.durations import outside, seconds
from sandbox.cloud.behaviours.expressions import unbalanced
from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import as_list, as_map, at, plain
from sandbox.cloud.paths import canonical

_ALERT: Final = "gcp:monitoring/alertPolicy:AlertPolicy"
_CHANNEL: Final = "gcp:monitoring/notificationChannel:NotificationChannel"
_UPTIME: Final = "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig"
_SLO: Final = "gcp:monitoring/slo:Slo"
_METRIC: Final = "gcp:logging/metric:Metric"
_TOPIC: Final = "gcp:pubsub/topic:Topic"
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_REASON: Final = "INVALID_ARGUMENT"
_DOCS: Final = "terraform-provider-google-beta website/docs/r/monitoring_"
_USER_METRIC: Final = re.compile(r"metric\.type\s*=\s*\"logging\.googleapis\.com/user/([^\"]+)\"")


def _conditions(call: Call, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for index, condition in enumerate(call.blocks("conditions")):
        block = as_map(condition.get(kind))
        if block is not None:
            yield f"conditions[{index}].{kind}", block


def _logged(call: Call, text: str) -> dict[str, Any] | None:
    """The inputs of the log-based metric of this deployment that a filter names."""
    named = _USER_METRIC.search(text)
    for record in call.world.find(_METRIC) if named else ():
        inputs = plain(record.inputs)
        if named is not None and inputs.get("name") == named[1]:
            return inputs
    return None


@behaviour("MON-003", _ALERT, _BOTH, 404, "NOT_FOUND", "hashicorp/terraform-provider-google#10325")
def known_label(call: Call) -> Iterator[Problem]:
    """A filter on a label that the log-based metric does not have."""
    for where, block in _conditions(call, "conditionThreshold"):
        text = str(block.get("filter") or "")
        metric = _logged(call, text)
        if metric is None:
            continue
        labels = {at(item, "key") for item in as_list(at(metric, "metricDescriptor.labels")) or []}
        for name in re.findall(r"metric\.labels?\.\"?(\w+)", text):
            if name not in labels:
                yield Problem(
                    f"{where}.filter", f"`{where}.filter`: the metric has no label {name}; declare it there."
                )


@behaviour("MON-004", _ALERT, _BOTH, 400, _REASON, "hashicorp/terraform-provider-google#7179")
def resource_type(call: Call) -> Iterator[Problem]:
    """A threshold on a log-based metric without a resource type."""
    for where, block in _conditions(call, "conditionThreshold"):
        text = block.get("filter")
        if isinstance(text, str) and _USER_METRIC.search(text) and "resource.type" not in text:
            yield Problem(
                f"{where}.filter", f'`{where}.filter` must say which resource.type; add resource.type="...".'
            )


@behaviour("MON-013", _ALERT, _BOTH, 400, _REASON, "google-cloud.md MON-2.6")
def prometheus(call: Call) -> Iterator[Problem]:
    """A PromQL query that does not parse, or an evaluation interval that is no multiple of 30 seconds."""
    for where, block in _conditions(call, "conditionPrometheusQueryLanguage"):
        query, interval = block.get("query"), block.get("evaluationInterval")
        if isinstance(query, str):
            wrong = unbalanced(query) or ("nothing to ask" if not query.strip() else "")
            wrong = wrong or ("no end" if re.search(r"[-+*/%=<>]\s*$", query) else "")
            if wrong:
                yield Problem(f"{where}.query", f"`{where}.query` has {wrong}; correct the query.")
        length = seconds(interval) if isinstance(interval, str) else 30
        if length is None or length <= 0 or length % 30:
            path = f"{where}.evaluationInterval"
            yield Problem(path, f"`{path}` must be a multiple of 30s, not {interval!r}.")


@behaviour("MON-015", _ALERT, _BOTH, 400, _REASON, "google-cloud.md DB-3.5")
def absence(call: Call) -> Iterator[Problem]:
    """Absence is seen after 2 minutes to 23.5 hours."""
    for where, _ in _conditions(call, "conditionAbsent"):
        yield from outside(call, f"{where}.duration", 120, 84600)


@behaviour("MON-016", _ALERT, _BOTH, 400, _REASON, "google-cloud.md MON-2.6")
def missing_data(call: Call) -> Iterator[Problem]:
    """What missing data means needs a duration."""
    for where, block in _conditions(call, "conditionThreshold"):
        if block.get("evaluationMissingData") and block.get("duration") == "0s":
            path = f"{where}.evaluationMissingData"
            yield Problem(path, f"`{path}` needs a duration of at least 60s, not 0s; set one.")


@behaviour("MON-017", _ALERT, _BOTH, 400, _REASON, f"{_DOCS}alert_policy")
def denominator(call: Call) -> Iterator[Problem]:
    """A ratio whose halves are aligned differently, or that is forecast."""
    for where, block in _conditions(call, "conditionThreshold"):
        if not block.get("denominatorFilter"):
            continue
        path = f"{where}.denominatorAggregations"
        halves = [
            [at(item, "alignmentPeriod") for item in as_list(block.get(name)) or []]
            for name in ("aggregations", "denominatorAggregations")
        ]
        if halves[0] != halves[1]:
            yield Problem(path, f"`{path}` must have the alignment periods of aggregations; make them equal.")
        if block.get("forecastOptions"):
            path = f"{where}.forecastOptions"
            yield Problem(path, f"`{path}` excludes denominatorFilter; remove one of the two.")


@behaviour("MON-018", _ALERT, _BOTH, 404, "NOT_FOUND", "google-cloud.md SLOs")
def burn_rate(call: Call) -> Iterator[Problem]:
    """A burn rate of an objective that does not exist."""
    for where, block in _conditions(call, "conditionThreshold"):
        for name in re.findall(
            r"select_slo_\w+\(\s*\"?(projects/[^\",\s)]+/serviceLevelObjectives/[^\",\s)]+)",
            str(block.get("filter") or ""),
        ):
            ours = name.split("/")[1] in {call.project, call.number}
            tail = name.split("/", 2)[2]
            if ours and not any(item.id.endswith(f"/{tail}") for item in call.world.find(_SLO)):
                yield Problem(
                    f"{where}.filter", f"`{where}.filter`: {name} does not exist; use the name of an Slo."
                )


@behaviour("MON-021", _ALERT, _BOTH, 400, _REASON, f"{_DOCS}alert_policy")
def user_labels(call: Call) -> Iterator[Problem]:
    """At most 64 labels, their keys in lower case."""
    labels = as_map(call.get("userLabels")) or {}
    if len(labels) > 64:
        yield Problem("userLabels", f"`userLabels` takes at most 64 entries, not {len(labels)}; remove some.")
    for key in labels:
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", key):
            yield Problem(
                "userLabels", f"`userLabels`: a key starts with a lower-case letter, not {key!r}; rename it."
            )


@behaviour("MON-023", _CHANNEL, _BOTH, 400, _REASON, "hashicorp/terraform-provider-google#11346")
def slack_token(call: Call) -> Iterator[Problem]:
    """A Slack channel with an empty token."""
    for path in ("sensitiveLabels.authToken", "labels.auth_token"):
        if call.text("type") == "slack" and plain(call.get(path)) == "":
            yield Problem(path, f"`{path}` must not be empty; give the token of the bot.")


@behaviour("MON-025", _CHANNEL, Phase.CHECK, 400, _REASON, "google-beta/services/monitoring, channel labels")
def credential_twice(call: Call) -> Iterator[Problem]:
    """A credential both in the labels and in the sensitive ones."""
    for open_, hidden in (
        ("auth_token", "authToken"),
        ("password", "password"),
        ("service_key", "serviceKey"),
    ):
        if call.get(f"labels.{open_}") and call.get(f"sensitiveLabels.{hidden}"):
            path = f"sensitiveLabels.{hidden}"
            yield Problem(path, f"`{path}` excludes `labels.{open_}`; keep the sensitive one only.")


_CHANNEL_LABELS: Final[dict[str, frozenset[str]]] = {
    "campfire": frozenset({"auth_token", "room", "subdomain"}),
    "email": frozenset({"email_address"}),
    "google_chat": frozenset({"space"}),
    "hipchat": frozenset({"auth_token", "room"}),
    "pagerduty": frozenset({"service_key"}),
    "pubsub": frozenset({"topic"}),
    "slack": frozenset({"auth_token", "channel_name", "team"}),
    "sms": frozenset({"number"}),
    "webhook_basicauth": frozenset({"password", "url", "username"}),
    "webhook_tokenauth": frozenset({"url"}),
}


@behaviour("MON-026", _CHANNEL, _BOTH, 400, _REASON, f"{_DOCS}notification_channel")
def channel_type(call: Call) -> Iterator[Problem]:
    """A type of channel that does not exist, or a label that it does not have."""
    type = call.text("type")
    known = _CHANNEL_LABELS.get(type)
    if known is None:
        if type:
            yield Problem("type", f"`type` must be one of {', '.join(_CHANNEL_LABELS)}, not {type!r}.")
        return
    for name in sorted(set(as_map(call.get("labels")) or {}) - known - {"__defaults"}):
        yield Problem(
            f"labels.{name}", f"`labels.{name}` is no label of a channel of type {type}; remove it."
        )


@behaviour("MON-027", _CHANNEL, Phase.CREATE, 404, "NOT_FOUND", "google-cloud.md MON-2.7")
def channel_topic(call: Call) -> Iterator[Problem]:
    """A topic that does not exist or is not a whole path."""
    topic = call.text("labels.topic")
    if call.text("type") != "pubsub" or not topic:
        return
    ours = topic.startswith(f"projects/{call.project}/")
    if not re.fullmatch(r"projects/[^/]+/topics/[^/]+", topic):
        yield Problem("labels.topic", f"`labels.topic` must be projects/P/topics/T, not {topic!r}.")
    elif ours and call.world.get(_TOPIC, canonical(topic)) is None:
        yield Problem("labels.topic", f"`labels.topic`: {topic} does not exist; create it first.")


_MONITORED: Final[dict[str, frozenset[str]]] = {
    "aws_ec2_instance": frozenset({"instance_id"}),
    "aws_elb_load_balancer": frozenset({"name", "region"}),
    "cloud_run_revision": frozenset({"location", "service_name"}),
    "gae_app": frozenset({"module_id"}),
    "gce_instance": frozenset({"instance_id", "zone"}),
    "k8s_service": frozenset({"cluster_name", "location", "namespace_name", "service_name"}),
    "servicedirectory_service": frozenset({"location", "namespace_name", "service_name"}),
    "uptime_url": frozenset({"host"}),
}


@behaviour("MON-033", _UPTIME, Phase.CREATE, 400, _REASON, f"{_DOCS}uptime_check_config")
def monitored(call: Call) -> Iterator[Problem]:
    """A monitored resource of an unknown type or without its labels."""
    type = call.text("monitoredResource.type")
    needed = _MONITORED.get(type)
    path = "monitoredResource.labels"
    if type and needed is None:
        yield Problem("monitoredResource.type", f"`monitoredResource.type` cannot be {type}; use uptime_url.")
    labels = call.get(path)
    missing = (needed or frozenset()) - set(as_map(labels) or {})
    if missing and isinstance(labels, dict | None):
        yield Problem(path, f"`{path}` lacks {', '.join(sorted(missing))}, which {type} needs; add them.")


@behaviour("MON-034", _UPTIME, Phase.CREATE, 400, _REASON, f"{_DOCS}uptime_check_config")
def checker(call: Call) -> Iterator[Problem]:
    """A service directory target without the checkers inside the network."""
    inside = call.text("monitoredResource.type") == "servicedirectory_service"
    if inside and call.get("checkerType") != "VPC_CHECKERS":
        yield Problem("checkerType", "`checkerType` must be VPC_CHECKERS for servicedirectory_service.")


@behaviour("MON-035", _UPTIME, _BOTH, 400, _REASON, f"{_DOCS}uptime_check_config")
def http_check(call: Call) -> Iterator[Problem]:
    """A GET with a body, a matcher without its path, or a status said twice."""
    if call.text("httpCheck.body") and call.get("httpCheck.requestMethod") != "POST":
        yield Problem("httpCheck.body", "`httpCheck.body` needs requestMethod POST; set it.")
    for index, item in enumerate(call.blocks("contentMatchers")):
        if "JSON_PATH" in str(item.get("matcher")) and not item.get("jsonPathMatcher"):
            path = f"contentMatchers[{index}].jsonPathMatcher"
            yield Problem(path, f"`{path}` is needed with the matcher {item.get('matcher')}; set it.")
    for index, item in enumerate(call.blocks("httpCheck.acceptedResponseStatusCodes")):
        if item.get("statusClass") and item.get("statusValue"):
            path = f"httpCheck.acceptedResponseStatusCodes[{index}].statusClass"
            yield Problem(path, f"`{path}` excludes statusValue; remove one of the two.")


@behaviour("MON-052", _UPTIME, _BOTH, 400, _REASON, f"{_DOCS}uptime_check_config")
def one_check(call: Call) -> Iterator[Problem]:
    """A monitored resource with no check, or with two."""
    absent = [call.absent("httpCheck"), call.absent("tcpCheck")]
    if not call.absent("monitoredResource") and absent[0] == absent[1]:
        yield Problem("httpCheck", "`httpCheck` or `tcpCheck` must be given, exactly one of the two.")

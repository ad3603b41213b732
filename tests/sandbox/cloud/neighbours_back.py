"""What stands just inside the line of a behaviour: buckets, logs, alerts, messages, secrets."""

from __future__ import annotations

from typing import Any, Final

from tests.sandbox.cloud.case import Case
from tests.sandbox.cloud.stage import KEY, SECRET, THRESHOLD, TOPIC

Before = tuple[tuple[str, str, dict[str, Any]], ...]

_NONE: Final[dict[str, Any]] = {}
_ROTATION: Final[dict[str, Any]] = {
    "rotation": {"rotationPeriod": "7776000s", "nextRotationTime": "2030-01-01T00:00:00Z"},
    "topics": [{"name": TOPIC}],
}
_PUBLISH: Final = ("publish", "", _NONE)
_LOGGING: Final = ("agent", "logging", _NONE)
_SEALED: Final = ("change", "ProjectBucketConfig", {"cmekSettings": {"kmsKeyName": KEY}})
_SLO: Final[dict[str, Any]] = {"service": "api", "rollingPeriodDays": 28}


def _fine(id: str, verb: str, name: str, *changes: dict[str, Any], before: Before = ()) -> tuple[Case, ...]:
    return tuple(Case(id, verb, name, each, before) for each in changes)


def _deletable(id: str, name: str, *users: str) -> tuple[Case, ...]:
    """Accepted as soon as nothing names it any more."""
    return _fine(id, "delete", name, _NONE, before=tuple(("clear", user, _NONE) for user in users))


def _alert(*conditions: dict[str, Any], **values: Any) -> dict[str, Any]:
    return {"conditions": list(conditions), **values}


def _for(duration: str) -> dict[str, Any]:
    return {**THRESHOLD, "conditionThreshold": {**THRESHOLD["conditionThreshold"], "duration": duration}}


def _series(filter: str) -> dict[str, Any]:
    return {**THRESHOLD, "conditionThreshold": {**THRESHOLD["conditionThreshold"], "filter": filter}}


def _rotated(period: str) -> dict[str, Any]:
    return {**_ROTATION, "rotation": {**_ROTATION["rotation"], "rotationPeriod": period}}


def _locked(days: int) -> dict[str, Any]:
    return {"retentionPolicy": {"isLocked": True, "retentionPeriod": days}}


_MATCHED: Final = {"displayName": "x", "conditionMatchedLog": {"filter": 'severity="ERROR"'}}
_RATE: Final = {"notificationRateLimit": {"period": "300s"}}
_BUCKETS: Final = (
    *_fine("ART-002", "create", "Repository", {"repositoryId": "images-2"}, {"repositoryId": "i" * 63}),
    *_fine("GCS-003", "create", "Bucket", {"name": "files-of-googol"}, {"name": "f_1.example"}),
    *_fine("GCS-008", "update", "Bucket", _locked(30), before=(("change", "Bucket", _locked(20)),)),
    *_fine(
        "GCS-010",
        "create",
        "Bucket",
        {"retentionPolicy": {"retentionPeriod": 10}},
        {"versioning": {"enabled": True}},
        {"retentionPolicy": {"retentionPeriod": 10}, "versioning": {"enabled": False}},
    ),
    *_fine(
        "GCS-011",
        "create",
        "Bucket",
        {"softDeletePolicy": {"retentionDurationSeconds": 0}},
        {"softDeletePolicy": {"retentionDurationSeconds": 604800}},
        {"softDeletePolicy": {"retentionDurationSeconds": 7776000}},
    ),
    *_fine(
        "GCS-016",
        "create",
        "BucketIAMMember",
        {"bucket": "aiprod-test-files", "role": "roles/storage.objectViewer", "member": "domain:example.com"},
    ),
    *_fine(
        "GCS-019", "check", "Bucket", {"labels": {"team_1": ""}}, {"labels": {"a" * 63: "0-x" + "y" * 60}}
    ),
)
_LOGS: Final = (
    *_fine("LOG-001", "create", "ProjectBucketConfig", {"retentionDays": 3650}, {"retentionDays": 1}),
    *_fine("LOG-002", "update", "ProjectBucketConfig", {"locked": True}, {"retentionDays": 31}),
    *_fine("LOG-003", "delete", "ProjectBucketConfig", _NONE),
    *_fine(
        "LOG-008",
        "update",
        "ProjectBucketConfig",
        {"enableAnalytics": True},
        before=(("change", "ProjectBucketConfig", {"enableAnalytics": True}),),
    ),
    *_fine(
        "LOG-011",
        "create",
        "ProjectBucketConfig",
        {"cmekSettings": {"kmsKeyName": KEY}},
        before=(_LOGGING,),
    ),
    *_fine(
        "LOG-012",
        "update",
        "ProjectBucketConfig",
        {"cmekSettings": {"kmsKeyName": KEY}, "retentionDays": 40},
        before=(_LOGGING, _SEALED),
    ),
    *_fine(
        "LOG-018",
        "delete",
        "ProjectBucketConfig",
        _NONE,
        before=(("stand", "LinkedDataset", {"bucket": "another"}),),
    ),
    *_fine(
        "LOG-024",
        "create",
        "Metric",
        {"filter": 'resource.type="x" AND NOT (a OR "b c") -- end'},
        {"filter": 'log_id("x") jsonPayload."a.b".c>=-1.5'},
    ),
    *_fine(
        "LOG-028",
        "create",
        "Metric",
        {
            "labelExtractors": {"a": "EXTRACT(jsonPayload.a)"},
            "metricDescriptor.labels": [{"key": "a", "valueType": "STRING"}],
        },
    ),
    *_fine(
        "LOG-029",
        "create",
        "Metric",
        {
            "valueExtractor": "EXTRACT(jsonPayload.a)",
            "metricDescriptor": {"metricKind": "DELTA", "valueType": "DISTRIBUTION"},
        },
        {"valueExtractor": None},
    ),
    *_fine(
        "LOG-037",
        "update",
        "ProjectBucketConfig",
        {"cmekSettings": {"kmsKeyName": KEY}},
        before=(_LOGGING,),
    ),
)
_ALERTS: Final = (
    *_fine("MON-005", "create", "AlertPolicy", _alert(_for("0s")), _alert(_for("120s"))),
    *_fine(
        "MON-007",
        "create",
        "AlertPolicy",
        _alert(_MATCHED, alertStrategy=_RATE),
        _alert(THRESHOLD, alertStrategy={"autoClose": "1800s"}),
    ),
    *_fine("MON-009", "create", "AlertPolicy", _alert(THRESHOLD), _alert(_MATCHED, alertStrategy=_RATE)),
    *_fine("MON-010", "create", "AlertPolicy", _alert(*[THRESHOLD] * 6)),
    *_fine(
        "MON-022",
        "create",
        "NotificationChannel",
        {"type": "sms", "labels": {"number": "+12025550123"}},
        {"type": "email", "labels": {"email_address": "a@example.com"}},
    ),
    *_fine(
        "MON-030",
        "create",
        "UptimeCheckConfig",
        {"selectedRegions": ["EUROPE", "ASIA_PACIFIC", "SOUTH_AMERICA"]},
        {"selectedRegions": None},
    ),
    *_fine(
        "MON-031",
        "create",
        "UptimeCheckConfig",
        {"period": "300s", "timeout": "60s"},
        {"period": "900s", "timeout": "1s"},
    ),
    *_fine(
        "MON-037",
        "check",
        "Slo",
        {**_SLO, "goal": 0.9999, "basicSli": {"latency": {"threshold": "1s"}}},
        {**_SLO, "goal": 0.01, "basicSli": {"latency": {"threshold": "1s"}}},
    ),
    *_fine("MON-038", "check", "Slo", {**_SLO, "goal": 0.9, "basicSli": {"availability": {"enabled": True}}}),
    *_fine(
        "MON-100",
        "create",
        "AlertPolicy",
        _alert(_series('metric.type = starts_with("run") AND resource.label.x != "y"')),
        _alert(
            {
                "displayName": "x",
                "conditionMatchedLog": {"filter": "severity=(ERROR OR ALERT) -textPayload:a"},
            },
            alertStrategy=_RATE,
        ),
    ),
    *_fine("MON-047", "check", "CustomService", {"serviceId": "a-b"}, {"serviceId": "A.b_1"}),
    *_fine("MON-048", "check", "Dashboard", {"dashboardJson": '{"displayName": "x"}'}),
    *_deletable("MON-029", "NotificationChannel", "AlertPolicy"),
    *_deletable("MON-036", "UptimeCheckConfig", "AlertPolicy"),
    *_deletable("MON-046", "CustomService"),
)
_FILTER: Final = 'attributes.kind = "' + "a" * (256 - len('attributes.kind = ""')) + '"'
_PUSH: Final = {"pushConfig": {"pushEndpoint": "https://push.example.com/jobs"}}


def _dead(attempts: int) -> dict[str, Any]:
    return {"deadLetterPolicy": {"deadLetterTopic": TOPIC, "maxDeliveryAttempts": attempts}}


_MESSAGES: Final = (
    *_fine("PUB-006", "create", "Subscription", _dead(5), _dead(100)),
    *_fine("PUB-007", "create", "Subscription", {"ackDeadlineSeconds": 10}, {"ackDeadlineSeconds": 600}),
    *_fine(
        "PUB-008",
        "create",
        "Topic",
        {"messageRetentionDuration": "600s"},
        {"messageRetentionDuration": "2678400s"},
        {"messageRetentionDuration": "86400.5s"},
    ),
    *_fine(
        "PUB-010",
        "create",
        "Subscription",
        {"expirationPolicy": {"ttl": "604801s"}},
        {"expirationPolicy": {"ttl": ""}},
        {"expirationPolicy": {"ttl": "90000s"}, "messageRetentionDuration": "86400s"},
    ),
    *_fine(
        "PUB-012",
        "create",
        "Subscription",
        {"retryPolicy": {"minimumBackoff": "0s", "maximumBackoff": "600s"}},
        {"retryPolicy": {"minimumBackoff": "30s", "maximumBackoff": "30s"}},
    ),
    *_fine("PUB-013", "check", "Subscription", {"filter": _FILTER}),
    *_fine(
        "PUB-016",
        "create",
        "Subscription",
        {"enableExactlyOnceDelivery": True},
        {"enableExactlyOnceDelivery": False, **_PUSH},
    ),
    *_fine("PUB-018", "create", "Subscription", _PUSH, {"pushConfig": None}),
    *_fine("PUB-033", "create", "Topic", {"name": "jobs-of-goog"}, {"name": "abc"}, {"name": "J" * 255}),
)
_SECRETS: Final = (
    *_fine("SEC-002", "create", "Secret", _ROTATION, before=(_PUBLISH,)),
    *_fine("SEC-003", "create", "Secret", {"topics": [{"name": TOPIC}]}, before=(_PUBLISH,)),
    *_fine(
        "SEC-005",
        "create",
        "Secret",
        _ROTATION,
        {**_ROTATION, "rotation": {"nextRotationTime": "2030-01-01T00:00:00Z"}},
        before=(_PUBLISH,),
    ),
    *_fine("SEC-007", "create", "Secret", _rotated("3600s"), _rotated("3153600000s"), before=(_PUBLISH,)),
    *_fine(
        "SEC-010",
        "create",
        "Secret",
        {
            "replication": {
                "userManaged": {"replicas": [{"location": "europe-west1"}, {"location": "europe-west4"}]}
            }
        },
    ),
    *_fine("SEC-013", "create", "Secret", {"secretId": "A_b-1"}, {"secretId": "s" * 255}),
    *_fine("SEC-016", "update", "Secret", {"versionAliases": {"current": "1"}}),
    *_fine("SEC-017", "create", "Secret", {"versionAliases": {}}, {"versionAliases": None}),
    *_fine("SEC-022", "create", "SecretVersion", {"secret": SECRET, "secretData": "x" * 65536}),
    *_fine(
        "SEC-020",
        "delete",
        "Secret",
        _NONE,
        before=(("change", "Secret", {"deletionProtection": False}), ("clear", "Service", _NONE)),
    ),
)

NEIGHBOURS_BACK: Final = (*_BUCKETS, *_LOGS, *_ALERTS, *_MESSAGES, *_SECRETS)

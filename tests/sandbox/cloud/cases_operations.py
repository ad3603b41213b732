"""Ways to meet the behaviours of logging, monitoring, budgets, stores and schedules."""

from __future__ import annotations

from typing import Any, Final

from tests.sandbox.cloud.case import Case
from tests.sandbox.cloud.stage import ACCOUNT, PROJECT, RUN, TOPIC

__all__ = ["OPERATIONS"]

_JOB: Final[dict[str, Any]] = {
    "name": "tick",
    "region": "europe-west1",
    "schedule": "*/5 8-18 * jan-mar MON,5",
    "timeZone": "Europe/Berlin",
}
_HTTP: Final[dict[str, Any]] = {"uri": "https://example.com"}
_BUDGET: Final[dict[str, Any]] = {
    "billingAccount": "012345-567890-ABCDEF",
    "amount": {"specifiedAmount": {"units": "100"}},
}
_USER: Final = 'metric.type="logging.googleapis.com/user/errors"'
_SLO: Final[dict[str, Any]] = {"service": "api", "goal": 0.9, "rollingPeriodDays": 28}
_X: Final = 'metric.type="x"'
_RATIO: Final[dict[str, Any]] = {"goodTotalRatio": {"goodServiceFilter": _X, "totalServiceFilter": _X}}
_REMOTE: Final[dict[str, Any]] = {"dockerRepository": {"publicRepository": "DOCKER_HUB"}}
_IMAGES: Final = f"{RUN}/locations/europe/repositories/images"
_SPACE: Final = {"metricDescriptor.valueType": "DISTRIBUTION", "valueExtractor": "EXTRACT(jsonPayload.x)"}
_DATE: Final = {"year": 2026, "month": 3, "day": 1}
_OLD: Final = {"year": 2016, "month": 3, "day": 1}


def _pair(id: str, name: str, refused: dict[str, Any], fine: dict[str, Any], verb: str = "create") -> Case:
    return Case(id, verb, name, refused, (), fine)


def _threshold(**changes: Any) -> dict[str, Any]:
    block = {"filter": 'metric.type="x"', "comparison": "COMPARISON_GT", "duration": "60s", **changes}
    return {"conditions": [{"displayName": "x", "conditionThreshold": block}]}


def _condition(kind: str, **block: Any) -> dict[str, Any]:
    return {"conditions": [{"displayName": "x", kind: block}]}


def _channel(type: str, **labels: Any) -> dict[str, Any]:
    return {"type": type, "labels": labels}


def _http(**changes: Any) -> dict[str, Any]:
    return {**_JOB, "httpTarget": {**_HTTP, **changes}}


def _filter(**filter: Any) -> dict[str, Any]:
    return {**_BUDGET, "budgetFilter": filter}


def _upstream(**changes: Any) -> dict[str, Any]:
    policy = {"id": "a", "priority": 1, "repository": _IMAGES, **changes}
    return {"mode": "VIRTUAL_REPOSITORY", "virtualRepositoryConfig": {"upstreamPolicies": [policy]}}


def _rule(target: str, **condition: Any) -> dict[str, Any]:
    return {
        "name": "aiprod-test-more",
        "lifecycleRules": [
            {"action": {"type": "SetStorageClass", "storageClass": target}, "condition": condition}
        ],
    }


def _target(type: str, **labels: str) -> dict[str, Any]:
    return {"monitoredResource": {"type": type, "labels": labels}}


_BOUNDS: Final = "bucketOptions"
_ALERTS: Final = (
    _pair(
        "MON-003",
        "AlertPolicy",
        _threshold(filter=f'{_USER} AND resource.type="global" AND metric.label.kind="a"'),
        _threshold(filter=f'{_USER} AND resource.type="global"'),
    ),
    _pair(
        "MON-004",
        "AlertPolicy",
        _threshold(filter=_USER),
        _threshold(filter=f'{_USER} AND resource.type="global"'),
    ),
    _pair(
        "MON-013",
        "AlertPolicy",
        _condition("conditionPrometheusQueryLanguage", query="sum(rate(x[5m])", evaluationInterval="30s"),
        _condition("conditionPrometheusQueryLanguage", query="sum(rate(x[5m]))", evaluationInterval="30s"),
    ),
    _pair(
        "MON-015",
        "AlertPolicy",
        _condition("conditionAbsent", filter=_X, duration="60s"),
        _condition("conditionAbsent", filter=_X, duration="84600s"),
    ),
    _pair(
        "MON-016",
        "AlertPolicy",
        _threshold(duration="0s", evaluationMissingData="EVALUATION_MISSING_DATA_ACTIVE"),
        _threshold(duration="60s", evaluationMissingData="EVALUATION_MISSING_DATA_ACTIVE"),
    ),
    _pair(
        "MON-017",
        "AlertPolicy",
        _threshold(
            denominatorFilter='metric.type="y"',
            aggregations=[{"alignmentPeriod": "60s"}],
            denominatorAggregations=[{"alignmentPeriod": "120s"}],
        ),
        _threshold(
            denominatorFilter='metric.type="y"',
            aggregations=[{"alignmentPeriod": "60s"}],
            denominatorAggregations=[{"alignmentPeriod": "60s"}],
        ),
    ),
    _pair(
        "MON-018",
        "AlertPolicy",
        _threshold(filter=f'select_slo_burn_rate("{RUN}/services/api/serviceLevelObjectives/no", "3600s")'),
        _threshold(filter='select_slo_burn_rate("projects/other/services/a/serviceLevelObjectives/b", "1h")'),
    ),
    _pair("MON-021", "AlertPolicy", {"userLabels": {"Team": "a"}}, {"userLabels": {"team": "a"}}),
    _pair(
        "MON-023",
        "NotificationChannel",
        {**_channel("slack", channel_name="#a"), "sensitiveLabels": {"authToken": ""}},
        {**_channel("slack", channel_name="#a"), "sensitiveLabels": {"authToken": "x"}},
    ),
    Case(
        "MON-025",
        "check",
        "NotificationChannel",
        {**_channel("pagerduty", service_key="a"), "sensitiveLabels": {"serviceKey": "a"}},
        (),
        {**_channel("pagerduty"), "sensitiveLabels": {"serviceKey": "a"}},
    ),
    _pair(
        "MON-026",
        "NotificationChannel",
        _channel("email", email_address="a@example.com", room="a"),
        _channel("google_chat", space="spaces/a"),
    ),
    _pair(
        "MON-027",
        "NotificationChannel",
        _channel("pubsub", topic=f"{RUN}/topics/no"),
        _channel("pubsub", topic=TOPIC),
    ),
    _pair("MON-033", "UptimeCheckConfig", _target("uptime_url"), _target("uptime_url", host="a.example.com")),
    _pair(
        "MON-034",
        "UptimeCheckConfig",
        _target("servicedirectory_service", location="a", namespace_name="b", service_name="c"),
        {
            **_target("servicedirectory_service", location="a", namespace_name="b", service_name="c"),
            "checkerType": "VPC_CHECKERS",
        },
    ),
    _pair(
        "MON-035",
        "UptimeCheckConfig",
        {"httpCheck.body": "YQ=="},
        {"httpCheck.body": "YQ==", "httpCheck.requestMethod": "POST"},
    ),
    _pair("MON-052", "UptimeCheckConfig", {"httpCheck": None}, {"httpCheck": None, "tcpCheck": {"port": 80}}),
)
_OBJECTIVES: Final = (
    Case("MON-038", "check", "Slo", {**_SLO, "basicSli": {"availability": {"enabled": False}}}),
    _pair(
        "MON-041",
        "Slo",
        {
            **_SLO,
            "requestBasedSli": {"distributionCut": {"distributionFilter": _USER, "range": {"max": 1}}},
        },
        {**_SLO, "requestBasedSli": _RATIO},
    ),
    _pair(
        "MON-042",
        "Slo",
        {**_SLO, "windowsBasedSli": {"windowPeriod": "700s", "goodBadMetricFilter": 'metric.type="x"'}},
        {**_SLO, "windowsBasedSli": {"windowPeriod": "300s", "goodBadMetricFilter": 'metric.type="x"'}},
    ),
    _pair(
        "MON-043",
        "Slo",
        {**_SLO, "service": "no", "requestBasedSli": _RATIO},
        {**_SLO, "requestBasedSli": _RATIO},
    ),
    _pair(
        "MON-044",
        "Slo",
        {**_SLO, "basicSli": {"latency": {"threshold": "1s"}}},
        {**_SLO, "requestBasedSli": _RATIO},
    ),
    _pair("BUD-004", "Budget", _filter(projects=[RUN]), _filter(projects=["projects/123456789012"])),
    _pair(
        "BUD-008",
        "Budget",
        {
            **_filter(customPeriod={"startDate": _DATE}),
            "thresholdRules": [{"thresholdPercent": 1, "spendBasis": "FORECASTED_SPEND"}],
        },
        {
            **_filter(calendarPeriod="MONTH"),
            "thresholdRules": [{"thresholdPercent": 1, "spendBasis": "FORECASTED_SPEND"}],
        },
    ),
    _pair(
        "BUD-009",
        "Budget",
        {**_BUDGET, "thresholdRules": [{"thresholdPercent": -0.5}]},
        {**_BUDGET, "thresholdRules": [{"thresholdPercent": 1.5}]},
    ),
    _pair(
        "BUD-012",
        "Budget",
        {**_BUDGET, "allUpdatesRule": {"pubsubTopic": TOPIC, "schemaVersion": "2.0"}},
        {**_BUDGET, "allUpdatesRule": {"pubsubTopic": TOPIC, "schemaVersion": "1.0"}},
    ),
    _pair(
        "BUD-014",
        "Budget",
        _filter(creditTypes=["PROMOTION"]),
        _filter(creditTypes=["PROMOTION"], creditTypesTreatment="INCLUDE_SPECIFIED_CREDITS"),
    ),
    _pair(
        "BUD-015",
        "Budget",
        _filter(customPeriod={"startDate": _OLD}),
        _filter(customPeriod={"startDate": _DATE, "endDate": _DATE}),
    ),
)
_STORES: Final = (
    _pair(
        "LOG-005",
        "ProjectBucketConfig",
        {"bucketId": "_Required"},
        {"bucketId": "_Required", "retentionDays": 400},
    ),
    Case(
        "LOG-011",
        "create",
        "ProjectBucketConfig",
        {"cmekSettings": {"kmsKeyName": "projects/other/locations/global/keyRings/a/cryptoKeys/b"}},
    ),
    Case(
        "LOG-018",
        "delete",
        "ProjectBucketConfig",
        {},
        (("stand", "LinkedDataset", {"bucket": "audit"}),),
    ),
    _pair(
        "LOG-023",
        "ProjectSink",
        {
            "name": "s",
            "destination": "logging.googleapis.com/projects/other/locations/global/buckets/b",
            "uniqueWriterIdentity": False,
        },
        {
            "name": "s",
            "destination": f"logging.googleapis.com/projects/{PROJECT}/locations/global/buckets/b",
            "uniqueWriterIdentity": False,
        },
    ),
    _pair(
        "LOG-033",
        "Metric",
        {**_SPACE, _BOUNDS: {"explicitBuckets": {"bounds": [1, 3, 2]}}},
        {**_SPACE, _BOUNDS: {"explicitBuckets": {"bounds": [1, 2, 3]}}},
    ),
    _pair("LOG-035", "Metric", _SPACE, {"filter": "severity>=WARNING"}, "update"),
    Case(
        "LOG-037",
        "update",
        "ProjectBucketConfig",
        {"enableAnalytics": True, "cmekSettings": {"kmsKeyName": "projects/other/cryptoKeys/b"}},
        (("change", "ProjectBucketConfig", {"enableAnalytics": True}),),
    ),
    Case("GCS-012", "check", "Bucket", _rule("NEARLINE"), (), _rule("NEARLINE", age=1)),
    _pair(
        "GCS-013",
        "Bucket",
        _rule("STANDARD", matchesStorageClasses=["COLDLINE"]),
        _rule("ARCHIVE", matchesStorageClasses=["COLDLINE"]),
    ),
    _pair(
        "GCS-021",
        "Bucket",
        {"name": "aiprod-test-more", "ipFilter": {"mode": "Enabled"}},
        {"name": "aiprod-test-more", "ipFilter": {"mode": "Enabled", "allowAllServiceAgentAccess": True}},
    ),
    _pair(
        "ART-003",
        "Repository",
        {"mode": "REMOTE_REPOSITORY"},
        {"mode": "REMOTE_REPOSITORY", "remoteRepositoryConfig": _REMOTE},
    ),
    _pair("ART-004", "Repository", {**_upstream(), "mode": "STANDARD_REPOSITORY"}, _upstream()),
    _pair("ART-005", "Repository", _upstream(repository=f"{_IMAGES}-no"), _upstream()),
    _pair(
        "ART-008",
        "Repository",
        {"cleanupPolicies": [{"id": "a", "action": "DELETE"}]},
        {"cleanupPolicies": [{"id": "a", "action": "DELETE", "condition": {"olderThan": "86400s"}}]},
    ),
    _pair(
        "ART-011",
        "Repository",
        {"mavenConfig": {"versionPolicy": "RELEASE"}},
        {"dockerConfig": {"immutableTags": True}},
    ),
)
_FEDERATION: Final[dict[str, Any]] = {
    "workloadIdentityPoolId": "github",
    "workloadIdentityPoolProviderId": "gcp-other",
    "attributeMapping": {"google.subject": "assertion.sub"},
    "attributeCondition": "assertion.repository_owner=='o'",
    "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"},
}
_NAMED: Final = {**_FEDERATION, "workloadIdentityPoolProviderId": "other"}
_TRUSTS: Final = {"workloadIdentityPoolId": "domain", "mode": "TRUST_DOMAIN"}
_REST: Final = (
    Case("WIF-002", "check", "WorkloadIdentityPoolProvider", _FEDERATION, (), _NAMED),
    Case(
        "WIF-011",
        "create",
        "WorkloadIdentityPoolProvider",
        {**_NAMED, "workloadIdentityPoolId": "domain"},
        (("make", "WorkloadIdentityPool", _TRUSTS),),
        _NAMED,
    ),
)
_JOBS: Final = (
    Case(
        "SCH-001",
        "check",
        "SchedulerJob",
        _http(oauthToken={"serviceAccountEmail": ACCOUNT}, oidcToken={"serviceAccountEmail": ACCOUNT}),
        (),
        _http(oidcToken={"serviceAccountEmail": ACCOUNT}),
    ),
    Case(
        "SCH-002", "check", "SchedulerJob", _http(headers={"X-Google-A": "1"}), (), _http(headers={"X": "1"})
    ),
    Case("SCH-003", "check", "SchedulerJob", _http(body="{}"), (), _http(body="e30=")),
    _pair("SCH-004", "SchedulerJob", {**_http(), "schedule": "0 24 * * *"}, _http()),
    _pair(
        "SCH-005",
        "SchedulerJob",
        {**_http(), "attemptDeadline": "1801s"},
        {**_http(), "attemptDeadline": "1800s"},
    ),
    _pair(
        "SCH-006",
        "SchedulerJob",
        {**_http(), "retryConfig": {"retryCount": 6}},
        {**_http(), "retryConfig": {"retryCount": 5}},
    ),
    _pair(
        "SCH-007",
        "SchedulerJob",
        {**_JOB, "pubsubTarget": {"topicName": TOPIC}},
        {**_JOB, "pubsubTarget": {"topicName": TOPIC, "data": "e30="}},
    ),
    _pair(
        "SCH-008",
        "SchedulerJob",
        _http(oidcToken={"serviceAccountEmail": "a@other.iam.gserviceaccount.com"}),
        _http(oidcToken={"serviceAccountEmail": ACCOUNT}),
    ),
)
OPERATIONS: Final[tuple[Case, ...]] = (*_ALERTS, *_OBJECTIVES, *_STORES, *_JOBS, *_REST)

"""Ways to meet limits, expressions and shapes: the refused inputs, and beside them the nearest accepted."""

from __future__ import annotations

from typing import Any, Final

from tests.sandbox.cloud.case import Case
from tests.sandbox.cloud.stage import BAN, CONTAINER, NETWORK, RULE, RUN, TOPIC

_X: Final = 'metric.type="x"'
_BUDGET: Final[dict[str, Any]] = {
    "billingAccount": "012345-567890-ABCDEF",
    "amount": {"specifiedAmount": {"units": "100"}},
}
_LAST: Final[dict[str, Any]] = {**_BUDGET, "amount": {"lastPeriodAmount": True}}
_PERIOD: Final = {"startDate": {"year": 2026, "month": 1, "day": 1}}
_PROVIDER: Final[dict[str, Any]] = {
    "workloadIdentityPoolId": "github",
    "workloadIdentityPoolProviderId": "other",
    "attributeMapping": {"google.subject": "assertion.sub"},
    "attributeCondition": "assertion.repository_owner=='o'",
    "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"},
}
_OBJECT_GRANT: Final[dict[str, Any]] = {
    "bucket": "aiprod-test-files",
    "role": "roles/storage.objectViewer",
    "member": "group:team@example.com",
    "condition": {"title": "x", "expression": "true"},
}
_METRIC: Final[dict[str, Any]] = {"metricKind": "DELTA", "valueType": "INT64"}
_SINK: Final[dict[str, Any]] = {"name": "s", "destination": "storage.googleapis.com/aiprod-test-files"}
_SUBNET: Final = {"ipCidrRange": "10.3.0.0/24"}
_INTERFACE: Final = "template.vpcAccess.networkInterfaces"
_REPLICA: Final[dict[str, Any]] = {
    "name": "replica",
    "masterInstanceName": "primary",
    "settings.backupConfiguration": None,
}
_SLO: Final[dict[str, Any]] = {"service": "api", "goal": 0.9, "rollingPeriodDays": 28}
_RATIO: Final = "requestBasedSli"


def _expression(text: str) -> dict[str, Any]:
    return {"rules": [{**BAN, "match": {"expr": {"expression": text}}}, RULE]}


def _container(**changes: Any) -> dict[str, Any]:
    return {"template.containers": [{**CONTAINER, **changes}]}


def _env(*names: str) -> dict[str, Any]:
    return _container(envs=[{"name": name, "value": "1"} for name in names])


def _flags(**values: str) -> dict[str, Any]:
    return {"settings.databaseFlags": [{"name": name, "value": value} for name, value in values.items()]}


def _labels(count: int) -> dict[str, Any]:
    keys = [f"l{index}" for index in range(count)]
    return {
        "metricDescriptor": {**_METRIC, "labels": [{"key": key} for key in keys]},
        "labelExtractors": dict.fromkeys(keys, "EXTRACT(jsonPayload.x)"),
    }


def _condition(aggregation: dict[str, Any]) -> dict[str, Any]:
    threshold = {
        "filter": _X,
        "comparison": "COMPARISON_GT",
        "duration": "60s",
        "aggregations": [aggregation],
    }
    return {"conditions": [{"displayName": "x", "conditionThreshold": threshold}]}


def _pair(id: str, name: str, refused: dict[str, Any], fine: dict[str, Any]) -> Case:
    return Case(id, "create", name, refused, (), fine)


LIMITS: Final = (
    _pair(
        "SQL-062",
        "DatabaseInstance",
        {"settings.insightsConfig": {"queryStringLength": 255}},
        {"settings.insightsConfig": {"queryStringLength": 4500}},
    ),
    _pair(
        "SQL-061",
        "DatabaseInstance",
        {"settings.finalBackupConfig": {"enabled": True, "retentionDays": 366}},
        {"settings.finalBackupConfig": {"enabled": True, "retentionDays": 365}},
    ),
    _pair("SQL-054", "DatabaseInstance", {"maintenanceVersion": "x"}, {}),
    _pair(
        "SQL-067",
        "DatabaseInstance",
        {"settings.backupConfiguration.backupRetentionSettings": {"retainedBackups": 366}},
        {"settings.backupConfiguration.backupRetentionSettings": {"retainedBackups": 365}},
    ),
    _pair(
        "SQL-060",
        "DatabaseInstance",
        {"settings.replicationLagMaxSeconds": 299},
        {"settings.replicationLagMaxSeconds": 300},
    ),
    _pair(
        "BUD-006",
        "Budget",
        {**_BUDGET, "budgetFilter": {"calendarPeriod": "MONTH", "customPeriod": _PERIOD}},
        {**_BUDGET, "budgetFilter": {"customPeriod": _PERIOD}},
    ),
    _pair("BUD-007", "Budget", {**_LAST, "budgetFilter": {"customPeriod": _PERIOD}}, _LAST),
    _pair("BUD-011", "Budget", {**_BUDGET, "displayName": "x" * 61}, {**_BUDGET, "displayName": "x" * 60}),
    _pair(
        "WIF-010",
        "WorkloadIdentityPool",
        {"workloadIdentityPoolId": "other", "displayName": "x" * 33},
        {"workloadIdentityPoolId": "other", "displayName": "x" * 32},
    ),
    _pair(
        "WIF-008",
        "WorkloadIdentityPoolProvider",
        {**_PROVIDER, "attributeCondition": f"'{'x' * 4095}'=='a'"},
        _PROVIDER,
    ),
    _pair(
        "WIF-009",
        "WorkloadIdentityPoolProvider",
        {**_PROVIDER, "oidc": {"issuerUri": "https://a.example.com", "allowedAudiences": ["a"] * 11}},
        {**_PROVIDER, "oidc": {"issuerUri": "https://a.example.com", "allowedAudiences": ["a"] * 10}},
    ),
    _pair(
        "WIF-006",
        "WorkloadIdentityPoolProvider",
        {**_PROVIDER, "attributeMapping": {"attribute.a": "assertion.a"}},
        _PROVIDER,
    ),
    _pair(
        "WIF-007",
        "WorkloadIdentityPoolProvider",
        {**_PROVIDER, "attributeCondition": "assertion.repository_owner='o'"},
        {**_PROVIDER, "attributeCondition": "assertion.ref.startsWith('a=b') && assertion.x in ['or']"},
    ),
    Case(
        "SEC-004",
        "create",
        "Secret",
        {"topics": [{"name": TOPIC}] * 11},
        (("publish", "", {}),),
        {"topics": [{"name": TOPIC}] * 10},
    ),
    _pair("SEC-018", "Secret", {"ttl": "86400s", "expireTime": "2030-01-01T00:00:00Z"}, {"ttl": "86400s"}),
    _pair(
        "LOG-027",
        "ProjectSink",
        {**_SINK, "exclusions": [{"name": "x", "filter": "a"}] * 51},
        {**_SINK, "exclusions": [{"name": "x", "filter": "a"}] * 50},
    ),
    _pair("LOG-034", "Metric", _labels(11), _labels(10)),
    _pair(
        "LOG-024",
        "Metric",
        {"filter": "severity='ERROR'"},
        {"filter": 'severity="ERROR" AND textPayload:"it\'s a == b" -- don\'t\n'},
    ),
    _pair(
        "LOG-032",
        "Metric",
        {
            "metricDescriptor": {**_METRIC, "labels": [{"key": "a"}]},
            "labelExtractors": {"a": 'REGEXP_EXTRACT(jsonPayload.x, "a+")'},
        },
        {
            "metricDescriptor": {**_METRIC, "labels": [{"key": "a"}]},
            "labelExtractors": {"a": 'REGEXP_EXTRACT(jsonPayload.x, "(?:b|c)(a+)")'},
        },
    ),
    _pair(
        "GCS-009",
        "Bucket",
        {"name": "aiprod-test-more", "retentionPolicy": {"retentionPeriod": 3155760001}},
        {"name": "aiprod-test-more", "retentionPolicy": {"retentionPeriod": 3155760000}},
    ),
    _pair(
        "GCS-014",
        "Bucket",
        {"name": "aiprod-test-more", "hierarchicalNamespace": {"enabled": True}},
        {
            "name": "aiprod-test-more",
            "hierarchicalNamespace": {"enabled": True},
            "uniformBucketLevelAccess": True,
        },
    ),
    Case(
        "IAM-019",
        "create",
        "BucketIAMMember",
        _OBJECT_GRANT,
        (),
        {name: value for name, value in _OBJECT_GRANT.items() if name != "condition"},
    ),
    _pair(
        "NET-015",
        "Subnetwork",
        {**_SUBNET, "logConfig": {"flowSampling": 1.5}},
        {**_SUBNET, "logConfig": {"flowSampling": 1.0}},
    ),
    _pair(
        "MON-012",
        "AlertPolicy",
        {"documentation": {"content": "x" * 8193}},
        {"documentation": {"content": "x" * 8192}},
    ),
    _pair("RUN-062", "Service", {"customAudiences": ["a"] * 16}, {"customAudiences": ["a"] * 15}),
    _pair(
        "RUN-056",
        "Job",
        {"name": "j", "location": "europe-west1", "template": {"template": {"timeout": "604801s"}}},
        {"name": "j", "location": "europe-west1", "template": {"template": {"timeout": "604800s"}}},
    ),
    _pair(
        "LB-017", "BackendService", {"enableCdn": True, "iap": {"enabled": True}}, {"iap": {"enabled": True}}
    ),
    _pair(
        "LB-013",
        "BackendService",
        {"loadBalancingScheme": "EXTERNAL", "outlierDetection": {"consecutiveErrors": 5}},
        {"outlierDetection": {"consecutiveErrors": 5}},
    ),
    _pair(
        "ARM-039",
        "BackendService",
        {"loadBalancingScheme": "INTERNAL_SELF_MANAGED"},
        {"loadBalancingScheme": "EXTERNAL_MANAGED"},
    ),
    _pair(
        "RED-009",
        "Instance",
        {"locationId": "europe-west1-b", "alternativeLocationId": "europe-west1-b"},
        {"locationId": "europe-west1-b", "alternativeLocationId": "europe-west1-c"},
    ),
    Case(
        "NET-029",
        "check",
        "Firewall",
        {"enableLogging": False, "logConfig": {"metadata": "INCLUDE_ALL_METADATA"}},
    ),
    Case("DNS-001", "check", "RecordSet", {"name": "www.a"}, (), {"name": "www.a."}),
    _pair(
        "DNS-008",
        "ManagedZone",
        {"dnsName": "a.example.com.", "visibility": "private"},
        {
            "dnsName": "a.example.com.",
            "visibility": "private",
            "privateVisibilityConfig": {"networks": [{"networkUrl": NETWORK}]},
        },
    ),
    _pair("DNS-002", "RecordSet", {"name": "www.example.org."}, {"name": "www.example.com."}),
    _pair(
        "DNS-004",
        "RecordSet",
        {"name": "api.example.com.", "type": "CNAME", "rrdatas": ["a.example.com."]},
        {"name": "www.example.com.", "type": "CNAME", "rrdatas": ["a.example.com."]},
    ),
    _pair(
        "DNS-005",
        "RecordSet",
        {"name": "www.example.com.", "type": "CNAME", "rrdatas": ["a.example.com"]},
        {"name": "www.example.com.", "type": "AAAA", "rrdatas": ["2001:db8::1"]},
    ),
    _pair(
        "IAM-017",
        "SecretIamMember",
        {"condition": {"title": "x", "expression": "request.time < timestamp('2030'"}},
        {"condition": {"title": "x", "expression": "request.time < timestamp('2030)')"}},
    ),
    _pair(
        "ARM-023",
        "SecurityPolicy",
        _expression("origin.region_code = 'DE'"),
        _expression("origin.region_code == 'DE'"),
    ),
    _pair(
        "ARM-021",
        "SecurityPolicy",
        _expression(" || ".join(["origin.asn == 1"] * 6)),
        _expression(" || ".join(["origin.asn == 1"] * 5)),
    ),
    _pair(
        "ARM-024",
        "SecurityPolicy",
        _expression("request.body.contains('x')"),
        _expression("request.path.contains('request.body')"),
    ),
    _pair(
        "ARM-025",
        "SecurityPolicy",
        _expression("request.path.matches('/(?=a)')"),
        _expression("request.path.matches('/(?i:a)')"),
    ),
    _pair(
        "ARM-028",
        "SecurityPolicy",
        _expression("evaluatePreconfiguredWaf('sqli-v33-stable', {'sensitivity': 5})"),
        _expression("evaluatePreconfiguredWaf('sqli-v33-stable', {'sensitivity': 4})"),
    ),
    _pair("SQL-019", "DatabaseInstance", _flags(max_conections="100"), _flags(max_connections="100")),
    _pair("SQL-020", "DatabaseInstance", _flags(log_checkpoints="true"), _flags(log_checkpoints="on")),
    Case(
        "SQL-018",
        "create",
        "DatabaseInstance",
        {**_REPLICA, **_flags(max_connections="100")},
        (("tune", "DatabaseInstance", _flags(max_connections="200")),),
        {**_REPLICA, **_flags(max_connections="200")},
    ),
    _pair(
        "RUN-013",
        "Service",
        _container(startupProbe={"periodSeconds": 5, "timeoutSeconds": 6}),
        _container(startupProbe={"periodSeconds": 240, "timeoutSeconds": 240, "failureThreshold": 1}),
    ),
    _pair(
        "RUN-014",
        "Service",
        _container(livenessProbe={"tcpSocket": {"port": 80}}),
        _container(livenessProbe={"httpGet": {"path": "/"}}),
    ),
    Case(
        "RUN-036",
        "create",
        "Service",
        {_INTERFACE: [{"network": NETWORK, "subnetwork": f"{RUN}/regions/europe-west1/subnetworks/small"}]},
        (("make", "Subnetwork", {"name": "small", "ipCidrRange": "10.3.0.0/27"}),),
        {},
    ),
    _pair(
        "RUN-040",
        "Service",
        _container(volumeMounts=[{"name": "none", "mountPath": "/a"}]),
        {
            **_container(volumeMounts=[{"name": "tmp", "mountPath": "/a"}]),
            "template.volumes": [{"name": "tmp", "emptyDir": {"medium": "MEMORY"}}],
        },
    ),
    _pair("RUN-059", "Service", _env("A", "A"), _env("A", "B_1")),
    _pair(
        "RUN-019",
        "Service",
        _container(ports=[{"containerPort": 80}, {"containerPort": 81}]),
        _container(ports=[{"containerPort": 80}]),
    ),
    _pair(
        "RUN-024",
        "Service",
        {"traffics": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "percent": 100}]},
        {"traffics": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}]},
    ),
    _pair(
        "RUN-023",
        "Service",
        {
            "traffics": [
                {
                    "type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION",
                    "revision": "api-00001-abc",
                    "percent": 100,
                }
            ]
        },
        {"traffics": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}]},
    ),
    _pair("SVN-018", "GlobalAddress", {"prefixLength": 25}, {"prefixLength": 24}),
    _pair(
        "MON-040",
        "Slo",
        {**_SLO, _RATIO: {"goodTotalRatio": {"goodServiceFilter": _X}}},
        {**_SLO, _RATIO: {"goodTotalRatio": {"goodServiceFilter": _X, "badServiceFilter": _X}}},
    ),
    _pair(
        "MON-006",
        "AlertPolicy",
        _condition({"alignmentPeriod": "60s", "crossSeriesReducer": "REDUCE_SUM"}),
        _condition(
            {"alignmentPeriod": "60s", "crossSeriesReducer": "REDUCE_SUM", "perSeriesAligner": "ALIGN_RATE"}
        ),
    ),
    _pair(
        "NET-031",
        "Firewall",
        {"denies": [{"protocol": "icmp", "ports": ["80"]}]},
        {"denies": [{"protocol": "tcp", "ports": ["80"]}]},
    ),
)

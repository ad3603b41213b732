"""Limits of numbers, lengths and counts: one row a limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from sandbox.cloud.behaviours.durations import outside
from sandbox.cloud.behaviours.table import Call, Phase, Problem, Rule, behaviour
from sandbox.cloud.data import as_list

_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_SQL: Final = "gcp:sql/databaseInstance:DatabaseInstance"
_BUDGET: Final = "gcp:billing/budget:Budget"
_POOL: Final = "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
_WIF: Final = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
_SECRET: Final = "gcp:secretmanager/secret:Secret"
_SINK: Final = "gcp:logging/projectSink:ProjectSink"
_BUCKET: Final = "gcp:storage/bucket:Bucket"
_SUBNETWORK: Final = "gcp:compute/subnetwork:Subnetwork"
_METRIC: Final = "gcp:logging/metric:Metric"
_ALERT: Final = "gcp:monitoring/alertPolicy:AlertPolicy"
_SERVICE: Final = "gcp:cloudrunv2/service:Service"
_JOB: Final = "gcp:cloudrunv2/job:Job"


def _number(path: str, low: float, high: float) -> Rule:
    def rule(call: Call) -> Iterator[Problem]:
        value = call.get(path)
        if isinstance(value, int | float) and not low <= value <= high:
            yield Problem(
                path, f"`{path}` must be from {low:g} to {high:.12g}, not {value}; set one in between."
            )

    return rule


def _length(highest: int, *paths: str) -> Rule:
    def rule(call: Call) -> Iterator[Problem]:
        for path in paths:
            size = len(call.text(path))
            if size > highest:
                yield Problem(
                    path, f"`{path}` must have at most {highest} characters, not {size}; shorten it."
                )

    return rule


def _count(path: str, highest: int) -> Rule:
    def rule(call: Call) -> Iterator[Problem]:
        count = len(as_list(call.get(path)) or [])
        if count > highest:
            yield Problem(path, f"`{path}` takes at most {highest} entries, not {count}; remove some.")

    return rule


def _duration(path: str, low: float, high: float) -> Rule:
    def rule(call: Call) -> Iterator[Problem]:
        yield from outside(call, path, low, high)

    return rule


def _excludes(first: str, second: str) -> Rule:
    def rule(call: Call) -> Iterator[Problem]:
        if call.get(first) and call.get(second):
            yield Problem(first, f"`{first}` excludes `{second}`; remove one of the two.")

    return rule


def _fixed(path: str) -> Rule:
    def rule(call: Call) -> Iterator[Problem]:
        if call.get(path):
            yield Problem(path, f"`{path}` cannot be given at creation; create without it and set it later.")

    return rule


def _sometimes(when: Callable[[Call], bool], path: str, why: str) -> Rule:
    def rule(call: Call) -> Iterator[Problem]:
        if when(call):
            yield Problem(path, f"`{path}` {why}.")

    return rule


_INSIGHTS: Final = "settings.insightsConfig"
# id, types, phases, rule, title, source.
_ROWS: Final[tuple[tuple[str, str | tuple[str, ...], Phase | tuple[Phase, ...], Rule, str, str], ...]] = (
    (
        "SQL-062",
        _SQL,
        _BOTH,
        _number(f"{_INSIGHTS}.queryStringLength", 256, 4500),
        "Query texts of the insights are 256 to 4500 long.",
        "terraform-provider-google-beta website/docs/r/sql_database_instance",
    ),
    (
        "SQL-061",
        _SQL,
        _BOTH,
        _number("settings.finalBackupConfig.retentionDays", 1, 365),
        "A final backup is kept a year at most.",
        "terraform-provider-google-beta website/docs/r/sql_database_instance",
    ),
    (
        "SQL-054",
        _SQL,
        Phase.CREATE,
        _fixed("maintenanceVersion"),
        "No maintenance version at creation.",
        "terraform-provider-google-beta website/docs/r/sql_database_instance",
    ),
    (
        "SQL-067",
        _SQL,
        _BOTH,
        _number("settings.backupConfiguration.backupRetentionSettings.retainedBackups", 1, 365),
        "One to 365 backups are kept.",
        "general knowledge of Cloud SQL",
    ),
    (
        "SQL-060",
        _SQL,
        _BOTH,
        _number("settings.replicationLagMaxSeconds", 300, 31536000),
        "The longest lag of a replica is 300 seconds to a year.",
        "terraform-provider-google-beta website/docs/r/sql_database_instance",
    ),
    (
        "BUD-006",
        _BUDGET,
        _BOTH,
        _excludes("budgetFilter.calendarPeriod", "budgetFilter.customPeriod"),
        "A calendar period and a custom one.",
        "terraform-provider-google-beta website/docs/r/billing_budget",
    ),
    (
        "BUD-007",
        _BUDGET,
        _BOTH,
        _excludes("amount.lastPeriodAmount", "budgetFilter.customPeriod"),
        "The last period's amount with a custom period.",
        "general knowledge of Cloud Billing budgets",
    ),
    (
        "BUD-011",
        _BUDGET,
        _BOTH,
        _length(60, "displayName"),
        "A name over 60 characters.",
        "terraform-provider-google-beta website/docs/r/billing_budget",
    ),
    (
        "WIF-010",
        (_POOL, _WIF),
        _BOTH,
        _length(32, "displayName"),
        "A display name over 32 characters.",
        "Google Cloud documentation: IAM, workload identity pools",
    ),
    (
        "WIF-008",
        _WIF,
        _BOTH,
        _length(4096, "attributeCondition"),
        "A condition over 4096 characters.",
        "Google Cloud documentation: IAM, workload identity pool providers",
    ),
    (
        "WIF-009",
        _WIF,
        _BOTH,
        _count("oidc.allowedAudiences", 10),
        "More than 10 audiences.",
        "Google Cloud documentation: IAM, workload identity pool providers",
    ),
    (
        "SEC-004",
        _SECRET,
        _BOTH,
        _count("topics", 10),
        "More than 10 topics.",
        "terraform-provider-google-beta website/docs/r/secret_manager_secret",
    ),
    (
        "SEC-018",
        _SECRET,
        _BOTH,
        _excludes("ttl", "expireTime"),
        "A time to live and an expiry.",
        "terraform-provider-google-beta website/docs/r/secret_manager_secret",
    ),
    (
        "LOG-027",
        _SINK,
        _BOTH,
        _count("exclusions", 50),
        "More than 50 exclusions.",
        "general knowledge of Cloud Logging quotas",
    ),
    (
        "LOG-034",
        _METRIC,
        _BOTH,
        _count("metricDescriptor.labels", 10),
        "More than 10 labels of a metric.",
        "hashicorp/terraform-provider-google, labels of a log-based metric",
    ),
    (
        "GCS-009",
        _BUCKET,
        _BOTH,
        _number("retentionPolicy.retentionPeriod", 1, 3155760000),
        "A retention over 100 years.",
        "terraform-provider-google-beta website/docs/r/storage_bucket",
    ),
    (
        "NET-015",
        _SUBNETWORK,
        _BOTH,
        _number("logConfig.flowSampling", 0, 1),
        "A share of flows outside 0 to 1.",
        "terraform-provider-google-beta website/docs/r/compute_subnetwork",
    ),
    (
        "MON-012",
        _ALERT,
        _BOTH,
        _length(8192, "documentation.content"),
        "Documentation over 8 KB.",
        "Google Cloud documentation: Monitoring, alerting policies",
    ),
    (
        "RUN-062",
        _SERVICE,
        _BOTH,
        _count("customAudiences", 15),
        "More than 15 audiences.",
        "general knowledge of Cloud Run",
    ),
    (
        "RUN-056",
        _JOB,
        _BOTH,
        _duration("template.template.timeout", 1, 604800),
        "A task of more than a week.",
        "general knowledge of Cloud Run jobs",
    ),
    (
        "LB-017",
        "gcp:compute/backendService:BackendService",
        _BOTH,
        _excludes("enableCdn", "iap.enabled"),
        "A cache and IAP.",
        "general knowledge of load balancing",
    ),
    (
        "LB-013",
        "gcp:compute/backendService:BackendService",
        _BOTH,
        _sometimes(
            lambda call: (
                call.text("loadBalancingScheme") == "EXTERNAL" and bool(call.get("outlierDetection"))
            ),
            "outlierDetection",
            "needs the scheme EXTERNAL_MANAGED, not EXTERNAL; remove it or change the scheme",
        ),
        "Outlier detection with the classic scheme.",
        "hashicorp/terraform-provider-google, outlier detection is not supported",
    ),
    (
        "ARM-039",
        "gcp:compute/backendService:BackendService",
        _BOTH,
        _sometimes(
            lambda call: (
                call.text("loadBalancingScheme") == "INTERNAL_SELF_MANAGED"
                and bool(call.text("securityPolicy"))
            ),
            "securityPolicy",
            "cannot be attached with the scheme INTERNAL_SELF_MANAGED; remove it",
        ),
        "A policy on a backend that cannot carry it.",
        "general knowledge of Cloud Armor",
    ),
    (
        "GCS-014",
        _BUCKET,
        _BOTH,
        _sometimes(
            lambda call: (
                bool(call.get("hierarchicalNamespace.enabled"))
                and call.get("uniformBucketLevelAccess") is not True
            ),
            "uniformBucketLevelAccess",
            "must be true with hierarchicalNamespace; turn it on",
        ),
        "A hierarchical namespace without uniform access.",
        "terraform-provider-google-beta website/docs/r/storage_bucket",
    ),
    (
        "RED-009",
        "gcp:redis/instance:Instance",
        Phase.CREATE,
        _sometimes(
            lambda call: (
                bool(call.text("locationId"))
                and call.text("locationId") == call.text("alternativeLocationId")
            ),
            "alternativeLocationId",
            "must be another zone of the region than `locationId`; choose one",
        ),
        "Both zones are the same.",
        "terraform-provider-google-beta website/docs/r/redis_instance",
    ),
    (
        "NET-029",
        "gcp:compute/firewall:Firewall",
        Phase.CHECK,
        _sometimes(
            lambda call: call.get("enableLogging") is False and bool(call.get("logConfig")),
            "logConfig",
            "cannot be given while `enableLogging` is false; remove one of the two",
        ),
        "A log configuration with logging off.",
        "terraform-provider-google-beta google-beta/services/compute",
    ),
    (
        "DNS-001",
        "gcp:dns/recordSet:RecordSet",
        Phase.CHECK,
        _sometimes(
            lambda call: bool(call.text("name")) and not call.text("name").endswith("."),
            "name",
            "must end with a dot; add it",
        ),
        "A name without its final dot.",
        "terraform-provider-google-beta google-beta/services/dns",
    ),
    (
        "DNS-008",
        "gcp:dns/managedZone:ManagedZone",
        Phase.CREATE,
        _sometimes(
            lambda call: call.text("visibility") == "private" and call.absent("privateVisibilityConfig"),
            "privateVisibilityConfig",
            "is needed for a private zone; name its networks",
        ),
        "A private zone without a network.",
        "terraform-provider-google-beta website/docs/r/dns_managed_zone",
    ),
    (
        "WIF-006",
        _WIF,
        _BOTH,
        _sometimes(
            lambda call: bool(call.get("oidc")) and not call.get('attributeMapping["google.subject"]'),
            "attributeMapping",
            "must map google.subject; add google.subject: assertion.sub",
        ),
        "No mapping of google.subject.",
        "Google Cloud documentation: IAM, workload identity federation",
    ),
    (
        "IAM-019",
        "gcp:storage/bucketIAMMember:BucketIAMMember",
        Phase.CREATE,
        _sometimes(
            lambda call: (
                bool(call.get("condition"))
                and (record := call.world.get(_BUCKET, call.text("bucket").removeprefix("b/"))) is not None
                and record.inputs.get("uniformBucketLevelAccess") is not True
            ),
            "condition",
            "needs uniform access on the bucket; set uniformBucketLevelAccess true there first",
        ),
        "A condition on a bucket without uniform access.",
        "general knowledge of Cloud Storage",
    ),
)
_STATUS: Final[dict[str, tuple[int, str]]] = {"IAM-019": (412, "conditionNotMet")}

for _id, _types, _phases, _rule, _title, _source in _ROWS:
    _code, _reason = _STATUS.get(_id, (400, "INVALID_ARGUMENT"))
    behaviour(_id, _types, _phases, _code, _reason, _source, title=_title)(_rule)

"""Ways to meet names that are taken, and deletions that come too early."""

from __future__ import annotations

from typing import Any, Final

from tests.sandbox.cloud.case import Case
from tests.sandbox.cloud.stage import ACCOUNT, PROJECT, RUN

_X: Final = 'metric.type="x"'
_POOL: Final = {"workloadIdentityPoolId": "github"}
_PROVIDER: Final[dict[str, Any]] = {
    **_POOL,
    "workloadIdentityPoolProviderId": "other",
    "attributeMapping": {"google.subject": "assertion.sub"},
    "attributeCondition": "assertion.repository_owner=='o'",
    "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"},
}
_QUEUE: Final[dict[str, Any]] = {"name": "slow", "location": "europe-west1"}
_JOB: Final[dict[str, Any]] = {"name": "nightly", "location": "europe-west1"}


def _lock(id: str, name: str, path: str = "deletionProtection") -> Case:
    return Case(id, "delete", name, {}, (("change", name, {path: True}),))


NAMES: Final = (
    Case("ART-001", "create", "Repository", {"repositoryId": "images"}, fine={}),
    Case("GCS-002", "create", "Bucket", {"name": "aiprod-test-files"}, fine={"name": "aiprod-test-more"}),
    Case("IAM-009", "create", "Account", {"accountId": "api-runtime"}, fine={}),
    Case("KMS-002", "create", "CryptoKey", {"name": "all"}, fine={}),
    Case(
        "LOG-026",
        "create",
        "ProjectSink",
        {"name": "audit", "destination": f"storage.googleapis.com/{PROJECT}-files"},
        (
            (
                "make",
                "ProjectSink",
                {"name": "audit", "destination": "storage.googleapis.com/aiprod-test-files"},
            ),
        ),
        {"name": "more", "destination": "storage.googleapis.com/aiprod-test-files"},
    ),
    Case("SEC-012", "create", "Secret", {"secretId": "vendor"}, fine={}),
    Case("SQL-076", "create", "DatabaseInstance", {"name": "primary"}, fine={}),
    Case("SQL-073", "create", "Database", {"name": "aiprod"}, fine={}),
    Case("PUB-034", "create", "Subscription", {"name": "jobs"}, fine={}),
    Case("SQL-072", "create", "User", {"name": ACCOUNT.removesuffix(".gserviceaccount.com")}, fine={}),
    Case(
        "LOG-006",
        "create",
        "ProjectBucketConfig",
        {"bucketId": "audit"},
        (("delete", "ProjectBucketConfig", {}),),
        {"bucketId": "audit-two"},
    ),
    Case(
        "WIF-003",
        "create",
        "WorkloadIdentityPool",
        _POOL,
        (("delete", "WorkloadIdentityPool", {}),),
        {"workloadIdentityPoolId": "github-two"},
    ),
    Case(
        "WIF-004",
        "create",
        "WorkloadIdentityPoolProvider",
        _PROVIDER,
        (("lose", "WorkloadIdentityPoolProvider", _PROVIDER),),
        {**_PROVIDER, "workloadIdentityPoolProviderId": "other-two"},
    ),
    Case(
        "QTA-016",
        "create",
        "Project",
        {"projectId": "aiprod-old", "name": "old", "orgId": "1"},
        (
            (
                "lose",
                "Project",
                {"projectId": "aiprod-old", "name": "old", "orgId": "1", "deletionPolicy": "DELETE"},
            ),
        ),
        {"projectId": "aiprod-new", "name": "new", "orgId": "1"},
    ),
    Case("TSK-001", "create", "Queue", _QUEUE, (("lose", "Queue", _QUEUE),), {**_QUEUE, "name": "slower"}),
    Case(
        "IAM-036",
        "create",
        "ApiKey",
        {"name": "key"},
        (("lose", "ApiKey", {"name": "key"}),),
        {"name": "key-two"},
    ),
    Case("ARM-040", "delete", "SecurityPolicy", {}),
    Case("CRT-005", "delete", "Certificate", {}),
    Case("CRT-006", "delete", "CertificateMap", {}),
    Case("CRT-007", "delete", "CertificateMap", {}, (("delete", "CertificateMapEntry", {}),)),
    Case("CRT-014", "delete", "DnsAuthorization", {}),
    Case("LB-019", "delete", "BackendService", {}),
    Case("LB-020", "delete", "RegionNetworkEndpointGroup", {}),
    Case("LB-024", "delete", "URLMap", {}),
    Case("LB-041", "delete", "TargetHttpsProxy", {}),
    Case(
        "LB-042",
        "delete",
        "GlobalAddress",
        {},
        (("point", "GlobalForwardingRule", {"ipAddress": f"{RUN}/global/addresses/services"}),),
    ),
    Case(
        "LB-046",
        "delete",
        "SSLPolicy",
        {},
        (("point", "TargetHttpsProxy", {"sslPolicy": f"{RUN}/global/sslPolicies/tls"}),),
    ),
    Case(
        "MON-029",
        "delete",
        "NotificationChannel",
        {},
        (("alert", "NotificationChannel", {}),),
    ),
    Case("MON-036", "delete", "UptimeCheckConfig", {}, (("alert", "UptimeCheckConfig", {}),)),
    Case(
        "MON-046",
        "delete",
        "CustomService",
        {},
        (
            (
                "make",
                "Slo",
                {
                    "service": "api",
                    "goal": 0.9,
                    "rollingPeriodDays": 28,
                    "requestBasedSli": {
                        "goodTotalRatio": {
                            "goodServiceFilter": 'metric.type="a"',
                            "totalServiceFilter": 'metric.type="b"',
                        }
                    },
                },
            ),
        ),
    ),
    Case("NET-010", "delete", "Network", {}),
    Case("SVN-006", "delete", "Network", {}, (("clear", "Firewall Router RouterNat Subnetwork", {}),)),
    Case("NET-011", "delete", "Subnetwork", {}),
    Case(
        "NET-012",
        "delete",
        "Subnetwork",
        {},
        (("point", "RouterNat", {"subnetworks": [{"name": f"{RUN}/regions/europe-west1/subnetworks/run"}]}),),
    ),
    Case(
        "NET-022",
        "delete",
        "Address",
        {},
        (
            ("make", "Address", {"name": "out", "region": "europe-west1"}),
            ("point", "RouterNat", {"natIps": [f"{RUN}/regions/europe-west1/addresses/out"]}),
        ),
    ),
    Case("NET-027", "delete", "Router", {}),
    Case("DNS-006", "delete", "ManagedZone", {}),
    Case(
        "SQL-036",
        "delete",
        "DatabaseInstance",
        {},
        (
            (
                "make",
                "DatabaseInstance",
                {
                    "name": "replica",
                    "masterInstanceName": "primary",
                    "settings.backupConfiguration": None,
                    "settings.databaseFlags": None,
                },
            ),
        ),
    ),
    _lock("SQL-034", "DatabaseInstance"),
    _lock("SQL-035", "DatabaseInstance", "settings.deletionProtectionEnabled"),
    _lock("RED-016", "Instance"),
    _lock("RUN-050", "Service"),
    _lock("SEC-020", "Secret"),
    Case("RUN-051", "delete", "Job", {}, (("stand", "Job", {**_JOB, "deletionProtection": True}),)),
    Case(
        "RUN-052",
        "delete",
        "WorkerPool",
        {},
        (("stand", "WorkerPool", {**_JOB, "deletionProtection": True}),),
    ),
    Case(
        "WFL-006",
        "delete",
        "Workflow",
        {},
        (("stand", "Workflow", {"name": "w", "deletionProtection": True}),),
    ),
    Case(
        "BQ-014",
        "delete",
        "Table",
        {},
        (("stand", "Table", {"tableId": "t", "datasetId": "d", "deletionProtection": True}),),
    ),
    Case(
        "VAL-003",
        "delete",
        "Valkey",
        {},
        (("stand", "Valkey", {"instanceId": "v", "deletionProtectionEnabled": True}),),
    ),
)

"""Catalogue ids that need no function: the provider's own facts refuse them, or force a replacement.

Each row says where in the inputs it shows. ``REFUSED`` are failures of the provider's check, ``REPLACED``
properties whose change is a replacement in every plan, stopped by locks and by ``protect`` only.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["REFUSED", "REPLACED", "ByFacts"]

_PROVIDER: Final = "terraform-provider-google-beta, schema of the resource"


class ByFacts(NamedTuple):
    """One catalogue id: the type, the property that it shows at, and what is refused or replaced."""

    id: str
    type: str
    property: str
    title: str
    source: str = _PROVIDER


_ARMOR: Final = "gcp:compute/securityPolicy:SecurityPolicy"
_BUDGET: Final = "gcp:billing/budget:Budget"
_FIREWALL: Final = "gcp:compute/firewall:Firewall"
_REDIS: Final = "gcp:redis/instance:Instance"
_SECRET: Final = "gcp:secretmanager/secret:Secret"
_SQL: Final = "gcp:sql/databaseInstance:DatabaseInstance"
_SUBSCRIPTION: Final = "gcp:pubsub/subscription:Subscription"
_URL_MAP: Final = "gcp:compute/uRLMap:URLMap"

REFUSED: Final = (
    ByFacts("ARM-009", _ARMOR, "rules[0].rateLimitOptions.conformAction", "conform action other than allow."),
    ByFacts("ARM-010", _ARMOR, "rules[0].rateLimitOptions.exceedAction", "exceed action not in the list."),
    ByFacts("ARM-020", _ARMOR, "rules[0].match.config.srcIpRanges", "none or more than 10 ranges in a rule."),
    ByFacts("ARM-046", _ARMOR, "advancedOptionsConfig.jsonParsing", "an option not in its list."),
    ByFacts("BUD-005", _BUDGET, "amount.lastPeriodAmount", "not exactly one amount."),
    ByFacts("BUD-010", _BUDGET, "allUpdatesRule.monitoringNotificationChannels", "more than 5 channels."),
    ByFacts(
        "CRT-008",
        "gcp:certificatemanager/certificateMapEntry:CertificateMapEntry",
        "hostname",
        "not exactly one of hostname and matcher.",
    ),
    ByFacts("GCS-022", "gcp:storage/bucketObject:BucketObject", "content", "an object of nothing."),
    ByFacts(
        "IAM-030", "gcp:projects/iAMCustomRole:IAMCustomRole", "permissions", "a role without permissions."
    ),
    ByFacts(
        "LB-022",
        "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup",
        "cloudFunction",
        "more than one target block.",
    ),
    ByFacts(
        "LOG-031",
        "gcp:logging/metric:Metric",
        "metricDescriptor.metricKind",
        "a descriptor without kind and type.",
    ),
    ByFacts("LB-027", _URL_MAP, "defaultUrlRedirect.stripQuery", "a redirect without stripQuery."),
    ByFacts("LB-028", _URL_MAP, "defaultService", "more than one default."),
    ByFacts(
        "LB-036",
        "gcp:compute/targetHttpsProxy:TargetHttpsProxy",
        "certificateManagerCertificates",
        "certificates of both kinds.",
    ),
    ByFacts(
        "LB-057", "gcp:compute/backendService:BackendService", "iap.enabled", "an iap block without enabled."
    ),
    ByFacts(
        "MON-032",
        "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig",
        "monitoredResource",
        "not exactly one thing to check.",
    ),
    ByFacts(
        "MON-039", "gcp:monitoring/slo:Slo", "rollingPeriodDays", "not exactly one period, or not 1 to 30."
    ),
    ByFacts("NET-030", _FIREWALL, "sourceTags", "tags mixed with service accounts."),
    ByFacts("NET-032", _FIREWALL, "allows", "not exactly one of allows and denies."),
    ByFacts("NET-033", _FIREWALL, "priority", "a priority outside 0 to 65535."),
    ByFacts("PUB-017", _SUBSCRIPTION, "bigqueryConfig", "more than one way of delivery."),
    ByFacts(
        "RED-018",
        _REDIS,
        "maintenancePolicy.weeklyMaintenanceWindows[0].startTime.hours",
        "hours outside 0 to 23.",
    ),
    ByFacts(
        "RUN-034",
        "gcp:cloudrunv2/service:Service",
        "template.vpcAccess.connector",
        "a connector and network interfaces together.",
    ),
    ByFacts("SEC-001", _SECRET, "rotation", "rotation without topics."),
    ByFacts("SEC-008", _SECRET, "replication.auto", "not exactly one replication."),
    ByFacts("SEC-023", "gcp:secretmanager/secretVersion:SecretVersion", "secretData", "not one payload."),
    ByFacts("SEC-030", _SECRET, "rotation.nextRotationTime", "a next rotation without a period."),
    ByFacts("SQL-055", _SQL, "settings.maintenanceWindow.day", "a day outside 1 to 7."),
    ByFacts("SQL-071", _SQL, "settings.ipConfiguration.requireSsl", "the retired requireSsl."),
)

REPLACED: Final = (
    ByFacts("ART-007", "gcp:artifactregistry/repository:Repository", "format", "format, mode, place or key."),
    ByFacts(
        "CRT-004", "gcp:certificatemanager/certificate:Certificate", "managed.domains", "managed or scope."
    ),
    ByFacts("GCS-004", "gcp:storage/bucket:Bucket", "location", "the location of a bucket."),
    ByFacts("KMS-029", _SQL, "encryptionKeyName", "the key of an instance that stands."),
    ByFacts(
        "LOG-013",
        "gcp:logging/projectBucketConfig:ProjectBucketConfig",
        "location",
        "the location of a log bucket.",
    ),
    ByFacts("PUB-015", _SUBSCRIPTION, "filter", "filter, ordering or topic: the backlog is lost."),
    ByFacts("RED-013", _REDIS, "transitEncryptionMode", "TLS, tier, network or connect mode."),
    ByFacts("SEC-009", _SECRET, "replication.userManaged", "replication: all versions are lost."),
    ByFacts("SQL-046", _SQL, "settings.diskSize", "a smaller disk, with diskAutoresize false."),
    ByFacts(
        "SQL-052",
        _SQL,
        "masterInstanceName",
        "another primary, save in a switchover.",
        "terraform-provider-google-beta google-beta/services/sql/resource_sql_database_instance.go",
    ),
    ByFacts(
        "SQL-053",
        _SQL,
        "settings.autoUpgradeEnabled",
        "automatic upgrades, once on, turned off.",
        "terraform-provider-google-beta google-beta/services/sql/resource_sql_database_instance.go",
    ),
)

"""Ways to meet the behaviours of keys, stores, messages, logs and monitoring."""

from __future__ import annotations

from typing import Any, Final

from tests.sandbox.cloud.case import Case
from tests.sandbox.cloud.stage import (
    KEY,
    PROJECT,
    RUN,
    THRESHOLD,
    TOPIC,
)

_ROTATION: Final[dict[str, Any]] = {
    "rotation": {"rotationPeriod": "7776000s", "nextRotationTime": "2030-01-01T00:00:00Z"},
    "topics": [{"name": TOPIC}],
}
_PAST: Final[dict[str, Any]] = {
    **_ROTATION,
    "rotation": {"rotationPeriod": "7776000s", "nextRotationTime": "2027-01-01T00:00:00Z"},
}
_PASSWORD_POLICY: Final = {
    "enablePasswordPolicy": True,
    "minLength": 16,
    "complexity": "COMPLEXITY_DEFAULT",
    "disallowUsernameSubstring": True,
}
_REPLICA: Final = {
    "masterInstanceName": "primary",
    "settings.backupConfiguration": None,
    "settings.databaseFlags": None,
}

BACK: Final = (
    Case("ART-002", "create", "Repository", {"repositoryId": "Images"}),
    Case("GCS-003", "create", "Bucket", {"name": "google-files"}),
    Case(
        "GCS-008",
        "update",
        "Bucket",
        {"retentionPolicy": {"isLocked": True, "retentionPeriod": 10}},
        (("change", "Bucket", {"retentionPolicy": {"isLocked": True, "retentionPeriod": 20}}),),
    ),
    Case(
        "GCS-010",
        "create",
        "Bucket",
        {"retentionPolicy": {"retentionPeriod": 10}, "versioning": {"enabled": True}},
    ),
    Case("GCS-011", "create", "Bucket", {"softDeletePolicy": {"retentionDurationSeconds": 60}}),
    Case(
        "GCS-016",
        "create",
        "BucketIAMMember",
        {"bucket": "aiprod-test-files", "role": "roles/storage.objectViewer", "member": "allUsers"},
    ),
    Case("GCS-019", "check", "Bucket", {"labels": {"Team": "x"}}),
    Case("KMS-001", "create", "KeyRing", {"name": "ring"}, (("delete", "KeyRing", {}),)),
    Case("KMS-005", "check", "CryptoKey", {"rotationPeriod": "3600s"}),
    Case("KMS-007", "create", "CryptoKey", {"purpose": "ASYMMETRIC_SIGN"}),
    Case("KMS-010", "create", "KeyRing", {"name": "my ring"}),
    Case(
        "KMS-012",
        "create",
        "DatabaseInstance",
        {"encryptionKeyName": KEY, "region": "europe-west4"},
        (("grant", "sqladmin", {}),),
    ),
    Case(
        "KMS-014",
        "create",
        "Secret",
        {"replication": {"auto": {"customerManagedEncryption": {"kmsKeyName": KEY}}}},
    ),
    Case(
        "KMS-015",
        "create",
        "Secret",
        {
            "replication": {
                "userManaged": {
                    "replicas": [
                        {"location": "europe-west4", "customerManagedEncryption": {"kmsKeyName": KEY}}
                    ]
                }
            }
        },
        (("grant", "secretmanager", {}),),
    ),
    Case("KMS-020", "create", "Topic", {"kmsKeyName": KEY}),
    Case("KMS-022", "create", "Bucket", {"encryption": {"defaultKmsKeyName": KEY}}),
    Case("LOG-001", "create", "ProjectBucketConfig", {"retentionDays": 3651}),
    Case(
        "LOG-002",
        "update",
        "ProjectBucketConfig",
        {"locked": True, "retentionDays": 31},
        (("change", "ProjectBucketConfig", {"locked": True}),),
    ),
    Case(
        "LOG-003", "delete", "ProjectBucketConfig", {}, (("change", "ProjectBucketConfig", {"locked": True}),)
    ),
    Case(
        "LOG-008",
        "update",
        "ProjectBucketConfig",
        {"enableAnalytics": False},
        (("change", "ProjectBucketConfig", {"enableAnalytics": True}),),
    ),
    Case(
        "LOG-012",
        "update",
        "ProjectBucketConfig",
        {},
        (("agent", "logging", {}), ("change", "ProjectBucketConfig", {"cmekSettings": {"kmsKeyName": KEY}})),
    ),
    Case("LOG-028", "create", "Metric", {"labelExtractors": {"a": "EXTRACT(x)"}}),
    Case("LOG-029", "create", "Metric", {"valueExtractor": "EXTRACT(x)"}),
    Case(
        "MON-005",
        "create",
        "AlertPolicy",
        {
            "conditions": [
                {**THRESHOLD, "conditionThreshold": {**THRESHOLD["conditionThreshold"], "duration": "90s"}}
            ]
        },
    ),
    Case(
        "MON-007",
        "create",
        "AlertPolicy",
        {"conditions": [{"displayName": "x", "conditionMatchedLog": {"filter": "x"}}]},
    ),
    Case("MON-009", "create", "AlertPolicy", {"conditions": [{"displayName": "x"}]}),
    Case("MON-010", "create", "AlertPolicy", {"conditions": [THRESHOLD] * 7}),
    Case("MON-022", "create", "NotificationChannel", {"type": "sms", "labels": {}}),
    Case("MON-030", "create", "UptimeCheckConfig", {"selectedRegions": ["EUROPE", "ASIA_PACIFIC"]}),
    Case("MON-031", "create", "UptimeCheckConfig", {"period": "120s"}),
    Case(
        "MON-037",
        "check",
        "Slo",
        {
            "service": "api",
            "goal": 1.0,
            "rollingPeriodDays": 28,
            "basicSli": {"latency": {"threshold": "1s"}},
        },
    ),
    Case("MON-047", "check", "CustomService", {"serviceId": "a b"}),
    Case("MON-048", "check", "Dashboard", {"dashboardJson": "{"}),
    Case("PUB-006", "create", "Subscription", {"deadLetterPolicy": {"maxDeliveryAttempts": 4}}),
    Case("PUB-007", "create", "Subscription", {"ackDeadlineSeconds": 601}),
    Case("PUB-008", "create", "Topic", {"messageRetentionDuration": "60s"}),
    Case("PUB-010", "create", "Subscription", {"expirationPolicy": {"ttl": "604800s"}}),
    Case(
        "PUB-012",
        "create",
        "Subscription",
        {"retryPolicy": {"minimumBackoff": "60s", "maximumBackoff": "30s"}},
    ),
    Case("PUB-013", "check", "Subscription", {"filter": "a" * 257}),
    Case(
        "PUB-016",
        "create",
        "Subscription",
        {"enableExactlyOnceDelivery": True, "pushConfig": {"pushEndpoint": "https://a"}},
    ),
    Case("PUB-018", "create", "Subscription", {"pushConfig": {"pushEndpoint": "http://a"}}),
    Case("PUB-033", "create", "Topic", {"name": "goog-jobs"}),
    Case("RED-001", "create", "Instance", {"tier": "BASIC", "replicaCount": 1}),
    Case("RED-002", "create", "Instance", {"replicaCount": 2}),
    Case("RED-003", "create", "Instance", {"memorySizeGb": 4, "readReplicasMode": "READ_REPLICAS_ENABLED"}),
    Case("RED-005", "create", "Instance", {"reservedIpRange": "10.0.0.0/29"}),
    Case(
        "RED-006",
        "create",
        "Instance",
        {"authorizedNetwork": f"{RUN}/global/networks/lone"},
        (("make", "Network", {"name": "lone"}),),
    ),
    Case("RED-010", "create", "Instance", {"redisVersion": "7.0"}),
    Case("RED-011", "update", "Instance", {"redisVersion": "REDIS_7_0"}),
    Case("RED-017", "check", "Instance", {"name": "Cache"}),
    Case("RED-019", "create", "Instance", {"persistenceConfig": {"persistenceMode": "RDB"}}),
    Case("SEC-002", "create", "Secret", _ROTATION),
    Case("SEC-003", "create", "Secret", {"topics": [{"name": "jobs"}]}),
    Case(
        "SEC-005",
        "create",
        "Secret",
        {**_ROTATION, "rotation": {"rotationPeriod": "7776000s"}},
        (("publish", "", {}),),
    ),
    Case(
        "SEC-006",
        "create",
        "Secret",
        {**_ROTATION, "rotation": {**_ROTATION["rotation"], "nextRotationTime": "2028-01-01T00:04:59Z"}},
        (("publish", "", {}),),
        {**_ROTATION, "rotation": {**_ROTATION["rotation"], "nextRotationTime": "2028-01-01T00:05:00Z"}},
    ),
    Case(
        "SEC-006",
        "update",
        "Secret",
        {**_ROTATION, "rotation": {**_ROTATION["rotation"], "nextRotationTime": "2027-12-31T00:00:00Z"}},
        (("publish", "", {}), ("tune", "Secret", _ROTATION)),
        # What stood there before is not judged again.
        _ROTATION,
    ),
    Case(
        "SEC-006",
        "update",
        "Secret",
        {**_PAST, "rotation.nextRotationTime": "2027-02-01T00:00:00Z"},
        (("publish", "", {}), ("tune", "Secret", _PAST)),
        {**_PAST, "labels": {"round": "2"}},
    ),
    Case(
        "SEC-007",
        "create",
        "Secret",
        {**_ROTATION, "rotation": {**_ROTATION["rotation"], "rotationPeriod": "60s"}},
        (("publish", "", {}),),
    ),
    Case(
        "SEC-010",
        "create",
        "Secret",
        {"replication": {"userManaged": {"replicas": [{"location": "europe-west1"}] * 2}}},
    ),
    Case("SEC-013", "create", "Secret", {"secretId": "a b"}),
    Case("SEC-016", "update", "Secret", {"versionAliases": {"latest": "1"}}),
    Case("SEC-017", "create", "Secret", {"versionAliases": {"current": "1"}}),
    Case("SEC-022", "create", "SecretVersion", {"secretData": "x" * 65537}),
    Case("SQL-001", "create", "DatabaseInstance", {"settings.edition": None}),
    Case("SQL-002", "create", "DatabaseInstance", {"settings.edition": "ENTERPRISE_PLUS"}),
    Case("SQL-003", "create", "DatabaseInstance", {"settings.tier": "db-perf-optimized-N-2"}),
    Case(
        "SQL-004",
        "create",
        "DatabaseInstance",
        {**_REPLICA, "settings.edition": "ENTERPRISE_PLUS", "settings.tier": "db-perf-optimized-N-2"},
    ),
    Case("SQL-005", "create", "DatabaseInstance", {"settings.tier": "db-custom-3-7680"}),
    Case(
        "SQL-006",
        "create",
        "DatabaseInstance",
        {"settings.backupConfiguration.transactionLogRetentionDays": 8},
    ),
    Case("SQL-009", "create", "DatabaseInstance", {"settings.dataCacheConfig": {"dataCacheEnabled": True}}),
    Case(
        "SQL-010",
        "create",
        "DatabaseInstance",
        {
            "settings.availabilityType": "REGIONAL",
            "settings.backupConfiguration.pointInTimeRecoveryEnabled": False,
        },
    ),
    Case("SQL-012", "create", "DatabaseInstance", {"settings.backupConfiguration.binaryLogEnabled": True}),
    Case("SQL-013", "create", "DatabaseInstance", {"masterInstanceName": "primary"}),
    Case(
        "SQL-015",
        "create",
        "DatabaseInstance",
        _REPLICA,
        (("change", "DatabaseInstance", {"settings.backupConfiguration.pointInTimeRecoveryEnabled": False}),),
    ),
    Case("SQL-016", "create", "DatabaseInstance", {**_REPLICA, "databaseVersion": "POSTGRES_16"}),
    Case(
        "SQL-021", "create", "DatabaseInstance", {"settings.databaseFlags": [{"name": "a", "value": "1"}] * 2}
    ),
    Case("SQL-023", "create", "DatabaseInstance", {"name": "Primary"}),
    Case(
        "SQL-024",
        "create",
        "DatabaseInstance",
        {"settings.ipConfiguration.privateNetwork": f"{RUN}/global/networks/lone"},
        (("make", "Network", {"name": "lone"}),),
    ),
    Case("SQL-027", "create", "DatabaseInstance", {"settings.ipConfiguration": {"ipv4Enabled": False}}),
    Case("SQL-030", "update", "DatabaseInstance", {"settings.ipConfiguration": {"ipv4Enabled": True}}),
    Case("SQL-031", "check", "DatabaseInstance", {"settings.ipConfiguration.privateNetwork": "main"}),
    Case(
        "SQL-039",
        "create",
        "Database",
        {"instance": "replica"},
        (("make", "DatabaseInstance", {"name": "replica", **_REPLICA}),),
    ),
    Case("SQL-040", "check", "User", {"host": "%"}),
    Case("SQL-041", "create", "User", {"password": "x"}),
    Case("SQL-042", "create", "User", {"name": f"x@{PROJECT}-2.iam.gserviceaccount.com"}),
    Case(
        "SQL-043",
        "create",
        "User",
        {"instance": "plain"},
        (("make", "DatabaseInstance", {"name": "plain", "settings.databaseFlags": None}),),
    ),
    *(
        Case(
            "SQL-069",
            "create",
            "User",
            {"name": "application", "type": "BUILT_IN", field: password},
            (("change", "DatabaseInstance", {"settings.passwordValidationPolicy": _PASSWORD_POLICY}),),
        )
        for field in ("password", "passwordWo")
        for password in ("Short-1", "onlyLettersAndDigits1", "Application-1-long-enough")
    ),
    Case("SQL-047", "create", "DatabaseInstance", {"settings.diskSize": 5}),
    Case("SQL-048", "update", "DatabaseInstance", {"databaseVersion": "POSTGRES_16"}),
    Case(
        "SQL-066",
        "create",
        "DatabaseInstance",
        {**_REPLICA, "region": "europe-west4"},
        (
            ("grant", "sqladmin", {}),
            ("make", "DatabaseInstance", {"name": "keyed", "encryptionKeyName": KEY}),
            ("master", "keyed", {}),
        ),
    ),
    Case("SQL-068", "create", "DatabaseInstance", {"settings.backupConfiguration.startTime": "2:00"}),
)

"""The good platform's data, messages, keys and secrets."""

from __future__ import annotations

from typing import Any

from policies.model import Resource
from tests.policies.builders import AGENT, DATA_LABELS, KEY, LABELS, NETWORK, resource

__all__ = ["DATA"]


def _sql(name: str, region: str, **extra: Any) -> Resource:
    return resource(
        "sql/databaseInstance:DatabaseInstance",
        name,
        {
            "name": name,
            "region": region,
            "databaseVersion": "POSTGRES_17",
            "encryptionKeyName": KEY,
            "deletionProtection": True,
            **extra,
            "settings": {
                "tier": "db-custom-2-8192",
                "availabilityType": "REGIONAL",
                "deletionProtectionEnabled": True,
                "diskAutoresizeLimit": 200,
                "userLabels": DATA_LABELS,
                "ipConfiguration": {
                    "ipv4Enabled": False,
                    "privateNetwork": NETWORK,
                    "sslMode": "ENCRYPTED_ONLY",
                    "authorizedNetworks": [{"value": "10.1.0.0/24"}],
                },
                "backupConfiguration": {
                    "enabled": True,
                    "pointInTimeRecoveryEnabled": True,
                    "transactionLogRetentionDays": 7,
                    "location": "eu",
                    "backupRetentionSettings": {"retainedBackups": 30},
                },
                "finalBackupConfig": {"enabled": True, "retentionDays": 30},
                "insightsConfig": {"queryInsightsEnabled": True},
                "databaseFlags": [
                    {"name": flag, "value": "on"}
                    for flag in (
                        "cloudsql.iam_authentication",
                        "log_connections",
                        "log_disconnections",
                        "log_lock_waits",
                        "cloudsql.enable_pgaudit",
                    )
                ],
            },
        },
        protect=True,
    )


DATA: tuple[Resource, ...] = (
    resource("pulumi:pulumi:Stack", "aiprod-prod", {}),
    _sql("postgres", "europe-west1"),
    _sql("replica", "europe-west4", masterInstanceName="postgres"),
    resource(
        "workflows/workflow:Workflow",
        "drill",
        {
            "name": "drill",
            "labels": LABELS,
            "deletionProtection": True,
            "userEnvVars": {"SOURCE": "postgres", "CLONE_PREFIX": "drill-"},
        },
    ),
    resource(
        "projects/iAMMember:IAMMember",
        "drill-clones",
        {
            "role": "projects/p/roles/aiprod_restore_drill_clones",
            "member": "serviceAccount:aiprod-drill@p.iam.gserviceaccount.com",
            "condition": {
                "title": "clones",
                "expression": (
                    'resource.type == "sqladmin.googleapis.com/Instance" && '
                    'resource.name.startsWith("projects/p/instances/drill-")'
                ),
            },
        },
    ),
    resource("sql/user:User", "app", {"name": "app", "type": "BUILT_IN", "passwordWo": "[secret]"}),
    resource(
        "redis/instance:Instance",
        "cache",
        {
            "name": "cache",
            "region": "europe-west1",
            "tier": "STANDARD_HA",
            "redisVersion": "REDIS_7_2",
            "authEnabled": True,
            "transitEncryptionMode": "SERVER_AUTHENTICATION",
            "connectMode": "PRIVATE_SERVICE_ACCESS",
            "authorizedNetwork": NETWORK,
            "customerManagedKey": KEY,
            "deletionProtection": True,
            "redisConfigs": {"maxmemory-policy": "allkeys-lru"},
            "maintenancePolicy": {"weeklyMaintenanceWindows": [{"day": "SUNDAY"}]},
            "labels": DATA_LABELS,
        },
        protect=True,
    ),
    resource(
        "memorystore/instance:Instance",
        "valkey",
        {
            "location": "europe-west1",
            "authorizationMode": "IAM_AUTH",
            "transitEncryptionMode": "SERVER_AUTHENTICATION",
            "kmsKey": KEY,
            "labels": LABELS,
        },
        protect=True,
    ),
    *(
        resource(
            "pubsub/topic:Topic",
            name,
            {
                "name": name,
                "kmsKeyName": KEY,
                "messageStoragePolicy": {"allowedPersistenceRegions": ["europe-west1", "europe-west4"]},
                "labels": DATA_LABELS,
            },
        )
        for name in ("jobs", "jobs-dead")
    ),
    resource(
        "pubsub/subscription:Subscription",
        "processor",
        {
            "name": "processor",
            "topic": "jobs",
            "expirationPolicy": {"ttl": ""},
            "messageRetentionDuration": "604800s",
            "retryPolicy": {"minimumBackoff": "10s"},
            "deadLetterPolicy": {"deadLetterTopic": "projects/p/topics/jobs-dead", "maxDeliveryAttempts": 5},
            "pushConfig": {
                "pushEndpoint": "https://api.aiprod.ai/push",
                "oidcToken": {"serviceAccountEmail": "push@p.iam.gserviceaccount.com"},
            },
            "labels": LABELS,
        },
        topic=("jobs",),
        deadLetterPolicy=("jobs-dead",),
    ),
    resource(
        "pubsub/subscription:Subscription",
        "keeper",
        {
            "name": "keeper",
            "topic": "jobs-dead",
            "expirationPolicy": {"ttl": ""},
            "messageRetentionDuration": "2678400s",
            "labels": LABELS,
        },
        topic=("jobs-dead",),
    ),
    resource(
        "pubsub/topicIAMMember:TopicIAMMember",
        "dead-publisher",
        {"topic": "jobs-dead", "role": "roles/pubsub.publisher", "member": AGENT},
        topic=("jobs-dead",),
    ),
    resource(
        "pubsub/subscriptionIAMMember:SubscriptionIAMMember",
        "source-subscriber",
        {"subscription": "processor", "role": "roles/pubsub.subscriber", "member": AGENT},
    ),
    resource(
        "secretmanager/secret:Secret",
        "suno",
        {
            "secretId": "suno-api-key",
            "replication": {
                "userManaged": {
                    "replicas": [
                        {"location": "europe-west1", "customerManagedEncryption": {"kmsKeyName": KEY}},
                        {"location": "europe-west4", "customerManagedEncryption": {"kmsKeyName": KEY}},
                    ]
                }
            },
            "rotation": {"rotationPeriod": "7776000s", "nextRotationTime": "2027-01-01T00:00:00Z"},
            "topics": [{"name": "projects/p/topics/jobs"}],
            "versionDestroyTtl": "2592000s",
            "labels": DATA_LABELS,
        },
        protect=True,
    ),
    resource("secretmanager/secretVersion:SecretVersion", "suno-1", {"secretDataWo": "[secret]"}),
    resource("kms/keyRing:KeyRing", "ring", {"name": "ring", "location": "europe-west1"}, protect=True),
    resource("kms/keyRing:KeyRing", "ring-2", {"name": "ring", "location": "europe-west4"}, protect=True),
    resource(
        "kms/cryptoKey:CryptoKey",
        "data-key",
        {
            "name": "data-key",
            "purpose": "ENCRYPT_DECRYPT",
            "rotationPeriod": "7776000s",
            "destroyScheduledDuration": "2592000s",
            "labels": LABELS,
        },
        protect=True,
    ),
    resource(
        "kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
        "data-key-pubsub",
        {"role": "roles/cloudkms.cryptoKeyEncrypterDecrypter", "member": AGENT},
    ),
    resource(
        "storage/bucket:Bucket",
        "results",
        {
            "name": "p-results",
            "location": "EUROPE-WEST1",
            "uniformBucketLevelAccess": True,
            "publicAccessPrevention": "enforced",
            "encryption": {"defaultKmsKeyName": KEY},
            "forceDestroy": False,
            "versioning": {"enabled": True},
            "lifecycleRules": [{"action": {"type": "Delete"}, "condition": {"age": 30}}],
            "labels": DATA_LABELS,
        },
        protect=True,
    ),
    resource("storage/bucketAccessControl:BucketAccessControl", "list", {"entity": "group-a@aiprod.ai"}),
    resource(
        "artifactregistry/repository:Repository",
        "images",
        {
            "location": "europe",
            "format": "DOCKER",
            "kmsKeyName": KEY,
            "dockerConfig": {"immutableTags": True},
            "cleanupPolicies": [{"id": "old", "action": "DELETE"}],
            "cleanupPolicyDryRun": False,
            "labels": LABELS,
        },
    ),
    resource(
        "binaryauthorization/policy:Policy",
        "admission",
        {
            "admissionWhitelistPatterns": [{"namePattern": "europe-docker.pkg.dev/p/aiprod-functions/**"}],
            "defaultAdmissionRule": {
                "evaluationMode": "REQUIRE_ATTESTATION",
                "enforcementMode": "ENFORCED_BLOCK_AND_AUDIT_LOG",
                "requireAttestationsBies": ["projects/p/attestors/promoted-prod"],
            },
        },
    ),
)

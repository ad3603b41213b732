"""What violates the rules on data, workloads, the edge and the watch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.policies.changes import Case, each, more, one, without
from tests.policies.good import absent, add

__all__ = ["SERVICES"]

_PROJECT = "projects/iAMMember:IAMMember"
_TOPIC_GRANT = "pubsub/topicIAMMember:TopicIAMMember"
_KEY_GRANT = "kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
_USE = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
_ACCOUNT = "serviceAccount:aiprod-api@p.iam.gserviceaccount.com"
_CLOSED = "pathMatchers.0.routeRules.0"
_CONTAINER = "template.containers.0"
_JOB = "template.template"

_SQL: dict[str, list[Case]] = {
    "sql-no-public-address": [
        *each("postgres", "settings.ipConfiguration.ipv4Enabled", True, absent),
        *each("replica", "settings.ipConfiguration", absent),
    ],
    "sql-private-network": [
        *each("postgres", "settings.ipConfiguration.privateNetwork", absent),
        one(
            "postgres",
            {
                "settings.ipConfiguration.privateNetwork": absent,
                "settings.ipConfiguration.pscConfigs": [{"pscEnabled": False}],
            },
        ),
    ],
    "sql-no-open-authorized-network": each(
        "postgres", "settings.ipConfiguration.authorizedNetworks", [{"value": "0.0.0.0/0"}]
    ),
    "sql-tls": each(
        "postgres", "settings.ipConfiguration.sslMode", absent, "ALLOW_UNENCRYPTED_AND_ENCRYPTED"
    ),
    "sql-customer-key": each("postgres", "encryptionKeyName", absent, ""),
    "sql-backups": each("postgres", "settings.backupConfiguration", absent, {"enabled": False}),
    "sql-point-in-time-recovery": each(
        "postgres", "settings.backupConfiguration.pointInTimeRecoveryEnabled", absent, False
    ),
    "sql-log-retention": each("postgres", "settings.backupConfiguration.transactionLogRetentionDays", 6),
    "sql-backups-kept": [
        *each("postgres", "settings.backupConfiguration.backupRetentionSettings.retainedBackups", 29),
        *each("postgres", "settings.backupConfiguration.backupRetentionSettings", absent),
        one(
            "postgres",
            {
                "settings.userLabels.environment": "staging",
                "settings.backupConfiguration.backupRetentionSettings.retainedBackups": 13,
            },
        ),
        one(
            "postgres",
            {
                "settings.userLabels.environment": "dev",
                "settings.backupConfiguration.backupRetentionSettings.retainedBackups": 6,
            },
        ),
    ],
    "sql-backups-in-eu": each("postgres", "settings.backupConfiguration.location", "us"),
    "sql-final-backup": each("postgres", "settings.finalBackupConfig", absent, {"enabled": False}),
    "sql-deletion-protection": [
        *each("postgres", "deletionProtection", False),
        *each("replica", "settings.deletionProtectionEnabled", absent, False),
        one("postgres", {"settings.userLabels": absent, "deletionProtection": False}),
    ],
    "sql-regional": each("postgres", "settings.availabilityType", absent, "ZONAL"),
    "sql-supported-version": each("postgres", "databaseVersion", "POSTGRES_14"),
    "sql-iam-login": each(
        "postgres",
        "settings.databaseFlags",
        absent,
        [{"name": "cloudsql.iam_authentication", "value": "off"}],
    ),
    "sql-audit-flags": each("postgres", "settings.databaseFlags", absent),
    "sql-query-insights": each("postgres", "settings.insightsConfig", absent),
    "sql-disk-limit": each("postgres", "settings.diskAutoresizeLimit", absent, 0),
    "sql-user-password-write-only": each("app", "password", "hunter2", "[secret]"),
    "sql-connections-fit": [
        # 20 instances, twice during a roll-out: 400 of the 380 that are free.
        one("api", {"template.containers.0.envs.3.value": "10"}),
        one("worker", {"scaling": {"manualInstanceCount": 100}, "template.containers.0.envs.3.value": "2"}),
        one("postgres", {"settings.databaseFlags.0": {"name": "max_connections", "value": "100"}}),
    ],
    "sql-recovery-promised": [
        without("replica"),
        without("errors"),
        without("ring-2"),
        one("postgres", {"settings.availabilityType": "ZONAL"}),
        one("postgres", {"settings.diskSize": 300}),
        one("postgres", {"settings.backupConfiguration.enabled": False}),
        one("postgres", {"settings.backupConfiguration.pointInTimeRecoveryEnabled": False}),
        one("postgres", {"settings.finalBackupConfig.enabled": False}),
        one("postgres", {"settings.backupConfiguration.location": "europe-west1"}),
        one("suno", {"replication.userManaged.replicas": [{"location": "europe-west1"}]}),
    ],
    "sql-restore-drilled": [
        without("drill"),
        *each("drill", "userEnvVars", absent, {"SOURCE": "another", "CLONE_PREFIX": "drill-"}),
    ],
    "sql-drill-clones-only": [
        *each("drill", "userEnvVars.CLONE_PREFIX", "post", "replica"),
        *each("drill-clones", "condition", absent),
        *each(
            "drill-clones",
            "condition.expression",
            'resource.type == "sqladmin.googleapis.com/Instance"',
            'resource.name.startsWith("projects/p/instances/post")',
            '!resource.name.startsWith("projects/p/instances/drill-")',
            'resource.name.startsWith("projects/p/instances/drill-") || resource.name != ""',
            'request.time < timestamp("2027-01-01T00:00:00Z")',
        ),
        (
            [
                add(
                    "projects/iAMCustomRole:IAMCustomRole",
                    {"name": "projects/p/roles/x", "permissions": ["cloudsql.instances.delete"]},
                ),
                add(
                    "projects/iAMMember:IAMMember",
                    {"role": "projects/p/roles/x", "member": _ACCOUNT},
                ),
            ],
            frozenset(),
        ),
    ],
    "sql-replica-elsewhere": [without("replica"), *each("replica", "region", "europe-west1")],
    "sql-replica-like-primary": [
        *each("replica", "settings.ipConfiguration.privateNetwork", "projects/p/global/networks/other"),
        *each("replica", "encryptionKeyName", absent),
    ],
}

_DATA: dict[str, list[Case]] = {
    "redis-auth": each("cache", "authEnabled", absent, False),
    "redis-tls": each("cache", "transitEncryptionMode", absent, "DISABLED"),
    "redis-private": [*each("cache", "connectMode", absent), *each("cache", "authorizedNetwork", absent)],
    "redis-customer-key": each("cache", "customerManagedKey", absent),
    "redis-high-availability": each("cache", "tier", absent, "BASIC"),
    "redis-deletion-protection": each("cache", "deletionProtection", False),
    "redis-supported-version": each("cache", "redisVersion", "REDIS_5_0"),
    "redis-eviction-policy": [
        *each("cache", "redisConfigs", absent),
        *each("cache", "maintenancePolicy", absent),
    ],
    "redis-cluster-closed": [
        more("memorystore/instance:Instance", {"authorizationMode": "IAM_AUTH", "kmsKey": "k"}),
        more("redis/cluster:Cluster", {}),
    ],
    "bucket-uniform-access": each("results", "uniformBucketLevelAccess", absent, False),
    "bucket-no-public-access": each("results", "publicAccessPrevention", absent, "inherited"),
    "bucket-customer-key": each("results", "encryption", absent),
    "bucket-no-force-destroy": each("results", "forceDestroy", True),
    "bucket-versioning": each("results", "versioning", absent),
    "bucket-retention-or-versioning": [
        one("results", {"retentionPolicy": {"retentionPeriod": "86400"}}),
        one(
            "results",
            {"name": "p-pulumi-state", "versioning": absent, "retentionPolicy": {"retentionPeriod": "86400"}},
        ),
    ],
    "bucket-lifecycle": each("results", "lifecycleRules", absent, []),
    "registry-customer-key": each("images", "kmsKeyName", absent),
    "registry-immutable-tags": each("images", "dockerConfig", absent),
    "registry-cleanup": [
        *each("images", "cleanupPolicies", absent),
        *each("images", "cleanupPolicyDryRun", True),
    ],
    "registry-admission-attested": [
        *each("admission", "defaultAdmissionRule.evaluationMode", absent, "ALWAYS_ALLOW"),
        one("admission", {"admissionWhitelistPatterns": [{"namePattern": "europe-docker.pkg.dev/**"}]}),
        one("admission", {"admissionWhitelistPatterns": [{"namePattern": "*"}]}),
    ],
    "registry-admission-enforced": each(
        "admission", "defaultAdmissionRule.enforcementMode", absent, "DRYRUN_AUDIT_LOG_ONLY"
    ),
    "tasks-attempts-end": each("webhooks", "retryConfig.maxAttempts", absent, -1, 0),
    "tasks-target-checked": [
        *each("webhooks", "httpTarget.uriOverride.scheme", "HTTP"),
        *each("webhooks", "httpTarget.oidcToken", absent),
    ],
    "pubsub-topic-customer-key": each("jobs", "kmsKeyName", absent),
    "pubsub-topic-in-eu": [
        *each("jobs", "messageStoragePolicy", absent),
        *each("jobs", "messageStoragePolicy.allowedPersistenceRegions", ["europe-west1", "us-east1"]),
    ],
    "pubsub-subscription-never-expires": each("processor", "expirationPolicy", absent, {"ttl": "2678400s"}),
    "pubsub-delivery-attempts": each("processor", "deadLetterPolicy.maxDeliveryAttempts", 4, 101),
    "pubsub-retry-backoff": each("processor", "retryPolicy", absent),
    "pubsub-retention": each("processor", "messageRetentionDuration", "600s"),
    "pubsub-push-authenticated": [
        *each("processor", "pushConfig.pushEndpoint", "http://a"),
        *each("processor", "pushConfig.oidcToken", absent),
    ],
    "pubsub-dead-letter": each("processor", "deadLetterPolicy", absent),
    "pubsub-dead-letter-kept": [without("keeper")],
    "pubsub-dead-letter-grants": [
        without("dead-publisher"),
        without("source-subscriber"),
        *each("dead-publisher", "role", "roles/pubsub.viewer"),
        *each("source-subscriber", "member", _ACCOUNT),
    ],
}

_RUN: dict[str, list[Case]] = {
    "run-own-identity": [
        *each("api", "template.serviceAccount", absent, "1-compute@developer.gserviceaccount.com"),
        *each("migrate", f"{_JOB}.serviceAccount", absent),
    ],
    "run-ingress-closed": each("api", "ingress", absent, "INGRESS_TRAFFIC_ALL"),
    "run-default-uri-disabled": [
        *each("api", "defaultUriDisabled", absent, False),
        one("built", {"ingress": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"}),
    ],
    "run-image-by-digest": [
        *each("worker", f"{_CONTAINER}.image", "europe-docker.pkg.dev/p/aiprod/worker:latest"),
        *each("migrate", f"{_JOB}.containers.0.image", "europe-docker.pkg.dev/p/aiprod/m@sha256:abc"),
        *each("built", f"{_CONTAINER}.image", "europe-docker.pkg.dev/p/aiprod/other"),
        one("built", {"buildConfig": absent}),
    ],
    "run-image-from-own-registry": each("api", f"{_CONTAINER}.image", f"docker.io/a@sha256:{'a' * 64}"),
    "run-customer-key": [
        *each("api", "template.encryptionKey", absent),
        *each("migrate", f"{_JOB}.encryptionKey", absent),
    ],
    "run-shares-add-up": [
        *each("api", "traffics.0.percent", 9, 11),
        *each("api", "traffics.1.revision", "worker-1"),
        *each("worker", "instanceSplits.0.percent", 0),
    ],
    "run-limits": each("worker", f"{_CONTAINER}.resources.limits", absent, {"cpu": "1"}),
    "run-maximum-stated": each("api", "template.scaling", absent),
    "run-egress-through-vpc": [
        *each("api", "template.vpcAccess", absent),
        *each("api", "template.vpcAccess.egress", absent, "PRIVATE_RANGES_ONLY"),
    ],
    "run-no-literal-credential": each(
        "api",
        f"{_CONTAINER}.envs",
        [{"name": "DB_PASSWORD", "value": "hunter2"}],
        [{"name": "A_TOKEN", "value": "[secret]"}],
        [{"name": "DATABASE", "value": "postgresql://app:hunter2@10.0.0.3/aiprod"}],
    ),
    "run-secret-version-pinned": each(
        "api", f"{_CONTAINER}.envs.1.valueSource.secretKeyRef.version", absent, "latest"
    ),
    "run-deletion-protection": each("worker", "deletionProtection", False),
    "run-probes": [
        *each("api", f"{_CONTAINER}.startupProbe", absent),
        *each("api", f"{_CONTAINER}.livenessProbe", absent),
    ],
    "run-open-only-behind-edge": [
        one("api", {"ingress": "INGRESS_TRAFFIC_ALL"}),
        one("api", {"defaultUriDisabled": False, "invokerIamDisabled": False}),
        more("cloudrunv2/serviceIamMember:ServiceIamMember", {"name": "elsewhere", "member": "allUsers"}),
    ],
    "run-job-as-declared": [
        *each("executor", "role", "roles/run.jobsExecutorWithOverrides", "roles/run.admin"),
        *each("executor", "member", "allUsers", "allAuthenticatedUsers"),
        more(
            "cloudrunv2/jobIamBinding:JobIamBinding",
            {"name": "migrate", "role": "roles/run.jobsExecutor", "members": ["allUsers"]},
        ),
    ],
}

_PROBE = (
    "request.path.matches('^(?:/health)$') && request.method.matches('^(?:GET|HEAD)$') && request.query == ''"
)
_FIRST_SET = {"priority": 10, "match": {"expr": {"expression": "true"}}}
_EDGE: dict[str, list[Case]] = {
    "backend-behind-armor": [
        *each("backend", "securityPolicy", absent, ""),
        one("backend", {"loadBalancingScheme": absent, "securityPolicy": absent}),
    ],
    "backend-logs-requests": each("backend", "logConfig", absent, {"enable": False}, {"enable": True}),
    "tls-policy-modern": [
        *each("tls", "minTlsVersion", absent, "TLS_1_1"),
        *each("tls", "profile", absent, "COMPATIBLE"),
        one("tls", {"profile": "CUSTOM", "customFeatures": ["TLS_RSA_WITH_3DES_EDE_CBC_SHA"]}),
    ],
    "https-proxy-has-tls-policy": each("https", "sslPolicy", absent),
    "forwarding-managed-scheme": each("front", "loadBalancingScheme", "EXTERNAL"),
    "forwarding-one-way-in": [
        more("compute/forwardingRule:ForwardingRule", {"target": "t"}),
        more("compute/forwardingRule:ForwardingRule", {"loadBalancingScheme": "EXTERNAL_MANAGED"}),
    ],
    "certificate-google-managed": [
        *each("certificate", "selfManaged", {"pemPrivateKey": "[secret]"}),
        more("compute/sSLCertificate:SSLCertificate", {"privateKey": "[secret]"}),
    ],
    "http-only-redirects": [
        *each("http", "urlMap", "projects/p/urlMaps/main"),
        *each("redirect", "defaultUrlRedirect.httpsRedirect", False),
        *each("redirect", "pathMatchers", [{"name": "a", "defaultService": "backend"}]),
    ],
    "backend-insists-on-https": [
        *each(
            "backend",
            "customResponseHeaders",
            absent,
            ["X-Frame-Options: DENY"],
            ["Strict-Transport-Security: max-age=300"],
        ),
    ],
    "backend-no-cache": [
        *each("backend", "enableCdn", True),
        more("compute/backendBucket:BackendBucket", {"bucketName": "pages", "enableCdn": True}),
    ],
    "backend-drains": each("backend", "connectionDrainingTimeoutSec", absent, 0),
    "backend-ejects-sick-regions": each("backend", "backends", [{"group": "a"}, {"group": "b"}]),
    "forwarding-reserved-address": each("front", "ipAddress", absent, ""),
    "url-map-tested": each("main", "tests", absent, []),
    "url-map-closes-metrics": [
        *each("main", "pathMatchers.0.routeRules", absent, []),
        *each("main", f"{_CLOSED}.routeAction", absent),
        *each("main", f"{_CLOSED}.routeAction.faultInjectionPolicy.abort.percentage", 50),
        *each("main", f"{_CLOSED}.routeAction.faultInjectionPolicy.abort.httpStatus", 200),
        *each("main", f"{_CLOSED}.matchRules", [{"fullPathMatch": "/metrics"}]),
        *each(
            "main",
            f"{_CLOSED}.matchRules.1",
            {"prefixMatch": "/metrics/", "headerMatches": [{"headerName": "x-a", "presentMatch": True}]},
        ),
    ],
    "endpoint-group-of-own-service": [
        *each("group", "cloudRun.service", "other"),
        *each("group", "region", "europe-north1"),
    ],
    "http-proxy-has-https-beside": [without("https")],
    "armor-default-rule": each("armor", "rules.12.priority", 5000),
    "armor-waf-sets": [
        *each("armor", "rules.1.match.expr.expression", "evaluatePreconfiguredWaf('php-v422-stable')"),
        *each("armor", "rules.10.match.expr.expression", "evaluatePreconfiguredWaf('php-v422-stable')"),
    ],
    "armor-waf-enforced": each("armor", "rules.1.preview", True),
    "armor-waf-first": each("armor", "rules.11.priority", 900),
    "armor-no-early-allow": [
        one("armor", {"rules.0.match": {"config": {"srcIpRanges": ["203.0.113.0/24"]}}}),
        *each(
            "armor",
            "rules.0.match.expr.expression",
            "request.path.contains('/health') || true",
            "request.path == '/health'",
            "request.path.matches('^(?:/health)')",
            f"{_PROBE} || true",
            _PROBE.replace("GET|HEAD", "GET|HEAD|POST"),
            _PROBE.replace(" && request.query == ''", ""),
        ),
        more(
            "compute/securityPolicyRule:SecurityPolicyRule",
            {"securityPolicy": "armor", "action": "allow", **_FIRST_SET},
        ),
    ],
    "armor-rate-limit": [
        *each("armor", "rules.11.action", "deny(403)"),
        *each("armor", "rules.11.rateLimitOptions.enforceOnKey", absent, "ALL"),
    ],
    "armor-verbose-adaptive": [
        *each("armor", "adaptiveProtectionConfig", absent),
        *each("armor", "advancedOptionsConfig", absent),
        *each("armor", "advancedOptionsConfig.jsonParsing", absent, "DISABLED"),
    ],
}

_WATCH: dict[str, list[Case]] = {
    "log-retention": each("security-logs", "retentionDays", 29),
    "log-retention-production": each("security-logs", "retentionDays", 30, absent),
    "log-customer-key": each("security-logs", "cmekSettings", absent),
    "log-sink-open": [
        *each("sink", "disabled", True),
        *each("sink", "exclusions.0.filter", 'logName:"cloudaudit.googleapis.com%2Factivity"'),
    ],
    "log-sink-own-identity": each("sink", "uniqueWriterIdentity", False),
    "audit-no-exemption": each("audit", "auditLogConfigs.0.exemptedMembers", [_ACCOUNT]),
    "alert-has-channel": each("errors", "notificationChannels", absent, []),
    "alert-has-runbook": each("errors", "documentation", absent, {"content": "look"}),
    "alert-has-severity": each("errors", "severity", absent),
    "alert-has-owner": each("errors", "userLabels", absent),
    "alert-enabled": each("errors", "enabled", False),
    "uptime-check-tls": [
        *each("uptime", "httpCheck.useSsl", absent),
        *each("uptime", "httpCheck.validateSsl", False),
    ],
}


SERVICES: Mapping[str, Sequence[Case]] = {**_SQL, **_DATA, **_RUN, **_EDGE, **_WATCH}

"""A small platform at the stand-in cloud, on which the tests of its behaviours play."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from sandbox.cloud import Cloud, World
from sandbox.values import Secret

PROJECT: Final = "aiprod-test"
NOW: Final = datetime(2028, 1, 1, tzinfo=UTC)
PROVIDER: Final = {"project": PROJECT, "region": "europe-west1"}
RUN: Final = f"projects/{PROJECT}"
NETWORK: Final = f"{RUN}/global/networks/main"
SUBNET: Final = f"{RUN}/regions/europe-west1/subnetworks/run"
KEY: Final = f"{RUN}/locations/europe-west1/keyRings/ring/cryptoKeys/all"
TOPIC: Final = f"{RUN}/topics/jobs"
SECRET: Final = f"{RUN}/secrets/vendor"
ACCOUNT: Final = f"api-runtime@{PROJECT}.iam.gserviceaccount.com"
IMAGE: Final = f"europe-docker.pkg.dev/{PROJECT}/images/api@sha256:{'a' * 64}"
NEG: Final = f"{RUN}/regions/europe-west1/networkEndpointGroups/api"
MAP: Final = f"{RUN}/locations/global/certificateMaps/front"

T: Final = {
    name: f"gcp:{area}/{name[0].lower()}{name[1:]}:{name}"
    for area, names in {
        "artifactregistry": "Repository RepositoryIamMember",
        "billing": "Budget",
        "certificatemanager": "Certificate CertificateMap CertificateMapEntry DnsAuthorization",
        "bigquery": "Dataset IamMember Table",
        "cloudrunv2": "Job Service WorkerPool",
        "cloudtasks": "Queue",
        "compute": "Address BackendService Firewall GlobalAddress GlobalForwardingRule HealthCheck Network "
        "RegionNetworkEndpointGroup Route Router RouterNat SSLPolicy SecurityPolicy SecurityPolicyRule "
        "Subnetwork TargetHttpsProxy URLMap",
        "dns": "ManagedZone RecordSet",
        "iam": "WorkloadIdentityPool WorkloadIdentityPoolProvider",
        "kms": "CryptoKey CryptoKeyIAMBinding CryptoKeyIAMMember CryptoKeyIAMPolicy KeyRing KeyRingIAMMember",
        "logging": "LinkedDataset Metric ProjectBucketConfig ProjectSink",
        "monitoring": "AlertPolicy CustomService Dashboard NotificationChannel Slo UptimeCheckConfig",
        "organizations": "Folder Project",
        "projects": "ApiKey IAMCustomRole IAMMember ServiceIdentity",
        "pubsub": "Schema Subscription SubscriptionIAMMember Topic TopicIAMBinding TopicIAMMember "
        "TopicIAMPolicy",
        "redis": "Instance",
        "secretmanager": "Secret SecretIamMember SecretIamPolicy SecretVersion",
        "serviceaccount": "Account",
        "servicenetworking": "Connection",
        "sql": "Database DatabaseInstance User",
        "storage": "Bucket BucketIAMMember BucketObject",
        "workflows": "Workflow",
    }.items()
    for name in names.split()
} | {
    "Enabled": "gcp:projects/service:Service",
    "SchedulerJob": "gcp:cloudscheduler/job:Job",
    "ProjectIAMBinding": "gcp:projects/iAMBinding:IAMBinding",
    "Valkey": "gcp:memorystore/instance:Instance",
}

RULE: Final[dict[str, Any]] = {
    "action": "allow",
    "priority": 2147483647,
    "match": {"versionedExpr": "SRC_IPS_V1", "config": {"srcIpRanges": ["*"]}},
}
BAN: Final[dict[str, Any]] = {
    "action": "rate_based_ban",
    "priority": 2000,
    "match": {"versionedExpr": "SRC_IPS_V1", "config": {"srcIpRanges": ["0.0.0.0/0"]}},
    "rateLimitOptions": {
        "conformAction": "allow",
        "exceedAction": "deny(429)",
        "banDurationSec": 600,
        "enforceOnKey": "IP",
        "rateLimitThreshold": {"count": 1000, "intervalSec": 60},
    },
}
CONTAINER: Final[dict[str, Any]] = {"image": IMAGE, "resources": {"limits": {"cpu": "1", "memory": "512Mi"}}}
THRESHOLD: Final[dict[str, Any]] = {
    "displayName": "errors",
    "conditionThreshold": {"filter": 'metric.type="x"', "comparison": "COMPARISON_GT", "duration": "60s"},
}

# One set of inputs a type that the cloud accepts, in an order in which they can be made.
GOOD: Final[dict[str, dict[str, Any]]] = {
    "Network": {"name": "main", "autoCreateSubnetworks": False},
    "Subnetwork": {"name": "run", "network": NETWORK, "region": "europe-west1", "ipCidrRange": "10.1.0.0/24"},
    "GlobalAddress": {
        "name": "services",
        "purpose": "VPC_PEERING",
        "addressType": "INTERNAL",
        "address": "10.20.0.0",
        "prefixLength": 16,
        "network": NETWORK,
    },
    "Connection": {
        "network": NETWORK,
        "service": "servicenetworking.googleapis.com",
        "reservedPeeringRanges": ["services"],
    },
    "Router": {"name": "router", "network": NETWORK, "region": "europe-west1"},
    "RouterNat": {
        "name": "nat",
        "router": "router",
        "region": "europe-west1",
        "natIpAllocateOption": "AUTO_ONLY",
        "sourceSubnetworkIpRangesToNat": "ALL_SUBNETWORKS_ALL_IP_RANGES",
    },
    "Firewall": {
        "name": "deny",
        "network": NETWORK,
        "sourceRanges": ["0.0.0.0/0"],
        "denies": [{"protocol": "all"}],
    },
    "Account": {"accountId": "api-runtime"},
    "KeyRing": {"name": "ring", "location": "europe-west1"},
    "CryptoKey": {
        "name": "all",
        "keyRing": f"{RUN}/locations/europe-west1/keyRings/ring",
        "rotationPeriod": "7776000s",
    },
    "Topic": {"name": "jobs"},
    "Subscription": {"name": "jobs", "topic": TOPIC, "ackDeadlineSeconds": 60},
    "Secret": {
        "secretId": "vendor",
        "replication": {"userManaged": {"replicas": [{"location": "europe-west1"}]}},
    },
    "SecretVersion": {"secret": SECRET, "secretData": Secret("hidden value")},
    "SecretIamMember": {
        "secretId": SECRET,
        "role": "roles/secretmanager.secretAccessor",
        "member": f"serviceAccount:{ACCOUNT}",
    },
    "DatabaseInstance": {
        "name": "primary",
        "region": "europe-west1",
        "databaseVersion": "POSTGRES_17",
        "deletionProtection": False,
        "settings": {
            "tier": "db-custom-2-7680",
            "edition": "ENTERPRISE",
            "backupConfiguration": {
                "enabled": True,
                "pointInTimeRecoveryEnabled": True,
                "startTime": "02:00",
            },
            "databaseFlags": [{"name": "cloudsql.iam_authentication", "value": "on"}],
            "ipConfiguration": {"ipv4Enabled": False, "privateNetwork": NETWORK},
        },
    },
    "Database": {"name": "aiprod", "instance": "primary"},
    "User": {
        "name": ACCOUNT.removesuffix(".gserviceaccount.com"),
        "instance": "primary",
        "type": "CLOUD_IAM_SERVICE_ACCOUNT",
    },
    "Instance": {
        "name": "cache",
        "tier": "STANDARD_HA",
        "memorySizeGb": 5,
        "redisVersion": "REDIS_7_2",
        "connectMode": "PRIVATE_SERVICE_ACCESS",
        "authorizedNetwork": NETWORK,
        "deletionProtection": False,
    },
    "Bucket": {"name": "aiprod-test-files", "location": "EUROPE-WEST1", "publicAccessPrevention": "enforced"},
    "Repository": {"repositoryId": "images", "location": "europe", "format": "DOCKER"},
    "Service": {
        "name": "api",
        "location": "europe-west1",
        "deletionProtection": False,
        "template": {
            "serviceAccount": ACCOUNT,
            "containers": [
                {
                    **CONTAINER,
                    "envs": [
                        {"name": "KEY", "valueSource": {"secretKeyRef": {"secret": "vendor", "version": "1"}}}
                    ],
                }
            ],
            "vpcAccess": {"networkInterfaces": [{"network": NETWORK, "subnetwork": SUBNET}]},
        },
    },
    "RegionNetworkEndpointGroup": {
        "name": "api",
        "region": "europe-west1",
        "networkEndpointType": "SERVERLESS",
        "cloudRun": {"service": "api"},
    },
    "SecurityPolicy": {"name": "armor", "rules": [BAN, RULE]},
    "BackendService": {
        "name": "api",
        "protocol": "HTTPS",
        "loadBalancingScheme": "EXTERNAL_MANAGED",
        "securityPolicy": f"{RUN}/global/securityPolicies/armor",
        "backends": [{"group": NEG}],
    },
    "URLMap": {"name": "front", "defaultService": f"{RUN}/global/backendServices/api"},
    "SSLPolicy": {"name": "tls", "minTlsVersion": "TLS_1_2", "profile": "MODERN"},
    "DnsAuthorization": {"name": "site", "domain": "api.example.com"},
    "Certificate": {
        "name": "site",
        "managed": {
            "domains": ["api.example.com"],
            "dnsAuthorizations": [f"{RUN}/locations/global/dnsAuthorizations/site"],
        },
        "location": "global",
    },
    "CertificateMap": {"name": "front"},
    "CertificateMapEntry": {
        "name": "site",
        "map": "front",
        "hostname": "api.example.com",
        "certificates": [f"{RUN}/locations/global/certificates/site"],
    },
    "TargetHttpsProxy": {
        "name": "front",
        "urlMap": f"{RUN}/global/urlMaps/front",
        "certificateMap": f"//certificatemanager.googleapis.com/{MAP}",
    },
    "GlobalForwardingRule": {
        "name": "front",
        "target": f"{RUN}/global/targetHttpsProxies/front",
        "portRange": "443",
        "ipAddress": "203.0.113.7",
        "loadBalancingScheme": "EXTERNAL_MANAGED",
    },
    "ManagedZone": {"name": "zone", "dnsName": "example.com."},
    "RecordSet": {"name": "api.example.com.", "managedZone": "zone", "type": "A", "rrdatas": ["203.0.113.7"]},
    "ProjectBucketConfig": {
        "project": PROJECT,
        "bucketId": "audit",
        "location": "europe-west1",
        "retentionDays": 30,
    },
    "Metric": {
        "name": "errors",
        "filter": "severity>=ERROR",
        "metricDescriptor": {"metricKind": "DELTA", "valueType": "INT64"},
    },
    "NotificationChannel": {"type": "email", "labels": {"email_address": "on-call@example.com"}},
    "AlertPolicy": {"displayName": "errors", "combiner": "OR", "conditions": [THRESHOLD]},
    "UptimeCheckConfig": {
        "displayName": "site",
        "timeout": "10s",
        "period": "60s",
        "httpCheck": {"path": "/health"},
        "monitoredResource": {"type": "uptime_url", "labels": {"host": "api.example.com"}},
    },
    "CustomService": {"serviceId": "api", "displayName": "api"},
    "WorkloadIdentityPool": {"workloadIdentityPoolId": "github"},
    "ServiceIdentity": {"service": "secretmanager.googleapis.com"},
}


class Stage:
    """The platform, with what it takes to make or change one more thing."""

    known: dict[str, Any]
    """What a state has of a resource that changed at the cloud since, by the class of its type."""

    def __init__(self) -> None:
        self.world = World()
        self.known = {}
        self.world.clock = lambda: NOW
        self.cloud = Cloud(self.world)
        for name, inputs in GOOD.items():
            self.make(name, inputs)

    @classmethod
    def again(cls) -> Stage:
        """The platform anew, made only once."""
        stage = cls.__new__(cls)
        stage.world = _first().world.copy()
        stage.cloud = Cloud(stage.world)
        stage.known = {}
        return stage

    def urn(self, name: str, logical: str = "it") -> str:
        """A URN for a resource of the type with this class name."""
        return f"urn:pulumi:test::aiprod::{T[name]}::{logical}"

    def make(self, name: str, inputs: dict[str, Any], logical: str = "it") -> tuple[str, dict[str, Any]]:
        """Check and create; the check must find nothing."""
        checked, failures = self.cloud.check(T[name], self.urn(name, logical), None, inputs, b"seed")
        assert failures == [], (name, failures)
        return self.cloud.create(T[name], self.urn(name, logical), checked, preview=False, provider=PROVIDER)

    def change(self, name: str, inputs: dict[str, Any]) -> dict[str, Any]:
        """Update the platform's own resource of that type to these inputs."""
        old = self.known.get(name) or self.record(name)
        return self.cloud.update(
            T[name], self.urn(name), old.id, old.inputs, old.outputs, inputs, preview=False, provider=PROVIDER
        )

    def delete(self, name: str) -> None:
        """Delete the platform's own resource of that type."""
        old = self.record(name)
        self.cloud.delete(T[name], self.urn(name), old.id, old.inputs, old.outputs, provider=PROVIDER)

    def record(self, name: str) -> Any:
        """The platform's own resource of that type."""
        return self.world.find(T[name])[0]


@cache
def _first() -> Stage:
    return Stage()


def patched(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Inputs with values put at dotted paths; None takes one away."""
    result: dict[str, Any] = dict(base)
    for path, value in changes.items():
        first, _, rest = path.partition(".")
        if rest:
            result[first] = patched(result.get(first) or {}, {rest: value})
        elif value is None:
            result.pop(first, None)
        else:
            result[first] = value
    return result

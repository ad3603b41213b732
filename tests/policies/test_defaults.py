"""What a rule takes an absent value for is what the provider takes it for."""

from __future__ import annotations

import pytest

from facts.provider import PropertyFacts, facts_for


@pytest.mark.parametrize(
    ("type", "path", "default"),
    [
        ("sql/databaseInstance:DatabaseInstance", "settings.ipConfiguration.ipv4Enabled", True),
        ("sql/databaseInstance:DatabaseInstance", "settings.availabilityType", "ZONAL"),
        ("sql/databaseInstance:DatabaseInstance", "settings.diskAutoresizeLimit", 0),
        ("sql/databaseInstance:DatabaseInstance", "deletionProtection", True),
        ("redis/instance:Instance", "authEnabled", False),
        ("redis/instance:Instance", "transitEncryptionMode", "DISABLED"),
        ("redis/instance:Instance", "connectMode", "DIRECT_PEERING"),
        ("redis/instance:Instance", "tier", "BASIC"),
        ("redis/cluster:Cluster", "authorizationMode", "AUTH_MODE_DISABLED"),
        ("pubsub/subscription:Subscription", "messageRetentionDuration", "604800s"),
        ("kms/cryptoKey:CryptoKey", "purpose", "ENCRYPT_DECRYPT"),
        ("cloudrunv2/service:Service", "deletionProtection", True),
        ("cloudrunv2/workerPool:WorkerPool", "deletionProtection", True),
        ("storage/bucket:Bucket", "forceDestroy", False),
        ("compute/network:Network", "autoCreateSubnetworks", True),
        ("compute/sSLPolicy:SSLPolicy", "minTlsVersion", "TLS_1_0"),
        ("compute/sSLPolicy:SSLPolicy", "profile", "COMPATIBLE"),
        ("compute/backendService:BackendService", "loadBalancingScheme", "EXTERNAL_MANAGED"),
        ("compute/globalForwardingRule:GlobalForwardingRule", "loadBalancingScheme", "EXTERNAL_MANAGED"),
        ("compute/forwardingRule:ForwardingRule", "loadBalancingScheme", "EXTERNAL"),
        ("dns/managedZone:ManagedZone", "visibility", "public"),
        ("logging/projectBucketConfig:ProjectBucketConfig", "retentionDays", 30),
        ("logging/projectSink:ProjectSink", "uniqueWriterIdentity", True),
        ("monitoring/alertPolicy:AlertPolicy", "enabled", True),
    ],
)
def test_absent_value_means_the_providers_default(type: str, path: str, default: object) -> None:
    facts = facts_for(f"gcp:{type}")
    assert facts is not None
    properties, found = facts.properties, PropertyFacts("")
    for part in path.split("."):
        found = properties[part]
        properties = found.properties
    assert found.default == default

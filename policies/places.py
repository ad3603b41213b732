"""Where data may live, which labels a type carries and how strict an environment is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from facts.places import EU_REGIONS
from policies.model import SECRET, UNKNOWN, Resource, text

__all__ = ["EU_LOCATIONS", "LABELS", "environment", "in_eu", "labels_path", "stack_environment"]

Environment = Literal["dev", "staging", "prod"]

# The environments that are less strict than production.
_LENIENT: Final[Mapping[str, Environment]] = {"dev": "dev", "staging": "staging"}

# Google's regions inside the European Union and its multi-regions there.
EU_LOCATIONS: Final = EU_REGIONS | {"eu", "eur4", "europe"}

# Types that carry the house's labels and the property that holds them. Left out are types whose `labels` mean
# something else: notification channels (parameters), metric descriptors (definitions), groups (group kinds).
_PLAIN = (
    "artifactregistry/repository:Repository",
    "backupdisasterrecovery/backupVault:BackupVault",
    "bigquery/dataset:Dataset",
    "bigquery/table:Table",
    "certificatemanager/certificate:Certificate",
    "certificatemanager/certificateIssuanceConfig:CertificateIssuanceConfig",
    "certificatemanager/certificateMap:CertificateMap",
    "certificatemanager/certificateMapEntry:CertificateMapEntry",
    "certificatemanager/dnsAuthorization:DnsAuthorization",
    "certificatemanager/trustConfig:TrustConfig",
    "clouddeploy/automation:Automation",
    "clouddeploy/deliveryPipeline:DeliveryPipeline",
    "clouddeploy/target:Target",
    "cloudfunctionsv2/function:Function",
    "cloudrunv2/job:Job",
    "cloudrunv2/service:Service",
    "cloudrunv2/workerPool:WorkerPool",
    "compute/address:Address",
    "compute/forwardingRule:ForwardingRule",
    "compute/globalAddress:GlobalAddress",
    "compute/globalForwardingRule:GlobalForwardingRule",
    "compute/instance:Instance",
    "compute/securityPolicy:SecurityPolicy",
    "dns/managedZone:ManagedZone",
    "eventarc/trigger:Trigger",
    "kms/cryptoKey:CryptoKey",
    "memorystore/instance:Instance",
    "organizations/project:Project",
    "pubsub/subscription:Subscription",
    "pubsub/topic:Topic",
    "redis/cluster:Cluster",
    "redis/instance:Instance",
    "secretmanager/regionalSecret:RegionalSecret",
    "secretmanager/secret:Secret",
    "storage/bucket:Bucket",
    "workflows/workflow:Workflow",
)
LABELS: Final[Mapping[str, str]] = {
    **{f"gcp:{token}": "labels" for token in _PLAIN},
    "gcp:sql/databaseInstance:DatabaseInstance": "settings.userLabels",
}


def labels_path(type: str) -> str | None:
    """The property that holds the labels of a type, None where the type has none."""
    return LABELS.get(type)


def environment(resource: Resource) -> Environment | None:
    """How strict to be: by the resource's `environment` label, None while that is unknown.

    No label, or a word that is none of ours, counts as production.
    """
    path = labels_path(resource.type)
    value = None if path is None else resource.get(f"{path}.environment")
    if value is UNKNOWN or value == SECRET:
        return None
    return _environment(text(value))


def stack_environment(resources: Iterable[Resource]) -> Environment | None:
    """The one environment that the labels of a stack name, production where they do not agree."""
    found: set[Environment | None] = {
        environment(resource) for resource in resources if labels_path(resource.type) is not None
    }
    if None in found:
        return None
    return found.pop() if len(found) == 1 else "prod"


def _environment(value: str | None) -> Environment:
    return _LENIENT.get(value or "", "prod")


def in_eu(location: str) -> bool:
    """Whether a region, zone or multi-region lies in the European Union."""
    place = location.rsplit("/", 1)[-1].lower()
    return place in EU_LOCATIONS or (place[-2:-1] == "-" and place[:-2] in EU_LOCATIONS)

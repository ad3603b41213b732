"""What violates the rules on everything, on access, keys, secrets and the network."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tests.policies.changes import Case, each, more, one, without
from tests.policies.good import absent, add, by_name

__all__ = ["FOUNDATION"]

_PROJECT = "projects/iAMMember:IAMMember"
_TOPIC_GRANT = "pubsub/topicIAMMember:TopicIAMMember"
_KEY_GRANT = "kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
_USE = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
_ACCOUNT = "serviceAccount:aiprod-api@p.iam.gserviceaccount.com"
_CONTAINER = "template.containers.0"
_JOB = "template.template"


def _policy(member: str) -> str:
    return json.dumps({"bindings": [{"role": "roles/pubsub.viewer", "members": [member]}]})


_GENERAL: dict[str, list[Case]] = {
    "labels-required": [
        one("jobs", {"labels.system": absent}),
        one("front", {"labels": absent}),
        one("postgres", {"settings.userLabels": absent}),
        one("data-key", {"labels.component": ""}),
    ],
    "labels-managed-by": each("jobs", "labels.managed-by", "terraform"),
    "labels-data-class": [
        *each("postgres", "settings.userLabels.data-class", absent),
        *each("jobs", "labels.data-class", "top"),
    ],
    "labels-one-environment": each("jobs", "labels.environment", "dev"),
    "labels-environment-is-stack": [
        *each("jobs", "labels.environment", "dev", "production"),
        *each("postgres", "settings.userLabels.environment", "staging"),
    ],
    "location-in-eu": [
        *each("postgres", "region", "us-central1", "europe-west2", "europe-west6"),
        *each("machine", "zone", "us-central1-a"),
        *each("results", "location", "US"),
        *each("ring", "location", "global"),
        *each("security-logs", "location", "global"),
    ],
    "type-understood": [more("cloudrun/service:Service", {"location": "europe-west1"})],
    "stateful-protected": [
        one("postgres", protect=False),
        one("suno", protect=False),
        one("results", protect=False),
    ],
    "provider-explicit": [
        (
            [
                replace(
                    by_name("jobs"),
                    provider="urn:pulumi:prod::aiprod::pulumi:providers:gcp::default_10_2_0::1",
                )
            ],
            frozenset(),
        )
    ],
    "service-stays-enabled": each("run-api", "disableOnDestroy", True),
    "scheduler-authenticated": each("schedule", "httpTarget", {"uri": "https://a"}),
    "iam-no-basic-role": [
        more(_PROJECT, {"role": "roles/editor", "member": _ACCOUNT}),
        more("folder/iAMMember:IAMMember", {"role": "roles/viewer", "member": "group:g@aiprod.ai"}),
    ],
    "iam-no-admin-role": [
        more(_PROJECT, {"role": "roles/cloudsql.admin", "member": _ACCOUNT}),
        more("projects/iAMBinding:IAMBinding", {"role": "roles/storage.objectAdmin", "members": [_ACCOUNT]}),
        without("deployer-login"),
    ],
    "iam-no-unused-grant": [
        (
            [
                add(_PROJECT, {"role": "roles/logging.logWriter", "member": _ACCOUNT}),
                replace(
                    add(_PROJECT, {"role": "roles/logging.logWriter", "member": _ACCOUNT}),
                    urn="urn:pulumi:prod::aiprod::gcp:projects/iAMMember:IAMMember::again",
                ),
            ],
            frozenset(),
        ),
        *(
            (
                [
                    add(type, named),
                    replace(add(type, named), urn=f"urn:pulumi:prod::aiprod::gcp:{type}::again"),
                ],
                frozenset(),
            )
            for type, on in (
                ("binaryauthorization/attestorIamMember:AttestorIamMember", "attestor"),
                ("containeranalysis/noteIamMember:NoteIamMember", "note"),
            )
            for named in ({on: "verified-dev", "role": "roles/r", "member": "group:g@aiprod.ai"},)
        ),
    ],
    "iam-database-login-conditioned": [
        more(_PROJECT, {"role": "roles/cloudsql.client", "member": _ACCOUNT}),
        more(
            _PROJECT,
            {
                "role": "roles/cloudsql.instanceUser",
                "member": _ACCOUNT,
                "condition": {"title": "t", "expression": "true"},
            },
        ),
    ],
    "iam-no-impersonation-on-project": [
        more(_PROJECT, {"role": "roles/iam.serviceAccountTokenCreator", "member": _ACCOUNT})
    ],
    "iam-sign-only-as-itself": [
        more(
            "serviceaccount/iAMMember:IAMMember",
            {"role": "roles/iam.serviceAccountTokenCreator", "member": member, "serviceAccountId": target},
        )
        for member, target in (
            (_ACCOUNT, "projects/p/serviceAccounts/aiprod-worker@p.iam.gserviceaccount.com"),
            ("group:all@aiprod.ai", "projects/p/serviceAccounts/aiprod-api@p.iam.gserviceaccount.com"),
            ("aiprod-api@p.iam.gserviceaccount.com", "aiprod-worker@p.iam.gserviceaccount.com"),
        )
    ],
    "iam-no-secret-access-on-project": [
        more(_PROJECT, {"role": "roles/secretmanager.secretAccessor", "member": _ACCOUNT})
    ],
    "iam-no-default-account": [
        more(_TOPIC_GRANT, {"role": "r", "member": "serviceAccount:1-compute@developer.gserviceaccount.com"}),
        more(_PROJECT, {"role": "r", "member": "serviceAccount:p@appspot.gserviceaccount.com"}),
    ],
    "iam-no-public-member": [
        more(_TOPIC_GRANT, {"role": "r", "member": "allUsers"}),
        more(
            "storage/bucketIAMBinding:BucketIAMBinding", {"role": "r", "members": ["allAuthenticatedUsers"]}
        ),
        more(
            "storage/bucketIAMPolicy:BucketIAMPolicy",
            {"policyData": _policy("allUsers")},
        ),
        one("list", {"entity": "allUsers"}),
        more("storage/bucketACL:BucketACL", {"roleEntities": ["OWNER:project-1", "READER:allUsers"]}),
        more("storage/bucketACL:BucketACL", {"predefinedAcl": "publicRead"}),
    ],
    "iam-no-single-person": [
        more(_PROJECT, {"role": "r", "member": "user:cto@aiprod.ai"}),
        more(
            "pubsub/topicIAMPolicy:TopicIAMPolicy",
            {"policyData": _policy("user:cto@aiprod.ai")},
        ),
    ],
    "iam-no-account-key": [more("serviceaccount/key:Key", {"serviceAccountId": "aiprod-api"})],
    "iam-additive-on-project": [
        more("projects/iAMBinding:IAMBinding", {"role": "roles/run.invoker", "members": []}),
        more("projects/iAMPolicy:IAMPolicy", {"policyData": "{}"}),
    ],
    "iam-federation-condition": each(
        "github", "attributeCondition", absent, "", "assertion.repository == 'aiprod/platform'"
    ),
    "iam-custom-role-harmless": [
        one("rotator", {"permissions": [permission]})
        for permission in (
            "iam.serviceAccounts.actAs",
            "resourcemanager.projects.setIamPolicy",
            "iam.serviceAccountKeys.create",
        )
    ],
    "iam-api-key-restricted": each("key", "restrictions", absent, {"apiTargets": []}),
}

_KEYS: dict[str, list[Case]] = {
    "kms-rotation": each("data-key", "rotationPeriod", absent, "7776001s"),
    "kms-protected": [one("data-key", protect=False), one("ring", protect=False)],
    "kms-destroy-delay": each("data-key", "destroyScheduledDuration", "86400s"),
    "kms-use-granted-per-key": [
        more(_PROJECT, {"role": _USE, "member": _ACCOUNT}),
        more("kms/keyRingIAMMember:KeyRingIAMMember", {"role": _USE, "member": _ACCOUNT}),
    ],
    "kms-duties-apart": [
        (
            [
                add(_PROJECT, {"role": "roles/cloudkms.admin", "member": _ACCOUNT}),
                add(_KEY_GRANT, {"role": _USE, "member": _ACCOUNT}),
            ],
            frozenset(),
        ),
        one(
            "deployer-state", {"cryptoKeyId": "projects/p/locations/europe-west1/keyRings/other/cryptoKeys/k"}
        ),
        one("deployer-keys", {"condition.expression": "resource.name != ''"}),
    ],
    "secret-in-eu": [
        one("suno", {"replication": {"auto": {}}}),
        one("suno", {"replication.userManaged.replicas.1.location": "us-east1"}),
    ],
    "secret-customer-key": [
        one("suno", {"replication.userManaged.replicas.0.customerManagedEncryption": absent}),
        one("suno", {"replication": {"auto": {}}}),
    ],
    "secret-rotation": [
        *each("suno", "rotation", absent),
        *each("suno", "rotation.rotationPeriod", "7776001s"),
        *each("suno", "rotation.nextRotationTime", absent),
    ],
    "secret-rotation-topic": each("suno", "topics", absent, []),
    "secret-no-expiry": [
        *each("suno", "ttl", "86400s"),
        *each("suno", "expireTime", "2030-01-01T00:00:00Z"),
    ],
    "secret-destroy-delay": each("suno", "versionDestroyTtl", absent, "3600s"),
    "secret-payload-write-only": each("suno-1", "secretData", "hunter2", "[secret]"),
    "secret-rotation-heard": [without("processor")],
}

_NETWORK: dict[str, list[Case]] = {
    "network-custom-mode": each("vpc", "autoCreateSubnetworks", absent, True),
    "subnet-flow-logs": each("run", "logConfig", absent),
    "subnet-private-google-access": each("run", "privateIpGoogleAccess", absent, False),
    "firewall-no-open-ingress": [
        *each("probes", "sourceRanges", ["10.0.0.0/8", "0.0.0.0/0"], ["::/0"], absent),
        one("probes", {"direction": absent, "sourceRanges": ["0.0.0.0/0"]}),
        more(
            "compute/networkFirewallPolicyRule:NetworkFirewallPolicyRule",
            {"direction": "INGRESS", "action": "allow", "match": {"srcIpRanges": ["0.0.0.0/0"]}},
        ),
        more(
            "compute/networkFirewallPolicyWithRules:NetworkFirewallPolicyWithRules",
            {"rules": [{"direction": "INGRESS", "action": "allow", "match": {"srcIpRanges": ["::/0"]}}]},
        ),
    ],
    "firewall-logging": each("probes", "logConfig", absent),
    "nat-logging": each("nat", "logConfig", absent, {"enable": False}),
    "dns-dnssec": [
        *each("zone", "dnssecConfig", absent, {"state": "off"}),
        one("zone", {"visibility": absent, "dnssecConfig": absent}),
    ],
    "dns-logging": [
        without("queries"),
        *each("queries", "enableLogging", False, absent),
        *each("queries", "networks", [], [{"networkUrl": "projects/p/global/networks/other"}]),
    ],
    "firewall-denies-the-rest": [
        without("deny-egress"),
        without("deny-ingress"),
        *each("deny-egress", "destinationRanges", ["10.0.0.0/8"]),
        *each("deny-egress", "denies", [{"protocol": "tcp"}]),
    ],
    "dns-no-rsasha1": each("zone", "dnssecConfig.defaultKeySpecs.0.algorithm", "rsasha1"),
    "compute-no-public-address": [
        *each("machine", "networkInterfaces.0.accessConfigs", [{}]),
        more(
            "compute/instanceTemplate:InstanceTemplate", {"networkInterfaces": [{"ipv6AccessConfigs": [{}]}]}
        ),
    ],
    "network-ranges-apart": [
        more(
            "compute/subnetwork:Subnetwork",
            {"network": "projects/p/global/networks/aiprod", "ipCidrRange": "10.0.0.128/25"},
        )
    ],
}


FOUNDATION: Mapping[str, Sequence[Case]] = {**_GENERAL, **_KEYS, **_NETWORK}

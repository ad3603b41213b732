"""What stands just inside the line of a behaviour, and must be accepted: identities, keys and networks."""

from __future__ import annotations

from typing import Any, Final

from sandbox.cloud import World
from tests.sandbox.cloud.case import Case
from tests.sandbox.cloud.stage import KEY, PROJECT, RUN, SECRET, TOPIC

_NUMBER: Final = World().project_number(PROJECT)
_DOMAIN: Final = "iam.gserviceaccount.com"
_POOL: Final = f"iam.googleapis.com/projects/{_NUMBER}/locations/global/workloadIdentityPools"
_PUBLISH: Final = {"topic": TOPIC, "role": "roles/pubsub.publisher"}
_TEAM: Final = "group:team@example.com"
_CONDITION: Final = {"title": "x", "expression": "true"}
_ENCRYPT: Final = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
_PUBSUB: Final = f"serviceAccount:service-{_NUMBER}@gcp-sa-pubsub.{_DOMAIN}"
_WORLDWIDE: Final = KEY.replace("europe-west1", "global")
_OUT: Final = f"{RUN}/regions/europe-west1/addresses/out"
_ADDRESS: Final = ("make", "Address", {"name": "out", "region": "europe-west1"})
_ROLE: Final[dict[str, Any]] = {"title": "x", "permissions": ["run.jobs.get"]}
_ISSUER: Final[dict[str, Any]] = {
    "workloadIdentityPoolProviderId": "other",
    "workloadIdentityPoolId": "github",
    "attributeMapping": {"google.subject": "assertion.sub"},
}
_SHARED: Final = "https://token.actions.githubusercontent.com"
_LIST: Final[dict[str, Any]] = {"sourceSubnetworkIpRangesToNat": "LIST_OF_SUBNETWORKS", "subnetworks": []}

Before = tuple[tuple[str, str, dict[str, Any]], ...]


def _fine(id: str, verb: str, name: str, *changes: dict[str, Any], before: Before = ()) -> tuple[Case, ...]:
    return tuple(Case(id, verb, name, each, before) for each in changes)


def _members(*members: str) -> list[dict[str, Any]]:
    return [{**_PUBLISH, "member": member} for member in members]


def _enabled(**switches: bool) -> tuple[str, str, dict[str, Any]]:
    return ("stand", "Enabled", {"service": "containerregistry.googleapis.com", **switches})


_UPLOAD: Final = {"name": "watch.zip", "bucket": "aiprod-test-files", "content": "x"}
_BUILD: Final = ("make", "Enabled", {"service": "cloudbuild.googleapis.com"})
_SERVICES: Final = (
    *_fine(
        "AGT-001",
        "create",
        "TopicIAMMember",
        *_members(
            _PUBSUB,
            f"serviceAccount:service-{_NUMBER}@gcp-sa-secretmanager.{_DOMAIN}",
            f"serviceAccount:service-1@gcp-sa-cloud-sql.{_DOMAIN}",
            f"serviceAccount:bq-1@bigquery-encryption.{_DOMAIN}",
        ),
    ),
    *_fine(
        "AGT-010",
        "create",
        "ServiceIdentity",
        *({"service": f"{name}.googleapis.com"} for name in ("pubsub", "redis", "run", "storagetransfer")),
    ),
    *_fine(
        "API-001",
        "create",
        "Topic",
        {},
        before=(("services", "", {}), ("stand", "Enabled", {"service": "pubsub.googleapis.com"})),
    ),
    *_fine("API-001", "create", "Bucket", {"name": "aiprod-test-more"}, before=(("services", "", {}),)),
    *_fine("API-005", "delete", "Enabled", {}, before=(_enabled(disableOnDestroy=False), _BUILD)),
    *_fine("API-005", "delete", "Enabled", {}, before=(_enabled(disableOnDestroy=True),)),
    *_fine(
        "API-005",
        "delete",
        "Enabled",
        {},
        before=(_enabled(disableOnDestroy=True, disableDependentServices=True), _BUILD),
    ),
    *_fine("API-007", "check", "ServiceIdentity", {"service": "run.googleapis.com"}),
    *_fine("API-007", "check", "Enabled", {"service": "api.endpoints.aiprod-test.cloud.goog"}),
    *_fine("COM-001", "delete", "Folder", {}, before=(("stand", "Folder", {"deletionProtection": False}),)),
    *_fine("QTA-007", "create", "Topic", {"name": "jobs2"}),
    *_fine("QTA-007", "create", "SecretIamMember", {}, {"secretId": SECRET}),
    *_fine("QTA-007", "create", "BucketObject", _UPLOAD, before=(("make", "BucketObject", _UPLOAD),)),
    *_fine("QTA-011", "delete", "Topic", {}, before=(("clear", "Subscription", {}),)),
    *_fine(
        "QTA-011",
        "delete",
        "Topic",
        {},
        before=(("clear", "Subscription", {}), ("change", "Topic", {"deletionPolicy": "DELETE"})),
    ),
    *_fine(
        "REF-001",
        "create",
        "Subscription",
        {"topic": "jobs"},
        {"topic": f"https://pubsub.googleapis.com/v1/{TOPIC}"},
        {"topic": "projects/elsewhere/topics/none"},
    ),
    *_fine("REF-001", "create", "Subnetwork", {"network": "default", "ipCidrRange": "10.3.0.0/24"}),
    *_fine(
        "REF-002",
        "delete",
        "HealthCheck",
        {},
        before=(("make", "HealthCheck", {"name": "http", "httpHealthCheck": {"port": 80}}),),
    ),
)
_IDENTITIES: Final = (
    *_fine("IAM-001", "check", "TopicIAMMember", *_members("allUsers", "allAuthenticatedUsers", _TEAM)),
    *_fine("IAM-002", "check", "TopicIAMMember", *_members("user:deleted@example.com")),
    *_fine(
        "IAM-003",
        "create",
        "TopicIAMMember",
        *_members(
            "user:First.Last+tag@Example.co.uk",
            "domain:example.com",
            "serviceAccount:123-compute@developer.gserviceaccount.com",
            "serviceAccount:elsewhere@appspot.gserviceaccount.com",
            "serviceAccount:elsewhere.svc.id.goog[jobs/worker]",
            f"projectOwner:{PROJECT}",
            f"principal://{_POOL}/github/subject/repo:owner/name:ref:refs/heads/main",
            f"principalSet://{_POOL}/github/attribute.repository_owner/owner",
            f"principalSet://{_POOL}/github/attribute.repository/owner/name",
            f"principalSet://{_POOL}/github/group/team",
            f"principalSet://{_POOL}/github/*",
            f"principal://{_POOL}/elsewhere.svc.id.goog/subject/ns/jobs/sa/worker",
            f"principalSet://{_POOL}/elsewhere.svc.id.goog/namespace/jobs",
            "principalSet://iam.googleapis.com/locations/global/workforcePools/staff/group/team",
            f"principalSet://cloudresourcemanager.googleapis.com/projects/{_NUMBER}/type/ServiceAccount",
        ),
    ),
    *_fine(
        "IAM-008",
        "check",
        "Account",
        *({"accountId": each} for each in ("a12345", "ab-cd-e1", f"a{'b' * 29}")),
    ),
    *_fine(
        "IAM-015",
        "create",
        "IAMMember",
        {"project": PROJECT, "role": "roles/editor", "member": _TEAM},
        {"project": PROJECT, "role": "roles/run.invoker", "member": _TEAM, "condition": _CONDITION},
    ),
    *_fine(
        "IAM-016",
        "create",
        "SecretIamMember",
        {"member": "allUsers"},
        {"member": _TEAM, "condition": _CONDITION},
    ),
    *_fine(
        "IAM-020",
        "create",
        "TopicIAMMember",
        *(
            {**_PUBLISH, "member": _TEAM, "role": role}
            for role in (
                f"projects/{PROJECT}/roles/my.role_1",
                "organizations/1/roles/abc",
                "roles/pubsub.viewer",
            )
        ),
    ),
    *_fine(
        "IAM-027",
        "check",
        "IAMCustomRole",
        *({**_ROLE, "roleId": each} for each in ("abc", "my.Role_1", "a" * 64)),
    ),
    *_fine(
        "WIF-001",
        "check",
        "WorkloadIdentityPool",
        *({"workloadIdentityPoolId": each} for each in ("abcd", "my-gcp-pool", "a" * 32)),
    ),
    *_fine(
        "WIF-005",
        "create",
        "WorkloadIdentityPoolProvider",
        {**_ISSUER, "oidc": {"issuerUri": "https://id.example.com"}},
        {
            **_ISSUER,
            "oidc": {"issuerUri": _SHARED},
            "attributeCondition": "assertion.repository_owner == 'owner'",
        },
    ),
)
_SEALED: Final[dict[str, Any]] = {"role": _ENCRYPT, "member": _PUBSUB}
_KEYS: Final = (
    *_fine("KMS-001", "create", "KeyRing", {"name": "ring-2"}, before=(("delete", "KeyRing", {}),)),
    *_fine(
        "KMS-005", "check", "CryptoKey", *({"rotationPeriod": each} for each in ("86400s", "86400.5s", None))
    ),
    *_fine(
        "KMS-007",
        "create",
        "CryptoKey",
        {"purpose": "ASYMMETRIC_SIGN", "rotationPeriod": None},
        {"purpose": "ENCRYPT_DECRYPT"},
    ),
    *_fine("KMS-010", "create", "KeyRing", *({"name": each} for each in ("My_Ring-1", "r" * 63))),
    *_fine(
        "KMS-014",
        "create",
        "Secret",
        {"replication": {"auto": {"customerManagedEncryption": {"kmsKeyName": _WORLDWIDE}}}},
        before=(
            ("make", "KeyRing", {"name": "ring", "location": "global"}),
            ("make", "CryptoKey", {"name": "all", "keyRing": _WORLDWIDE.partition("/cryptoKeys")[0]}),
            (
                "stand",
                "CryptoKeyIAMMember",
                {
                    "cryptoKeyId": _WORLDWIDE,
                    "role": _ENCRYPT,
                    "member": f"serviceAccount:service-{_NUMBER}@gcp-sa-secretmanager.{_DOMAIN}",
                },
            ),
        ),
    ),
    *_fine(
        "KMS-015",
        "create",
        "Secret",
        {
            "replication": {
                "userManaged": {
                    "replicas": [
                        {"location": "europe-west1", "customerManagedEncryption": {"kmsKeyName": KEY}},
                        {"location": "europe-west4"},
                    ]
                }
            }
        },
        before=(("grant", "secretmanager", {}),),
    ),
    *(
        Case("KMS-020", "create", "Topic", {"kmsKeyName": KEY}, (("stand", name, {**target, **grant}),))
        for name, target, grant in (
            ("CryptoKeyIAMMember", {"cryptoKeyId": KEY}, _SEALED),
            ("KeyRingIAMMember", {"keyRingId": KEY.partition("/cryptoKeys")[0]}, _SEALED),
            ("IAMMember", {"project": PROJECT}, _SEALED),
            ("CryptoKeyIAMBinding", {"cryptoKeyId": KEY}, {"role": _ENCRYPT, "members": [_TEAM, _PUBSUB]}),
            ("ProjectIAMBinding", {"project": PROJECT}, {"role": _ENCRYPT, "members": [_PUBSUB]}),
            (
                "CryptoKeyIAMPolicy",
                {"cryptoKeyId": KEY},
                {"policyData": f'{{"bindings": [{{"role": "{_ENCRYPT}", "members": ["{_PUBSUB}"]}}]}}'},
            ),
        )
    ),
    *_fine(
        "KMS-022",
        "create",
        "Bucket",
        {"encryption": {"defaultKmsKeyName": KEY}},
        {
            "encryption": {
                "defaultKmsKeyName": "projects/elsewhere/locations/europe-west1/keyRings/r/cryptoKeys/k"
            }
        },
        before=(
            (
                "stand",
                "CryptoKeyIAMMember",
                {
                    "cryptoKeyId": KEY,
                    "role": _ENCRYPT,
                    "member": f"serviceAccount:service-{_NUMBER}@gs-project-accounts.{_DOMAIN}",
                },
            ),
        ),
    ),
)
_RANGE: Final = {"ipCidrRange": "10.3.0.0/24"}
_NETWORKS: Final = (
    *_fine("NET-001", "create", "Subnetwork", {"ipCidrRange": "10.1.1.0/24"}, {"ipCidrRange": "10.0.0.0/16"}),
    *_fine(
        "NET-001",
        "create",
        "Subnetwork",
        {"network": f"{RUN}/global/networks/other", "ipCidrRange": "10.1.0.0/24"},
        {"network": "other", "ipCidrRange": "10.1.0.0/24"},
        before=(("make", "Network", {"name": "other"}),),
    ),
    *_fine(
        "NET-004", "create", "Subnetwork", {"ipCidrRange": "10.3.0.8/29"}, {"ipCidrRange": "10.3.0.128/25"}
    ),
    *_fine("NET-005", "update", "Subnetwork", {"ipCidrRange": "10.1.0.0/23"}, {"ipCidrRange": "10.0.0.0/15"}),
    *_fine("NET-009", "check", "Network", {"name": "a"}, {"name": "a-1"}, {"name": f"a{'b' * 62}"}),
    *_fine(
        "NET-010",
        "delete",
        "Network",
        {},
        before=(("clear", "Firewall Router RouterNat Subnetwork GlobalAddress Connection", {}),),
    ),
    *_fine("NET-011", "delete", "Subnetwork", {}, before=(("clear", "Service", {}),)),
    *_fine(
        "NET-012",
        "delete",
        "Subnetwork",
        {},
        before=(
            ("clear", "Service", {}),
            (
                "point",
                "RouterNat",
                {"subnetworks": [{"name": f"{RUN}/regions/europe-west1/subnetworks/other"}]},
            ),
        ),
    ),
    *_fine(
        "NET-018",
        "create",
        "RouterNat",
        {**_LIST, "natIpAllocateOption": "MANUAL_ONLY", "natIps": [_OUT]},
        {**_LIST, "natIpAllocateOption": "MANUAL_ONLY", "initialNatIps": [_OUT]},
        {**_LIST, "natIpAllocateOption": None, "type": "PRIVATE"},
        before=(_ADDRESS,),
    ),
    *_fine("NET-022", "delete", "Address", {}, before=(_ADDRESS,)),
    *_fine(
        "NET-024",
        "update",
        "RouterNat",
        {"enableDynamicPortAllocation": True, "enableEndpointIndependentMapping": False},
        {"enableDynamicPortAllocation": False, "enableEndpointIndependentMapping": True},
    ),
    *_fine("NET-027", "delete", "Router", {}, before=(("clear", "RouterNat", {}),)),
    *_fine(
        "NET-028",
        "check",
        "Firewall",
        {"sourceRanges": None, "sourceTags": ["web"]},
        {"sourceRanges": None, "sourceServiceAccounts": ["a@example.com"]},
        {"sourceRanges": None, "direction": "EGRESS"},
    ),
    *_fine(
        "NET-029",
        "check",
        "Firewall",
        {"enableLogging": False},
        {"logConfig": {"metadata": "INCLUDE_ALL_METADATA"}},
    ),
    *_fine("NET-042", "check", "Subnetwork", _RANGE, {"ipCidrRange": "172.16.0.0/12"}),
    *_fine("DNS-006", "delete", "ManagedZone", {}, before=(("clear", "RecordSet", {}),)),
    *_fine("DNS-006", "delete", "ManagedZone", {}, before=(("tune", "ManagedZone", {"forceDestroy": True}),)),
    *_fine(
        "SVN-001",
        "create",
        "Connection",
        {"service": "other.googleapis.com"},
        {"network": "projects/host/global/networks/main", "reservedPeeringRanges": ["theirs"]},
    ),
    *_fine("SVN-003", "delete", "Connection", {}, before=(("clear", "DatabaseInstance Instance", {}),)),
    *_fine(
        "SVN-006",
        "delete",
        "Network",
        {},
        before=(("clear", "Firewall Router RouterNat Subnetwork GlobalAddress Connection", {}),),
    ),
    *_fine(
        "SVN-008",
        "create",
        "GlobalAddress",
        {"address": "10.21.0.0"},
        {"address": "10.1.1.0", "prefixLength": 24},
    ),
    *_fine(
        "SVN-009",
        "create",
        "GlobalAddress",
        {"address": None, "prefixLength": 20},
        {"purpose": None, "addressType": "EXTERNAL", "address": None, "prefixLength": None, "network": None},
    ),
    *_fine(
        "SVN-010",
        "create",
        "GlobalAddress",
        {"address": "172.31.0.0"},
        {"address": "192.168.0.0"},
        {"address": "10.255.0.0"},
    ),
)

NEIGHBOURS_FOUNDATION: Final = (*_SERVICES, *_IDENTITIES, *_KEYS, *_NETWORKS)

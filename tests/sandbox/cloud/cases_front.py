"""Ways to meet the behaviours of identities, networks, the front door and Cloud Run."""

from __future__ import annotations

from typing import Any, Final

from tests.sandbox.cloud.case import Case
from tests.sandbox.cloud.stage import (
    BAN,
    CONTAINER,
    MAP,
    NEG,
    NETWORK,
    PROJECT,
    RULE,
    RUN,
    SUBNET,
    TOPIC,
)

_MEMBER: Final = {"topic": TOPIC, "role": "roles/pubsub.publisher", "member": "group:team@example.com"}
_SHA_B: Final = "b" * 64
_EMPTY_MAP: Final = f"//certificatemanager.googleapis.com/{RUN}/locations/global/certificateMaps/empty"


def _armor(**changes: Any) -> dict[str, Any]:
    return {"rules": [{**BAN, **changes}, RULE]}


def _limits(**changes: Any) -> dict[str, Any]:
    return _armor(rateLimitOptions={**BAN["rateLimitOptions"], **changes})


def _container(**changes: Any) -> dict[str, Any]:
    return {"template.containers": [{**CONTAINER, **changes}]}


def _size(cpu: str, memory: str) -> dict[str, Any]:
    return _container(resources={"limits": {"cpu": cpu, "memory": memory}})


def _secret_env(secret: str, version: str = "1") -> dict[str, Any]:
    source = {"secretKeyRef": {"secret": secret, "version": version}}
    return _container(envs=[{"name": "KEY", "valueSource": source}])


FRONT: Final = (
    Case(
        "AGT-001",
        "create",
        "TopicIAMMember",
        {**_MEMBER, "member": "serviceAccount:service-{number}@gcp-sa-cloud-sql.iam.gserviceaccount.com"},
    ),
    Case("AGT-010", "create", "ServiceIdentity", {"service": "compute.googleapis.com"}),
    Case("API-001", "create", "Topic", {}, (("services", "", {}),)),
    Case("API-007", "check", "ServiceIdentity", {"service": "run"}),
    Case("ARM-001", "check", "SecurityPolicy", {"rules": [RULE, RULE]}),
    Case("ARM-003", "create", "SecurityPolicy", {"rules": [{**RULE, "action": "deny(413)"}]}),
    Case("ARM-004", "create", "SecurityPolicy", {"rules": [BAN]}),
    Case("ARM-007", "create", "SecurityPolicy", _armor(action="allow")),
    Case(
        "ARM-012", "create", "SecurityPolicy", _limits(rateLimitThreshold={"count": 20000, "intervalSec": 60})
    ),
    Case("ARM-013", "create", "SecurityPolicy", _limits(banDurationSec=700)),
    Case(
        "ARM-019",
        "create",
        "SecurityPolicy",
        _armor(match={"versionedExpr": "SRC_IPS_V1", "config": {"srcIpRanges": []}}),
    ),
    Case("ARM-022", "create", "SecurityPolicy", _armor(match={"expr": {"expression": "true ||\n false"}})),
    Case("ARM-034", "create", "SecurityPolicy", _armor(description="x" * 65)),
    Case(
        "ARM-038", "create", "BackendService", {"edgeSecurityPolicy": f"{RUN}/global/securityPolicies/armor"}
    ),
    Case(
        "ARM-051",
        "create",
        "SecurityPolicy",
        _armor(match={"versionedExpr": "SRC_IPS_V1", "config": {"srcIpRanges": ["10.0.0"]}}),
    ),
    Case("COM-001", "delete", "Folder", {}, (("stand", "Folder", {"deletionProtection": True}),)),
    Case("CRT-001", "create", "Certificate", {"managed": {"domains": ["*.example.com"]}}),
    Case("CRT-009", "create", "CertificateMapEntry", {"hostname": "api.example.com"}),
    Case(
        "CRT-011",
        "create",
        "CertificateMapEntry",
        {"certificates": [f"{RUN}/locations/global/certificates/site"] * 5},
    ),
    Case("CRT-013", "create", "DnsAuthorization", {"domain": "*.example.com"}),
    Case("CRT-015", "create", "CertificateMap", {"name": "1map"}),
    Case(
        "CRT-100",
        "create",
        "TargetHttpsProxy",
        {"certificateMap": _EMPTY_MAP},
        (("make", "CertificateMap", {"name": "empty"}),),
    ),
    Case("IAM-001", "check", "TopicIAMMember", {**_MEMBER, "member": "team@example.com"}),
    Case("IAM-002", "check", "TopicIAMMember", {**_MEMBER, "member": "deleted:user:a@example.com?uid=1"}),
    Case("IAM-003", "create", "TopicIAMMember", {**_MEMBER, "member": "serviceaccount:a@example.com"}),
    Case("IAM-008", "check", "Account", {"accountId": "API"}),
    Case(
        "IAM-015",
        "create",
        "IAMMember",
        {
            "project": PROJECT,
            "role": "roles/editor",
            "member": "group:team@example.com",
            "condition": {"title": "x", "expression": "true"},
        },
    ),
    Case(
        "IAM-016",
        "create",
        "SecretIamMember",
        {"member": "allUsers", "condition": {"title": "x", "expression": "true"}},
    ),
    Case("IAM-020", "create", "TopicIAMMember", {**_MEMBER, "role": "pubsub.publisher"}),
    Case("IAM-027", "check", "IAMCustomRole", {"roleId": "my-role", "title": "x", "permissions": ["a.b.c"]}),
    Case("LB-005", "create", "GlobalForwardingRule", {"ipAddress": "203.0.113.7"}),
    Case("LB-006", "create", "GlobalForwardingRule", {"portRange": "80-443"}),
    Case("LB-007", "create", "BackendService", {"timeoutSec": 30}),
    Case("LB-008", "create", "BackendService", {"healthChecks": f"{RUN}/x"}),
    Case("LB-009", "create", "BackendService", {"backends": [{"group": NEG, "maxRate": 5}]}),
    Case("LB-010", "create", "BackendService", {"portName": "http"}),
    Case("LB-011", "create", "BackendService", {"backends": [{"group": NEG}, {"group": NEG}]}),
    Case("LB-014", "create", "BackendService", {"outlierDetection": {"enforcingSuccessRate": 5}}),
    Case(
        "LB-015",
        "create",
        "BackendService",
        {"outlierDetection": {"consecutiveErrors": 5}, "iap": {"enabled": True}},
    ),
    Case(
        "LB-023",
        "create",
        "RegionNetworkEndpointGroup",
        {"cloudRun": {"service": "api", "urlMask": "<service>"}},
    ),
    Case("LB-026", "create", "URLMap", {"hostRules": [{"hosts": ["a"], "pathMatcher": "none"}]}),
    Case("LB-035", "create", "TargetHttpsProxy", {"certificateMap": None}),
    Case("LB-037", "create", "TargetHttpsProxy", {"certificateMap": MAP}),
    Case("LB-039", "create", "TargetHttpsProxy", {"httpKeepAliveTimeoutSec": 1201}),
    Case("LB-043", "check", "SSLPolicy", {"profile": "CUSTOM"}),
    Case("LB-044", "create", "SSLPolicy", {"minTlsVersion": "TLS_1_3"}),
    Case("LB-053", "create", "BackendService", {"logConfig": {"enable": True, "sampleRate": 2.0}}),
    Case("NET-001", "create", "Subnetwork", {"ipCidrRange": "10.1.0.0/16"}),
    Case("NET-004", "create", "Subnetwork", {"ipCidrRange": "10.3.0.1/24"}),
    Case("NET-005", "update", "Subnetwork", {"ipCidrRange": "10.1.0.0/25"}),
    Case("NET-009", "check", "Network", {"name": "Main"}),
    Case(
        "NET-016",
        "create",
        "RouterNat",
        {},
        (),
        {"sourceSubnetworkIpRangesToNat": "LIST_OF_SUBNETWORKS", "subnetworks": [{"name": SUBNET}]},
    ),
    Case("NET-018", "create", "RouterNat", {"natIpAllocateOption": "MANUAL_ONLY"}),
    Case(
        "NET-024",
        "create",
        "RouterNat",
        {"enableDynamicPortAllocation": True, "enableEndpointIndependentMapping": True},
    ),
    Case("NET-028", "check", "Firewall", {"sourceRanges": None}),
    Case("NET-042", "check", "Subnetwork", {"ipCidrRange": "10.1.0.0"}),
    Case("QTA-007", "create", "Topic", {"name": "jobs"}),
    Case("QTA-011", "delete", "Topic", {}, (("change", "Topic", {"deletionPolicy": "PREVENT"}),)),
    Case("REF-001", "create", "Subscription", {"topic": f"{RUN}/topics/none"}),
    Case(
        "REF-002",
        "delete",
        "HealthCheck",
        {},
        (
            ("make", "HealthCheck", {"name": "http", "httpHealthCheck": {"port": 80}}),
            ("point", "BackendService", {"healthChecks": f"{RUN}/global/healthChecks/http"}),
        ),
    ),
    Case(
        "RUN-001",
        "create",
        "Service",
        {"template.serviceAccount": f"other-runtime@{PROJECT}.iam.gserviceaccount.com"},
        (("make", "Account", {"accountId": "other-runtime"}),),
    ),
    Case("RUN-002", "create", "Service", _secret_env("none")),
    Case("RUN-003", "create", "Service", _secret_env("vendor", "7"), (("release", "", {}),)),
    Case(
        "RUN-004",
        "create",
        "Service",
        {**_size("0.5", "512Mi"), "template.maxInstanceRequestConcurrency": 80},
    ),
    Case("RUN-006", "create", "Service", _size("1", "8Gi")),
    Case("RUN-007", "create", "Service", _size("3", "4Gi")),
    Case("RUN-009", "create", "Service", {"template.maxInstanceRequestConcurrency": 1001}),
    Case(
        "RUN-011", "create", "Service", {"template.scaling": {"minInstanceCount": 3, "maxInstanceCount": 2}}
    ),
    Case(
        "RUN-016",
        "create",
        "Service",
        {
            "template.containers": [
                {**CONTAINER, "name": "a", "ports": {"containerPort": 80}, "dependsOns": ["b"]},
                {**CONTAINER, "name": "b"},
            ]
        },
    ),
    Case(
        "RUN-018",
        "create",
        "Service",
        {"template.containers": [{**CONTAINER, "name": "a"}, {**CONTAINER, "name": "b"}]},
    ),
    Case("RUN-020", "create", "Service", _container(envs=[{"name": "PORT", "value": "80"}])),
    Case(
        "RUN-022",
        "create",
        "Service",
        {"traffics": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 90}]},
    ),
    Case("RUN-027", "create", "Service", {"template.revision": "v1"}),
    Case("RUN-028", "create", "Service", {"name": "a" * 50}),
    Case(
        "RUN-029",
        "create",
        "Service",
        _container(image=f"europe-docker.pkg.dev/{PROJECT}/images/api@sha256:{_SHA_B}"),
        (("release", "", {}),),
    ),
    Case("RUN-032", "create", "Service", _container(image="ghcr.io/team/api:1")),
    Case(
        "RUN-035",
        "create",
        "Service",
        {
            "location": "europe-west4",
            "template.vpcAccess": {"networkInterfaces": [{"network": NETWORK, "subnetwork": SUBNET}]},
        },
    ),
    Case("RUN-054", "create", "Service", {"template.timeout": "3601s"}),
    Case(
        "SVN-001",
        "create",
        "Connection",
        {"service": "other.googleapis.com", "reservedPeeringRanges": ["none"]},
    ),
    Case("SVN-002", "create", "Connection", {}, (), {"service": "other.googleapis.com"}),
    Case("SVN-003", "delete", "Connection", {}),
    Case("SVN-008", "create", "GlobalAddress", {"address": "10.1.0.0"}),
    Case("SVN-009", "create", "GlobalAddress", {"prefixLength": None}),
    Case("SVN-010", "create", "GlobalAddress", {"address": "8.8.0.0"}),
    Case("WIF-001", "check", "WorkloadIdentityPool", {"workloadIdentityPoolId": "gcp-pool"}),
    Case(
        "WIF-005",
        "create",
        "WorkloadIdentityPoolProvider",
        {
            "workloadIdentityPoolId": "github",
            "workloadIdentityPoolProviderId": "github",
            "attributeMapping": {"google.subject": "assertion.sub"},
            "oidc": {"issuerUri": "https://token.actions.githubusercontent.com"},
        },
    ),
)

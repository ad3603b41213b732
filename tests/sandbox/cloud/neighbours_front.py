"""What stands just inside the line of a behaviour: Cloud Armor, load balancing, certificates, Cloud Run."""

from __future__ import annotations

from typing import Any, Final

from tests.sandbox.cloud.case import Case
from tests.sandbox.cloud.stage import (
    ACCOUNT,
    BAN,
    CONTAINER,
    IMAGE,
    MAP,
    NEG,
    NETWORK,
    RULE,
    RUN,
    SECRET,
    SUBNET,
)

Before = tuple[tuple[str, str, dict[str, Any]], ...]

_SITE: Final = f"{RUN}/locations/global/certificates/site"
_FRONT: Final = f"//certificatemanager.googleapis.com/{MAP}"
_SERVICE: Final = f"{RUN}/global/backendServices/api"
_PLAIN: Final = {"action": "deny(403)", "priority": 2000, "match": BAN["match"]}
_WEST4: Final = "europe-west4"
_NEG_4: Final = f"{RUN}/regions/{_WEST4}/networkEndpointGroups/other"
_SECOND_SERVICE: Final[tuple[str, str, dict[str, Any]]] = (
    "make",
    "Service",
    {"name": "api", "location": _WEST4, "template.vpcAccess": None},
)
_SECOND_NEG: Final = ("make", "RegionNetworkEndpointGroup", {"name": "other", "region": _WEST4})
_NONE: Final[dict[str, Any]] = {}


def _fine(id: str, verb: str, name: str, *changes: dict[str, Any], before: Before = ()) -> tuple[Case, ...]:
    return tuple(Case(id, verb, name, each, before) for each in changes)


def _deletable(id: str, name: str, *users: str, before: Before = ()) -> tuple[Case, ...]:
    """Accepted as soon as nothing names it any more."""
    return _fine(id, "delete", name, _NONE, before=(*before, *(("clear", user, _NONE) for user in users)))


def _unlocked(id: str, kind: str, *, switch: str = "deletionProtection", **inputs: Any) -> tuple[Case, ...]:
    return _fine(id, "delete", kind, _NONE, before=(("stand", kind, {**inputs, switch: False}),))


def _armor(**changes: Any) -> dict[str, Any]:
    return {"rules": [{**_PLAIN, **changes}, RULE]}


def _ban(**changes: Any) -> dict[str, Any]:
    return {"rules": [{**BAN, "rateLimitOptions": {**BAN["rateLimitOptions"], **changes}}, RULE]}


def _matches(*ranges: str) -> dict[str, Any]:
    return _armor(match={"versionedExpr": "SRC_IPS_V1", "config": {"srcIpRanges": list(ranges)}})


def _expression(text: str) -> dict[str, Any]:
    return _armor(match={"expr": {"expression": text}})


_THROTTLE: Final = {key: value for key, value in BAN["rateLimitOptions"].items() if key != "banDurationSec"}
_ARMOR: Final = (
    *_fine(
        "ARM-001",
        "check",
        "SecurityPolicy",
        {"rules": [{**_PLAIN, "priority": 2147483646}, RULE]},
        {"rules": [{**_PLAIN, "priority": 0}, RULE]},
    ),
    *_fine("ARM-004", "create", "SecurityPolicy", {"rules": [RULE]}, {"rules": []}),
    *_fine(
        "ARM-007",
        "create",
        "SecurityPolicy",
        _armor(),
        {"rules": [{**BAN, "action": "throttle", "rateLimitOptions": _THROTTLE}, RULE]},
    ),
    *_fine("ARM-013", "create", "SecurityPolicy", _ban(banDurationSec=60), _ban(banDurationSec=3600)),
    *_fine("ARM-019", "create", "SecurityPolicy", _matches("10.0.0.0/8"), _expression("origin.asn == 1")),
    *_fine(
        "ARM-022",
        "create",
        "SecurityPolicy",
        _expression(f"request.path == '{'x' * (2048 - len('request.path == ' + chr(39) * 2))}'"),
    ),
    *_fine("ARM-034", "create", "SecurityPolicy", _armor(description="x" * 64)),
    *_fine(
        "ARM-038",
        "create",
        "BackendService",
        {"securityPolicy": f"{RUN}/global/securityPolicies/armor"},
        {"securityPolicy": None},
    ),
    *_fine("ARM-051", "create", "SecurityPolicy", _matches("10.0.0.1"), _matches("2001:db8::/32")),
    *_deletable("ARM-040", "SecurityPolicy", "BackendService"),
)
_CERTIFICATES: Final = (
    *_fine(
        "CRT-001",
        "create",
        "Certificate",
        {
            "managed": {
                "domains": ["api.example.com", "*.api.example.com"],
                "dnsAuthorizations": [f"{RUN}/locations/global/dnsAuthorizations/site"],
            }
        },
        {"managed": {"domains": ["api.example.com"]}},
    ),
    *_fine(
        "CRT-009",
        "create",
        "CertificateMapEntry",
        {"hostname": "api.example.com", "map": "other"},
        before=(("make", "CertificateMap", {"name": "other"}),),
    ),
    *_fine(
        "CRT-011",
        "create",
        "CertificateMapEntry",
        {"hostname": "api.example.com", "certificates": [_SITE] * 4},
        before=(("clear", "CertificateMapEntry", _NONE),),
    ),
    *_fine("CRT-013", "create", "DnsAuthorization", {"domain": "example.com"}, {"domain": "a.b.example.com"}),
    *_fine("CRT-015", "create", "CertificateMap", {"name": "m1-a"}, {"name": "m"}),
    *_fine(
        "CRT-100",
        "create",
        "TargetHttpsProxy",
        {"certificateMap": _FRONT},
    ),
    *_deletable("CRT-005", "Certificate", "CertificateMapEntry"),
    *_deletable("CRT-006", "CertificateMap", "CertificateMapEntry", "TargetHttpsProxy"),
    *_deletable("CRT-007", "CertificateMap", "TargetHttpsProxy", "CertificateMapEntry"),
    *_deletable("CRT-014", "DnsAuthorization", "Certificate"),
)
_BALANCING: Final = (
    *_fine("LB-001", "update", "URLMap", {"description": "x"}),
    *_fine(
        "LB-001",
        "update",
        "URLMap",
        {"description": "x"},
        before=(("tune", "GlobalForwardingRule", {"loadBalancingScheme": "EXTERNAL"}),),
    ),
    *_fine("LB-005", "create", "GlobalForwardingRule", {"portRange": "80", "ipAddress": "203.0.113.7"}),
    *_fine("LB-006", "create", "GlobalForwardingRule", {"portRange": "443-443"}, {"portRange": "80"}),
    *_fine("LB-007", "create", "BackendService", {"timeoutSec": 30, "backends": []}),
    *_fine("LB-008", "create", "BackendService", {"healthChecks": None}),
    *_fine("LB-009", "create", "BackendService", {"backends": [{"group": NEG, "capacityScaler": 1.0}]}),
    *_fine("LB-010", "create", "BackendService", {"protocol": "HTTP"}, {"protocol": "HTTPS"}),
    *_fine(
        "LB-011",
        "create",
        "BackendService",
        {"backends": [{"group": NEG}, {"group": _NEG_4}]},
        before=(_SECOND_SERVICE, _SECOND_NEG),
    ),
    *_fine("LB-014", "create", "BackendService", {"outlierDetection": {"consecutiveErrors": 5}}),
    *_fine("LB-015", "create", "BackendService", {"outlierDetection": {"consecutiveErrors": 5}}),
    *_fine(
        "LB-023",
        "create",
        "RegionNetworkEndpointGroup",
        {"cloudRun": {"urlMask": "<service>"}},
        {"cloudRun": {"service": "api", "tag": "blue"}},
    ),
    *_fine(
        "LB-026",
        "create",
        "URLMap",
        {
            "hostRules": [{"hosts": ["a"], "pathMatcher": "paths"}],
            "pathMatchers": [{"name": "paths", "defaultService": _SERVICE}],
        },
    ),
    *_fine(
        "LB-035",
        "create",
        "TargetHttpsProxy",
        {
            "certificateMap": None,
            "certificateManagerCertificates": [f"//certificatemanager.googleapis.com/{_SITE}"],
        },
    ),
    *_fine(
        "LB-037",
        "create",
        "TargetHttpsProxy",
        {"certificateMap": _FRONT},
    ),
    *_fine(
        "LB-039",
        "create",
        "TargetHttpsProxy",
        {"httpKeepAliveTimeoutSec": 1200},
        {"httpKeepAliveTimeoutSec": 5},
    ),
    *_fine(
        "LB-043",
        "check",
        "SSLPolicy",
        {"profile": "CUSTOM", "customFeatures": ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]},
    ),
    *_fine("LB-044", "create", "SSLPolicy", {"minTlsVersion": "TLS_1_3", "profile": "RESTRICTED"}),
    *_fine(
        "LB-053",
        "create",
        "BackendService",
        {"logConfig": {"enable": True, "sampleRate": 1.0}},
        {"logConfig": {"enable": True, "sampleRate": 0.0}},
    ),
    *_deletable("LB-019", "BackendService", "URLMap"),
    *_deletable("LB-020", "RegionNetworkEndpointGroup", "BackendService"),
    *_deletable("LB-024", "URLMap", "TargetHttpsProxy"),
    *_deletable("LB-041", "TargetHttpsProxy", "GlobalForwardingRule"),
    *_deletable("LB-042", "GlobalAddress", "Connection", "GlobalForwardingRule"),
    *_deletable("LB-046", "SSLPolicy", "TargetHttpsProxy"),
)


def _container(*changes: dict[str, Any]) -> dict[str, Any]:
    return {"template.containers": [{**CONTAINER, **change} for change in changes]}


def _size(cpu: str, memory: str) -> dict[str, Any]:
    return _container({"resources": {"limits": {"cpu": cpu, "memory": memory}}})


def _secret(name: str, version: str) -> dict[str, Any]:
    source = {"secretKeyRef": {"secret": name, "version": version}}
    return _container({"envs": [{"name": "KEY", "valueSource": source}]})


def _env(name: str) -> dict[str, Any]:
    return _container({"envs": [{"name": name, "value": "x"}]})


def _traffic(*shares: int) -> dict[str, Any]:
    latest = {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"}
    return {
        "traffics": [{**latest, "percent": share, "tag": f"t-{index}"} for index, share in enumerate(shares)]
    }


def _interface(network: str, subnetwork: str) -> dict[str, Any]:
    return {"template.vpcAccess": {"networkInterfaces": [{"network": network, "subnetwork": subnetwork}]}}


_PROBE: Final = {"startupProbe": {"tcpSocket": {"port": 80}}}
_PORT: Final = {"ports": {"containerPort": 80}}
_RELEASED: Final = ("release", "", _NONE)
_PUSHED: Final = ("image", IMAGE, _NONE)
_NIGHTLY: Final[dict[str, Any]] = {"name": "nightly", "location": "europe-west1"}
_RUN: Final = (
    *_fine(
        "RUN-001",
        "create",
        "Service",
        {"template.serviceAccount": f"other-runtime@{ACCOUNT.split('@')[1]}"},
        before=(
            ("make", "Account", {"accountId": "other-runtime"}),
            (
                "make",
                "SecretIamMember",
                {"member": f"serviceAccount:other-runtime@{ACCOUNT.split('@')[1]}"},
            ),
        ),
    ),
    *_fine("RUN-002", "create", "Service", _secret("vendor", "1"), _secret(SECRET, "latest")),
    *_fine("RUN-003", "create", "Service", _secret("vendor", "1"), before=(_RELEASED, _PUSHED)),
    *_fine(
        "RUN-004",
        "create",
        "Service",
        {**_size("0.5", "512Mi"), "template.maxInstanceRequestConcurrency": 1},
        {**_size("1", "512Mi"), "template.maxInstanceRequestConcurrency": 80},
    ),
    *_fine("RUN-006", "create", "Service", _size("1", "4Gi"), _size("2", "8Gi"), _size("8", "32Gi")),
    *_fine("RUN-007", "create", "Service", _size("6", "4Gi"), _size("80m", "128Mi"), _size("8", "4Gi")),
    *_fine(
        "RUN-009",
        "create",
        "Service",
        {"template.maxInstanceRequestConcurrency": 1000},
        {"template.maxInstanceRequestConcurrency": 1},
    ),
    *_fine(
        "RUN-011",
        "create",
        "Service",
        {"template.scaling": {"minInstanceCount": 2, "maxInstanceCount": 2}},
        {"template.scaling": {"minInstanceCount": 3}},
    ),
    *_fine(
        "RUN-016",
        "create",
        "Service",
        _container({"name": "a", **_PORT, "dependsOns": ["b"]}, {"name": "b", **_PROBE}),
    ),
    *_fine("RUN-018", "create", "Service", _container({"name": "a", **_PORT}, {"name": "b"}), _container({})),
    *_fine("RUN-020", "create", "Service", _env("PORTS"), _env("K_OTHER")),
    *_fine("RUN-022", "create", "Service", _traffic(100), _traffic(90, 10), _traffic(99, 1, 0)),
    *_fine("RUN-027", "create", "Service", {"template.revision": "other-v1"}, {"template.revision": None}),
    *_fine("RUN-028", "create", "Service", {"name": "a" * 49}, {"name": "a"}),
    *_fine("RUN-029", "create", "Service", {}, before=(_RELEASED, _PUSHED)),
    *_fine(
        "RUN-032",
        "create",
        "Service",
        _container({"image": "nginx:1"}),
        _container({"image": "docker.io/team/api:1"}),
        _container({"image": "eu.gcr.io/project/api:1"}),
    ),
    *_fine("RUN-035", "create", "Service", _interface(NETWORK, SUBNET), {"template.vpcAccess": None}),
    *_fine("RUN-054", "create", "Service", {"template.timeout": "3600s"}, {"template.timeout": "1s"}),
    *_deletable("RUN-050", "Service", "RegionNetworkEndpointGroup"),
    *_unlocked("RUN-051", "Job", **_NIGHTLY),
    *_unlocked("RUN-052", "WorkerPool", **_NIGHTLY),
    *_unlocked("WFL-006", "Workflow", name="w"),
    *_unlocked("BQ-014", "Table", tableId="t", datasetId="d"),
    *_unlocked("VAL-003", "Valkey", switch="deletionProtectionEnabled", instanceId="v"),
)

NEIGHBOURS_FRONT: Final = (*_ARMOR, *_CERTIFICATES, *_BALANCING, *_RUN)

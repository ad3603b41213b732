"""Ways to meet what documentation and threads say of services, agents, keys, networks and caches."""

from __future__ import annotations

from typing import Any, Final

from sandbox.cloud import World
from tests.sandbox.cloud.case import Case
from tests.sandbox.cloud.stage import KEY, NETWORK, PROJECT, RUN, SECRET, SUBNET, TOPIC

_NUMBER: Final = World().project_number(PROJECT)
_DOMAIN: Final = "iam.gserviceaccount.com"
_STORAGE: Final = f"service-{_NUMBER}@gs-project-accounts.{_DOMAIN}"
_LOGGING: Final = f"service-{_NUMBER}@gcp-sa-logging.{_DOMAIN}"
_ABROAD: Final = f"service-{int(_NUMBER) + 1}@gs-project-accounts.{_DOMAIN}"
_GRANT: Final[dict[str, Any]] = {"topic": TOPIC, "role": "roles/pubsub.publisher"}
_SECRET_GRANT: Final[dict[str, Any]] = {"secretId": SECRET, "role": "roles/secretmanager.secretAccessor"}
_CONDITION: Final[dict[str, Any]] = {
    "title": "x",
    "expression": "request.time < timestamp('2030-01-01T00:00:00Z')",
}
_TEAM: Final = "group:team@example.com"
_ROLE: Final[dict[str, Any]] = {"roleId": "reader", "title": "reader"}
_USED: Final = {"service": "containerregistry.googleapis.com", "disableOnDestroy": True}
_BUILD: Final = {"service": "cloudbuild.googleapis.com"}
_FREE: Final[dict[str, Any]] = {"ipCidrRange": "10.3.0.0/24"}
_PROXY: Final[dict[str, Any]] = {**_FREE, "purpose": "REGIONAL_MANAGED_PROXY"}
_LISTED: Final[dict[str, Any]] = {"sourceSubnetworkIpRangesToNat": "LIST_OF_SUBNETWORKS"}
_MANUAL: Final[dict[str, Any]] = {**_LISTED, "natIpAllocateOption": "MANUAL_ONLY", "subnetworks": []}
_RULE: Final[dict[str, Any]] = {"ruleNumber": 1, "match": "nexthop.hub == 'x'"}
_PRIVATE: Final[dict[str, Any]] = {
    "dnsName": "a.example.com.",
    "visibility": "private",
    "privateVisibilityConfig": {"networks": [{"networkUrl": NETWORK}]},
}
_PEERED: Final[dict[str, Any]] = {"connectMode": "DIRECT_PEERING"}
_NONE_TAKEN: Final[dict[str, Any]] = {**_LISTED, "subnetworks": []}
_LABELS: Final[tuple[tuple[dict[str, Any], dict[str, Any]], ...]] = (
    ({"Team": "x"}, {"team": "x"}),
    ({"team": "Platform"}, {"team": "platform_1-a"}),
    ({"team": "a" * 64}, {"team": "a" * 63}),
    ({"1team": "x"}, {"team1": ""}),
    ({f"l{index}": "" for index in range(65)}, {f"l{index}": "" for index in range(64)}),
)


def _takes(*kinds: str, **more: Any) -> dict[str, Any]:
    return {**_LISTED, "subnetworks": [{"name": SUBNET, "sourceIpRangesToNats": list(kinds), **more}]}


def _secondary(**ranges: str) -> dict[str, Any]:
    listed = [{"rangeName": name, "ipCidrRange": text} for name, text in ranges.items()]
    return {"secondaryIpRanges": listed}


def _pair(id: str, name: str, refused: dict[str, Any], fine: dict[str, Any]) -> Case:
    return Case(id, "create", name, refused, (), fine)


_SERVICES: Final = (
    Case("API-005", "delete", "Enabled", {}, (("stand", "Enabled", _USED), ("make", "Enabled", _BUILD))),
    *(
        _pair("API-009", "Enabled", {"service": f"{name}.googleapis.com"}, {"service": right})
        for name, right in (
            ("cloudsql", "sqladmin.googleapis.com"),
            ("kms", "cloudkms.googleapis.com"),
            ("Run", "run.googleapis.com"),
            ("secretsmanager", "api.endpoints.aiprod-test.cloud.goog"),
            ("resourcemanager", "tasks.googleapis.com"),
        )
    ),
    *(
        _pair(
            "AGT-002", name, {**target, "member": f"serviceAccount:{_STORAGE}"}, {**target, "member": member}
        )
        for name, target in (("TopicIAMMember", _GRANT), ("SecretIamMember", _SECRET_GRANT))
        for member in (_TEAM, f"serviceAccount:{_ABROAD}")
    ),
    _pair(
        "AGT-003",
        "TopicIAMMember",
        {**_GRANT, "member": f"serviceAccount:{_LOGGING}"},
        {**_GRANT, "member": f"serviceAccount:service-1@gcp-sa-logging.{_DOMAIN}"},
    ),
    Case(
        "AGT-004",
        "create",
        "Repository",
        {"location": "europe-west1", "kmsKeyName": KEY},
        (),
        {"location": "europe-west1"},
    ),
    *(
        _pair(
            "AGT-008",
            "TopicIAMMember",
            {**_GRANT, "member": f"serviceAccount:service-{_NUMBER}@{wrong}.{_DOMAIN}"},
            {**_GRANT, "member": f"serviceAccount:service-{_NUMBER}@serverless-robot-prod.{_DOMAIN}"},
        )
        for wrong in ("gcp-sa-redis", "gcp-sa-sql", "gcp-sa-cloudrun")
    ),
    _pair(
        "IAM-018",
        "TopicIAMMember",
        {**_GRANT, "member": _TEAM, "condition": _CONDITION},
        {**_GRANT, "member": _TEAM},
    ),
    *(
        _pair(
            "IAM-029",
            "IAMCustomRole",
            {**_ROLE, "permissions": [wrong]},
            {**_ROLE, "permissions": ["run.jobs.get", "iam.serviceAccounts.actAs", right]},
        )
        for wrong, right in (
            ("run.jobs.*", "pubsub.topics.publish"),
            ("run", "cloudkms.cryptoKeyVersions.useToEncrypt"),
            ("roles/run.invoker", "resourcemanager.projects.get"),
            ("resourcemanager.projects.list", "storage.objects.get"),
            ("resourcemanager.organizations.get", "storage.hmacKeys.create"),
        )
    ),
    Case(
        "IAM-100",
        "check",
        "TopicIAMPolicy",
        {"topic": TOPIC, "policyData": "{"},
        (),
        {"topic": TOPIC, "policyData": "{}"},
    ),
    *(
        _pair(
            "KMS-008",
            "CryptoKey",
            {"rotationPeriod": None, "purpose": purpose, "versionTemplate": {"algorithm": wrong}},
            {"rotationPeriod": None, "purpose": purpose, "versionTemplate": {"algorithm": right}},
        )
        for purpose, wrong, right in (
            ("ENCRYPT_DECRYPT", "RSA_DECRYPT_OAEP_2048_SHA256", "GOOGLE_SYMMETRIC_ENCRYPTION"),
            ("ASYMMETRIC_SIGN", "GOOGLE_SYMMETRIC_ENCRYPTION", "EC_SIGN_P256_SHA256"),
            ("ASYMMETRIC_DECRYPT", "RSA_SIGN_PSS_2048_SHA256", "RSA_DECRYPT_OAEP_3072_SHA256"),
            ("MAC", "AES_256_GCM", "HMAC_SHA256"),
            ("RAW_ENCRYPT_DECRYPT", "HMAC_SHA256", "AES_256_GCM"),
        )
    ),
    *(
        _pair("KMS-011", "KeyRing", {"location": wrong}, {"location": right})
        for wrong, right in (
            ("EU", "europe"),
            ("eu", "eur4"),
            ("europe-west1-b", "europe-west1"),
            ("worldwide", "global"),
            ("US", "us"),
            ("nam", "nam-eur-asia1"),
        )
    ),
    Case(
        "SVN-016",
        "update",
        "Connection",
        {"reservedPeeringRanges": ["more"]},
        (("make", "GlobalAddress", {"name": "more", "address": "10.30.0.0"}),),
        {"reservedPeeringRanges": ["services", "more"]},
    ),
)
_NETWORKS: Final = (
    Case(
        "NET-002",
        "create",
        "Subnetwork",
        {"network": "auto", "ipCidrRange": "10.129.0.0/20"},
        (("make", "Network", {"name": "auto", "autoCreateSubnetworks": True}),),
        {"network": "auto", "ipCidrRange": "10.127.0.0/20"},
    ),
    Case(
        "NET-006",
        "update",
        "Subnetwork",
        _secondary(services="10.40.0.0/20"),
        (("tune", "Subnetwork", _secondary(pods="10.40.0.0/20")),),
        _secondary(pods="10.40.0.0/20", services="10.41.0.0/20"),
    ),
    *(
        _pair("NET-007", "Subnetwork", {**_FREE, **_secondary(**wrong)}, {**_FREE, **_secondary(**right)})
        for wrong, right in (
            ({"pods": "10.3.0.128/25"}, {"pods": "10.3.1.0/25"}),
            (
                {"pods": "10.40.0.0/20", "more": "10.40.0.0/24"},
                {"pods": "10.40.0.0/20", "more": "10.40.16.0/24"},
            ),
            ({"pods": "10.1.0.0/25"}, {"pods": "10.1.1.0/25"}),
            ({"pods": "10.20.128.0/20"}, {"pods": "10.21.0.0/20"}),
        )
    ),
    Case(
        "NET-007",
        "create",
        "Subnetwork",
        {**_FREE, **_secondary(pods="10.50.0.0/20")},
        (("stand", "Route", {"name": "onward", "network": NETWORK, "destRange": "10.50.0.0/16"}),),
        {**_FREE, **_secondary(pods="10.51.0.0/20")},
    ),
    _pair("NET-013", "Subnetwork", _PROXY, {**_PROXY, "role": "ACTIVE"}),
    Case(
        "NET-013",
        "create",
        "Subnetwork",
        {**_PROXY, "role": "ACTIVE"},
        (
            (
                "make",
                "Subnetwork",
                {
                    "name": "proxies",
                    "ipCidrRange": "10.4.0.0/24",
                    "purpose": "REGIONAL_MANAGED_PROXY",
                    "role": "ACTIVE",
                },
            ),
        ),
        {**_PROXY, "role": "BACKUP"},
    ),
    *(
        Case("NET-017", "create", "RouterNat", wrong, (("tune", "RouterNat", standing),), right)
        for standing, wrong, right in (
            (_takes("ALL_IP_RANGES"), _takes("PRIMARY_IP_RANGE"), _NONE_TAKEN),
            (
                _takes("PRIMARY_IP_RANGE"),
                _takes("PRIMARY_IP_RANGE"),
                _takes("LIST_OF_SECONDARY_IP_RANGES", secondaryIpRangeNames=["pods"]),
            ),
        )
    ),
    *(
        Case(
            "NET-019",
            "create",
            "RouterNat",
            {**_MANUAL, "natIps": [f"{RUN}/{wrong}"]},
            (
                ("make", "Address", {"name": "out", "region": "europe-west1"}),
                ("make", "Address", {"name": "away", "region": "europe-west4"}),
                ("make", "Address", {"name": "in", "region": "europe-west1", "addressType": "INTERNAL"}),
            ),
            {**_MANUAL, "natIps": [f"{RUN}/regions/europe-west1/addresses/out"]},
        )
        for wrong in (
            "regions/europe-west4/addresses/away",
            "regions/europe-west1/addresses/in",
            "global/addresses/services",
        )
    ),
    Case(
        "NET-019",
        "create",
        "RouterNat",
        {**_MANUAL, "natIps": [f"{RUN}/regions/europe-west1/addresses/out"]},
        (
            ("make", "Address", {"name": "out", "region": "europe-west1"}),
            ("make", "Address", {"name": "two", "region": "europe-west1"}),
            (
                "tune",
                "RouterNat",
                {
                    "natIpAllocateOption": "MANUAL_ONLY",
                    "natIps": [f"{RUN}/regions/europe-west1/addresses/out"],
                },
            ),
        ),
        {**_MANUAL, "natIps": [f"{RUN}/regions/europe-west1/addresses/two"]},
    ),
    _pair(
        "NET-025",
        "RouterNat",
        {**_LISTED, "subnetworks": [], "type": "PRIVATE", "rules": [_RULE]},
        {
            **_LISTED,
            "subnetworks": [],
            "type": "PRIVATE",
            "rules": [{**_RULE, "action": {"sourceNatActiveRanges": [SUBNET]}}],
        },
    ),
    Case(
        "DNS-009",
        "create",
        "ManagedZone",
        _PRIVATE,
        (("make", "ManagedZone", {**_PRIVATE, "name": "first"}),),
        {**_PRIVATE, "dnsName": "b.example.com."},
    ),
    *(
        _pair(
            "RED-008",
            "Instance",
            {**_PEERED, "authorizedNetwork": NETWORK, "reservedIpRange": wrong},
            {**_PEERED, "authorizedNetwork": NETWORK, "reservedIpRange": right},
        )
        for wrong, right in (("10.1.0.0/29", "10.1.1.0/29"), ("10.20.0.0/28", "10.21.0.0/28"))
    ),
    *(
        _pair("RED-012", "Instance", {"redisConfigs": wrong}, {"redisConfigs": right})
        for wrong, right in (
            ({"maxmemory-policy": "allkeys-ttl"}, {"maxmemory-policy": "allkeys-lru"}),
            ({"maxmemory": "4gb"}, {"maxmemory-gb": "4"}),
            ({"maxmemory-gb": "6"}, {"maxmemory-gb": "4.5"}),
            ({"activedefrag": "true"}, {"activedefrag": "yes"}),
            ({"maxmemory_policy": "noeviction"}, {"maxmemory-policy": "noeviction"}),
            ({"notify-keyspace-events": "Q"}, {"notify-keyspace-events": "KEA"}),
        )
    ),
    *(_pair("QTA-010", "Topic", {"labels": wrong}, {"labels": right}) for wrong, right in _LABELS),
)

DOCUMENTED: Final = (*_SERVICES, *_NETWORKS)

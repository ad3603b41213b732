"""Ways to meet what the provider's code and documentation refuse."""

from __future__ import annotations

from typing import Any, Final

from sandbox.cloud import World
from tests.sandbox.cloud.case import Case
from tests.sandbox.cloud.stage import KEY, NETWORK, PROJECT, RUN

_FIRST: Final = f"{RUN}/regions/europe-west1/addresses/first"
_SECOND: Final = f"{RUN}/regions/europe-west1/addresses/second"
_MANUAL: Final[dict[str, Any]] = {"natIpAllocateOption": "MANUAL_ONLY", "natIps": [_FIRST, _SECOND]}
_MADE: Final = (
    ("make", "Address", {"name": "first", "region": "europe-west1"}),
    ("make", "Address", {"name": "second", "region": "europe-west1"}),
)
_ALONE: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (*_MADE, ("clear", "RouterNat", {}))
_USED: Final = (*_MADE, ("tune", "RouterNat", _MANUAL))
_DYNAMIC: Final[dict[str, Any]] = {
    "enableDynamicPortAllocation": True,
    "enableEndpointIndependentMapping": False,
}
_IP: Final = "settings.ipConfiguration"
_MYSQL: Final[dict[str, Any]] = {"databaseVersion": "MYSQL_8_0", "settings.databaseFlags": None}
_REPLICA: Final[dict[str, Any]] = {"masterInstanceName": "other", "instanceType": "READ_REPLICA_INSTANCE"}
_IMPLIED: Final[dict[str, Any]] = {"masterInstanceName": "other", "settings.backupConfiguration": None}
_PROMOTED: Final[dict[str, Any]] = {"instanceType": "CLOUD_SQL_INSTANCE"}
_PEERED: Final[dict[str, Any]] = {"connectMode": "DIRECT_PEERING"}
_READ: Final[dict[str, Any]] = {**_PEERED, "readReplicasMode": "READ_REPLICAS_ENABLED"}
_AGENT: Final = f"service-{World().project_number(PROJECT)}@gs-project-accounts.iam.gserviceaccount.com"
_SEALED: Final = (
    (
        "stand",
        "CryptoKeyIAMMember",
        {
            "cryptoKeyId": KEY,
            "role": "roles/cloudkms.cryptoKeyEncrypterDecrypter",
            "member": f"serviceAccount:{_AGENT}",
        },
    ),
)
_FOREIGN: Final = "projects/host/global/networks/main"

PROVIDER_RULES: Final = (
    Case(
        "API-008",
        "check",
        "Enabled",
        {"service": "bigquery-json.googleapis.com"},
        fine={"service": "bigquery.googleapis.com"},
    ),
    Case(
        "KMS-013",
        "create",
        "Bucket",
        {"location": "EU", "encryption": {"defaultKmsKeyName": KEY}},
        _SEALED,
        {"encryption": {"defaultKmsKeyName": KEY}},
    ),
    Case(
        "KMS-013",
        "update",
        "Bucket",
        {"encryption": {"defaultKmsKeyName": KEY.replace("europe-west1", "global")}},
        _SEALED,
        {"encryption": {"defaultKmsKeyName": KEY}},
    ),
    # Which key fits a pair of one's own is not published, so none is refused.
    Case(
        "KMS-013",
        "create",
        "Bucket",
        {"location": "EUR4", "encryption": {"defaultKmsKeyName": KEY}},
        _SEALED,
        {
            "location": "EU",
            "customPlacementConfig": {"dataLocations": ["EUROPE-WEST1", "EUROPE-WEST4"]},
            "encryption": {"defaultKmsKeyName": KEY},
        },
    ),
    Case(
        "SQL-011",
        "check",
        "DatabaseInstance",
        _MYSQL,
        fine={**_MYSQL, "settings.backupConfiguration": {"enabled": True, "binaryLogEnabled": True}},
    ),
    Case(
        "SQL-028",
        "create",
        "DatabaseInstance",
        {_IP: {"pscConfigs": [{"pscEnabled": True}]}},
        fine={_IP: {"ipv4Enabled": False, "pscConfigs": [{"pscEnabled": True}]}},
    ),
    Case(
        "SQL-029",
        "create",
        "DatabaseInstance",
        {
            _IP: {
                "ipv4Enabled": False,
                "pscConfigs": [
                    {
                        "pscEnabled": True,
                        "networkAttachmentUri": f"{RUN}/regions/europe-west1/networkAttachments/it",
                    }
                ],
            }
        },
        fine={_IP: {"ipv4Enabled": False, "pscConfigs": [{"pscEnabled": True}]}},
    ),
    Case(
        "SQL-050",
        "update",
        "DatabaseInstance",
        {**_REPLICA, **_PROMOTED},
        (("tune", "DatabaseInstance", _REPLICA),),
        _PROMOTED,
    ),
    Case(
        "SQL-051",
        "update",
        "DatabaseInstance",
        {**_PROMOTED, "replicaConfiguration": {"failoverTarget": False}},
        (("tune", "DatabaseInstance", _REPLICA),),
        _PROMOTED,
    ),
    Case(
        "SQL-050",
        "update",
        "DatabaseInstance",
        {**_IMPLIED, **_PROMOTED},
        (("tune", "DatabaseInstance", _IMPLIED),),
        {**_PROMOTED, "settings.backupConfiguration": None},
    ),
    Case(
        "NET-020",
        "create",
        "RouterNat",
        {**_MANUAL, "drainNatIps": [_FIRST]},
        _ALONE,
        _MANUAL,
    ),
    Case(
        "NET-021",
        "update",
        "RouterNat",
        {**_MANUAL, "drainNatIps": [_FIRST]},
        _USED,
        {**_MANUAL, "natIps": [_SECOND], "drainNatIps": [_FIRST]},
    ),
    # The provider compares addresses by their names, however they are spelt.
    Case(
        "NET-021",
        "update",
        "RouterNat",
        {**_MANUAL, "natIps": [_SECOND], "drainNatIps": [f"{RUN}/regions/europe-west1/addresses/third"]},
        (*_USED, ("make", "Address", {"name": "third", "region": "europe-west1"})),
        {**_MANUAL, "natIps": [_SECOND], "drainNatIps": [f"https://www.googleapis.com/compute/v1/{_FIRST}"]},
    ),
    Case(
        "NET-026",
        "check",
        "Router",
        {"bgp": {"asn": 64514, "advertisedGroups": ["ALL_SUBNETS"]}},
        fine={"bgp": {"asn": 64514, "advertiseMode": "CUSTOM", "advertisedGroups": ["ALL_SUBNETS"]}},
    ),
    Case(
        "RED-004",
        "create",
        "Instance",
        {**_READ, "reservedIpRange": "10.50.0.0/29"},
        fine={**_READ, "reservedIpRange": "10.50.0.0/28"},
    ),
    Case(
        "RED-007",
        "create",
        "Instance",
        {**_PEERED, "authorizedNetwork": _FOREIGN},
        fine={**_PEERED, "authorizedNetwork": NETWORK},
    ),
    Case(
        "NET-014",
        "create",
        "Subnetwork",
        {"purpose": "PRIVATE_SERVICE_CONNECT", "logConfig": {"flowSampling": 0.5}},
        fine={"purpose": "PRIVATE_SERVICE_CONNECT"},
    ),
    Case(
        "NET-023",
        "update",
        "RouterNat",
        {**_DYNAMIC, "minPortsPerVm": 100},
        fine={**_DYNAMIC, "minPortsPerVm": 128, "maxPortsPerVm": 4096},
    ),
    Case("NET-023", "update", "RouterNat", {"maxPortsPerVm": 4096}, fine={"minPortsPerVm": 100}),
    Case(
        "DNS-010",
        "update",
        "ManagedZone",
        {"dnssecConfig": {"state": "on", "nonExistence": "nsec"}},
        (("tune", "ManagedZone", {"dnssecConfig": {"state": "on", "nonExistence": "nsec3"}}),),
        {"dnssecConfig": {"state": "off", "nonExistence": "nsec"}},
    ),
    Case(
        "DNS-010",
        "update",
        "ManagedZone",
        {"dnssecConfig": {"state": "transfer", "nonExistence": "nsec"}},
        (("tune", "ManagedZone", {"dnssecConfig": {"state": "on"}}),),
        {"dnssecConfig": {"state": "transfer", "nonExistence": "nsec3"}},
    ),
)

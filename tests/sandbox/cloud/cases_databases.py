"""Ways to meet what documentation and threads say of Cloud SQL."""

from __future__ import annotations

from typing import Any, Final

from tests.sandbox.cloud.case import Case
from tests.sandbox.cloud.stage import RUN

_IP: Final = "settings.ipConfiguration"
_REPLICA: Final[dict[str, Any]] = {
    "name": "replica",
    "masterInstanceName": "primary",
    "settings.backupConfiguration": None,
    "settings.databaseFlags": None,
}
_PLUS: Final[dict[str, Any]] = {
    "settings.edition": "ENTERPRISE_PLUS",
    "settings.tier": "db-perf-optimized-N-2",
}
_ASLEEP: Final[dict[str, Any]] = {"settings.activationPolicy": "NEVER"}
_ZONES: Final[dict[str, Any]] = {"zone": "europe-west1-b", "secondaryZone": "europe-west1-c"}


def _sql(id: str, refused: dict[str, Any], fine: dict[str, Any]) -> Case:
    return Case(id, "create", "DatabaseInstance", refused, (), fine)


def _freeze(begin: str, end: str) -> dict[str, Any]:
    return {"settings.denyMaintenancePeriod": {"startDate": begin, "endDate": end, "time": "00:00:00"}}


DATABASES: Final = (
    Case(
        "SQL-017",
        "create",
        "DatabaseInstance",
        {**_REPLICA, "settings.diskSize": 20},
        (("tune", "DatabaseInstance", {"settings.diskSize": 50}),),
        {**_REPLICA, "settings.diskSize": 50, "settings.tier": "db-custom-1-3840"},
    ),
    Case(
        "SQL-026",
        "create",
        "DatabaseInstance",
        {},
        (
            ("services", "", {}),
            ("stand", "Enabled", {"service": "sqladmin.googleapis.com"}),
        ),
        {_IP: {"ipv4Enabled": True}},
    ),
    _sql("SQL-032", {f"{_IP}.allocatedIpRange": "other"}, {f"{_IP}.allocatedIpRange": "services"}),
    *(
        _sql(
            "SQL-033",
            {_IP: {"ipv4Enabled": True, "authorizedNetworks": [{"value": wrong}]}},
            {_IP: {"ipv4Enabled": True, "authorizedNetworks": [{"value": right}]}},
        )
        for wrong, right in (
            ("10.0.0.0/8", "11.0.0.0/8"),
            ("172.31.0.0/16", "172.32.0.0/16"),
            ("192.168.1.1/32", "203.0.113.7/32"),
            ("10.1.2.3", "203.0.113.7"),
        )
    ),
    Case(
        "SQL-049",
        "update",
        "DatabaseInstance",
        {"databaseVersion": "POSTGRES_18"},
        (("make", "DatabaseInstance", _REPLICA),),
        {"databaseVersion": "POSTGRES_18", "includeReplicasForMajorVersionUpgrade": True},
    ),
    *(
        _sql("SQL-056", _freeze(*wrong), _freeze(*right))
        for wrong, right in (
            (("2026-11-01", "2027-02-28"), ("2026-11-01", "2027-01-30")),
            (("2026-11-20", "2026-11-10"), ("2026-11-10", "2026-11-20")),
            (("2026-11-20", "12-10"), ("11-20", "01-10")),
            (("02-01", "06-01"), ("12-01", "02-28")),
            (("soon", "later"), ("2026-1-01", "2026-1-15")),
        )
    ),
    *(
        _sql("SQL-057", wrong, right)
        for wrong, right in (
            (
                {"settings.locationPreference": {"zone": "europe-west4-b"}},
                {"settings.locationPreference": {"zone": "europe-west1-b"}},
            ),
            (
                {"settings.locationPreference": _ZONES},
                {"settings.locationPreference": _ZONES, "settings.availabilityType": "REGIONAL"},
            ),
            (
                {
                    "settings.locationPreference": {**_ZONES, "secondaryZone": "europe-west1-b"},
                    "settings.availabilityType": "REGIONAL",
                },
                {"settings.locationPreference": _ZONES, "settings.availabilityType": "REGIONAL"},
            ),
        )
    ),
    _sql(
        "SQL-058",
        {**_REPLICA, "instanceType": "READ_POOL_INSTANCE", "nodeCount": 2},
        {**_REPLICA, "instanceType": "READ_REPLICA_INSTANCE"},
    ),
    Case(
        "SQL-058",
        "create",
        "DatabaseInstance",
        {**_REPLICA, **_PLUS, "instanceType": "READ_POOL_INSTANCE", "nodeCount": 21},
        (("tune", "DatabaseInstance", _PLUS),),
        {**_REPLICA, **_PLUS, "instanceType": "READ_POOL_INSTANCE", "nodeCount": 20},
    ),
    _sql(
        "SQL-063",
        {
            f"{_IP}.serverCaMode": "GOOGLE_MANAGED_INTERNAL_CA",
            f"{_IP}.serverCertificateRotationMode": "AUTOMATIC_ROTATION_DURING_MAINTENANCE",
        },
        {
            f"{_IP}.serverCaMode": "GOOGLE_MANAGED_CAS_CA",
            f"{_IP}.serverCertificateRotationMode": "AUTOMATIC_ROTATION_DURING_MAINTENANCE",
        },
    ),
    _sql(
        "SQL-064",
        {f"{_IP}.serverCaMode": "CUSTOMER_MANAGED_CAS_CA"},
        {
            f"{_IP}.serverCaMode": "CUSTOMER_MANAGED_CAS_CA",
            f"{_IP}.serverCaPool": f"{RUN}/locations/europe-west1/caPools/own",
        },
    ),
    _sql(
        "SQL-065",
        {"replicationCluster": {"failoverDrReplicaName": "other"}},
        {**_PLUS, "replicationCluster": {"failoverDrReplicaName": "other"}},
    ),
    _sql(
        "SQL-065",
        {
            _IP: {
                "ipv4Enabled": False,
                "pscConfigs": [{"pscEnabled": True, "pscWriteEndpointDnsEnabled": True}],
            }
        },
        {
            _IP: {
                "ipv4Enabled": False,
                "pscConfigs": [{"pscEnabled": True, "pscWriteEndpointDnsEnabled": False}],
            }
        },
    ),
    *(
        Case("SQL-082", verb, name, {}, (("tune", "DatabaseInstance", _ASLEEP),))
        for verb in ("create", "update", "delete")
        for name in ("User", "Database")
    ),
    Case("SQL-083", "update", "DatabaseInstance", {}, (("behind", "DatabaseInstance", _ASLEEP),)),
    _sql("SQL-084", {**_REPLICA, **_ASLEEP}, _REPLICA),
    _sql("QTA-010", {"settings.userLabels": {"Team": "x"}}, {"settings.userLabels": {"équipe": "é"}}),
)

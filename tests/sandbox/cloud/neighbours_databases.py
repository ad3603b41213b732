"""What stands just inside the line of a behaviour, and must be accepted: databases and caches."""

from __future__ import annotations

from typing import Any, Final

from sandbox.cloud import World
from tests.sandbox.cloud.case import Case
from tests.sandbox.cloud.stage import ACCOUNT, KEY, NETWORK, PROJECT, RUN

_NUMBER: Final = World().project_number(PROJECT)
_IP: Final = "settings.ipConfiguration"
_BACKUP: Final = "settings.backupConfiguration"
_PLUS: Final[dict[str, Any]] = {
    "settings.edition": "ENTERPRISE_PLUS",
    "settings.tier": "db-perf-optimized-N-2",
}
_MYSQL: Final[dict[str, Any]] = {
    "databaseVersion": "MYSQL_8_0",
    "settings.databaseFlags": None,
    _BACKUP: {"enabled": True, "binaryLogEnabled": True},
}
_REPLICA: Final[dict[str, Any]] = {
    "name": "replica",
    "masterInstanceName": "primary",
    _BACKUP: None,
    "settings.databaseFlags": None,
}
_READ: Final[dict[str, Any]] = {"readReplicasMode": "READ_REPLICAS_ENABLED"}
_PEERED: Final[dict[str, Any]] = {"connectMode": "DIRECT_PEERING"}
_LONE: Final = ("make", "Network", {"name": "lone"})
_WEST4: Final = KEY.replace("europe-west1", "europe-west4")
_POLICY: Final = {
    "enablePasswordPolicy": True,
    "minLength": 16,
    "complexity": "COMPLEXITY_DEFAULT",
    "disallowUsernameSubstring": True,
}

Before = tuple[tuple[str, str, dict[str, Any]], ...]


def _sql(id: str, *changes: dict[str, Any], verb: str = "create", before: Before = ()) -> tuple[Case, ...]:
    return tuple(Case(id, verb, "DatabaseInstance", each, before) for each in changes)


def _user(id: str, *changes: dict[str, Any], verb: str = "create", before: Before = ()) -> tuple[Case, ...]:
    return tuple(Case(id, verb, "User", {"name": "second", **each}, before) for each in changes)


def _redis(id: str, *changes: dict[str, Any], verb: str = "create", before: Before = ()) -> tuple[Case, ...]:
    return tuple(Case(id, verb, "Instance", each, before) for each in changes)


def _tiers(*tiers: str) -> list[dict[str, Any]]:
    return [{"settings.tier": tier} for tier in tiers]


_BUILT_IN: Final[dict[str, Any]] = {"type": "BUILT_IN", "password": "Long-Enough-9-Words"}
_ON_MYSQL: Final = ("make", "DatabaseInstance", {"name": "mysql", **_MYSQL})
_INSTANCES: Final = (
    *_sql(
        "SQL-001",
        {**_PLUS, "settings.edition": None},
        {"databaseVersion": "POSTGRES_15", "settings.edition": None},
    ),
    *_sql("SQL-002", _PLUS, {**_PLUS, "settings.tier": "db-c4a-highmem-4"}),
    *_sql("SQL-003", *_tiers("db-f1-micro", "db-g1-small", "db-custom-4-16384")),
    *_sql("SQL-004", _REPLICA),
    *_sql("SQL-004", {**_REPLICA, **_PLUS}, before=(("tune", "DatabaseInstance", _PLUS),)),
    *_sql(
        "SQL-005", *_tiers("db-custom-1-3840", "db-custom-4-3840", "db-custom-4-26624", "db-custom-96-368640")
    ),
    *_sql(
        "SQL-006",
        *({f"{_BACKUP}.transactionLogRetentionDays": days} for days in (1, 7)),
        {**_PLUS, f"{_BACKUP}.transactionLogRetentionDays": 35},
    ),
    *_sql(
        "SQL-009",
        {**_PLUS, "settings.dataCacheConfig": {"dataCacheEnabled": True}},
        {"settings.dataCacheConfig": {"dataCacheEnabled": False}},
        {**_PLUS, "settings.connectionPoolConfigs": [{"connectionPoolingEnabled": True}]},
        {"settings.connectionPoolConfigs": [{"connectionPoolingEnabled": False}]},
    ),
    *_sql(
        "SQL-010",
        {"settings.availabilityType": "REGIONAL"},
        {**_REPLICA, "settings.availabilityType": "REGIONAL"},
        {**_MYSQL, "settings.availabilityType": "REGIONAL"},
        {"settings.availabilityType": "ZONAL", f"{_BACKUP}.pointInTimeRecoveryEnabled": False},
    ),
    *_sql("SQL-012", _MYSQL, {f"{_BACKUP}.binaryLogEnabled": False}),
    *_sql("SQL-013", {**_REPLICA, _BACKUP: {"enabled": False}}),
    *_sql("SQL-015", _REPLICA),
    *_sql(
        "SQL-015", {**_REPLICA, **_MYSQL, _BACKUP: None, "masterInstanceName": "mysql"}, before=(_ON_MYSQL,)
    ),
    *_sql("SQL-016", {**_REPLICA, "databaseVersion": "POSTGRES_17"}),
    *_sql(
        "SQL-021",
        {
            "settings.databaseFlags": [
                {"name": "log_lock_waits", "value": "on"},
                {"name": "log_checkpoints", "value": "on"},
            ]
        },
    ),
    *_sql("SQL-023", {"name": "a"}, {"name": "a-1"}, {"name": f"a{'b' * 85}"}),
    *_sql(
        "SQL-024",
        {f"{_IP}.privateNetwork": f"https://www.googleapis.com/compute/v1/{NETWORK}"},
        {f"{_IP}.privateNetwork": "projects/host/global/networks/shared"},
    ),
    *_sql(
        "SQL-027",
        {_IP: {"ipv4Enabled": True}},
        {_IP: {"ipv4Enabled": False, "pscConfigs": [{"pscEnabled": True}]}},
        {_IP: None},
    ),
    *_sql("SQL-030", {f"{_IP}.ipv4Enabled": True}, verb="update"),
    *_sql(
        "SQL-031",
        *(
            {f"{_IP}.privateNetwork": text}
            for text in (
                NETWORK,
                f"https://www.googleapis.com/compute/v1/{NETWORK}",
                f"//compute.googleapis.com/{NETWORK}",
            )
        ),
        verb="check",
    ),
    *_sql("SQL-034", {}, verb="delete"),
    *_sql(
        "SQL-035",
        {},
        verb="delete",
        before=(("tune", "DatabaseInstance", {"settings.deletionProtectionEnabled": False}),),
    ),
    *_sql("SQL-036", {}, verb="delete"),
    *_sql("SQL-047", {"settings.diskSize": 10}),
    *_sql("SQL-048", {"databaseVersion": "POSTGRES_18"}, {"databaseVersion": "POSTGRES_17"}, verb="update"),
    *_sql(
        "SQL-066",
        {**_REPLICA, "masterInstanceName": "keyed", "encryptionKeyName": None},
        {**_REPLICA, "masterInstanceName": "keyed", "region": "europe-west4", "encryptionKeyName": _WEST4},
        before=(
            ("grant", "sqladmin", {}),
            ("make", "DatabaseInstance", {"name": "keyed", "encryptionKeyName": KEY}),
            ("make", "KeyRing", {"name": "ring", "location": "europe-west4"}),
            ("make", "CryptoKey", {"name": "all", "keyRing": _WEST4.partition("/cryptoKeys")[0]}),
            (
                "stand",
                "IAMMember",
                {
                    "project": PROJECT,
                    "role": "roles/cloudkms.cryptoKeyEncrypterDecrypter",
                    "member": f"serviceAccount:service-{_NUMBER}@gcp-sa-cloud-sql.iam.gserviceaccount.com",
                },
            ),
        ),
    ),
    *_sql("KMS-012", {"encryptionKeyName": KEY}, before=(("grant", "sqladmin", {}),)),
    *_sql("SQL-068", *({f"{_BACKUP}.startTime": each} for each in ("00:00", "23:59"))),
    Case("SQL-039", "create", "Database", {"name": "second"}),
    *_user("SQL-040", {"instance": "mysql", "host": "%", **_BUILT_IN}, verb="check", before=(_ON_MYSQL,)),
    *_user("SQL-040", _BUILT_IN, verb="check"),
    *_user("SQL-041", _BUILT_IN, {"type": "CLOUD_IAM_USER", "name": "someone@example.com"}),
    *_user(
        "SQL-042",
        {"name": "worker@aiprod-test.iam"},
        {"name": "someone@example.com", "type": "CLOUD_IAM_USER"},
    ),
    *_user(
        "SQL-043",
        {"instance": "plain", **_BUILT_IN},
        before=(("make", "DatabaseInstance", {"name": "plain", "settings.databaseFlags": None}),),
    ),
    *_user(
        "SQL-043",
        {"instance": "mysql", "name": ACCOUNT},
        before=(
            (
                "make",
                "DatabaseInstance",
                {
                    "name": "mysql",
                    **_MYSQL,
                    "settings.databaseFlags": [{"name": "cloudsql_iam_authentication", "value": "on"}],
                },
            ),
        ),
    ),
    *_user(
        "SQL-069",
        _BUILT_IN,
        before=(("change", "DatabaseInstance", {"settings.passwordValidationPolicy": _POLICY}),),
    ),
)
_CACHES: Final = (
    *_redis(
        "RED-001",
        {"tier": "BASIC"},
        {"tier": "BASIC", "replicaCount": 0, "readReplicasMode": "READ_REPLICAS_DISABLED"},
        {"replicaCount": 1},
    ),
    *_redis("RED-002", {**_READ, "replicaCount": 5}, {"replicaCount": 1}),
    *_redis("RED-003", {**_READ, "memorySizeGb": 5}, {"memorySizeGb": 1}),
    *_redis(
        "RED-005",
        {"reservedIpRange": "services"},
        {**_PEERED, "reservedIpRange": "10.60.0.0/29"},
    ),
    *_redis("RED-006", {**_PEERED, "authorizedNetwork": f"{RUN}/global/networks/lone"}, before=(_LONE,)),
    *_redis("RED-010", *({"redisVersion": f"REDIS_{each}"} for each in ("5_0", "6_X", "7_0", "7_2"))),
    *_redis("RED-011", {"redisVersion": "REDIS_7_2"}, verb="update"),
    *_redis(
        "RED-011",
        {"redisVersion": "REDIS_7_0"},
        verb="update",
        before=(("tune", "Instance", {"redisVersion": "REDIS_6_X"}),),
    ),
    *_redis("RED-016", {}, verb="delete"),
    *_redis("RED-017", {"name": "ab"}, {"name": f"a{'b' * 39}"}, verb="check"),
    *_redis(
        "RED-019",
        {"persistenceConfig": {"persistenceMode": "RDB", "rdbSnapshotPeriod": "ONE_HOUR"}},
        {"persistenceConfig": {"persistenceMode": "DISABLED"}},
    ),
)

_AWAKE: Final[dict[str, Any]] = {"settings.activationPolicy": "ALWAYS"}
_ASLEEP: Final[dict[str, Any]] = {"settings.activationPolicy": "NEVER"}
_SLEEPING: Final = (
    Case("SQL-082", "create", "Database", {}, (("tune", "DatabaseInstance", _AWAKE),)),
    # Both sides know that it is stopped, or that it runs.
    Case("SQL-083", "update", "DatabaseInstance", _ASLEEP, (("tune", "DatabaseInstance", _ASLEEP),)),
    Case("SQL-083", "update", "DatabaseInstance", {}, (("behind", "DatabaseInstance", _AWAKE),)),
)

NEIGHBOURS_DATABASES: Final = (*_INSTANCES, *_SLEEPING, *_CACHES)

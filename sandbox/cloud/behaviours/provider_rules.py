"""What the provider's own code refuses by comparing fields or by comparing with what stands."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import as_list
from sandbox.cloud.paths import canonical

_SQL: Final = "gcp:sql/databaseInstance:DatabaseInstance"
_NAT: Final = "gcp:compute/routerNat:RouterNat"
_REDIS: Final = "gcp:redis/instance:Instance"
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_REASON: Final = "INVALID_ARGUMENT"
_PROVIDER: Final = "terraform-provider-google-beta google-beta/services"
_SQL_SOURCE: Final = f"{_PROVIDER}/sql/resource_sql_database_instance.go"
_SQL_TESTS: Final = f"{_PROVIDER}/sql/resource_sql_database_instance_test.go"
_NAT_SOURCE: Final = f"{_PROVIDER}/compute/resource_compute_router_nat.go"
# Storage writes this multi-region in its own way; regions and these pairs have one name in both products.
_KEY_LOCATION: Final = {"eu": "europe"}
_PAIRS: Final = frozenset({"asia1", "eur4", "nam4"})


@behaviour(
    "API-008",
    "gcp:projects/service:Service",
    Phase.CHECK,
    400,
    _REASON,
    f"{_PROVIDER}/resourcemanager/resource_google_project_service.go",
)
def retired_service(call: Call) -> Iterator[Problem]:
    """The retired name of BigQuery's service."""
    if call.text("service") == "bigquery-json.googleapis.com":
        yield Problem("service", "`service` must be bigquery.googleapis.com, not its retired name.")


@behaviour("KMS-013", "gcp:storage/bucket:Bucket", _BOTH, 400, _REASON, "googleapis/google-cloud-go#1787")
def bucket_key_elsewhere(call: Call) -> Iterator[Problem]:
    """A bucket's key is in another location than the bucket."""
    where = "encryption.defaultKmsKeyName"
    key, bucket = canonical(call.text(where)), call.text("location").lower()
    location = key.split("/")[3] if key.count("/") >= 7 else ""
    wanted = _KEY_LOCATION.get(bucket, bucket)
    # Which key fits a pair of one's own, or a newer predefined one, is not published.
    unclear = not call.absent("customPlacementConfig") or (bucket[-1:].isdigit() and "-" not in bucket)
    if unclear and bucket not in _PAIRS:
        return
    if location and bucket and location != wanted:
        yield Problem(where, f"`{where}` must be a key in {wanted}, not one in {location}.")


@behaviour("SQL-011", _SQL, Phase.CHECK, 400, _REASON, _SQL_SOURCE)
def recovery_of_mysql(call: Call) -> Iterator[Problem]:
    """MySQL has no point-in-time recovery switch."""
    path = "settings.backupConfiguration.pointInTimeRecoveryEnabled"
    if call.get(path) is True and call.text("databaseVersion").startswith("MYSQL"):
        yield Problem(path, f"`{path}` is not for MySQL; use binaryLogEnabled.")


@behaviour("SQL-028", _SQL, _BOTH, 400, _REASON, _SQL_TESTS)
def service_connect_in_public(call: Call) -> Iterator[Problem]:
    """Private Service Connect beside nothing but a public address."""
    block = "settings.ipConfiguration"
    public = call.absent(f"{block}.ipv4Enabled") or call.get(f"{block}.ipv4Enabled") is True
    connect = any(item.get("pscEnabled") is True for item in call.blocks(f"{block}.pscConfigs"))
    if connect and public and call.absent(f"{block}.privateNetwork"):
        yield Problem(f"{block}.ipv4Enabled", f"`{block}.ipv4Enabled` must be false with pscEnabled.")


@behaviour("SQL-029", _SQL, Phase.CREATE, 400, _REASON, _SQL_TESTS)
def attachment_at_once(call: Call) -> Iterator[Problem]:
    """A network attachment is given to an instance that stands, not to a new one."""
    for index, item in enumerate(call.blocks("settings.ipConfiguration.pscConfigs")):
        if item.get("networkAttachmentUri"):
            path = f"settings.ipConfiguration.pscConfigs[{index}].networkAttachmentUri"
            yield Problem(path, f"`{path}` cannot be set at creation; create the instance, then set it.")


def _promoted(call: Call) -> bool:
    """Whether a read replica (one that names its primary is one) shall be an instance of its own."""
    implied = "READ_REPLICA_INSTANCE" if call.old_inputs.get("masterInstanceName") else ""
    before = call.old_inputs.get("instanceType") or implied or call.outputs.get("instanceType")
    return before == "READ_REPLICA_INSTANCE" and call.text("instanceType") == "CLOUD_SQL_INSTANCE"


@behaviour("SQL-050", _SQL, Phase.UPDATE, 400, _REASON, _SQL_SOURCE)
def promoted_with_primary(call: Call) -> Iterator[Problem]:
    """A promoted replica still names its primary."""
    if _promoted(call) and not call.absent("masterInstanceName"):
        yield Problem(
            "masterInstanceName", "`masterInstanceName` must be removed in the change that promotes."
        )


@behaviour("SQL-051", _SQL, Phase.UPDATE, 400, _REASON, _SQL_SOURCE)
def promoted_with_configuration(call: Call) -> Iterator[Problem]:
    """A promoted replica still has the configuration of a replica."""
    if _promoted(call) and not call.absent("replicaConfiguration"):
        yield Problem(
            "replicaConfiguration", "`replicaConfiguration` must be removed in the change that promotes."
        )


@behaviour("NET-020", _NAT, Phase.CREATE, 400, _REASON, _NAT_SOURCE)
def drain_at_once(call: Call) -> Iterator[Problem]:
    """A new NAT drains no address."""
    if call.get("drainNatIps"):
        yield Problem("drainNatIps", "`drainNatIps` cannot be set on a new NAT; set it by a later change.")


@behaviour("NET-021", _NAT, Phase.UPDATE, 400, _REASON, _NAT_SOURCE)
def drain_of_others(call: Call) -> Iterator[Problem]:
    """A drained address was in use before and is no longer."""

    used, drained = _names(call.inputs, "natIps"), _names(call.old_inputs, "drainNatIps")
    for address in sorted(_names(call.inputs, "drainNatIps") - drained):
        if address in used:
            yield Problem("drainNatIps", f"`drainNatIps`: {address} is still in natIps; remove it there.")
        elif address not in _names(call.old_inputs, "natIps"):
            yield Problem("drainNatIps", f"`drainNatIps`: {address} was never in natIps; leave it out.")


def _names(inputs: Mapping[str, Any], field: str) -> set[str]:
    """Short names: the provider compares addresses by them."""
    found = as_list(inputs.get(field)) or []
    return {item.rsplit("/", 1)[-1] for item in found if isinstance(item, str)}


@behaviour(
    "NET-026",
    "gcp:compute/router:Router",
    Phase.CHECK,
    400,
    _REASON,
    f"{_PROVIDER}/compute/resource_compute_router.go",
)
def advertised_by_default(call: Call) -> Iterator[Problem]:
    """Groups and ranges are advertised in mode CUSTOM only."""
    default = call.absent("bgp.advertiseMode") or call.text("bgp.advertiseMode") == "DEFAULT"
    for name in ("advertisedGroups", "advertisedIpRanges"):
        if default and call.get(f"bgp.{name}"):
            yield Problem(f"bgp.{name}", f"`bgp.{name}` needs bgp.advertiseMode CUSTOM; set it.")


def _peered(call: Call) -> bool:
    return call.absent("connectMode") or call.text("connectMode") == "DIRECT_PEERING"


@behaviour("RED-004", _REDIS, Phase.CREATE, 400, _REASON, "GoogleCloudPlatform/magic-modules#5449")
def small_range(call: Call) -> Iterator[Problem]:
    """Read replicas need a /28."""
    block = call.text("reservedIpRange")
    if not _peered(call) or call.text("readReplicasMode") != "READ_REPLICAS_ENABLED":
        return
    try:
        length = ipaddress.ip_network(block).prefixlen
    except ValueError:
        return
    if length > 28:
        yield Problem(
            "reservedIpRange", f"`reservedIpRange` must be a /28 or larger with read replicas, not {block}."
        )


@behaviour("RED-007", _REDIS, Phase.CREATE, 400, _REASON, "hashicorp/terraform-provider-google#15792")
def foreign_network(call: Call) -> Iterator[Problem]:
    """Direct peering reaches networks of the same project only."""
    network = canonical(call.text("authorizedNetwork"))
    owner = network.split("/")[1] if network.startswith("projects/") else ""
    if _peered(call) and owner and owner not in (call.project, call.number):
        yield Problem(
            "authorizedNetwork",
            f"`authorizedNetwork` of the project {owner} needs the connectMode PRIVATE_SERVICE_ACCESS.",
        )

"""Cloud SQL: what the documentation of the product and of the provider's fields rules out."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from sandbox.cloud.behaviours.network import PRIVATE, block_of, connections
from sandbox.cloud.behaviours.sql import edition_of
from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import as_map, at, plain
from sandbox.cloud.paths import canonical

_INSTANCE: Final = "gcp:sql/databaseInstance:DatabaseInstance"
_SERVICE: Final = "gcp:projects/service:Service"
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_REASON: Final = "INVALID_ARGUMENT"
_PAGE: Final = "terraform-provider-google-beta website/docs/r/sql_database_instance"
_IP: Final = "settings.ipConfiguration"


@behaviour("SQL-017", _INSTANCE, Phase.CREATE, 400, _REASON, "Cloud SQL release notes, 21 March 2023")
def small_replica(call: Call) -> Iterator[Problem]:
    """A replica's disk is smaller than its primary's; its tier may be."""
    name, size = call.text("masterInstanceName").rsplit("/", 1)[-1], call.get("settings.diskSize")
    record = call.world.get(_INSTANCE, name) if name else None
    least = at(plain(record.inputs), "settings.diskSize") if record is not None else None
    if isinstance(size, int) and isinstance(least, int) and size < least:
        yield Problem(
            "settings.diskSize", f"`settings.diskSize` must be at least the primary's, {least}, not {size}."
        )


@behaviour("SQL-026", _INSTANCE, Phase.CREATE, 400, _REASON, "Google Cloud documentation: Cloud SQL, errors")
def peering_off(call: Call) -> Iterator[Problem]:
    """A private network while Service Networking is not enabled."""
    enabled, name = call.world.facts.enabled_services, "servicenetworking.googleapis.com"
    if enabled is None or not call.text(f"{_IP}.privateNetwork"):
        return
    declared = {str(plain(record.inputs).get("service")) for record in call.world.find(_SERVICE)}
    if name not in enabled | declared:
        yield Problem(
            f"{_IP}.privateNetwork",
            f"`{_IP}.privateNetwork` needs {name}, which is not enabled; declare projects.Service for it and "
            "depend on it.",
        )


@behaviour("SQL-032", _INSTANCE, Phase.CREATE, 400, _REASON, "general knowledge of Cloud SQL private IP")
def range_not_connected(call: Call) -> Iterator[Problem]:
    """The range named for the instance is not in the network's connection."""
    path = f"{_IP}.allocatedIpRange"
    name, network = call.text(path), canonical(call.text(f"{_IP}.privateNetwork"))
    reserved = {each for found in connections(call.world, network) for each in found.ranges}
    # A network of another project has its connection there.
    if name and reserved and name not in reserved:
        listed = ", ".join(sorted(reserved))
        yield Problem(path, f"`{path}` must be a range of the private connection ({listed}), not {name}.")


@behaviour("SQL-033", _INSTANCE, _BOTH, 400, _REASON, "general knowledge of Cloud SQL")
def private_network_authorized(call: Call) -> Iterator[Problem]:
    """An authorized network in a private range."""
    for index, item in enumerate(call.blocks(f"{_IP}.authorizedNetworks")):
        block = block_of(str(item.get("value")))
        if isinstance(block, ipaddress.IPv4Network) and any(block.subnet_of(wide) for wide in PRIVATE):
            path = f"{_IP}.authorizedNetworks[{index}].value"
            yield Problem(path, f"`{path}` must be a public range, not the private {block}; remove it.")


@behaviour("SQL-049", _INSTANCE, Phase.UPDATE, 400, _REASON, "GoogleCloudPlatform/magic-modules#18172")
def upgrade_with_replicas(call: Call) -> Iterator[Problem]:
    """A primary's major version goes up and its replicas stay behind."""
    old, new = str(call.old_inputs.get("databaseVersion") or ""), call.text("databaseVersion")
    if not old or old == new or call.get("includeReplicasForMajorVersionUpgrade") is True:
        return
    for record in call.world.find(_INSTANCE):
        inputs = plain(record.inputs)
        behind = inputs.get("databaseVersion") != new
        if str(inputs.get("masterInstanceName") or "").rsplit("/", 1)[-1] == call.id and behind:
            yield Problem(
                "databaseVersion",
                f"`databaseVersion` cannot go up alone while {record.id} replicates; set "
                "includeReplicasForMajorVersionUpgrade or remove the replica first.",
            )


def _day(text: str, year: int) -> date | None:
    parts = [int(part) for part in text.split("-")] if re.fullmatch(r"\d+(?:-\d+){1,2}", text) else []
    try:
        return date(*parts) if len(parts) == 3 else date(year, *parts) if len(parts) == 2 else None
    except ValueError:
        return None


@behaviour("SQL-056", _INSTANCE, _BOTH, 400, _REASON, f"{_PAGE}; google-cloud.md DB-3.3")
def freeze(call: Call) -> Iterator[Problem]:
    """A time without maintenance that is too long, backwards, or with one year only."""
    block = "settings.denyMaintenancePeriod"
    for item in call.blocks(block):
        begin, end = str(item.get("startDate")), str(item.get("endDate"))
        yearly = begin.count("-") == 1
        if yearly != (end.count("-") == 1):
            yield Problem(
                f"{block}.endDate", f"`{block}.endDate` has a year if startDate has one; match them."
            )
            continue
        first, last = _day(begin, 2027), _day(end, 2027)
        if first is None or last is None:
            yield Problem(block, f"`{block}` takes dates as YYYY-MM-DD or MM-DD, not {begin} to {end}.")
            continue
        # Without years it may run over the turn of the year.
        days = (last - first).days % 365 if yearly else (last - first).days
        if not 0 <= days <= 90:
            yield Problem(
                f"{block}.endDate", f"`{block}.endDate` must be 1 to 90 days after {begin}, not {end}."
            )


@behaviour("SQL-057", _INSTANCE, _BOTH, 400, _REASON, _PAGE)
def zones(call: Call) -> Iterator[Problem]:
    """Zones outside of the region, both the same, or a second one without high availability."""
    block, region = "settings.locationPreference", call.location
    zone, second = call.text(f"{block}.zone"), call.text(f"{block}.secondaryZone")
    for name, value in (("zone", zone), ("secondaryZone", second)):
        if value and region and not re.fullmatch(rf"{re.escape(region)}-[a-z]", value):
            yield Problem(f"{block}.{name}", f"`{block}.{name}` must be a zone of {region}, not {value}.")
    if second and second == zone:
        yield Problem(f"{block}.secondaryZone", f"`{block}.secondaryZone` must be another zone than {zone}.")
    if second and call.text("settings.availabilityType") in {"", "ZONAL"}:
        yield Problem(
            f"{block}.secondaryZone", f"`{block}.secondaryZone` needs the availabilityType REGIONAL; set it."
        )


@behaviour("SQL-058", _INSTANCE, _BOTH, 400, _REASON, "google-cloud.md DB-3.3")
def read_pool(call: Call) -> Iterator[Problem]:
    """A read pool outside of Enterprise Plus, or of none or too many nodes."""
    if call.text("instanceType") != "READ_POOL_INSTANCE":
        return
    if edition_of(call) != "ENTERPRISE_PLUS":
        yield Problem("settings.edition", "`settings.edition` must be ENTERPRISE_PLUS for a read pool.")
    nodes = call.get("nodeCount")
    if isinstance(nodes, int) and not 1 <= nodes <= 20:
        yield Problem("nodeCount", f"`nodeCount` must be from 1 to 20, not {nodes}; set one in between.")


@behaviour("SQL-063", _INSTANCE, _BOTH, 400, _REASON, _PAGE)
def rotation_of_certificates(call: Call) -> Iterator[Problem]:
    """Certificates that Cloud SQL's own authority does not rotate by itself."""
    path, mode = f"{_IP}.serverCertificateRotationMode", call.text(f"{_IP}.serverCaMode")
    if call.text(path).startswith("AUTOMATIC") and mode == "GOOGLE_MANAGED_INTERNAL_CA":
        yield Problem(path, f"`{path}` needs serverCaMode GOOGLE_MANAGED_CAS_CA, not {mode}.")


@behaviour("SQL-064", _INSTANCE, _BOTH, 400, _REASON, _PAGE)
def authority_of_customer(call: Call) -> Iterator[Problem]:
    """A customer's certificate authority without its pool, or a pool without that mode."""
    path, mode = f"{_IP}.serverCaPool", call.text(f"{_IP}.serverCaMode")
    if mode == "CUSTOMER_MANAGED_CAS_CA" and call.absent(path):
        yield Problem(path, f"`{path}` is needed with serverCaMode {mode}; name the pool.")
    if call.text(path) and mode in {"GOOGLE_MANAGED_INTERNAL_CA", "GOOGLE_MANAGED_CAS_CA"}:
        yield Problem(path, f"`{path}` needs serverCaMode CUSTOMER_MANAGED_CAS_CA, not {mode}.")


@behaviour("SQL-065", _INSTANCE, _BOTH, 400, _REASON, _PAGE)
def recovery_pair(call: Call) -> Iterator[Problem]:
    """A named recovery replica, or DNS for writes, outside of Enterprise Plus."""
    if edition_of(call) == "ENTERPRISE_PLUS":
        return
    path = "replicationCluster.failoverDrReplicaName"
    if (as_map(call.get("replicationCluster")) or {}).get("failoverDrReplicaName"):
        yield Problem(
            path, f"`{path}` needs the edition ENTERPRISE_PLUS; set it or remove the replica's name."
        )
    for index, item in enumerate(call.blocks(f"{_IP}.pscConfigs")):
        if item.get("pscWriteEndpointDnsEnabled") is True:
            path = f"{_IP}.pscConfigs[{index}].pscWriteEndpointDnsEnabled"
            yield Problem(path, f"`{path}` needs the edition ENTERPRISE_PLUS; set it or turn it off.")

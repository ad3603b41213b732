"""Cloud SQL for PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.network import connected
from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import at
from sandbox.cloud.paths import canonical

_INSTANCE: Final = "gcp:sql/databaseInstance:DatabaseInstance"
_USER: Final = "gcp:sql/user:User"
_DATABASE: Final = "gcp:sql/database:Database"
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_REASON: Final = "INVALID_ARGUMENT"


def edition_of(call: Call) -> str:
    """The edition: as given, else by version (16 and later are Enterprise Plus)."""
    given = call.text("settings.edition")
    if given:
        return given
    major = call.text("databaseVersion").rpartition("_")[2]
    newer = call.text("databaseVersion").startswith("POSTGRES") and major.isdigit() and int(major) >= 16
    return "ENTERPRISE_PLUS" if newer else "ENTERPRISE"


def recovery_of(version: str) -> tuple[str, ...]:
    """The switches of the backup configuration that keep what a database needs for recovery."""
    known = {"POSTGRES": "pointInTimeRecoveryEnabled", "MYSQL": "binaryLogEnabled"}
    return tuple(name for engine, name in known.items() if version.startswith(engine))


@behaviour("SQL-001", _INSTANCE, Phase.CREATE, 400, _REASON, "hashicorp/terraform-provider-google#20498")
def edition_by_default(call: Call) -> Iterator[Problem]:
    """PostgreSQL 16 and later are Enterprise Plus unless told otherwise."""
    tier = call.text("settings.tier")
    plus = edition_of(call) == "ENTERPRISE_PLUS" and not call.text("settings.edition")
    if plus and not tier.startswith(("db-perf-optimized", "db-c4a")):
        yield Problem(
            "settings.edition",
            f"`settings.edition` must be ENTERPRISE for the tier {tier}: {call.text('databaseVersion')} is "
            "ENTERPRISE_PLUS by default.",
        )


@behaviour("SQL-002", _INSTANCE, _BOTH, 400, _REASON, "GoogleCloudPlatform/cloud-foundation-fabric#2946")
def tier_of_plus(call: Call) -> Iterator[Problem]:
    """Enterprise Plus takes performance-optimised tiers only."""
    tier = call.text("settings.tier")
    if call.text("settings.edition") == "ENTERPRISE_PLUS" and not tier.startswith(
        ("db-perf-optimized", "db-c4a")
    ):
        yield Problem(
            "settings.tier", f"`settings.tier` must be db-perf-optimized-N-* in ENTERPRISE_PLUS, not {tier}."
        )


@behaviour("SQL-003", _INSTANCE, _BOTH, 400, _REASON, "langfuse/langfuse-terraform-gcp#34")
def tier_of_enterprise(call: Call) -> Iterator[Problem]:
    """Enterprise takes no performance-optimised tier."""
    tier = call.text("settings.tier")
    if call.text("settings.edition") == "ENTERPRISE" and tier.startswith("db-perf-optimized"):
        yield Problem("settings.tier", f"`settings.tier` {tier} needs the edition ENTERPRISE_PLUS.")


@behaviour(
    "SQL-005", _INSTANCE, _BOTH, 400, _REASON, "Google Cloud documentation: Cloud SQL, custom machine types"
)
def custom_tier(call: Call) -> Iterator[Problem]:
    """A custom tier outside the allowed shapes."""
    tier = call.text("settings.tier")
    match = re.fullmatch(r"db-custom-(\d+)-(\d+)", tier)
    if match is None:
        return
    cores, memory = int(match[1]), int(match[2])
    fine = (
        (cores == 1 or cores % 2 == 0)
        and memory % 256 == 0
        and memory >= 3840
        and 0.9 * 1024 * cores <= memory <= 6.5 * 1024 * cores
    )
    if not fine:
        yield Problem(
            "settings.tier",
            f"`settings.tier` {tier}: cores must be 1 or even, memory a multiple of 256 MB from 3840 and "
            "0.9 to "
            "6.5 GB a core.",
        )


@behaviour("SQL-006", _INSTANCE, _BOTH, 400, _REASON, "langfuse/langfuse-terraform-gcp#8")
def log_days(call: Call) -> Iterator[Problem]:
    """Transaction logs are kept 1 to 7 days, 35 in Enterprise Plus."""
    path = "settings.backupConfiguration.transactionLogRetentionDays"
    days = call.get(path)
    highest = 35 if edition_of(call) == "ENTERPRISE_PLUS" else 7
    if isinstance(days, int) and not 1 <= days <= highest:
        yield Problem(path, f"`{path}` must be from 1 to {highest} in {edition_of(call)}, not {days}.")


@behaviour(
    "SQL-009",
    _INSTANCE,
    _BOTH,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/sql_database_instance",
)
def data_cache(call: Call) -> Iterator[Problem]:
    """The data cache and connection pools need Enterprise Plus."""
    if edition_of(call) == "ENTERPRISE_PLUS":
        return
    if call.get("settings.dataCacheConfig.dataCacheEnabled"):
        path = "settings.dataCacheConfig.dataCacheEnabled"
        yield Problem(path, f"`{path}` needs the edition ENTERPRISE_PLUS.")
    if any(pool.get("connectionPoolingEnabled") for pool in call.blocks("settings.connectionPoolConfigs")):
        path = "settings.connectionPoolConfigs"
        yield Problem(path, f"`{path}` needs the edition ENTERPRISE_PLUS.")


@behaviour(
    "SQL-010",
    _INSTANCE,
    _BOTH,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/sql_database_instance",
)
def high_availability(call: Call) -> Iterator[Problem]:
    """High availability needs backups and logs to recover from (MySQL: its binary log)."""
    if call.text("settings.availabilityType") != "REGIONAL" or call.text("masterInstanceName"):
        return
    for name in ("enabled", *recovery_of(call.text("databaseVersion"))):
        path = f"settings.backupConfiguration.{name}"
        if call.get(path) is not True:
            yield Problem(path, f"`{path}` must be true with availabilityType REGIONAL; turn it on.")


@behaviour("SQL-012", _INSTANCE, _BOTH, 400, _REASON, "google-cloud.md DB-3.5")
def binary_log(call: Call) -> Iterator[Problem]:
    """PostgreSQL has no binary log."""
    path = "settings.backupConfiguration.binaryLogEnabled"
    if call.get(path) and call.text("databaseVersion").startswith("POSTGRES"):
        yield Problem(path, f"`{path}` is for MySQL; use pointInTimeRecoveryEnabled.")


@behaviour("SQL-021", _INSTANCE, _BOTH, 400, _REASON, "general knowledge of Cloud SQL")
def flag_twice(call: Call) -> Iterator[Problem]:
    """A flag is given twice."""
    seen: set[str] = set()
    for index, flag in enumerate(call.blocks("settings.databaseFlags")):
        name = str(flag.get("name"))
        if name in seen:
            path = f"settings.databaseFlags[{index}].name"
            yield Problem(path, f"`{path}`: the flag {name} is given twice; keep one.")
        seen.add(name)


@behaviour("SQL-023", _INSTANCE, _BOTH, 400, _REASON, "general knowledge of Cloud SQL")
def instance_name(call: Call) -> Iterator[Problem]:
    """A name outside Google's form."""
    name = call.text("name")
    if not re.fullmatch(r"[a-z][a-z0-9-]*", name) or len(f"{call.project}:{name}") > 98:
        yield Problem(
            "name",
            "`name` must be lower-case letters, digits and dashes, start with a letter and with its "
            "project have "
            f"at most 97 characters, not {name!r}.",
        )


@behaviour(
    "SQL-031",
    _INSTANCE,
    Phase.CHECK,
    400,
    _REASON,
    "terraform-provider-google-beta google-beta/services/sql/resource_sql_dat",
)
def network_form(call: Call) -> Iterator[Problem]:
    """The private network is not in the provider's form."""
    path = "settings.ipConfiguration.privateNetwork"
    network = call.text(path)
    if network and not re.search(r"(?:^|/)projects/[^/]+/global/networks/[^/]+$", network):
        yield Problem(path, f"`{path}` must be projects/PROJECT/global/networks/NAME, not {network!r}.")


@behaviour(
    "SQL-024",
    _INSTANCE,
    Phase.CREATE,
    400,
    _REASON,
    "terraform-provider-google-beta google-beta/services/sql/resource_sql_dat",
)
def no_connection(call: Call) -> Iterator[Problem]:
    """The private network has no connection to Google's services."""
    path = "settings.ipConfiguration.privateNetwork"
    network = call.text(path)
    if (
        network
        and canonical(network).startswith(f"projects/{call.project}/")
        and not connected(call, network)
    ):
        yield Problem(
            path,
            f"`{path}`: {canonical(network)} has no private services connection; declare "
            "servicenetworking.Connection "
            "and depend on it.",
        )


@behaviour(
    "SQL-027",
    _INSTANCE,
    _BOTH,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/sql_database_instance",
)
def unreachable(call: Call) -> Iterator[Problem]:
    """An instance without any address."""
    block = "settings.ipConfiguration"
    off = call.get(f"{block}.ipv4Enabled") is False and call.absent(f"{block}.privateNetwork")
    private = any(item.get("pscEnabled") for item in call.blocks(f"{block}.pscConfigs"))
    if off and not private:
        yield Problem(
            f"{block}.privateNetwork", f"`{block}.privateNetwork` is needed when ipv4Enabled is false."
        )


@behaviour(
    "SQL-030",
    _INSTANCE,
    Phase.UPDATE,
    400,
    _REASON,
    "terraform-provider-google-beta google-beta/services/sql/resource_sql_dat",
)
def network_cleared(call: Call) -> Iterator[Problem]:
    """The private network cannot be taken away."""
    path = "settings.ipConfiguration.privateNetwork"
    if at(dict(call.old_inputs), path) and call.absent(path):
        yield Problem(path, f"`{path}` cannot be removed once it is set; keep it or make a new instance.")


@behaviour(
    "SQL-047",
    _INSTANCE,
    Phase.CREATE,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/sql_database_instance",
)
def small_disk(call: Call) -> Iterator[Problem]:
    """A disk has at least 10 GB."""
    size = call.get("settings.diskSize")
    if isinstance(size, int) and size < 10:
        yield Problem("settings.diskSize", f"`settings.diskSize` must be at least 10, not {size}.")


@behaviour("SQL-048", _INSTANCE, Phase.UPDATE, 400, _REASON, "general knowledge of Cloud SQL")
def version_lowered(call: Call) -> Iterator[Problem]:
    """A major version only goes up."""
    old, new = str(call.old_inputs.get("databaseVersion", "")), call.text("databaseVersion")
    before, after = old.rpartition("_")[2], new.rpartition("_")[2]
    if before.isdigit() and after.isdigit() and int(after) < int(before):
        yield Problem("databaseVersion", f"`databaseVersion` cannot go down from {old} to {new}.")


@behaviour(
    "SQL-068",
    _INSTANCE,
    _BOTH,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/sql_database_instance",
)
def backup_start(call: Call) -> Iterator[Problem]:
    """The start of the backup window is not HH:MM."""
    path = "settings.backupConfiguration.startTime"
    start = call.text(path)
    if start and not re.fullmatch(r"(?:[01]\d|2[0-3]):[0-5]\d", start):
        yield Problem(path, f"`{path}` must be HH:MM in UTC, not {start!r}.")

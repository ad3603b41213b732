"""Cloud SQL: read replicas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.sql import recovery_of
from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import Values, at, plain
from sandbox.cloud.world import Record

_INSTANCE: Final = "gcp:sql/databaseInstance:DatabaseInstance"
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_REASON: Final = "INVALID_ARGUMENT"


@behaviour(
    "SQL-013",
    _INSTANCE,
    _BOTH,
    400,
    _REASON,
    "terraform-provider-google-beta google-beta/services/sql/resource_sql_dat",
)
def replica_backups(call: Call) -> Iterator[Problem]:
    """A replica has no backups of its own."""
    if call.text("masterInstanceName") and call.get("settings.backupConfiguration.enabled"):
        path = "settings.backupConfiguration.enabled"
        yield Problem(path, f"`{path}` cannot be true on a replica; its primary is backed up.")


def _primary(call: Call) -> tuple[Record, Values] | None:
    name = call.text("masterInstanceName").rsplit("/", 1)[-1]
    record = call.world.get(_INSTANCE, name) if name else None
    return None if record is None else (record, plain(record.inputs))


@behaviour(
    "SQL-015",
    _INSTANCE,
    Phase.CREATE,
    400,
    _REASON,
    "terraform-provider-google-beta website/docs/r/sql_database_instance",
)
def primary_without_logs(call: Call) -> Iterator[Problem]:
    """A primary needs backups and log archiving before it gets replicas."""
    found = _primary(call)
    if found is None:
        return
    record, inputs = found
    if inputs.get("masterInstanceName"):
        # A replica that has replicas is backed up through its own primary.
        return
    for name in ("enabled", *recovery_of(str(inputs.get("databaseVersion")))):
        if at(inputs, f"settings.backupConfiguration.{name}") is not True:
            path = f"settings.backupConfiguration.{name}"
            yield Problem(
                "masterInstanceName", f"the primary {record.id} needs `{path}` before it can have replicas."
            )


@behaviour("SQL-016", _INSTANCE, Phase.CREATE, 400, _REASON, "google-cloud.md DB-3.3")
def replica_version(call: Call) -> Iterator[Problem]:
    """A replica has the version of its primary."""
    found = _primary(call)
    if found is not None and found[1].get("databaseVersion") != call.text("databaseVersion"):
        wanted = found[1].get("databaseVersion")
        yield Problem(
            "databaseVersion", f"`databaseVersion` of a replica must be that of its primary, {wanted}."
        )


@behaviour(
    "SQL-004", _INSTANCE, Phase.CREATE, 400, _REASON, "GoogleCloudPlatform/cloud-foundation-fabric#2946"
)
def replica_edition(call: Call) -> Iterator[Problem]:
    """A replica says its edition, and it is that of its primary."""
    found = _primary(call)
    if found is None:
        return
    wanted, own = at(found[1], "settings.edition"), call.text("settings.edition")
    if wanted == "ENTERPRISE" and own != "ENTERPRISE":
        yield Problem(
            "settings.edition", "`settings.edition` must be ENTERPRISE on a replica of such a primary."
        )


@behaviour(
    "SQL-066", _INSTANCE, Phase.CREATE, 400, _REASON, "terraform-google-modules/terraform-google-sql-db#283"
)
def replica_key(call: Call) -> Iterator[Problem]:
    """A replica in another region needs a key of its own region."""
    found = _primary(call)
    if found is None or not found[1].get("encryptionKeyName"):
        return
    if found[1].get("region") != call.get("region") and not call.text("encryptionKeyName"):
        yield Problem("encryptionKeyName", f"`encryptionKeyName` is needed: a key in {call.location}.")

"""Cloud SQL: users and databases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import as_list, as_map, at, plain

_INSTANCE: Final = "gcp:sql/databaseInstance:DatabaseInstance"
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_REASON: Final = "INVALID_ARGUMENT"
_USER: Final = "gcp:sql/user:User"
_DATABASE: Final = "gcp:sql/database:Database"


@behaviour(
    "SQL-040",
    _USER,
    Phase.CHECK,
    400,
    _REASON,
    "terraform-provider-google-beta google-beta/services/sql/resource_sql_use",
)
def postgres_host(call: Call) -> Iterator[Problem]:
    """PostgreSQL users have no host."""
    record = call.world.get(_INSTANCE, call.text("instance"))
    if (
        call.text("host")
        and record is not None
        and "POSTGRES" in str(plain(record.inputs.get("databaseVersion")))
    ):
        yield Problem("host", "`host` is for MySQL; remove it from a PostgreSQL user.")


@behaviour("SQL-041", _USER, _BOTH, 400, _REASON, "general knowledge of Cloud SQL IAM authentication")
def iam_password(call: Call) -> Iterator[Problem]:
    """An IAM user has no password."""
    if call.text("type").startswith("CLOUD_IAM") and not (
        call.absent("password") and call.absent("passwordWo")
    ):
        yield Problem(
            "password", f"`password` cannot be set on a user of type {call.text('type')}; remove it."
        )


@behaviour("SQL-042", _USER, _BOTH, 400, _REASON, "terraform-provider-google-beta website/docs/r/sql_user")
def iam_user_name(call: Call) -> Iterator[Problem]:
    """A PostgreSQL IAM user of a service account has its name without the domain's end."""
    name = call.text("name")
    if call.text("type") == "CLOUD_IAM_SERVICE_ACCOUNT" and name.endswith(".gserviceaccount.com"):
        short = name.removesuffix(".gserviceaccount.com")
        yield Problem("name", f"`name` of a PostgreSQL IAM user must be {short}, not {name}.")


@behaviour("SQL-043", _USER, Phase.CREATE, 400, _REASON, "general knowledge of Cloud SQL IAM authentication")
def iam_flag(call: Call) -> Iterator[Problem]:
    """IAM login must be on before there are IAM users."""
    record = call.world.get(_INSTANCE, call.text("instance").rsplit("/", 1)[-1])
    if record is None or not call.text("type").startswith("CLOUD_IAM"):
        return
    flags = [as_map(item) or {} for item in as_list(at(plain(record.inputs), "settings.databaseFlags")) or []]
    on = any(
        item.get("name") == "cloudsql.iam_authentication" and item.get("value") == "on" for item in flags
    )
    if not on:
        yield Problem(
            "type", f"`type` {call.text('type')} needs the flag cloudsql.iam_authentication on the instance."
        )


@behaviour(
    "SQL-039",
    (_USER, _DATABASE),
    Phase.CREATE,
    400,
    _REASON,
    "public deployment reports (exact text, several repositories)",
)
def on_a_replica(call: Call) -> Iterator[Problem]:
    """Users and databases are made on the primary."""
    record = call.world.get(_INSTANCE, call.text("instance").rsplit("/", 1)[-1])
    if record is not None and plain(record.inputs).get("masterInstanceName"):
        yield Problem("instance", f"`instance` must be a primary, not the replica {record.id}.")

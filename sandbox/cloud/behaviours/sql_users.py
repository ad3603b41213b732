"""Cloud SQL: users and databases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import Values, as_list, as_map, at, plain
from sandbox.values import UNKNOWN

_INSTANCE: Final = "gcp:sql/databaseInstance:DatabaseInstance"
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_REASON: Final = "INVALID_ARGUMENT"
_USER: Final = "gcp:sql/user:User"
_LOGIN: Final = "cloudsql.iam_authentication"
_DATABASE: Final = "gcp:sql/database:Database"


def _engine(call: Call) -> str:
    """The database version of the user's instance; of an unknown one that of the platform."""
    record = call.world.get(_INSTANCE, call.text("instance").rsplit("/", 1)[-1])
    return str(plain(record.inputs).get("databaseVersion")) if record is not None else "POSTGRES"


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
    if not _engine(call).startswith("POSTGRES"):
        return
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
    wanted = "cloudsql_iam_authentication" if _engine(call).startswith("MYSQL") else _LOGIN
    if not any(item.get("name") == wanted and item.get("value") == "on" for item in flags):
        yield Problem("type", f"`type` {call.text('type')} needs the flag {wanted} on the instance.")


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


@behaviour(
    "SQL-069",
    _USER,
    _BOTH,
    400,
    _REASON,
    "Google: passwordValidationPolicy of an instance",
)
def weak_password(call: Call) -> Iterator[Problem]:
    """A password that the instance's policy does not accept."""
    record = call.world.get(_INSTANCE, call.text("instance").rsplit("/", 1)[-1])
    policy = as_map(at(plain(record.inputs), "settings.passwordValidationPolicy")) if record else None
    if policy is None or not policy.get("enablePasswordPolicy"):
        return
    for field in ("password", "passwordWo"):
        value = plain(at(call.inputs, field))
        if isinstance(value, str) and value is not UNKNOWN:
            for rule in _broken(policy, value, call.text("name")):
                yield Problem(
                    field,
                    f"`{field}` must {rule}, by the instance's password policy, got [secret]; change it.",
                )


def _broken(policy: Values, password: str, user: str) -> Iterator[str]:
    """What a password lacks; never the password itself."""
    least = policy.get("minLength")
    if isinstance(least, int) and len(password) < least:
        yield f"have at least {least} characters"
    complete = all(any(map(kind, password)) for kind in (str.islower, str.isupper, str.isdigit, _is_sign))
    if policy.get("complexity") == "COMPLEXITY_DEFAULT" and not complete:
        yield "have lower-case, upper-case, numeric and non-alphanumeric characters"
    if policy.get("disallowUsernameSubstring") and user and user.lower() in password.lower():
        yield "not contain the user's name"


def _is_sign(character: str) -> bool:
    return not character.isalnum()

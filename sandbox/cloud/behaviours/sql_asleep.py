"""Cloud SQL: what is refused while an instance is stopped, or after it was stopped beside the state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import at, plain

_INSTANCE: Final = "gcp:sql/databaseInstance:DatabaseInstance"
_USER: Final = "gcp:sql/user:User"
_DATABASE: Final = "gcp:sql/database:Database"
_POLICY: Final = "settings.activationPolicy"


@behaviour(
    "SQL-082",
    (_USER, _DATABASE),
    (Phase.CREATE, Phase.UPDATE, Phase.DELETE),
    400,
    "INVALID_ARGUMENT",
    "terraform-google-modules/terraform-google-sql-db#286",
)
def asleep(call: Call) -> Iterator[Problem]:
    """Users and databases of a stopped instance do not change."""
    if call.phase is Phase.DELETE and call.outputs.get("deletionPolicy") == "ABANDON":
        # The provider lets go of it without a call.
        return
    name = call.text("instance").rsplit("/", 1)[-1]
    record = call.world.get(_INSTANCE, name)
    if record is not None and at(plain(record.inputs), _POLICY) == "NEVER":
        yield Problem(
            "instance",
            f"`instance` must be running, and {name} is stopped, so that no user or database of it changes; "
            "start it first, here with `make wake`, and run `up` again.",
        )


@behaviour("SQL-083", _INSTANCE, Phase.UPDATE, 412, "staleData", "pulumi/pulumi-gcp#794")
def stale(call: Call) -> Iterator[Problem]:
    """The state is from before somebody stopped or started the instance."""
    record = call.world.get(_INSTANCE, call.id)
    if record is None:
        return
    stands, known = at(plain(record.inputs), _POLICY), at(plain(dict(call.old_inputs)), _POLICY)
    # The default of a policy that nobody wrote.
    if (stands or "ALWAYS") != (known or "ALWAYS"):
        yield Problem(
            _POLICY,
            f"`{_POLICY}` was changed to {stands} since the state was read, and an update of old settings is "
            "refused; refresh first.",
        )


@behaviour(
    "SQL-084",
    _INSTANCE,
    (Phase.CREATE, Phase.UPDATE),
    400,
    "INVALID_ARGUMENT",
    "Google Cloud documentation: Cloud SQL, start, stop and restart instances",
)
def replica_stopped(call: Call) -> Iterator[Problem]:
    """A read replica cannot be stopped."""
    if call.text("masterInstanceName") and call.text(_POLICY) == "NEVER":
        yield Problem(_POLICY, f"`{_POLICY}` cannot be NEVER on a read replica; leave it out.")

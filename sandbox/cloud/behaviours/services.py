"""Services of a project: enabled or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from facts.google.service_agents import agent_email
from sandbox.cloud.behaviours.table import ANY, Call, Phase, Problem, behaviour
from sandbox.cloud.data import plain

_SERVICE: Final = "gcp:projects/service:Service"
_IDENTITY: Final = "gcp:projects/serviceIdentity:ServiceIdentity"
_OWN_NAME: Final = {
    "accesscontextmanager": "accesscontextmanager",
    "backupdisasterrecovery": "backupdr",
    "billing": "billingbudgets",
    "cloudfunctionsv2": "cloudfunctions",
    "cloudidentity": "cloudidentity",
    "cloudquota": "cloudquotas",
    "cloudrunv2": "run",
    "kms": "cloudkms",
    "organizations": "cloudresourcemanager",
    "projects": "cloudresourcemanager",
    "serviceaccount": "iam",
    "sql": "sqladmin",
}
_ALWAYS: Final = frozenset({"cloudresourcemanager", "storage"})


@behaviour("API-001", ANY, Phase.CREATE, 403, "SERVICE_DISABLED", "hashicorp/terraform-provider-google#10510")
def disabled(call: Call) -> Iterator[Problem]:
    """The service behind the type is not enabled."""
    enabled = call.world.facts.enabled_services
    if enabled is None:
        return
    area = call.type.split(":")[1].split("/")[0]
    short = _OWN_NAME.get(area, area)
    name = f"{short}.googleapis.com"
    declared = {str(plain(record.inputs.get("service"))) for record in call.world.find(_SERVICE)}
    if short not in _ALWAYS and name not in enabled | declared:
        yield Problem(
            "", f"{name} is not enabled in {call.project}; declare projects.Service and depend on it."
        )


@behaviour(
    "API-007",
    (_SERVICE, _IDENTITY),
    Phase.CHECK,
    400,
    "INVALID_ARGUMENT",
    "terraform-provider-google-beta google-beta/services/resourcemanager/reso",
)
def service_name(call: Call) -> Iterator[Problem]:
    """A service is given by its full name."""
    name = call.text("service")
    if name and "." not in name:
        yield Problem(
            "service", f"`service` must be a full name such as {name}.googleapis.com, not {name!r}."
        )


@behaviour(
    "AGT-010",
    _IDENTITY,
    Phase.CREATE,
    400,
    "INVALID_ARGUMENT",
    "iam.md d.1: only services with a known primary agent",
)
def no_identity(call: Call) -> Iterator[Problem]:
    """The service has no identity that can be asked for."""
    name = call.text("service")
    if agent_email(name, call.number) is None:
        yield Problem(
            "service", f"`service`: {name} has no primary agent that can be asked for; read it instead."
        )

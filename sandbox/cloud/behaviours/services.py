"""Services of a project: enabled or not."""

from __future__ import annotations

import re
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
    "resourcemanager": "cloudresourcemanager",
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


# Names that people derive from a product or a module, and that Google does not have: the right one.
_NO_SERVICE: Final = {
    **{
        wrong: right for wrong, right in _OWN_NAME.items() if wrong not in {right, "billing", "organizations"}
    },
    "artifacts": "artifactregistry",
    "cloudarmor": "compute",
    "clouddns": "dns",
    "cloudlogging": "logging",
    "cloudpubsub": "pubsub",
    "cloudrun": "run",
    "cloudsql": "sqladmin",
    "cloudstorage": "storage",
    "loadbalancing": "compute",
    "resourcemanager": "cloudresourcemanager",
    "scheduler": "cloudscheduler",
    "secretsmanager": "secretmanager",
    "vpc": "compute",
}
_SERVICE_NAME: Final = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")


@behaviour(
    "API-009",
    _SERVICE,
    Phase.CREATE,
    403,
    "SERVICE_CONFIG_NOT_FOUND_OR_PERMISSION_DENIED",
    "general knowledge of the Service Usage API",
)
def no_such_service(call: Call) -> Iterator[Problem]:
    """A name that no service has."""
    name = call.text("service")
    right = _NO_SERVICE.get(name.removesuffix(".googleapis.com"))
    if right is not None and name.endswith(".googleapis.com"):
        yield Problem("service", f"`service`: there is no {name}; the service is {right}.googleapis.com.")
    elif not _SERVICE_NAME.fullmatch(name):
        yield Problem("service", f"`service` must be a host name such as run.googleapis.com, not {name!r}.")


# What a service needs of others, as far as it is published; on these the refusal is known.
_NEEDS: Final = {
    "bigquerystorage": ("bigquery",),
    "cloudbuild": ("containerregistry",),
    "containerregistry": ("pubsub",),
}


@behaviour(
    "API-005",
    _SERVICE,
    Phase.DELETE,
    400,
    "FAILED_PRECONDITION",
    "terraform-provider-google-beta google-beta/services/resourcemanager/resource_google_project_serv",
)
def depended_on(call: Call) -> Iterator[Problem]:
    """A service is switched off while another enabled one needs it."""
    if call.get("disableOnDestroy") is not True or call.get("disableDependentServices") is True:
        return
    own = call.text("service").removesuffix(".googleapis.com")
    for record in call.world.find(_SERVICE):
        user = str(plain(record.inputs).get("service")).removesuffix(".googleapis.com")
        project = str(plain(record.inputs).get("project") or call.scope.project)
        if own in _NEEDS.get(user, ()) and project == call.project:
            yield Problem(
                "disableOnDestroy",
                f"{call.text('service')} cannot be disabled while {user}.googleapis.com needs it; deploy "
                "disableOnDestroy false first, or disableDependentServices true.",
            )

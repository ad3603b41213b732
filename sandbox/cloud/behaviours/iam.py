"""IAM: members, roles, service agents, accounts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from facts.google.service_agents import service_of
from facts.provider import all_types
from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour

_MEMBER: Final = tuple(type for type in all_types() if type.lower().endswith("iammember"))
_BINDING: Final = tuple(type for type in all_types() if type.lower().endswith("iambinding"))
_BOTH: Final = _MEMBER + _BINDING

_EMAIL: Final = r"[^@\s:/?]+@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\.[a-z]{2,}"
_POOL: Final = r"[a-z0-9.-]{4,60}"
_NUMBER: Final = r"[0-9]{1,19}"
_POOLS: Final = rf"iam\.googleapis\.com/projects/{_NUMBER}/locations/global/workloadIdentityPools/{_POOL}"
_FORMS: Final = re.compile(
    "|".join(
        (
            "allUsers|allAuthenticatedUsers",
            rf"(?:user|group|serviceAccount):{_EMAIL}",
            r"serviceAccount:[a-z0-9.:-]+\.svc\.id\.goog\[[a-z0-9-]+/[a-z0-9.-]+\]",
            r"domain:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\.[a-z]{2,}",
            r"project(?:Owner|Editor|Viewer):[a-z][a-z0-9:.-]+",
            rf"principal://{_POOLS}/subject/.+",
            rf"principalSet://{_POOLS}/(?:group/.+|attribute\.[a-z0-9_]+/.+|\*)",
            r"principal(?:Set)?://iam\.googleapis\.com/locations/global/workforcePools/.+",
            rf"principalSet://cloudresourcemanager\.googleapis\.com/(?:projects|folders|organizations)/{_NUMBER}/type/.+",
        )
    )
)
_ROLE: Final = re.compile(
    r"roles/[A-Za-z0-9_.]+|(?:projects/[a-z0-9.:-]+|organizations/\d+)/roles/[A-Za-z0-9_.]{3,64}"
)
_BASIC: Final = frozenset({"roles/owner", "roles/editor", "roles/viewer"})
_ON_DEFAULT: Final = frozenset({"pubsub", "run"})
_ASKED: Final = re.compile(
    r"service-\d+@(?:gs-project-accounts|gcp-sa-logging)\.iam\.gserviceaccount\.com"
    r"|bq-\d+@bigquery-encryption\.iam\.gserviceaccount\.com|cmek-p\d+@gcp-sa-logging\.iam\.gserviceaccount\.com"
)


def _members(call: Call) -> Iterator[tuple[str, str]]:
    member = call.get("member")
    if isinstance(member, str):
        yield "member", member
    for index, each in enumerate(call.texts("members")):
        yield f"members[{index}]", each


@behaviour(
    "IAM-002",
    _BOTH,
    Phase.CHECK,
    400,
    "INVALID_ARGUMENT",
    "terraform-provider-google-beta google-beta/tpgiamresource/resource_iam_m",
)
def deleted_member(call: Call) -> Iterator[Problem]:
    """A member that was deleted."""
    for where, member in _members(call):
        if member.startswith("deleted:"):
            yield Problem(where, f"`{where}` names a deleted member, {member!r}; remove it.")


@behaviour(
    "IAM-001",
    _BOTH,
    Phase.CHECK,
    400,
    "INVALID_ARGUMENT",
    "terraform-provider-google-beta google-beta/tpgiamresource/resource_iam_m",
)
def member_without_kind(call: Call) -> Iterator[Problem]:
    """A member without its kind in front."""
    for where, member in _members(call):
        if ":" not in member and member not in {"allUsers", "allAuthenticatedUsers"}:
            yield Problem(
                where,
                f"`{where}` must be KIND:NAME, such as serviceAccount:EMAIL or group:EMAIL, not {member!r}.",
            )


@behaviour(
    "IAM-003", _BOTH, (Phase.CREATE, Phase.UPDATE), 400, "INVALID_ARGUMENT", "googleapis/google-cloud-go#4330"
)
def member_form(call: Call) -> Iterator[Problem]:
    """A member of no form that Google knows."""
    for where, member in _members(call):
        if not _FORMS.fullmatch(member):
            yield Problem(
                where,
                f"`{where}` is of no form that Google knows: {member!r}; correct its prefix or address.",
            )


@behaviour(
    "IAM-020",
    _BOTH,
    (Phase.CREATE, Phase.UPDATE),
    400,
    "INVALID_ARGUMENT",
    "terraform-provider-google-beta website/docs/r/google_project_iam",
)
def role_form(call: Call) -> Iterator[Problem]:
    """A role that is neither roles/NAME nor the full name of a custom role."""
    role = call.text("role")
    if role and not _ROLE.fullmatch(role):
        yield Problem("role", f"`role` must be roles/NAME or projects/PROJECT/roles/ID, not {role!r}.")


@behaviour(
    "IAM-015",
    _BOTH,
    (Phase.CREATE, Phase.UPDATE),
    400,
    "INVALID_ARGUMENT",
    "terraform-provider-google-beta website/docs/r/google_project_iam",
)
def condition_on_basic_role(call: Call) -> Iterator[Problem]:
    """A condition on owner, editor or viewer."""
    if call.get("condition") and call.text("role") in _BASIC:
        yield Problem("condition", f"`condition` cannot stand on {call.text('role')}; use a predefined role.")


@behaviour(
    "IAM-016",
    _BOTH,
    (Phase.CREATE, Phase.UPDATE),
    400,
    "INVALID_ARGUMENT",
    "general knowledge of IAM conditions",
)
def condition_on_everyone(call: Call) -> Iterator[Problem]:
    """A condition on everyone."""
    if call.get("condition") and any(member.startswith("all") for _, member in _members(call)):
        yield Problem(
            "condition", "`condition` cannot stand on allUsers or allAuthenticatedUsers; remove it."
        )


@behaviour(
    "AGT-001",
    _BOTH,
    (Phase.CREATE, Phase.UPDATE),
    400,
    "INVALID_ARGUMENT",
    "GoogleCloudPlatform/magic-modules#3075; google-cloud.md 0.2",
)
def agent_missing(call: Call) -> Iterator[Problem]:
    """A service agent that nobody has asked for yet."""
    for where, member in _members(call):
        email = member.removeprefix("serviceAccount:")
        service = service_of(email)
        if _ASKED.fullmatch(email) and email not in call.world.facts.asked_agents:
            yield Problem(
                where,
                f"`{where}`: the service agent {email} does not exist until it is asked for; read it with "
                "the "
                "provider function of its product (for logging, a sink) instead of composing it.",
            )
        if service is None or service in _ON_DEFAULT:
            continue
        number = email.split("@")[0].removeprefix("service-")
        if number == call.number and not _asked_for(call, service):
            yield Problem(
                where,
                f"`{where}`: the service agent {email} does not exist; declare projects.ServiceIdentity for "
                f"{service}.googleapis.com and depend on it.",
            )


def _asked_for(call: Call, service: str) -> bool:
    id = f"projects/{call.project}/services/{service}.googleapis.com"
    return call.world.get("gcp:projects/serviceIdentity:ServiceIdentity", id) is not None


@behaviour(
    "IAM-008",
    "gcp:serviceaccount/account:Account",
    Phase.CHECK,
    400,
    "INVALID_ARGUMENT",
    "terraform-provider-google-beta google-beta/services/resourcemanager/reso",
)
def account_id(call: Call) -> Iterator[Problem]:
    """An account id outside Google's form."""
    name = call.text("accountId")
    if name and not re.fullmatch(r"[a-z](?:[-a-z0-9]{4,28}[a-z0-9])", name):
        yield Problem(
            "accountId",
            "`accountId` must be 6 to 30 lower-case letters, digits and dashes, start with a letter and "
            "not end "
            f"with a dash, not {name!r}.",
        )


@behaviour(
    "IAM-027",
    "gcp:projects/iAMCustomRole:IAMCustomRole",
    Phase.CHECK,
    400,
    "INVALID_ARGUMENT",
    "terraform-provider-google-beta google-beta/verify/validation.go",
)
def custom_role_id(call: Call) -> Iterator[Problem]:
    """A role id outside Google's form."""
    name = call.text("roleId")
    if name and not re.fullmatch(r"[a-zA-Z0-9_.]{3,64}", name):
        yield Problem(
            "roleId", f"`roleId` must be 3 to 64 letters, digits, underscores and dots, not {name!r}."
        )


@behaviour(
    "WIF-001",
    "gcp:iam/workloadIdentityPool:WorkloadIdentityPool",
    Phase.CHECK,
    400,
    "INVALID_ARGUMENT",
    "terraform-provider-google-beta google-beta/services/iambeta/resource_iam",
)
def pool_id(call: Call) -> Iterator[Problem]:
    """A pool id outside Google's form."""
    name = call.text("workloadIdentityPoolId")
    if name and (not re.fullmatch(r"[a-z0-9-]{4,32}", name) or name.startswith("gcp-")):
        yield Problem(
            "workloadIdentityPoolId",
            "`workloadIdentityPoolId` must be 4 to 32 lower-case letters, digits and dashes and not "
            "start with "
            f"gcp-, not {name!r}.",
        )


@behaviour(
    "WIF-005",
    "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",
    (Phase.CREATE, Phase.UPDATE),
    400,
    "INVALID_ARGUMENT",
    "chainguard-dev/terraform-infra-common#672",
)
def shared_issuer(call: Call) -> Iterator[Problem]:
    """A shared issuer without a condition on its claims."""
    issuer = call.text("oidc.issuerUri")
    shared = ("token.actions.githubusercontent.com", "gitlab.com", "app.terraform.io")
    if any(host in issuer for host in shared) and not call.text("attributeCondition"):
        yield Problem(
            "attributeCondition",
            f"`attributeCondition` is needed for the shared issuer {issuer}; name the owner or repository "
            "in it.",
        )


_POOL_PROVIDER: Final = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"


@behaviour(
    "WIF-002",
    _POOL_PROVIDER,
    Phase.CHECK,
    400,
    "INVALID_ARGUMENT",
    "google-beta/services/iambeta/resource_iam_workload_identity_pool_provider.go",
)
def federation_id(call: Call) -> Iterator[Problem]:
    """A provider's id outside Google's form."""
    name = call.text("workloadIdentityPoolProviderId")
    if name and (not re.fullmatch(r"[a-z0-9-]{4,32}", name) or name.startswith("gcp-")):
        path = "workloadIdentityPoolProviderId"
        yield Problem(
            path,
            f"`{path}` must be 4 to 32 letters (a-z), digits, dashes, and not start with gcp-: {name!r}.",
        )


@behaviour(
    "WIF-011",
    _POOL_PROVIDER,
    Phase.CREATE,
    400,
    "FAILED_PRECONDITION",
    "terraform-provider-google-beta website/docs/r/iam_workload_identity_pool",
)
def trusted_pool(call: Call) -> Iterator[Problem]:
    """A provider in a pool that trusts its own domain only."""
    pool = call.text("workloadIdentityPoolId")
    for record in call.world.find("gcp:iam/workloadIdentityPool:WorkloadIdentityPool"):
        if record.id.rpartition("/")[2] == pool and record.inputs.get("mode") == "TRUST_DOMAIN":
            yield Problem(
                "workloadIdentityPoolId",
                f"`workloadIdentityPoolId`: {pool} has the mode TRUST_DOMAIN; use a FEDERATION_ONLY pool.",
            )

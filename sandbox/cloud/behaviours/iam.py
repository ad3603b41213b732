"""IAM: members, roles, service agents, accounts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.iam_forms import GRANTS, POLICIES, bindings_of, grants
from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour

_BOTH: Final = GRANTS
# The provider reads members and bindings itself; a policy goes to Google as it is.
_READ: Final = tuple(type for type in GRANTS if type not in POLICIES)

_EMAIL: Final = r"[^@\s:/?]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.[A-Za-z]{2,}"
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
            rf"principalSet://{_POOLS}/(?:(?:group|namespace|kubernetes\.cluster|attribute\.[a-z0-9_]+)/.+|\*)",
            r"principal(?:Set)?://iam\.googleapis\.com/locations/global/workforcePools/.+",
            rf"principalSet://cloudresourcemanager\.googleapis\.com/(?:projects|folders|organizations)/{_NUMBER}/type/.+",
        )
    )
)
_ROLE: Final = re.compile(
    r"roles/[A-Za-z0-9_.]+|(?:projects/[a-z0-9.:-]+|organizations/\d+)/roles/[A-Za-z0-9_.]{3,64}"
)
_BASIC: Final = frozenset({"roles/owner", "roles/editor", "roles/viewer"})
_EVERYONE: Final = frozenset({"allUsers", "allAuthenticatedUsers"})
_ORGANIZATION: Final = re.compile(r"resourcemanager\.(?:projects\.list|(?:folders|organizations)\..+)")


def _members(call: Call) -> Iterator[tuple[str, str]]:
    for grant in grants(call):
        yield grant.where, grant.member


@behaviour(
    "IAM-002",
    _READ,
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
    _READ,
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
        if not _FORMS.fullmatch(member) and not member.startswith("deleted:"):
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
    named = [("role", call.text("role"))]
    named += [("policyData", str(item.get("role"))) for item in bindings_of(call.get("policyData"))]
    for where, role in named:
        if role and not _ROLE.fullmatch(role):
            yield Problem(
                where, f"`{where}` must name roles/NAME or projects/PROJECT/roles/ID, not {role!r}."
            )


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
    for grant in grants(call):
        if grant.conditional and grant.role in _BASIC:
            yield Problem("condition", f"`condition` cannot stand on {grant.role}; use a predefined role.")


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
    for grant in grants(call):
        if grant.conditional and grant.member in _EVERYONE:
            yield Problem("condition", f"`condition` cannot stand on {grant.member}; remove it.")


# Pub/Sub and Cloud Tasks; queues, topics, subscriptions and schemas have policies without conditions.
_UNCONDITIONAL: Final = tuple(type for type in GRANTS if type.startswith(("gcp:pubsub/", "gcp:cloudtasks/")))


@behaviour(
    "IAM-018",
    _UNCONDITIONAL,
    (Phase.CREATE, Phase.UPDATE),
    400,
    "INVALID_ARGUMENT",
    "GoogleCloudPlatform/magic-modules#9228; IAM documentation, services that allow conditions",
)
def condition_unsupported(call: Call) -> Iterator[Problem]:
    """A condition on a resource whose policy takes none."""
    if any(grant.conditional for grant in grants(call)):
        yield Problem(
            "condition",
            "`condition` is not supported on this resource; grant the role at the project with a condition "
            "on resource.name.",
        )


@behaviour(
    "IAM-100",
    POLICIES,
    Phase.CHECK,
    400,
    "INVALID_ARGUMENT",
    "terraform-provider-google-beta google-beta/tpgiamresource/resource_iam_policy.go",
)
def policy_form(call: Call) -> Iterator[Problem]:
    """A policy that is not JSON."""
    text = call.get("policyData")
    if isinstance(text, str):
        try:
            json.loads(text)
        except ValueError as wrong:
            yield Problem("policyData", f"`policyData` must be JSON, as get_iam_policy gives it: {wrong}.")


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
    "IAM-029",
    "gcp:projects/iAMCustomRole:IAMCustomRole",
    (Phase.CREATE, Phase.UPDATE),
    400,
    "INVALID_ARGUMENT",
    "Google Cloud documentation: IAM, custom roles, supported permissions",
)
def custom_role_permissions(call: Call) -> Iterator[Problem]:
    """A permission of no form that Google knows, or one that a project's role cannot hold."""
    for index, name in enumerate(call.texts("permissions")):
        where = f"permissions[{index}]"
        if not re.fullmatch(r"[a-z][a-z0-9-]*(?:\.[A-Za-z][A-Za-z0-9_-]*){2,}", name):
            yield Problem(where, f"`{where}` must be SERVICE.RESOURCE.VERB, not {name!r}.")
        elif _ORGANIZATION.fullmatch(name):
            yield Problem(where, f"`{where}`: {name} is for roles of an organisation; remove it here.")


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

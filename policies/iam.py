"""Who may do what: no basic role, no wide role, no key, nobody outside."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, cast

from policies.model import (
    UNKNOWN,
    Block,
    Finding,
    Resource,
    contains_unknown,
    is_missing,
    relation,
    rule,
    say,
    stack_rule,
    text,
)

__all__ = ["RULES"]

MEMBER: Final = "gcp:projects/iAMMember:IAMMember"
BINDING: Final = "gcp:projects/iAMBinding:IAMBinding"
POLICY: Final = "gcp:projects/iAMPolicy:IAMPolicy"
ACCOUNT: Final = "gcp:serviceaccount/account:Account"
ACCOUNT_MEMBER: Final = "gcp:serviceaccount/iAMMember:IAMMember"
INVOKERS: Final = (
    "gcp:cloudrunv2/serviceIamMember:ServiceIamMember",
    "gcp:cloudrunv2/serviceIamBinding:ServiceIamBinding",
)
ACCESS_LISTS: Final = (
    "gcp:storage/bucketAccessControl:BucketAccessControl",
    "gcp:storage/defaultObjectAccessControl:DefaultObjectAccessControl",
    "gcp:storage/objectAccessControl:ObjectAccessControl",
    "gcp:storage/bucketACL:BucketACL",
    "gcp:storage/defaultObjectACL:DefaultObjectACL",
    "gcp:storage/objectACL:ObjectACL",
)
_ON_PROJECT: Final = (MEMBER, BINDING)
_ON_ACCOUNT: Final = (ACCOUNT_MEMBER, "gcp:serviceaccount/iAMBinding:IAMBinding")
_PUBLIC: Final = ("allUsers", "allAuthenticatedUsers")
_BASIC: Final = ("roles/owner", "roles/editor", "roles/viewer")
_IMPERSONATION: Final = (
    "roles/iam.serviceAccountUser",
    "roles/iam.serviceAccountTokenCreator",
    "roles/iam.serviceAccountOpenIdTokenCreator",
    "roles/iam.workloadIdentityUser",
    "roles/iam.serviceAccountKeyAdmin",
)
_SIGNING: Final = (
    "roles/iam.serviceAccountTokenCreator",
    "roles/iam.serviceAccountOpenIdTokenCreator",
)
_SELF: Final = "grant it to nobody else"
_SECRETS: Final = ("roles/secretmanager.secretAccessor", "roles/secretmanager.admin")
_ADMIN: Final = re.compile(r"admin$", re.IGNORECASE)
_DEFAULT_ACCOUNT: Final = re.compile(
    r"^serviceAccount:(\d+-compute@developer|[^@]+@appspot|\d+@cloudbuild)\.gserviceaccount\.com$"
)
_DANGEROUS: Final = re.compile(
    r"\.setIamPolicy$|^iam\.serviceAccounts\.(actAs|getAccessToken|signBlob|signJwt|implicitDelegation)$"
    r"|^iam\.serviceAccountKeys\.create$"
)
_GRANT: Final = re.compile(r"I[Aa][Mm](Member|Binding|Policy)$")
_GITHUB: Final = "token.actions.githubusercontent.com"


@cache
def _is_grant(type: str) -> bool:
    return _GRANT.search(type) is not None


def _members(resource: Resource) -> list[str]:
    return [*resource.strings("member"), *resource.strings("members")]


def _grants(resource: Resource) -> Iterator[tuple[str, str | None, str]]:
    """Property, role and member of every grant that one IAM resource makes, in whichever form."""
    if not _is_grant(resource.type):
        return
    for path in ("member", "members"):
        for member in resource.strings(path):
            yield path, text(resource.get("role")), member
    for binding in Block("policyData", _policy(resource)).each("bindings"):
        for member in binding.strings("members"):
            yield binding.within("members"), text(binding.get("role")), member


def _policy(resource: Resource) -> Mapping[str, Any]:
    data = text(resource.get("policyData"))
    try:
        found: Any = json.loads(data) if data is not None else {}
    except json.JSONDecodeError:
        found = {}
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}


@rule(
    "iam-no-basic-role",
    "Nobody holds owner, editor or viewer",
    controls=("IAM-01",),
    source="CIS 1.5/1.6, checkov CKV_GCP_117",
)
def no_basic_role(resource: Resource) -> Iterator[str]:
    held = {role for _, role, _ in _grants(resource)} | {text(resource.get("role"))}
    for role in _BASIC:
        if _is_grant(resource.type) and role in held:
            yield say(resource, "role", "not be a basic role", role, "grant the roles of the services in use")


@stack_rule(
    "iam-no-admin-role",
    "No account that a workload runs as holds an admin role on the project",
    controls=("IAM-02",),
    source="CIS 1.5/1.6, checkov CKV_GCP_42; an account that deployers log in to by federation may",
)
def no_admin_role(resources: Sequence[Resource]) -> Iterator[Finding]:
    accounts = [one for one in resources if one.type == ACCOUNT]
    logins = [one for one in resources if one.type == ACCOUNT_MEMBER]
    for grant in resources:
        role = text(grant.get("role")) if grant.type in _ON_PROJECT else None
        if role is None or _ADMIN.search(role) is None:
            continue
        for member in _members(grant):
            if member.startswith("serviceAccount:") and not _is_deployer(member, accounts, logins):
                yield Finding(
                    grant.urn,
                    say(
                        grant,
                        "role",
                        f"not be an admin role for {member}",
                        role,
                        "grant a narrower role on the target",
                    ),
                )


def _is_deployer(member: str, accounts: Sequence[Resource], logins: Sequence[Resource]) -> bool:
    """Whether somebody may log in to the account by federation, as far as that is known."""
    local = member.removeprefix("serviceAccount:").split("@")[0]
    own = [one for one in accounts if one.get("accountId") is UNKNOWN or one.get("accountId") == local]
    return any(_may_be_federated(login) and _may_open(login, local, own) for login in logins)


def _may_be_federated(login: Resource) -> bool:
    if text(login.get("role", "")) not in (None, "roles/iam.workloadIdentityUser"):
        return False
    unknown = contains_unknown(login.get("member")) or contains_unknown(login.get("members"))
    return unknown or any(member.startswith("principal") for member in _members(login))


def _may_open(login: Resource, local: str, own: Sequence[Resource]) -> bool:
    target = text(login.get("serviceAccountId"))
    if target is not None:
        return f"/{local}@" in target
    return not own or any(
        relation(login, "serviceAccountId", account, name="accountId") != "no" for account in own
    )


@rule(
    "iam-no-impersonation-on-project",
    "Nobody may act as every account of the project",
    controls=("IAM-03",),
    source="CIS 1.6/1.7, checkov CKV_GCP_41 and 49",
    types=_ON_PROJECT,
)
def no_impersonation(resource: Resource) -> Iterator[str]:
    role = text(resource.get("role"))
    if role in _IMPERSONATION:
        yield say(resource, "role", "not let act as accounts", role, "grant it on the one account")


@rule(
    "iam-sign-only-as-itself",
    "Tokens and signatures of an account are given to that account alone",
    controls=("IAM-03",),
    source="least privilege: signed URLs need an account's grant on itself, nothing else does",
    types=_ON_ACCOUNT,
)
def sign_only_as_itself(resource: Resource) -> Iterator[str]:
    if text(resource.get("role")) not in _SIGNING:
        return
    target = text(resource.get("serviceAccountId"))
    for path in ("member", "members"):
        if target is None:
            made = resource.property_dependencies
            here, there = set(made.get("serviceAccountId", ())), set(made.get(path, ()))
            if here and there and not here & there:
                yield say(resource, path, "be the account itself", "another account", _SELF)
        for member in resource.strings(path):
            own = member.removeprefix("serviceAccount:")
            if target is not None and (own == member or own != target.rsplit("/", 1)[-1]):
                yield say(resource, path, "be the account itself", member, _SELF)


@rule(
    "iam-no-secret-access-on-project",
    "Access to secrets is granted per secret",
    controls=("SEC-06",),
    source="SEC-2.1",
    types=_ON_PROJECT,
)
def no_secret_access(resource: Resource) -> Iterator[str]:
    role = text(resource.get("role"))
    if role == _SECRETS[0]:
        yield say(resource, "role", "not open every secret", role, "grant it with a SecretIamMember")


@rule(
    "iam-no-default-account",
    "Google's default service accounts receive nothing",
    controls=("IAM-04",),
    source="checkov CKV_GCP_46, trivy GCP-0006",
)
def no_default_account(resource: Resource) -> Iterator[str]:
    for path, _, member in _grants(resource):
        if _DEFAULT_ACCOUNT.match(member):
            yield say(resource, path, "not be a default account", member, "grant to an account of its own")


@rule(
    "iam-no-public-member",
    "Nothing is open to everybody",
    controls=("IAM-05", "GCS-03", "PS-03", "KMS-04", "SEC-05", "AR-04"),
    source="CIS 1.9 and 5.1, checkov CKV_GCP_28, 99, 101, 112, 113; Cloud Run has a rule of its own",
)
def no_public_member(resource: Resource) -> Iterator[str]:
    if resource.type in ACCESS_LISTS:
        yield from _public_entries(resource)
    if resource.type in INVOKERS:
        return
    for path, _, member in _grants(resource):
        if member in _PUBLIC:
            yield say(resource, path, "not be everybody", member, "name a group or an account")


def _public_entries(resource: Resource) -> Iterator[str]:
    for path in ("entity", "roleEntities"):
        for entry in resource.strings(path):
            if entry.rsplit(":", 1)[-1] in _PUBLIC:
                yield say(resource, path, "not be everybody", entry, "remove it")
    for path in ("predefinedAcl", "defaultAcl"):
        value = text(resource.get(path))
        if value is not None and value.startswith(("public", "authenticated")):
            yield say(resource, path, "not be open to everybody", value, "set private")


@rule(
    "iam-no-single-person",
    "Rights go to groups, accounts and federated identities, not to one person",
    controls=("IAM-06",),
    source="CIS 1.1/1.2, trivy GCP-0003, KICS user_with_iam_role",
)
def no_single_person(resource: Resource) -> Iterator[str]:
    for path, _, member in _grants(resource):
        if member.startswith("user:"):
            yield say(resource, path, "not be one person", member, "grant to a group")


@rule(
    "iam-no-account-key",
    "No service account has a key",
    controls=("IAM-07",),
    source="CIS 1.4/1.5, checkov CKV2_GCP_3, org policy iam.disableServiceAccountKeyCreation",
    types=("gcp:serviceaccount/key:Key",),
)
def no_account_key(resource: Resource) -> Iterator[str]:
    yield say(resource, "serviceAccountId", "have no key", resource.get("serviceAccountId"), "use federation")


@rule(
    "iam-additive-on-project",
    "Grants on the project are added one by one, never set as a whole",
    controls=("IAM-08",),
    source="style: several stacks share a project",
    types=(BINDING, POLICY),
)
def additive(resource: Resource) -> Iterator[str]:
    value = resource.get("role", "every role")
    yield say(resource, "role", "be granted by IAMMember", value, "use projects.IAMMember per member")


@rule(
    "iam-federation-condition",
    "A federation provider admits only the house's own repository",
    controls=("IAM-10",),
    source="checkov CKV_GCP_118 and 125, trivy GCP-0068",
    types=("gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider",),
)
def federation_condition(resource: Resource) -> Iterator[str]:
    condition = resource.get("attributeCondition")
    if is_missing(condition):
        yield say(resource, "attributeCondition", "be given", condition, "pin the repository by its number")
        return
    expression, issuer = text(condition), text(resource.get("oidc.issuerUri"))
    if expression is None or issuer is None or _GITHUB not in issuer:
        return
    if not re.search(r"assertion\.(repository_id|repository_owner_id)\s*==", expression):
        yield say(
            resource,
            "attributeCondition",
            "pin repository_id or repository_owner_id, since a name can be taken over",
            expression,
            "compare the number",
        )


@rule(
    "iam-custom-role-harmless",
    "A custom role cannot raise its own rights",
    controls=("IAM-11",),
    source="policy-library GCPIAMCustomRolePermissions",
    types=("gcp:projects/iAMCustomRole:IAMCustomRole", "gcp:organizations/iAMCustomRole:IAMCustomRole"),
)
def custom_role(resource: Resource) -> Iterator[str]:
    for permission in resource.strings("permissions"):
        if _DANGEROUS.search(permission):
            yield say(resource, "permissions", "not raise rights", permission, "remove the permission")


@rule(
    "iam-api-key-restricted",
    "An API key is restricted to named services",
    controls=("IAM-14",),
    source="CIS 1.14/1.15",
    types=("gcp:projects/apiKey:ApiKey",),
)
def api_key(resource: Resource) -> Iterator[str]:
    path = "restrictions.apiTargets"
    if is_missing(resource.get(path)):
        yield say(resource, path, "name services", None, "add the services that the key is for")


RULES = (
    no_basic_role,
    no_admin_role,
    no_impersonation,
    sign_only_as_itself,
    no_secret_access,
    no_default_account,
    no_public_member,
    no_single_person,
    no_account_key,
    additive,
    federation_condition,
    custom_role,
    api_key,
)

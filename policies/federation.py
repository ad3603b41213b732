"""Who gets in from outside, and how far: federation, limits of granting, emergency rights."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from policies.model import Resource, is_missing, rule, say, seconds, text

__all__ = ["RULES"]

PROVIDER: Final = "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
LOGIN: Final = ("gcp:serviceaccount/iAMMember:IAMMember", "gcp:serviceaccount/iAMBinding:IAMBinding")
GRANT: Final = ("gcp:projects/iAMMember:IAMMember", "gcp:projects/iAMBinding:IAMBinding")
ENTITLEMENT: Final = "gcp:privilegedaccessmanager/entitlement:entitlement"
DEFAULT_ACCOUNTS: Final = "gcp:projects/defaultServiceAccounts:DefaultServiceAccounts"
_GITHUB: Final = "token.actions.githubusercontent.com"
_GRANTING: Final = ("roles/resourcemanager.projectIamAdmin", "roles/iam.securityAdmin")
_LIMIT: Final = re.compile(
    r"api\.getAttribute\('iam\.googleapis\.com/modifiedGrantsByRole', ?\[\]\)\.hasOnly\(\[([^\]]*)\]\)"
)
_MOST_ROLES: Final = 10
_LONGEST_SECONDS: Final = 14_400


@rule(
    "iam-federation-environment",
    "GitHub's jobs get in from a protected environment, never because of a pull request",
    controls=("IAM-10",),
    source="GitHub's table of claims: an event is chosen by whoever pushes, an environment is protected",
    types=(PROVIDER,),
)
def environment(resource: Resource) -> Iterator[str]:
    path = "attributeCondition"
    expression, issuer = text(resource.get(path)), text(resource.get("oidc.issuerUri"))
    if expression is None or issuer is None or _GITHUB not in issuer:
        return
    if re.search(r"event_name|pull", expression):
        yield say(resource, path, "name no event and no pull request", expression, "compare the environment")
    elif not re.search(r"assertion\.environment\s*(==|in\b)", expression):
        yield say(resource, path, "name protected environments", expression, "compare assertion.environment")
    for claim in ("repository_id", "repository_owner_id"):
        if not re.search(rf"assertion\.{claim}\s*==", expression):
            yield say(resource, path, f"compare assertion.{claim}", expression, "add the number")


@rule(
    "iam-federation-one-login",
    "An account is opened to one federated identity, not to a whole pool",
    controls=("IAM-10",),
    source="iam: several principal sets on one account are alternatives, not a conjunction",
    types=LOGIN,
)
def one_login(resource: Resource) -> Iterator[str]:
    if text(resource.get("role")) != "roles/iam.workloadIdentityUser":
        return
    for path in ("member", "members"):
        for member in resource.strings(path):
            whole = member.endswith("/*") or "/attribute.event_name/" in member
            if member.startswith("principal") and whole:
                yield say(resource, path, "be one identity", member, "name a subject")


@rule(
    "iam-granting-limited",
    "Who may change the project's policy may grant named roles only",
    controls=("IAM-13",),
    source="Google's page on limits of role granting: hasOnly, at most 10 roles",
    types=GRANT,
)
def granting_limited(resource: Resource) -> Iterator[str]:
    role, path = text(resource.get("role")), "condition.expression"
    if role not in _GRANTING:
        return
    value = resource.get(path)
    if is_missing(value):
        yield say(resource, path, "limit the roles that may be granted", None, "add a hasOnly condition")
        return
    expression = text(value)
    if expression is None:
        return
    lists = _LIMIT.findall(expression)
    if _LIMIT.sub("", expression).strip(" |()") or not lists:
        yield say(resource, path, "be hasOnly over the granted roles alone", expression, "remove the rest")
    for found in lists:
        roles = re.findall(r"'([^']*)'", found)
        if not 1 <= len(roles) <= _MOST_ROLES:
            yield say(resource, path, "list 1 to 10 roles, as Google takes", len(roles), "shorten the list")
        for each in roles:
            if re.search(r"(?i)admin$|roles/(owner|editor)$", each):
                yield say(resource, path, "not hand out administration", each, "remove the role")


@rule(
    "iam-break-glass",
    "Emergency rights need a reason and another's approval, and end within four hours",
    controls=("IAM-13",),
    source="Google's pages on Privileged Access Manager; CIS 1.7",
    types=(ENTITLEMENT,),
)
def break_glass(resource: Resource) -> Iterator[str]:
    for path in ("approvalWorkflow.manualApprovals.steps", "requesterJustificationConfig.unstructured"):
        value = resource.get(path)
        if value is None or (path.endswith("steps") and is_missing(value)):
            yield say(resource, path, "be given", value, "ask for a reason and an approval")
    path = "maxRequestDuration"
    length = seconds(resource.get(path))
    if length is not None and length > _LONGEST_SECONDS:
        yield say(resource, path, "be at most 14400s", resource.get(path), "shorten it")
    for binding in resource.each("privilegedAccess.gcpIamAccess.roleBindings"):
        role = text(binding.get("role"))
        if role in ("roles/owner", "roles/editor", "roles/viewer"):
            yield say(resource, binding.within("role"), "not be a basic role", role, "name single roles")


@rule(
    "iam-default-accounts-stripped",
    "Google's default accounts lose their rights and never get them back",
    controls=("IAM-04",),
    source="CIS 4.1, org policy iam.automaticIamGrantsForDefaultServiceAccounts",
    types=(DEFAULT_ACCOUNTS,),
)
def default_accounts(resource: Resource) -> Iterator[str]:
    path = "restorePolicy"
    value = resource.get(path, "REVERT")
    found = text(value)
    if found is not None and found != "NONE":
        yield say(resource, path, "be NONE", value, "set NONE: a destroy would give the rights back")


RULES = (environment, one_login, granting_limited, break_glass, default_accounts)

"""Who holds what: every grant of a program as one row, and the grants that nobody uses.

A grant is unused when its holder is an account that the program makes and nothing runs as it or logs in to
it, or when the same holder has the same role on the same target twice or on the whole project as well. Before
the first release nothing runs but what is built from this repository's source; grants precede their runtimes
by necessity, so the first reason is not looked for then.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from policies.model import (
    UNKNOWN,
    Finding,
    Resource,
    contains_unknown,
    is_missing,
    rule,
    say,
    stack_rule,
    text,
)

__all__ = ["ACCOUNT", "GRANT", "RULES", "Grant", "broad", "grants", "unused"]

Holder = Literal["runtime", "agent", "account", "group", "person", "federated", "everybody", "unknown"]

ACCOUNT: Final = "gcp:serviceaccount/account:Account"
_AGENT: Final = "gcp:projects/serviceIdentity:ServiceIdentity"
_USER: Final = "gcp:sql/user:User"
_LOGIN: Final = "roles/iam.workloadIdentityUser"
GRANT: Final = re.compile(r"I[Aa][Mm](Member|Binding)$")
_ON_PROJECT: Final = re.compile(r"^gcp:projects/iAM(Member|Binding):")
_EMAIL: Final = re.compile(r"([a-z0-9-]+)@[a-z0-9.-]+\.iam\.gserviceaccount\.com")
_OF_GOOGLE: Final = re.compile(
    r"^serviceAccount:(service-\d+@|cmek-p\d+@|bq-\d+@|p\d+-[a-z0-9]+@gcp-sa-|\d+@)", re.IGNORECASE
)
_BROAD: Final = re.compile(r"^roles/(owner|editor)$|admin$", re.IGNORECASE)
_RUNS: Final = (
    "gcp:cloudrunv2/service:Service",
    "gcp:cloudrunv2/workerPool:WorkerPool",
    "gcp:cloudrunv2/job:Job",
    "gcp:cloudfunctionsv2/function:Function",
)
# What a grant stands on, by the property that names it; the first that is given counts.
_TARGETS: Final = (
    "secretId",
    "tableId",
    "topic",
    "subscription",
    "bucket",
    "cryptoKeyId",
    "keyRingId",
    "serviceAccountId",
    "repository",
    "subnetwork",
    "attestor",
    "note",
    "name",
    "billingAccountId",
    "folder",
    "orgId",
)
_PREFIXES: Final[Mapping[str, Holder]] = {
    "group": "group",
    "domain": "group",
    "user": "person",
    "principal": "federated",
    "principalSet": "federated",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One role of one holder on one target."""

    urn: str
    # The address, or the name of what will have one.
    identity: str
    kind: Holder
    role: str
    # "project", or the kind and the name of the resource.
    target: str
    # What tells targets of one name apart: the full name, or what it comes from.
    target_id: str
    # The title of the condition; empty without one.
    condition: str

    @property
    def on_project(self) -> bool:
        """Whether it reaches everything in the project that its condition allows."""
        return self.target == "project"


def grants(resources: Sequence[Resource]) -> list[Grant]:
    """Every grant to a single holder, ordered by holder, role and target."""
    by_urn = {one.urn: one for one in resources}
    found = [grant for one in resources if GRANT.search(one.type) for grant in _of(one, by_urn)]
    return sorted(found, key=lambda item: (item.kind, item.identity, item.role, item.target))


def broad(found: Sequence[Grant]) -> list[Grant]:
    """The grants of owner, editor or an admin role on the project."""
    return [grant for grant in found if grant.on_project and _BROAD.search(grant.role)]


def unused(resources: Sequence[Resource]) -> list[tuple[Grant, str]]:
    """Every unused grant with the reason."""
    found = grants(resources)
    released = any(one.type in _RUNS and one.get("buildConfig") is None for one in resources)
    active = _active(resources) if released else None
    wide = {(one.identity, one.role) for one in found if one.on_project and not one.condition}
    twins = Counter(_same(one) for one in found)
    result: list[tuple[Grant, str]] = []
    for one in found:
        if one.kind == "unknown":
            continue
        if one.kind == "runtime" and active is not None and one.identity not in active:
            result.append((one, "nothing runs as this account"))
        elif not one.on_project and (one.identity, one.role) in wide:
            result.append((one, "the same role is granted on the whole project"))
        elif twins[_same(one)] > 1:
            result.append((one, "the same grant stands twice"))
    return result


def _same(grant: Grant) -> tuple[str, ...]:
    return grant.identity, grant.role, grant.target, grant.target_id, grant.condition


def _of(resource: Resource, by_urn: Mapping[str, Resource]) -> Iterator[Grant]:
    condition = text(resource.get("condition.title")) or (
        "" if is_missing(resource.get("condition")) else "yes"
    )
    for path in ("member", "members"):
        value = resource.get(path)
        if value is None:
            continue
        items = cast("list[Any]", value) if isinstance(value, list) else [value]
        for item in items:
            identity, kind = _holder(resource, path, text(item), by_urn)
            target, target_id = _target(resource, by_urn)
            yield Grant(
                urn=resource.urn,
                identity=identity,
                kind=kind,
                role=text(resource.get("role")) or _made(resource, "role", by_urn) or "unknown",
                target=target,
                target_id=target_id,
                condition=condition,
            )


def _holder(
    resource: Resource, path: str, member: str | None, by_urn: Mapping[str, Resource]
) -> tuple[str, Holder]:
    if member is not None:
        prefix, _, address = member.partition(":")
        if prefix.startswith("all"):
            return member, "everybody"
        if prefix in _PREFIXES:
            return address or member, _PREFIXES[prefix]
        if _OF_GOOGLE.match(member) or "@cloud-redis." in member or "@serverless-robot" in member:
            return address, "agent"
        local = address.partition("@")[0]
        own = any(one.type == ACCOUNT and one.get("accountId") == local for one in by_urn.values())
        return (local, "runtime") if own else (address, "account")
    for urn in resource.property_dependencies.get(path, ()):
        source = by_urn.get(urn)
        if source is not None and source.type == ACCOUNT:
            return text(source.get("accountId")) or source.name, "runtime"
        if source is not None and source.type == _AGENT:
            return f"agent of {text(source.get('service')) or source.name}", "agent"
    return "not known yet", "unknown"


def _target(resource: Resource, by_urn: Mapping[str, Resource]) -> tuple[str, str]:
    """How a person calls the target, and what tells it apart."""
    if _ON_PROJECT.match(resource.type):
        return "project", ""
    kind = resource.type.rpartition(":")[2]
    # Grants on an account and on a table have no word of their own for it.
    bare = "Table" if resource.type.startswith("gcp:bigquery/") else "Account"
    kind = re.sub(r"I[Aa][Mm](Member|Binding)$", "", kind) or bare
    path = next((path for path in _TARGETS if resource.get(path) is not None), "")
    value = text(resource.get(path)) if path else None
    name = value.rsplit("/", 1)[-1] if value is not None else _made(resource, path, by_urn) or resource.name
    made = ",".join(sorted(resource.property_dependencies.get(path, ())))
    within = (text(resource.get(path)) for path in ("location", "region", "datasetId"))
    where = next((found for found in within if found), "")
    return f"{kind} {name}", f"{where}/{value}" if value is not None else made or resource.urn


def _made(resource: Resource, path: str, by_urn: Mapping[str, Resource]) -> str | None:
    """The name of the resource that a value which is not known yet comes from."""
    sources = [by_urn[urn] for urn in resource.property_dependencies.get(path, ()) if urn in by_urn]
    return sources[0].name if sources else None


def _active(resources: Sequence[Resource]) -> set[str]:
    """Account ids that something runs as or that somebody logs in to by federation."""
    accounts = {one.urn: text(one.get("accountId")) or one.name for one in resources if one.type == ACCOUNT}
    active: set[str] = set()
    for one in resources:
        if one.type in (ACCOUNT, _USER) or not one.type.startswith("gcp:"):
            continue
        if GRANT.search(one.type):
            if text(one.get("role")) in (_LOGIN, None):
                if _may_be_any(one, ("serviceAccountId",)):
                    return set(accounts.values())
                active |= _named(one.get("serviceAccountId")) | _behind(one, ("serviceAccountId",), accounts)
            continue
        if one.type in _RUNS and _may_be_any(one, tuple(one.props)):
            return set(accounts.values())
        active |= _named(one.props) | _behind(one, tuple(one.property_dependencies), accounts)
    return active


def _may_be_any(resource: Resource, paths: Sequence[str]) -> bool:
    """Whether a value is neither readable nor known to come from something."""
    return any(
        contains_unknown(resource.get(path)) and not resource.property_dependencies.get(path)
        for path in paths
    )


def _behind(resource: Resource, paths: Sequence[str], accounts: Mapping[str, str]) -> set[str]:
    return {
        accounts[urn]
        for path in paths
        for urn in resource.property_dependencies.get(path, ())
        if urn in accounts
    }


def _named(value: Any) -> set[str]:
    if isinstance(value, str):
        return set(_EMAIL.findall(value))
    if value is UNKNOWN:
        return set()
    if isinstance(value, Mapping):
        return {name for item in cast("Mapping[str, Any]", value).values() for name in _named(item)}
    if isinstance(value, list):
        return {name for item in cast("list[Any]", value) for name in _named(item)}
    return set()


@stack_rule(
    "iam-no-unused-grant",
    "Every grant has a holder that runs, and stands once",
    controls=("IAM-12",),
    source="least privilege: a right that nobody uses is there for whoever takes the account over",
)
def no_unused_grant(resources: Sequence[Resource]) -> Iterator[Finding]:
    by_urn = {one.urn: one for one in resources}
    for grant, reason in unused(resources):
        yield Finding(
            grant.urn,
            say(
                by_urn[grant.urn],
                "member",
                f"use {grant.role} on {grant.target} ({reason})",
                grant.identity,
                "remove the grant, or add what runs",
            ),
        )


@rule(
    "iam-database-login-conditioned",
    "A login to databases is held to named instances",
    controls=("IAM-13",),
    source="IAM conditions for Cloud SQL: the role exists on the project only",
    types=("gcp:projects/iAMMember:IAMMember",),
)
def database_login(resource: Resource) -> Iterator[str]:
    if text(resource.get("role")) not in ("roles/cloudsql.client", "roles/cloudsql.instanceUser"):
        return
    expression = resource.get("condition.expression")
    if expression is UNKNOWN or (isinstance(expression, str) and "/instances/" in expression):
        return
    yield say(
        resource,
        "condition.expression",
        "name the instances",
        expression,
        'add resource.name == "projects/P/instances/I"',
    )


RULES = (no_unused_grant, database_login)

"""The table of access: who holds which role on what, after the run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from policies.access import ACCOUNT, GRANT, Grant, broad, grants, unused
from review.adapting import adapt
from sandbox.model import ResourceState

__all__ = ["Access", "access_document", "access_of", "counts", "gives_access", "rows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Every grant, and how many of them should not be there."""

    grants: tuple[Grant, ...] = ()
    # Service accounts that the program makes, with or without a grant.
    identities: tuple[str, ...] = ()
    project_admins: int = 0
    unused: int = 0


def access_of(states: Iterable[ResourceState]) -> Access:
    """The access that a state gives."""
    resources = [adapt(state) for state in states if not state.delete]
    found = grants(resources)
    accounts = (one for one in resources if one.type == ACCOUNT)
    return Access(
        grants=tuple(found),
        identities=tuple(sorted(str(one.get("accountId", one.name)) for one in accounts)),
        project_admins=len(broad(found)),
        unused=len(unused(resources)),
    )


def gives_access(type: str) -> bool:
    """Whether a resource of this type is an account or a grant."""
    return type == ACCOUNT or GRANT.search(type) is not None


def counts(access: Access) -> str:
    """The totals in one line."""
    return (
        f"{len(access.identities)} service accounts, {len(access.grants)} grants: {access.project_admins} "
        f"of admin, editor or owner on the project, {access.unused} unused"
    )


def rows(access: Access) -> list[tuple[str, str, str, str]]:
    """Identity, role, target, condition; an account without a grant has one row that says so."""
    table = [
        (one.identity, one.role.removeprefix("roles/"), one.target, one.condition) for one in access.grants
    ]
    bare = set(access.identities) - {one.identity for one in access.grants}
    return table + [(identity, "none", "nothing runs as it yet", "") for identity in sorted(bare)]


def access_document(access: Access) -> dict[str, Any]:
    """The block ``access`` of ``report.schema.json``."""
    return {
        "identities": list(access.identities),
        "grants": [
            {
                "identity": one.identity,
                "kind": one.kind,
                "role": one.role,
                "target": one.target,
                "condition": one.condition,
                "urn": one.urn,
            }
            for one in access.grants
        ],
        "project_admins": access.project_admins,
        "unused": access.unused,
    }

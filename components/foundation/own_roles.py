"""The project's own roles, made by whoever holds the power over roles, so that a deployer need not.

Makes one custom role per entry and grants nothing. Whoever may rewrite a role that it may also grant has no
limit, so the platform's deployer only grants these; a component that needs one makes it itself only where
people deploy by rights of their own. Google keeps the id of a deleted role for 37 days. Free of charge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from facts.refusal import RefusedError

__all__ = ["OwnRole", "OwnRoles", "OwnRolesArgs", "make_role"]


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnRole:
    """What one role allows."""

    # At most 100 characters.
    title: str
    # At most 300 characters.
    description: str
    permissions: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.permissions:
            raise RefusedError("permissions must name at least one permission, got none; leave the role out")
        for permission in self.permissions:
            if permission.count(".") < 2 or permission.endswith(".setIamPolicy"):
                raise RefusedError(
                    "permissions must be written as SERVICE.RESOURCE.VERB and change no policy, "
                    f"got {permission!r}; name a narrower one"
                )


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnRolesArgs:
    """The roles of one project."""

    project_id: str
    # By id: 3 to 64 letters, digits, _ and . .
    roles: Mapping[str, OwnRole]


class OwnRoles(pulumi.ComponentResource):
    """The roles of one project."""

    # By id: full resource name, as a grant takes it.
    names: Mapping[str, pulumi.Output[str]]

    def __init__(self, name: str, args: OwnRolesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aiprod:foundation:OwnRoles", name, None, opts)
        self.names = {
            role_id: make_role(
                f"{name}-{role_id.replace('_', '-')}",
                args.project_id,
                role_id,
                role,
                pulumi.ResourceOptions(parent=self),
            )
            for role_id, role in args.roles.items()
        }
        self.register_outputs({"names": self.names})


def make_role(
    name: str, project: str, role_id: str, role: OwnRole, opts: pulumi.ResourceOptions
) -> pulumi.Output[str]:
    """One role; returns its full name. For a component that is given none that stands."""
    return gcp.projects.IAMCustomRole(
        name,
        project=project,
        role_id=role_id,
        title=role.title,
        description=role.description,
        permissions=list(role.permissions),
        opts=opts,
    ).name

"""What people may do every day: three groups that read, and nothing that changes.

Makes the grants of the group on call (metrics, logs, states), of the data group (logs in to the database
by its own grants there) and of the platform group (policies, secrets without values, keys without use).
Changes go through a deployment, or through the break-glass entitlement. Never one person: who belongs to
a group is decided where groups are kept. No access to values of secrets, no basic role (`roles/viewer`
also exports databases), no `roles/cloudsql.viewer` for the same reason. Free of charge.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from facts.names import check_name
from facts.refusal import RefusedError

__all__ = ["HumanAccess", "HumanAccessArgs"]

_EVERY_DAY = (
    "roles/cloudtrace.user",
    "roles/errorreporting.viewer",
    "roles/logging.viewer",
    "roles/monitoring.viewer",
    "roles/pubsub.viewer",
    "roles/redis.viewer",
    "roles/run.viewer",
)
ROLES = {
    "on-call": _EVERY_DAY,
    "data": ("roles/cloudsql.client", "roles/cloudsql.instanceUser", "roles/monitoring.viewer"),
    "platform": (
        *_EVERY_DAY,
        "roles/cloudkms.viewer",
        "roles/compute.viewer",
        "roles/iam.securityReviewer",
        "roles/privilegedaccessmanager.viewer",
        "roles/secretmanager.viewer",
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class HumanAccessArgs:
    """The groups of one project, each an address such as `on-call@example.com`."""

    project_id: str
    on_call: str
    data: str
    platform: str
    # Names that the database instances of the data group start with.
    databases: str

    def __post_init__(self) -> None:
        check_name("database instance", self.databases)
        for field, address in (("on_call", self.on_call), ("data", self.data), ("platform", self.platform)):
            if not re.fullmatch(r"[^@\s:]+@[a-z0-9.-]+\.[a-z]{2,}", address):
                raise RefusedError(
                    f"{field} must be the address of a group, without group: in front, "
                    f"got {address!r}; correct it"
                )


class HumanAccess(pulumi.ComponentResource):
    """What three groups may do."""

    def __init__(self, name: str, args: HumanAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aiprod:foundation:HumanAccess", name, None, opts)
        addresses = {"on-call": args.on_call, "data": args.data, "platform": args.platform}
        for group, roles in ROLES.items():
            for role in roles:
                login = role.startswith("roles/cloudsql.")
                gcp.projects.IAMMember(
                    f"{name}-{group}-{role.removeprefix('roles/').replace('.', '-').lower()}",
                    project=args.project_id,
                    role=role,
                    member=f"group:{addresses[group]}",
                    condition={
                        "title": "the platform's databases",
                        "expression": _databases(args),
                    }
                    if login
                    else None,
                    opts=pulumi.ResourceOptions(parent=self),
                )
        self.register_outputs({})


def _databases(args: HumanAccessArgs) -> str:
    return (
        'resource.type == "sqladmin.googleapis.com/Instance" && '
        f'resource.name.startsWith("projects/{args.project_id}/instances/{args.databases}")'
    )

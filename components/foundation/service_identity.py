"""The account one workload runs as, with the few project roles that Google offers at no smaller scope.

Makes the account, its project grants, with `logs_in_to` the two database roles held to those instances by
a condition, with `signs_urls` its grant on itself, and with `deployer` the right to act as it, without which
Google lets nobody deploy what runs as it; `email` is known once that grant stands, so whatever takes it
waits. Makes no key: nobody ever holds one. Access to a
secret, a topic or a bucket is granted by the component that owns the target, which takes `member`. Free of
charge. A deleted account's id stays blocked for 30 days under its old identity, so renaming one is a change
of identity. Not modelled: `disabled`, which Google ignores at creation, so that it would be true only after
a second run; roles on folders, the organisation or the billing account, which no runtime needs; adoption of
an account that exists, which an import does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import pulumi
import pulumi_gcp as gcp

from facts.members import check_member
from facts.names import check_name
from facts.refusal import RefusedError

__all__ = ["ProjectRole", "ServiceIdentity", "ServiceIdentityArgs"]

# Connecting and logging in: offered on the project only, so a condition names the instances.
_DATABASE_ROLES = ("roles/cloudsql.client", "roles/cloudsql.instanceUser")
# IAM takes 12 logical operators in a condition; the type and the first name need one.
_MAX_INSTANCES = 12

ProjectRole: TypeAlias = Literal[
    "roles/cloudtrace.agent",
    "roles/logging.logWriter",
    "roles/monitoring.metricWriter",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceIdentityArgs:
    """One account."""

    # The id itself: conditions name it.
    project_id: str
    # 6 to 30 characters; part of the address, so a contract.
    account_id: str
    # At most 100 characters, shown in the console.
    display_name: str
    # Roles on the whole project. Empty means none.
    project_roles: frozenset[ProjectRole] = frozenset()
    # Names of the database instances that it logs in to as itself; at most 12. Empty means none.
    logs_in_to: tuple[str, ...] = ()
    # Signs as itself without a key, as V4 signed URLs of Cloud Storage need.
    signs_urls: bool = False
    # IAM member who deploys what runs as this account, on this account only; none by default.
    deployer: str | None = None

    def __post_init__(self) -> None:
        check_name("service account id", self.account_id)
        if not 1 <= len(self.display_name) <= 100:
            raise RefusedError(
                f"display_name must have 1 to 100 characters, got {len(self.display_name)}; shorten it"
            )
        check_member("deployer", self.deployer)
        unknown = sorted(set(self.project_roles) - set(get_args(ProjectRole)))
        if unknown:
            raise RefusedError(
                f"project_roles must be among {', '.join(get_args(ProjectRole))}, got {', '.join(unknown)}; "
                "grant the role on the resource instead"
            )
        if len(self.logs_in_to) > _MAX_INSTANCES:
            raise RefusedError(
                f"logs_in_to must name at most {_MAX_INSTANCES} instances, got {len(self.logs_in_to)}; "
                "name those that it reads and writes"
            )


class ServiceIdentity(pulumi.ComponentResource):
    """One runtime identity."""

    email: pulumi.Output[str]
    # "serviceAccount:<email>", ready to be granted something.
    member: pulumi.Output[str]
    # Full resource name of the account.
    name: pulumi.Output[str]

    def __init__(
        self, name: str, args: ServiceIdentityArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("aiprod:foundation:ServiceIdentity", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        account = gcp.serviceaccount.Account(
            name,
            project=args.project_id,
            account_id=args.account_id,
            display_name=args.display_name,
            opts=child,
        )
        for role in sorted(args.project_roles):
            gcp.projects.IAMMember(
                f"{name}-{role.removeprefix('roles/').replace('.', '-').lower()}",
                project=args.project_id,
                role=role,
                member=account.member,
                opts=child,
            )
        for role in _DATABASE_ROLES if args.logs_in_to else ():
            gcp.projects.IAMMember(
                f"{name}-{role.removeprefix('roles/').replace('.', '-').lower()}",
                project=args.project_id,
                role=role,
                member=account.member,
                condition={
                    "title": "own-databases",
                    "description": "The instances of this platform",
                    "expression": _instances(args.project_id, args.logs_in_to),
                },
                opts=child,
            )
        if args.signs_urls:
            gcp.serviceaccount.IAMMember(
                f"{name}-signs-urls",
                service_account_id=account.name,
                role="roles/iam.serviceAccountTokenCreator",
                member=account.member,
                opts=child,
            )
        self.email = account.email
        if args.deployer is not None:
            acts = gcp.serviceaccount.IAMMember(
                f"{name}-deployer",
                service_account_id=account.name,
                role="roles/iam.serviceAccountUser",
                member=args.deployer,
                opts=child,
            )
            self.email = pulumi.Output.all(account.email, acts.role).apply(lambda known: str(known[0]))
        self.member = account.member
        self.name = account.name
        self.register_outputs({"email": self.email, "member": self.member, "name": self.name})


def _instances(project: str, names: tuple[str, ...]) -> str:
    """IAM's condition that a request is about one of these database instances."""
    either = " || ".join(f'resource.name == "projects/{project}/instances/{name}"' for name in names)
    return f'resource.type == "sqladmin.googleapis.com/Instance" && ({either})'

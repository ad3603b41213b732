"""The account one workload runs as, with the few project roles that Google offers at no smaller scope.

Makes the account, its project grants and, with `signs_urls`, its grant on itself. Makes no key: nobody
ever holds one. Access to a secret, a topic or a bucket is granted by the component that owns the target,
which takes `member`. Free of charge. A deleted account's id stays blocked for 30 days under its old
identity, so renaming one is a change of identity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import pulumi
import pulumi_gcp as gcp

from facts.names import check_name
from facts.refusal import RefusedError

__all__ = ["ProjectRole", "ServiceIdentity", "ServiceIdentityArgs"]

ProjectRole: TypeAlias = Literal[
    "roles/cloudsql.client",
    "roles/cloudsql.instanceUser",
    "roles/cloudtrace.agent",
    "roles/logging.logWriter",
    "roles/monitoring.metricWriter",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceIdentityArgs:
    """One account."""

    project_id: pulumi.Input[str]
    # 6 to 30 characters; part of the address, so a contract.
    account_id: str
    # At most 100 characters, shown in the console.
    display_name: str
    # Roles on the whole project. Empty means none.
    project_roles: frozenset[ProjectRole] = frozenset()
    # Signs as itself without a key, as V4 signed URLs of Cloud Storage need.
    signs_urls: bool = False

    def __post_init__(self) -> None:
        check_name("service account id", self.account_id)
        if not 1 <= len(self.display_name) <= 100:
            raise RefusedError(
                f"display_name must have 1 to 100 characters, got {len(self.display_name)}; shorten it"
            )
        unknown = sorted(set(self.project_roles) - set(get_args(ProjectRole)))
        if unknown:
            raise RefusedError(
                f"project_roles must be among {', '.join(get_args(ProjectRole))}, got {', '.join(unknown)}; "
                "grant the role on the resource instead"
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
        if args.signs_urls:
            gcp.serviceaccount.IAMMember(
                f"{name}-signs-urls",
                service_account_id=account.name,
                role="roles/iam.serviceAccountTokenCreator",
                member=account.member,
                opts=child,
            )
        self.email = account.email
        self.member = account.member
        self.name = account.name
        self.register_outputs({"email": self.email, "member": self.member, "name": self.name})

"""Who deploys the platform: an account that the jobs of one protected GitHub environment log in to.

Makes the account without a key, the login of one federated subject, one administering role per service
that the platform uses, and the right to change the project's policy for at most ten named roles of Google's
and ten of the project's own, a binding each: Google takes ten in one `hasOnly`, and a call that touches any
other role, or some of both kinds, is refused. Rings whose names start
with `key_rings_apart` are not administered, so the account can use the state key and cannot change who
else may. Never owner or editor.

It acts as a runtime's account only where the platform grants that, account by account (`deployer` of
`ServiceIdentity` and of `OfficeHours`): accounts are made after this one, and a condition cannot name them.
Google may take a minute to know such a grant; a deployment that is refused for it is run again.

What it can still do: run code as every runtime account (it makes them and their policies), and read every
secret (Secret Manager's admin role does, and the state holds generated ones); that is why its environment
is protected. It makes and changes no role of the project's own, also none of `custom_roles`: a condition
cannot name a role that is changed, and whoever rewrites a role that it may grant has no cap. `OwnRoles` makes
them beforehand. Budgets belong to the billing account and are not in its hands. Free of
charge. Sources: Google's predefined roles per resource type, its page on limits of role granting.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pulumi
import pulumi_gcp as gcp

from components.delivery._federated_account import federated_account
from facts.names import check_name
from facts.refusal import RefusedError

__all__ = ["DeployIdentity", "DeployIdentityArgs"]

GRANTABLE_MAX = 10
ROLES = (
    "roles/artifactregistry.admin",
    "roles/binaryauthorization.attestorsAdmin",
    "roles/binaryauthorization.policyEditor",
    "roles/certificatemanager.owner",
    # A service from source is built for whoever deploys it; the rest of run.sourceDeveloper is here already.
    "roles/cloudbuild.builds.editor",
    "roles/cloudscheduler.admin",
    "roles/cloudsql.admin",
    "roles/cloudtasks.admin",
    "roles/compute.loadBalancerAdmin",
    "roles/compute.networkAdmin",
    "roles/compute.securityAdmin",
    # It makes the notes of the attestors and says who attaches to them.
    "roles/containeranalysis.admin",
    "roles/dns.admin",
    "roles/iam.serviceAccountAdmin",
    "roles/logging.configWriter",
    "roles/monitoring.editor",
    "roles/pubsub.admin",
    "roles/redis.admin",
    "roles/run.admin",
    "roles/secretmanager.admin",
    "roles/serviceusage.serviceUsageConsumer",
    "roles/storage.admin",
    "roles/workflows.admin",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeployIdentityArgs:
    """One environment's deployer."""

    project_id: str
    # 6 to 30 characters; part of the address, so a contract.
    account_id: str
    # The federated principal that may log in.
    subject: pulumi.Input[str]
    # Predefined roles that it may grant on the project, 1 to 10.
    grantable_roles: frozenset[str]
    # Full resource name that the rings it does not administer start with.
    key_rings_apart: str
    # Ids of the project's own roles that it may grant on the project, at most 10.
    custom_roles: frozenset[str] = field(default_factory=frozenset[str])

    def __post_init__(self) -> None:
        check_name("service account id", self.account_id)
        for role in sorted(self.grantable_roles):
            if not re.fullmatch(r"roles/[A-Za-z0-9_.]+", role) or re.search(r"(?i)admin$|owner|editor", role):
                raise RefusedError(
                    f"grantable_roles must be predefined roles that administer nothing, got {role!r}; "
                    "grant a narrower role"
                )
        for field_name, least, count in (
            ("grantable_roles", 1, len(self.grantable_roles)),
            ("custom_roles", 0, len(self.custom_roles)),
        ):
            if not least <= count <= GRANTABLE_MAX:
                raise RefusedError(
                    f"{field_name} must be {least} to {GRANTABLE_MAX}, since Google takes no more in one "
                    f"condition, got {count}; grant on resources instead"
                )
        if not self.key_rings_apart.startswith("projects/"):
            raise RefusedError(
                "key_rings_apart must be a full resource name such as projects/P/locations/L/keyRings/R, got "
                f"{self.key_rings_apart!r}; correct it"
            )


class DeployIdentity(pulumi.ComponentResource):
    """One deployer."""

    email: pulumi.Output[str]
    # "serviceAccount:<email>", ready to be granted something.
    member: pulumi.Output[str]

    def __init__(
        self, name: str, args: DeployIdentityArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("aiprod:delivery:DeployIdentity", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        account = federated_account(
            name,
            args.project_id,
            args.account_id,
            "Deploys the platform from GitHub",
            args.subject,
            child,
        )
        for role in ROLES:
            gcp.projects.IAMMember(
                f"{name}-{role.removeprefix('roles/').replace('.', '-').lower()}",
                project=args.project_id,
                role=role,
                member=account.member,
                opts=child,
            )
        own = frozenset(f"projects/{args.project_id}/roles/{role}" for role in args.custom_roles)
        for suffix, title, roles in (
            ("grants", "only the platform's roles", args.grantable_roles),
            ("grants-own", "only the project's own roles", own),
        ):
            if roles:
                gcp.projects.IAMMember(
                    f"{name}-{suffix}",
                    project=args.project_id,
                    role="roles/resourcemanager.projectIamAdmin",
                    member=account.member,
                    condition={
                        "title": title,
                        "description": "A call that touches another role is refused",
                        "expression": _grants_only(roles),
                    },
                    opts=child,
                )
        gcp.projects.IAMMember(
            f"{name}-keys",
            project=args.project_id,
            role="roles/cloudkms.admin",
            member=account.member,
            condition={
                "title": "not the keys of the state",
                "description": "Who uses the state key does not administer it",
                "expression": f"!resource.name.startsWith('{args.key_rings_apart}')",
            },
            opts=child,
        )
        self.email = account.email
        self.member = account.member
        self.register_outputs({"email": self.email, "member": self.member})


def _grants_only(roles: frozenset[str]) -> str:
    named = ", ".join(f"'{role}'" for role in sorted(roles))
    return f"api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly([{named}])"

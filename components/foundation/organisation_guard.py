"""What even the project's owner cannot do: a deny policy and organisation policies on one project.

Makes a deny policy on creating and uploading keys of service accounts, which wins over every grant, and
organisation policies on the project: no keys, no rights for default accounts, no public bucket, no public
database address, no default network, resources in the European Union only, services reachable through the
load balancer or from inside only, and identities from GitHub's issuer only. Needs `roles/iam.denyAdmin` and
`roles/orgpolicy.policyAdmin`, which exist at the organisation alone.

Not made: restricted member domains (needs the customer id of the directory, and service agents must be
listed), security posture and mute configurations, asset feeds, quota preferences, perimeters and access
boundaries: each belongs to the whole organisation, not to one project. Nor conditions by tag and dry runs of
policies (each holds from a project's first day), nor `run.allowedVPCEgress`: a service without secrets and
without the network, such as one that only serves pages, may do without the VPC. A change works after up to 15
minutes. Free of charge. Sources: CIS 1.4, Google's list of constraints.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

import pulumi
import pulumi_gcp as gcp

__all__ = ["OrganisationGuard", "OrganisationGuardArgs"]

ENFORCED = (
    "compute.skipDefaultNetworkCreation",
    "iam.automaticIamGrantsForDefaultServiceAccounts",
    "iam.disableServiceAccountKeyCreation",
    "iam.disableServiceAccountKeyUpload",
    "sql.restrictPublicIp",
    "storage.publicAccessPrevention",
    "storage.uniformBucketLevelAccess",
)
ALLOWED = {
    "gcp.resourceLocations": ("in:eu-locations",),
    "iam.workloadIdentityPoolProviders": ("https://token.actions.githubusercontent.com",),
    # A list: what is stricter than an allowed value is not allowed by it.
    "run.allowedIngress": ("is:internal", "is:internal-and-cloud-load-balancing"),
}
_DENIED = (
    "iam.googleapis.com/serviceAccountKeys.create",
    "iam.googleapis.com/serviceAccountKeys.upload",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class OrganisationGuardArgs:
    """One project of an organisation."""

    project_id: str


class OrganisationGuard(pulumi.ComponentResource):
    """The organisation's guards of one project."""

    def __init__(
        self, name: str, args: OrganisationGuardArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("aiprod:foundation:OrganisationGuard", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        gcp.iam.DenyPolicy(
            f"{name}-no-account-keys",
            parent=quote(f"cloudresourcemanager.googleapis.com/projects/{args.project_id}", safe=""),
            name="no-account-keys",
            display_name="No keys of service accounts",
            rules=[
                {
                    "description": "A key never ends and is never where it was put",
                    "deny_rule": {
                        "denied_principals": ["principalSet://goog/public:all"],
                        "denied_permissions": list(_DENIED),
                    },
                }
            ],
            opts=child,
        )
        for constraint in ENFORCED:
            _policy(name, constraint, {"enforce": "TRUE"}, args, child)
        for constraint, values in ALLOWED.items():
            _policy(name, constraint, {"values": {"allowed_values": list(values)}}, args, child)
        self.register_outputs({})


def _policy(
    name: str,
    constraint: str,
    rule: gcp.orgpolicy.PolicySpecRuleArgsDict,
    args: OrganisationGuardArgs,
    opts: pulumi.ResourceOptions,
) -> None:
    gcp.orgpolicy.Policy(
        f"{name}-{constraint.replace('.', '-').lower()}",
        name=f"projects/{args.project_id}/policies/{constraint}",
        parent=f"projects/{args.project_id}",
        spec={"inherit_from_parent": False, "rules": [rule]},
        opts=opts,
    )

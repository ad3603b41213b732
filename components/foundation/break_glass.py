"""Rights for an emergency: asked for with a reason, approved by another, short, and seen by all.

Makes a Privileged Access Manager entitlement on the project, the grant that its agent needs to write the
project's policy, and an alert that pages when a grant is asked for, approved or activated. The agent is
the organisation's, even for one project, so this needs an organisation. The roles are those that repair
the platform; no basic role (Google refuses one here), none that reads the state. Requesters and approvers
are groups; Google lets nobody approve their own request. Longest grant: half an hour to four hours. Who
makes this needs `roles/privilegedaccessmanager.admin`. Free of charge but for the alert. Source: Google's
pages on setting up and auditing Privileged Access Manager.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from components.observability.alert_policy import Alert, AlertPolicies, AlertPoliciesArgs, LogMatch
from components.observability.notification_channels import (
    Email,
    NotificationChannels,
    NotificationChannelsArgs,
)
from facts.refusal import RefusedError

__all__ = ["BreakGlass", "BreakGlassArgs"]

ROLES = (
    "roles/cloudsql.admin",
    "roles/compute.loadBalancerAdmin",
    "roles/compute.networkAdmin",
    "roles/compute.securityAdmin",
    "roles/pubsub.admin",
    "roles/redis.admin",
    "roles/run.admin",
    "roles/secretmanager.secretVersionManager",
)
_ACTIVATION = (
    'protoPayload.serviceName="privilegedaccessmanager.googleapis.com" AND '
    'protoPayload.methodName=~"(CreateGrant|ApproveGrant|ActivateGrant)$"'
)


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakGlassArgs:
    """Who may ask, who decides, who hears."""

    project_id: str
    # Decimal number of the organisation.
    organisation_id: str
    environment: str
    # Addresses of two different groups.
    requesters: str
    approvers: str
    # Mail address that hears of each grant.
    notify: str
    runbook_base_url: str
    labels: Mapping[str, str]
    # 1,800 to 14,400 seconds.
    max_duration_seconds: int = 3_600

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[1-9][0-9]{0,18}", self.organisation_id):
            raise RefusedError(
                f"organisation_id must be the organisation's number, got {self.organisation_id!r}; read it "
                "with `gcloud organizations list`"
            )
        for field, value in (
            ("requesters", self.requesters),
            ("approvers", self.approvers),
            ("notify", self.notify),
        ):
            if not re.fullmatch(r"[^@\s:]+@[a-z0-9.-]+\.[a-z]{2,}", value):
                raise RefusedError(f"{field} must be a mail address, got {value!r}; correct it")
        if self.requesters == self.approvers:
            raise RefusedError(
                f"approvers must be another group than requesters, got {self.approvers!r} for both; name one"
            )
        if not 1_800 <= self.max_duration_seconds <= 14_400:
            raise RefusedError(
                "max_duration_seconds must be between 1800 and 14400 seconds, "
                f"got {self.max_duration_seconds}"
            )


class BreakGlass(pulumi.ComponentResource):
    """One project's emergency entitlement."""

    # Full resource name, as `gcloud pam grants create --entitlement` takes it.
    entitlement: pulumi.Output[str]

    def __init__(self, name: str, args: BreakGlassArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aiprod:foundation:BreakGlass", name, None, opts)
        agent = gcp.projects.IAMMember(
            f"{name}-agent",
            project=args.project_id,
            role="roles/privilegedaccessmanager.projectServiceAgent",
            member=f"serviceAccount:service-org-{args.organisation_id}@gcp-sa-pam.iam.gserviceaccount.com",
            opts=pulumi.ResourceOptions(parent=self),
        )
        entitlement = gcp.privilegedaccessmanager.Entitlement(
            name,
            parent=f"projects/{args.project_id}",
            location="global",
            entitlement_id="break-glass",
            max_request_duration=f"{args.max_duration_seconds}s",
            eligible_users=[{"principals": [f"group:{args.requesters}"]}],
            requester_justification_config={"unstructured": {}},
            approval_workflow={
                "manual_approvals": {
                    "require_approver_justification": True,
                    "steps": [
                        {
                            "approvals_needed": 1,
                            "approver_email_recipients": [args.notify],
                            "approvers": {"principals": [f"group:{args.approvers}"]},
                        }
                    ],
                }
            },
            privileged_access={
                "gcp_iam_access": {
                    "resource": f"//cloudresourcemanager.googleapis.com/projects/{args.project_id}",
                    "resource_type": "cloudresourcemanager.googleapis.com/Project",
                    "role_bindings": [{"role": role} for role in ROLES],
                }
            },
            additional_notification_targets={"admin_email_recipients": [args.notify]},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[agent]),
        )
        _alert(name, args, pulumi.ResourceOptions(parent=self))
        self.entitlement = entitlement.name
        self.register_outputs({"entitlement": self.entitlement})


def _alert(name: str, args: BreakGlassArgs, opts: pulumi.ResourceOptions) -> None:
    channels = NotificationChannels(
        f"{name}-channels",
        NotificationChannelsArgs(channels={"mail": Email(address=args.notify)}, labels=args.labels),
        opts,
    )
    mail = [channels.names["mail"]]
    AlertPolicies(
        f"{name}-alert",
        AlertPoliciesArgs(
            alerts={
                "activated": Alert(
                    title="Break-glass access",
                    severity="CRITICAL",
                    owner="platform",
                    summary="Somebody asked for, approved or took emergency rights on the project. "
                    "If nobody knows why, revoke the grant.",
                    runbook="access-change",
                    condition=LogMatch(
                        filter=_ACTIVATION,
                        extractors={"who": "EXTRACT(protoPayload.authenticationInfo.principalEmail)"},
                    ),
                )
            },
            channels={"CRITICAL": mail, "ERROR": mail, "WARNING": mail},
            environment=args.environment,
            runbook_base_url=args.runbook_base_url,
            labels=args.labels,
        ),
        opts,
    )

"""An account without a key that one federated principal logs in to: what deploys, what looks for drift."""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp

__all__ = ["federated_account"]


def federated_account(
    name: str,
    project_id: str,
    account_id: str,
    display_name: str,
    subject: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> gcp.serviceaccount.Account:
    """The account and the login; its rights are for whoever asks for it."""
    account = gcp.serviceaccount.Account(
        name, project=project_id, account_id=account_id, display_name=display_name, opts=opts
    )
    gcp.serviceaccount.IAMMember(
        f"{name}-login",
        service_account_id=account.name,
        role="roles/iam.workloadIdentityUser",
        member=subject,
        opts=opts,
    )
    return account

"""A monthly budget of one project, with mail at shares of it.

Makes one `billing.Budget`. It lives on the billing account: who makes it needs `roles/billing.costsManager`
there, so a deployer of the project alone is refused. A budget never caps spending, and its messages come
hours late. Google takes at most five channels, mail only; the account's currency must be `currency`. Besides
the channels it writes to the billing account's administrators and the project's owners.

Not modelled: the last period's amount, which follows a slow rise instead of telling of it; other periods than
the calendar's month; filters by folder, service, label or subaccount and an ownership scope, since a project
is one environment; a topic and an action on breach, because what would be stopped here is production. What a
deployment will cost is no budget's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from facts.refusal import RefusedError

__all__ = ["Budget", "BudgetArgs"]


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetArgs:
    """How much, of which project, who hears of it."""

    billing_account: str
    """Id of the billing account, such as `012345-6789AB-CDEF01`."""
    project_number: pulumi.Input[str]
    display_name: str
    """At most 60 characters."""
    monthly_amount: int
    currency: str
    email_channels: Sequence[pulumi.Input[str]]
    """Names of one to five mail channels."""
    thresholds: Sequence[float] = (0.5, 0.8, 1.0)
    """Shares of the amount, of what was spent; 1.0 is all of it. The forecast of 1.0 is always one."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.display_name) <= 60:
            raise RefusedError(
                f"display_name must have 1 to 60 characters, got {len(self.display_name)}: shorten it"
            )
        if self.monthly_amount < 1:
            raise RefusedError(f"monthly_amount must be at least 1, got {self.monthly_amount}: correct it")
        if not 1 <= len(self.email_channels) <= 5:
            raise RefusedError(
                f"email_channels must be one to five, got {len(self.email_channels)}: Google takes no more"
            )
        if any(share <= 0 for share in self.thresholds):
            raise RefusedError(
                f"thresholds must be above 0 (1.0 is 100 %), got {list(self.thresholds)}: correct them"
            )


class Budget(pulumi.ComponentResource):
    """A monthly budget."""

    budget_name: pulumi.Output[str]

    def __init__(self, name: str, args: BudgetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("aiprod:observability:Budget", name, None, opts)
        budget = gcp.billing.Budget(
            name,
            billing_account=args.billing_account,
            display_name=args.display_name,
            amount={"specified_amount": {"units": str(args.monthly_amount), "currency_code": args.currency}},
            budget_filter={
                "projects": [pulumi.Output.concat("projects/", args.project_number)],
                "calendar_period": "MONTH",
                "credit_types_treatment": "INCLUDE_ALL_CREDITS",
            },
            threshold_rules=[
                *({"threshold_percent": share, "spend_basis": "CURRENT_SPEND"} for share in args.thresholds),
                {"threshold_percent": 1.0, "spend_basis": "FORECASTED_SPEND"},
            ],
            all_updates_rule={
                "monitoring_notification_channels": args.email_channels,
                "disable_default_iam_recipients": False,
                "enable_project_level_recipients": True,
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.budget_name = budget.name
        self.register_outputs({"budget_name": self.budget_name})

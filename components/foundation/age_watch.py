"""Looks once a day whether a secret has grown too old, whatever the rotator says.

Makes the function, its daily call by Cloud Scheduler, and a grant on the project, with its role unless it is
given one: to list secrets and to list their versions. It can read no value. Shares nothing with the rotator
but the way functions are built: an account of its own, a clock of its own.

Not made here: the account it runs as, the scheduler's account, the alerts (on what it finds, and on its
silence). Cost: one request a day and the scheduler's job by the month.

Sources: Secret Manager permissions, Cloud Scheduler's OIDC tokens.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import pulumi
import pulumi_gcp as gcp

from components.compute._clock import Clock, FunctionCall, call_by_clock
from components.compute.source_function import FunctionHost, SourceFunction, hosted
from components.foundation.own_roles import OwnRole, make_role
from facts.names import check_name
from facts.refusal import RefusedError

__all__ = ["AGE_WATCH_ROLE", "AgeWatch", "AgeWatchArgs"]

AGE_WATCH_ROLE = OwnRole(
    title="Secret age watch",
    description="Lists secrets and their versions; reads no value",
    permissions=("secretmanager.secrets.list", "secretmanager.versions.list"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class AgeWatchArgs(FunctionHost):
    """Where it runs and whom it spares."""

    member: pulumi.Input[str]
    """The same account as an IAM member."""
    scheduler: pulumi.Input[str]
    """Email of the account that calls it."""
    scheduler_member: pulumi.Input[str]
    """The same account as an IAM member."""
    role_id: str
    """Id of the custom role that it makes; letters, digits and underscores."""
    role: pulumi.Input[str] | None = None
    """Full name of a role like AGE_WATCH_ROLE that stands; by default it makes its own."""
    exceptions: Mapping[str, str] = field(default_factory=dict[str, str])
    """Short id of a secret -> last day (YYYY-MM-DD, UTC) on which its age raises no alarm."""
    schedule: str = "17 5 * * *"
    """Cron expression in UTC; the alert on silence expects one call a day."""

    def __post_init__(self) -> None:
        for secret, until in self.exceptions.items():
            check_name("secret", secret)
            try:
                date.fromisoformat(until)
            except ValueError:
                raise RefusedError(
                    f"exceptions.{secret} must be a day such as 2027-01-31, got {until!r}; correct it"
                ) from None


class AgeWatch(pulumi.ComponentResource):
    """The watch and its clock."""

    service_name: pulumi.Output[str]
    """Physical name."""

    def __init__(self, name: str, args: AgeWatchArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Make the watch."""
        super().__init__("aiprod:foundation:AgeWatch", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = args.role or make_role(f"{name}-lists", args.project, args.role_id, AGE_WATCH_ROLE, child)
        grant = gcp.projects.IAMMember(
            f"{name}-lists", project=args.project, role=role, member=args.member, opts=child
        )
        function = SourceFunction(
            name,
            hosted(
                args,
                "watch",
                "watch",
                {
                    "AGE_WATCH_PROJECT": args.project,
                    "AGE_WATCH_EXCEPTIONS": json.dumps(dict(args.exceptions), sort_keys=True),
                },
                {"scheduler": args.scheduler_member},
                timeout_seconds=300,
            ),
            pulumi.ResourceOptions(parent=self, depends_on=[grant]),
        )
        call_by_clock(
            name,
            args.project,
            args.location,
            Clock(
                schedule=args.schedule,
                description="Looks for secrets that are too old",
                caller=args.scheduler,
                deadline_seconds=320,
                retries=3,
            ),
            FunctionCall(uri=function.uri),
            pulumi.ResourceOptions(parent=self, depends_on=[function]),
        )
        self.service_name = function.service_name
        self.register_outputs({"service_name": self.service_name})

"""What calls a function on a schedule: a job of Cloud Scheduler that posts with a token for the function.

The caller must be an invoker of the function, and whoever deploys must be able to act as it.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from components._checks import require_between

__all__ = ["Clock", "call_by_clock"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """When a function is called, and by whom."""

    schedule: str
    """Cron expression."""
    description: str
    """What the call does; the console shows it."""
    caller: pulumi.Input[str]
    """Email of the account of the token."""
    deadline_seconds: int
    """Longest call, 15 to 1800 s."""
    retries: int
    """Further attempts of a call that failed, a minute apart, 0 to 5."""
    time_zone: str = "Etc/UTC"
    """Zone of the tz database."""

    def __post_init__(self) -> None:
        require_between("deadline_seconds", self.deadline_seconds, 15, 1_800, "seconds")
        require_between("retries", self.retries, 0, 5, "attempts")


def call_by_clock(
    name: str,
    project: str,
    region: str,
    uri: pulumi.Output[str],
    clock: Clock,
    opts: pulumi.ResourceOptions,
) -> gcp.cloudscheduler.Job:
    """The job that calls the function at `uri`, which is the token's audience as well."""
    return gcp.cloudscheduler.Job(
        name,
        project=project,
        region=region,
        description=clock.description,
        schedule=clock.schedule,
        time_zone=clock.time_zone,
        attempt_deadline=f"{clock.deadline_seconds}s",
        retry_config=(
            {"retry_count": clock.retries, "min_backoff_duration": "60s"}
            if clock.retries
            else {"retry_count": 0}
        ),
        http_target={
            "uri": uri,
            "http_method": "POST",
            "oidc_token": {"service_account_email": clock.caller, "audience": uri},
        },
        opts=opts,
    )

"""What starts something on a schedule: a job of Cloud Scheduler that calls a function, or an API of Google's.

The caller must hold the right to do what is called, and whoever deploys must be able to act as it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, assert_never

import pulumi
import pulumi_gcp as gcp

from components._checks import require_between

__all__ = ["ApiCall", "Clock", "FunctionCall", "call_by_clock"]

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionCall:
    """A POST to a function of the platform's own; its address is the token's audience as well."""

    uri: pulumi.Input[str]
    """Address of the function."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiCall:
    """A call of Google's own API, with a body in JSON."""

    uri: pulumi.Input[str]
    """Address of the method."""
    method: Literal["POST", "PATCH"]
    """Verb."""
    body: Mapping[str, Any]
    """What is sent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """When something is called, and by whom."""

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
    clock: Clock,
    call: FunctionCall | ApiCall,
    opts: pulumi.ResourceOptions,
) -> gcp.cloudscheduler.Job:
    """The job."""
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
        http_target=_target(call, clock.caller),
        opts=opts,
    )


def _target(
    call: FunctionCall | ApiCall, caller: pulumi.Input[str]
) -> gcp.cloudscheduler.JobHttpTargetArgsDict:
    match call:
        case FunctionCall(uri=uri):
            return {
                "uri": uri,
                "http_method": "POST",
                "oidc_token": {"service_account_email": caller, "audience": uri},
            }
        case ApiCall(uri=uri, method=method, body=body):
            return {
                "uri": uri,
                "http_method": method,
                "headers": {"Content-Type": "application/json"},
                "body": base64.b64encode(json.dumps(body).encode()).decode(),
                "oauth_token": {"service_account_email": caller, "scope": _SCOPE},
            }
        case _:
            assert_never(call)

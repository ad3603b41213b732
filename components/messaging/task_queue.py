"""A Cloud Tasks queue: calls of an HTTP service, at a rate that the service or its callers' receivers bear.

Makes the queue, with rate, retries, logging and, with a `Target`, where every task goes and as whom; and
the enqueuers' grants. A task is a call of one service by Google: it comes from Google's addresses, not
from the platform's, so a task never goes to a customer's address itself (docs/adr/0013-webhooks.md).

Not made here: the service that is called and its right to be called (`Invokers`), the account of the
token; whoever enqueues a task with a token of its own must be able to act as that account. Not modelled:
App Engine targets, header overrides (a place for secrets that everybody with `cloudtasks.viewer` reads),
a customer's key, which the provider has no resource for and which excludes a `Target`.

A task whose attempts are used up is deleted: there are no dead letters, so what must not be lost goes
through a `WorkQueue`. A deleted queue's name is blocked for about a week; name and location are
immutable. Cost: by the million of calls, the first of each month free.

Sources: Cloud Tasks' pages on queues (limits of rate and burst), `google_cloud_tasks_queue`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_gcp as gcp

from components._checks import require_between
from facts.refusal import RefusedError
from facts.sizes import check_waits

__all__ = ["Rate", "Retries", "Target", "TaskQueue", "TaskQueueArgs"]

_NAME = re.compile(r"[a-zA-Z0-9-]{1,100}")
_HOST = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """How fast tasks are sent; Google holds back a burst of its own reckoning."""

    per_second: float = 10.0
    """Tasks a second, 0.01 to 500, retries among them."""
    at_once: int = 10
    """Calls that may be under way, 1 to 5000."""

    def __post_init__(self) -> None:
        if not 0.01 <= self.per_second <= 500:
            raise RefusedError(
                f"per_second must be between 0.01 and 500 tasks, got {self.per_second:g}; correct it"
            )
        require_between("at_once", self.at_once, 1, 5_000, "calls")


@dataclass(frozen=True, kw_only=True, slots=True)
class Retries:
    """When a task that failed is tried again: after the minimum, then twice as long each time."""

    attempts: int = 5
    """Attempts in all, 1 to 100; without an end a broken target is called for a month."""
    minimum_seconds: int = 10
    """Wait after the first failure, 1 to 3600 s."""
    maximum_seconds: int = 600
    """Longest wait, from the minimum to 3600 s."""
    doublings: int = 16
    """How often the wait doubles before it grows by the same amount, 0 to 16."""

    def __post_init__(self) -> None:
        require_between("attempts", self.attempts, 1, 100, "attempts")
        require_between("minimum_seconds", self.minimum_seconds, 1, 3_600, "seconds")
        require_between("maximum_seconds", self.maximum_seconds, 1, 3_600, "seconds")
        check_waits("minimum_seconds", self.minimum_seconds, "maximum_seconds", self.maximum_seconds)
        require_between("doublings", self.doublings, 0, 16, "times")


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Where every task of the queue goes, whatever it says itself, and as whom."""

    host: str
    """Host name; called by HTTPS."""
    path: str
    """Path, from /."""
    account: pulumi.Input[str]
    """Email of the account of the token, of this project."""
    audience: str
    """What the token is for; what the service checks."""

    def __post_init__(self) -> None:
        if _HOST.fullmatch(self.host) is None:
            raise RefusedError(
                f"host must be a host name such as send.example.com, got {self.host!r}; correct it"
            )
        if not self.path.startswith("/"):
            raise RefusedError(f"path must begin with /, got {self.path!r}; correct it")
        if not self.audience.startswith("https://"):
            raise RefusedError(
                f"audience must be an address with https://, got {self.audience!r}; correct it"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskQueueArgs:
    """What a task queue needs to know."""

    project: pulumi.Input[str]
    """Project that holds the queue."""
    queue_name: str
    """Physical name, 1 to 100 letters, digits and hyphens."""
    location: str
    """Region; immutable."""
    rate: Rate = field(default_factory=Rate)
    """How fast tasks are sent; 10 a second, 10 at once."""
    retries: Retries = field(default_factory=Retries)
    """When a failed task is tried again; 5 attempts, 10 s to 10 min apart."""
    target: Target | None = None
    """Where every task goes; by default where the task says, with the token that it names."""
    log_sampling_ratio: float = 1.0
    """Share of operations that are logged, 0 to 1; all of them."""
    enqueuers: Mapping[str, pulumi.Input[str]] = field(default_factory=dict[str, pulumi.Input[str]])
    """IAM members that may add tasks, by a key that names the grant."""
    paused: bool = False
    """Whether tasks are kept back; they are added all the same."""

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.queue_name) is None:
            raise RefusedError(
                f"queue_name must be 1 to 100 letters, digits and hyphens, got {self.queue_name!r}; rename it"
            )
        if not 0 <= self.log_sampling_ratio <= 1:
            raise RefusedError(
                f"log_sampling_ratio must be between 0 and 1, got {self.log_sampling_ratio:g}; correct it"
            )


class TaskQueue(pulumi.ComponentResource):
    """A queue of calls."""

    queue_id: pulumi.Output[str]
    """projects/P/locations/L/queues/Q, as whoever enqueues names it."""

    def __init__(self, name: str, args: TaskQueueArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Make the queue and its grants."""
        super().__init__("aiprod:messaging:TaskQueue", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        queue = gcp.cloudtasks.Queue(
            name,
            project=args.project,
            name=args.queue_name,
            location=args.location,
            desired_state="PAUSED" if args.paused else "RUNNING",
            rate_limits={
                "max_dispatches_per_second": args.rate.per_second,
                "max_concurrent_dispatches": args.rate.at_once,
            },
            retry_config={
                "max_attempts": args.retries.attempts,
                "min_backoff": f"{args.retries.minimum_seconds}s",
                "max_backoff": f"{args.retries.maximum_seconds}s",
                "max_doublings": args.retries.doublings,
            },
            http_target=_target(args.target),
            stackdriver_logging_config={"sampling_ratio": args.log_sampling_ratio},
            opts=child,
        )
        for key, member in args.enqueuers.items():
            gcp.cloudtasks.QueueIamMember(
                f"{name}-enqueuer-{key}",
                project=args.project,
                location=args.location,
                name=queue.name,
                role="roles/cloudtasks.enqueuer",
                member=member,
                opts=child,
            )
        self.queue_id = queue.id
        self.register_outputs({"queue_id": self.queue_id})


def _target(target: Target | None) -> gcp.cloudtasks.QueueHttpTargetArgsDict | None:
    if target is None:
        return None
    return {
        "http_method": "POST",
        "uri_override": {
            "scheme": "HTTPS",
            "host": target.host,
            "path_override": {"path": target.path},
            "uri_override_enforce_mode": "ALWAYS",
        },
        "oidc_token": {"service_account_email": target.account, "audience": target.audience},
    }

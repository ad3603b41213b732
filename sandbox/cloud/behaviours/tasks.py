"""Cloud Tasks: rates, retries and where a queue sends everything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.durations import seconds
from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour

_QUEUE: Final = "gcp:cloudtasks/queue:Queue"
_ACCOUNT: Final = "gcp:serviceaccount/account:Account"
_BOTH: Final = (Phase.CREATE, Phase.UPDATE)
_REASON: Final = "INVALID_ARGUMENT"
_DOCS: Final = "terraform-provider-google-beta website/docs/r/cloud_tasks_queue"


@behaviour("TSK-002", _QUEUE, _BOTH, 400, _REASON, _DOCS)
def retries(call: Call) -> Iterator[Problem]:
    """Attempts are 1 or more, or -1 without an end; the waits are in order."""
    path = "retryConfig.maxAttempts"
    attempts = call.get(path)
    if isinstance(attempts, int) and (attempts == 0 or attempts < -1):
        yield Problem(path, f"`{path}` must be 1 or more, or -1 without an end, not {attempts}.")
    least = seconds(call.text("retryConfig.minBackoff"))
    most = seconds(call.text("retryConfig.maxBackoff"))
    if least is not None and most is not None and least > most:
        path = "retryConfig.maxBackoff"
        yield Problem(path, f"`{path}` must not be below minBackoff ({least:g}s), not {most:g}s.")


@behaviour("TSK-003", _QUEUE, _BOTH, 400, _REASON, "general knowledge of Cloud Tasks")
def rates(call: Call) -> Iterator[Problem]:
    """At most 500 tasks a second and 5000 at once."""
    for name, most in (("maxDispatchesPerSecond", 500), ("maxConcurrentDispatches", 5000)):
        path = f"rateLimits.{name}"
        value = call.get(path)
        if isinstance(value, int | float) and not 0 < value <= most:
            yield Problem(path, f"`{path}` must be above 0 and at most {most}, not {value:g}.")


@behaviour("TSK-004", _QUEUE, _BOTH, 400, _REASON, _DOCS)
def sampling(call: Call) -> Iterator[Problem]:
    """A share of what is logged is from 0 to 1."""
    path = "stackdriverLoggingConfig.samplingRatio"
    value = call.get(path)
    if isinstance(value, int | float) and not 0 <= value <= 1:
        yield Problem(path, f"`{path}` must be from 0 to 1, not {value:g}.")


@behaviour("TSK-005", _QUEUE, _BOTH, 400, _REASON, _DOCS)
def token(call: Call) -> Iterator[Problem]:
    """The account of the queue's token is of the project, and exists."""
    for kind in ("oauthToken", "oidcToken"):
        path = f"httpTarget.{kind}.serviceAccountEmail"
        email = call.text(path)
        made = re.fullmatch(r"[^@]+@([^.]+)\.iam\.gserviceaccount\.com", email)
        if made is None:
            continue
        exists = any(record.id.endswith(f"/{email}") for record in call.world.find(_ACCOUNT))
        if made[1] != call.project or not exists:
            yield Problem(
                path, f"`{path}` must be an account of {call.project}, not {email}; create it there."
            )

"""Ways to meet what Cloud Tasks refuses of a queue, each with the nearest that it takes."""

from __future__ import annotations

from typing import Any, Final

from tests.sandbox.cloud.case import Case
from tests.sandbox.cloud.stage import ACCOUNT

__all__ = ["TASKS"]

_QUEUE: Final[dict[str, Any]] = {"name": "webhooks", "location": "europe-west1"}
_OTHER: Final = "caller@other-project.iam.gserviceaccount.com"


def _pair(id: str, refused: dict[str, Any], fine: dict[str, Any]) -> Case:
    return Case(id, "create", "Queue", {**_QUEUE, **refused}, (), {**_QUEUE, **fine})


def _token(email: str) -> dict[str, Any]:
    return {"httpTarget": {"oidcToken": {"serviceAccountEmail": email, "audience": "https://x.example"}}}


TASKS: Final[tuple[Case, ...]] = (
    _pair("TSK-002", {"retryConfig": {"maxAttempts": 0}}, {"retryConfig": {"maxAttempts": -1}}),
    _pair("TSK-002", {"retryConfig": {"maxAttempts": -2}}, {"retryConfig": {"maxAttempts": 1}}),
    _pair(
        "TSK-002",
        {"retryConfig": {"minBackoff": "11s", "maxBackoff": "10s"}},
        {"retryConfig": {"minBackoff": "10s", "maxBackoff": "10s"}},
    ),
    _pair(
        "TSK-003",
        {"rateLimits": {"maxDispatchesPerSecond": 500.5}},
        {"rateLimits": {"maxDispatchesPerSecond": 500}},
    ),
    _pair(
        "TSK-003",
        {"rateLimits": {"maxConcurrentDispatches": 5001}},
        {"rateLimits": {"maxConcurrentDispatches": 5000}},
    ),
    _pair(
        "TSK-004",
        {"stackdriverLoggingConfig": {"samplingRatio": 1.01}},
        {"stackdriverLoggingConfig": {"samplingRatio": 1}},
    ),
    _pair("TSK-005", _token(_OTHER), _token(ACCOUNT)),
)

"""Ways to meet what refuses filters of time series and of log lines."""

from __future__ import annotations

from typing import Any, Final

from tests.sandbox.cloud.case import Case
from tests.sandbox.cloud.stage import THRESHOLD

__all__ = ["FILTERS"]

_X: Final = 'metric.type="x"'
_SLO: Final[dict[str, Any]] = {"service": "api", "goal": 0.9, "rollingPeriodDays": 28}

FILTERS: Final = (
    Case(
        "MON-100",
        "create",
        "AlertPolicy",
        {
            "conditions": [
                {
                    **THRESHOLD,
                    "conditionThreshold": {
                        **THRESHOLD["conditionThreshold"],
                        "filter": 'metric.type="x" AND',
                    },
                }
            ]
        },
    ),
    Case(
        "MON-100",
        "update",
        "AlertPolicy",
        {
            "conditions": [{"displayName": "x", "conditionMatchedLog": {"filter": "severity='ERROR'"}}],
            "alertStrategy": {"notificationRateLimit": {"period": "300s"}},
        },
    ),
    Case(
        "MON-100",
        "create",
        "Slo",
        {
            **_SLO,
            "requestBasedSli": {
                "goodTotalRatio": {"goodServiceFilter": 'metric.type=="a"', "totalServiceFilter": "b"}
            },
        },
    ),
)

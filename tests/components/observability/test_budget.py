"""The monthly budget."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.observability.budget import Budget, BudgetArgs
from tests.recording import Build, Recorder


def example_args(**changes: Any) -> BudgetArgs:
    return replace(
        BudgetArgs(
            billing_account="000000-000000-000000",
            project_number="123456789012",
            display_name="aiprod dev, month",
            monthly_amount=150,
            currency="USD",
            email_channels=("channel",),
        ),
        **changes,
    )


def test_budget_tells_at_half_most_all_and_by_forecast(build: Build, recorder: Recorder) -> None:
    build(lambda: Budget("budget", example_args()))
    budget = recorder.one("billing/budget:Budget", "budget").inputs
    assert budget["amount"] == {"specifiedAmount": {"units": "150", "currencyCode": "USD"}}
    assert budget["budgetFilter"]["projects"] == ["projects/123456789012"]
    assert budget["thresholdRules"] == [
        {"thresholdPercent": 0.5, "spendBasis": "CURRENT_SPEND"},
        {"thresholdPercent": 0.8, "spendBasis": "CURRENT_SPEND"},
        {"thresholdPercent": 1.0, "spendBasis": "CURRENT_SPEND"},
        {"thresholdPercent": 1.0, "spendBasis": "FORECASTED_SPEND"},
    ]
    assert budget["allUpdatesRule"] == {
        "monitoringNotificationChannels": ["channel"],
        "disableDefaultIamRecipients": False,
        "enableProjectLevelRecipients": True,
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"display_name": "x" * 61}, "display_name must have 1 to 60 characters, got 61"),
        ({"monthly_amount": 0}, "monthly_amount must be at least 1, got 0"),
        ({"email_channels": ("c",) * 6}, "email_channels must be one to five, got 6"),
        ({"thresholds": (0.0,)}, "thresholds must be above 0"),
    ],
)
def test_fails_when_google_would_refuse_the_budget(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        example_args(**change)

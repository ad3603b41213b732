"""What a person can write wrong in bootstrap's stack file: one sentence with the field, nothing made."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bootstrap.deploying import FOLDER, written

ADDRESS = "must be an address such as team@example.com without a prefix"

# Path, what is written there, how the sentence goes on.
CASES: tuple[tuple[str, Any, str], ...] = (
    ("environment", "Prod", "is not usable, got 'Prod'"),
    ("project_id", "Aiprod", "project id"),
    ("region", "us-central1", "is not usable, got 'us-central1'"),
    ("project.github.repository_id", "aiprod/platform", "repository_id must be GitHub's number"),
    ("project.github.owner_id", "aiprod", "owner_id must be GitHub's number"),
    ("project.github.repository_id", 100000001, "is not usable, got 100000001"),
    ("project.github.branch", 7, "is not usable, got 7"),
    ("project.groups.on_call", "group:on-call@example.com", ADDRESS),
    ("project.groups.data", "data", ADDRESS),
    ("project.groups.platform", "allUsers", ADDRESS),
    ("project.groups.operators", "", ADDRESS),
    ("project.groups.everybody", "a@example.com", "is not usable, got 'a@example.com'"),
    ("project.contacts.owner.email", "owner@", ADDRESS),
    ("project.contacts.owner.categories", ["MONEY"], "is not usable, got 'MONEY'"),
    ("project.contacts.owner.categories", [], "is not usable"),
    ("project.level", "perhaps", "is not usable, got 'perhaps': it must be granted or withheld"),
    ("billing.billing_account", "mine", "must be the billing account's id such as 012345-6789AB-CDEF01"),
    ("billing.monthly_amount", 0, "is not usable, got 0"),
    ("billing.monthly_amount", "150", "is not usable, got '150'"),
    ("billing.currency", "QQQ", "must be a currency code of ISO 4217 such as USD"),
    ("billing.notify", "mailto:a@example.com", ADDRESS),
    ("organisation.organisation_id", "aiprod.ai", "must be the organisation's number"),
    ("organisation.break_glass.requesters", "user:a@example.com", ADDRESS),
    ("organisation.break_glass.approvers", "platform", ADDRESS),
    ("organisation.break_glass.notify", "", ADDRESS),
    ("organisation.break_glass.runbook_base_url", "http://a", "is not usable, got 'http://a'"),
    ("organisation.break_glass.max_duration_seconds", "1h", "is not usable, got '1h'"),
)
# Refused by the component that it is for, whose sentence names the field.
OF_COMPONENTS: tuple[tuple[str, Any, str], ...] = (
    ("project.contacts.platform.categories", ["LEGAL"], "contacts must hear of "),
    ("project.github.branch", "main branch", "branch must be a plain branch name, got 'main branch'"),
    ("organisation.break_glass.approvers", "on-call@example.com", "approvers must be another group"),
    ("organisation.break_glass.max_duration_seconds", 60, "max_duration_seconds must be between 1800 and"),
)


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)


@pytest.mark.parametrize(("path", "value", "sentence"), CASES)
def test_fails_with_the_field_before_anything_is_made(path: str, value: Any, sentence: str) -> None:
    outcome = written(path, value)
    [refusal] = outcome.refusals
    assert refusal.message.startswith(f"aiprod-bootstrap:{path}"), refusal.message
    assert sentence in refusal.message
    assert "\n" not in refusal.message
    assert [step.type for step in outcome.steps] == ["pulumi:pulumi:Stack"]


@pytest.mark.parametrize(("path", "value", "sentence"), OF_COMPONENTS)
def test_fails_in_the_component_that_the_value_is_for(path: str, value: Any, sentence: str) -> None:
    [refusal] = written(path, value).refusals
    assert sentence in refusal.message
    assert "\n" not in refusal.message

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from components.foundation.essential_contacts import Contact, EssentialContacts, EssentialContactsArgs
from tests.recording import Build, Recorder

TEAM = Contact(email="team@example.com", categories=frozenset({"SECURITY", "SUSPENSION", "TECHNICAL"}))


def example_args(**changes: Any) -> EssentialContactsArgs:
    return replace(EssentialContactsArgs(project_id="project", contacts={"team": TEAM}), **changes)


def test_each_contact_hears_of_its_categories(build: Build, recorder: Recorder) -> None:
    build(lambda: EssentialContacts("contacts", example_args()))
    contact = recorder.one("gcp:essentialcontacts/contact:Contact", "contacts-team").inputs
    assert contact["parent"] == "projects/project"
    assert contact["notificationCategorySubscriptions"] == ["SECURITY", "SUSPENSION", "TECHNICAL"]


@pytest.mark.parametrize(
    "contacts", [{}, {"owner": Contact(email="o@example.com", categories=frozenset({"BILLING"}))}]
)
def test_fails_when_nobody_hears_of_security(contacts: Mapping[str, Contact]) -> None:
    with pytest.raises(ValueError, match="nobody hears of SECURITY, SUSPENSION, TECHNICAL"):
        example_args(contacts=contacts)


@pytest.mark.parametrize(
    ("email", "categories"), [("team", {"ALL"}), ("a@b.example", {"NEWS"}), ("a@b.de", {})]
)
def test_fails_when_a_contact_cannot_be_written_to(email: str, categories: Any) -> None:
    with pytest.raises(ValueError, match="must be"):
        Contact(email=email, categories=frozenset(categories))

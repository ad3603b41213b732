from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.foundation.own_roles import OwnRole, OwnRoles, OwnRolesArgs
from tests.recording import Build, Recorder


def example_role(**changes: Any) -> OwnRole:
    values: dict[str, Any] = {"title": "Hours", "description": "Stops", "permissions": ("run.jobs.get",)}
    return OwnRole(**{**values, **changes})


def example_args(**changes: Any) -> OwnRolesArgs:
    return replace(OwnRolesArgs(project_id="project", roles={"aiprod_hours": example_role()}), **changes)


def test_roles_are_made_and_granted_to_nobody(build: Build, recorder: Recorder) -> None:
    roles = build(lambda: OwnRoles("roles", example_args()))
    assert [r.type for r in recorder.resources if r.custom] == ["gcp:projects/iAMCustomRole:IAMCustomRole"]
    made = recorder.one("gcp:projects/iAMCustomRole:IAMCustomRole", "roles-aiprod-hours").inputs
    assert made["roleId"] == "aiprod_hours"
    assert made["permissions"] == ["run.jobs.get"]
    assert set(roles.names) == {"aiprod_hours"}


@pytest.mark.parametrize("permission", ["run.jobs", "get", "run.services.setIamPolicy"])
def test_fails_when_a_permission_is_none_or_changes_a_policy(permission: str) -> None:
    with pytest.raises(ValueError, match=r"permissions must be written as SERVICE\.RESOURCE\.VERB"):
        example_role(permissions=(permission,))


def test_fails_without_permissions() -> None:
    with pytest.raises(ValueError, match="permissions must name at least one permission"):
        example_role(permissions=())

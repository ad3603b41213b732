from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from components.foundation.human_access import HumanAccess, HumanAccessArgs
from tests.recording import Build, Recorder


def example_args(**changes: Any) -> HumanAccessArgs:
    args = HumanAccessArgs(
        project_id="project",
        on_call="on-call@example.com",
        data="data@example.com",
        platform="p@example.com",
        databases="aiprod-postgres",
    )
    return replace(args, **changes)


def test_groups_read_and_nobody_changes(build: Build, recorder: Recorder) -> None:
    build(lambda: HumanAccess("people", example_args()))
    grants = recorder.of_type("gcp:projects/iAMMember:IAMMember")
    assert {grant.inputs["member"] for grant in grants} == {
        "group:on-call@example.com",
        "group:data@example.com",
        "group:p@example.com",
    }
    reads = re.compile(r"viewer$|reviewer$|\.user$|cloudsql\.(client|instanceUser)$", re.IGNORECASE)
    roles = {grant.inputs["role"] for grant in grants}
    assert {role for role in roles if not reads.search(role)} == set()
    assert "roles/viewer" not in roles
    assert "roles/secretmanager.secretAccessor" not in roles


def test_the_data_group_reaches_the_platforms_databases_only(build: Build, recorder: Recorder) -> None:
    build(lambda: HumanAccess("people", example_args()))
    for role in ("cloudsql-client", "cloudsql-instanceuser"):
        grant = recorder.one("gcp:projects/iAMMember:IAMMember", f"people-data-{role}").inputs
        assert grant["condition"]["expression"] == (
            'resource.type == "sqladmin.googleapis.com/Instance" && '
            'resource.name.startsWith("projects/project/instances/aiprod-postgres")'
        )


@pytest.mark.parametrize("field", ["on_call", "data", "platform"])
@pytest.mark.parametrize("address", ["group:a@example.com", "on-call", ""])
def test_fails_when_a_group_is_no_address(field: str, address: str) -> None:
    with pytest.raises(ValueError, match=f"^{field} must be the address of a group"):
        example_args(**{field: address})

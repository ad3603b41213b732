from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.foundation.service_agents import ServiceAgents, ServiceAgentsArgs
from tests.recording import Build, Recorder


def example_args(**changes: Any) -> ServiceAgentsArgs:
    args = ServiceAgentsArgs(
        project_id="project",
        services=frozenset({"sql", "pubsub"}),
        looked_up={"storage": "service-1@gs-project-accounts.iam.gserviceaccount.com"},
    )
    return replace(args, **changes)


def test_each_service_is_asked_for_by_its_api(build: Build, recorder: Recorder) -> None:
    build(lambda: ServiceAgents("agents", example_args()))
    assert {r.name: r.inputs["service"] for r in recorder.of_type("ServiceIdentity")} == {
        "agents-pubsub": "pubsub.googleapis.com",
        "agents-sql": "sqladmin.googleapis.com",
    }


def test_members_cover_asked_and_looked_up_agents(build: Build) -> None:
    agents = build(lambda: ServiceAgents("agents", example_args()))
    assert sorted(agents.members) == ["pubsub", "sql", "storage"]
    assert build.resolve(agents.members["storage"]) == (
        "serviceAccount:service-1@gs-project-accounts.iam.gserviceaccount.com"
    )
    assert build.resolve(agents.members["sql"]).startswith("serviceAccount:")


def test_fails_when_a_service_is_unknown() -> None:
    with pytest.raises(ValueError, match=r"services must be among .*sql, workflows, got storage"):
        example_args(services=frozenset({"storage"}))


def test_fails_when_a_service_is_both_asked_and_looked_up() -> None:
    with pytest.raises(ValueError, match="got sql"):
        example_args(looked_up={"sql": "someone@example.com"})

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from components.delivery.project_services import ProjectServices, ProjectServicesArgs
from tests.recording import Build, Recorder


def example_args(**changes: Any) -> ProjectServicesArgs:
    return replace(
        ProjectServicesArgs(project_id="project", services=frozenset({"run", "sqladmin"})), **changes
    )


def test_services_are_never_disabled_on_destroy(build: Build, recorder: Recorder) -> None:
    services = build(lambda: ProjectServices("services", example_args()))
    assert {r.name: r.inputs["service"] for r in recorder.of_type("projects/service:Service")} == {
        "services-run": "run.googleapis.com",
        "services-sqladmin": "sqladmin.googleapis.com",
    }
    assert {r.inputs["disableOnDestroy"] for r in recorder.of_type("projects/service:Service")} == {False}
    assert build.resolve(services.enabled) == ["run.googleapis.com", "sqladmin.googleapis.com"]


def test_fails_when_a_service_is_not_a_short_name() -> None:
    with pytest.raises(ValueError, match=r"without \.googleapis\.com, got 'run\.googleapis\.com'"):
        example_args(services=frozenset({"run.googleapis.com"}))


def test_fails_when_no_service_is_named() -> None:
    with pytest.raises(ValueError, match="services must name at least one service"):
        example_args(services=frozenset())

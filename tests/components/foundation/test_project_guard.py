from __future__ import annotations

from dataclasses import replace
from typing import Any

from components.foundation.project_guard import ProjectGuard, ProjectGuardArgs
from tests.recording import Build, Recorder


def example_args(**changes: Any) -> ProjectGuardArgs:
    return replace(ProjectGuardArgs(project_id="project", project_number="123"), **changes)


def test_the_default_accounts_lose_their_rights_for_good(build: Build, recorder: Recorder) -> None:
    build(lambda: ProjectGuard("guard", example_args()))
    stripped = recorder.one("gcp:projects/defaultServiceAccounts:DefaultServiceAccounts").inputs
    assert (stripped["action"], stripped["restorePolicy"]) == ("DEPRIVILEGE", "NONE")


def test_the_project_cannot_be_deleted_by_mistake(build: Build, recorder: Recorder) -> None:
    build(lambda: ProjectGuard("guard", example_args()))
    lien = recorder.one("gcp:resourcemanager/lien:Lien").inputs
    assert (lien["parent"], lien["restrictions"]) == ("projects/123", ["resourcemanager.projects.delete"])

"""Bootstrap starts from its own folder, as an operator runs it, in the sandbox."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import yaml

from sandbox.cloud import World
from sandbox.host import run
from sandbox.model import Mode, Outcome, Snapshot
from sandbox.project import load_project, load_stack

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "bootstrap"


def deploy(
    stack: str, mode: Mode = Mode.UPDATE, before: Outcome | None = None, world: World | None = None
) -> Outcome:
    program = load_project(FOLDER)
    return run(
        program,
        stack=stack,
        config=load_stack(program, stack),
        snapshot=Snapshot() if before is None else before.snapshot,
        world=World() if world is None else world,
        mode=mode,
    )


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)


@pytest.mark.parametrize("stack", ["dev", "staging", "prod"])
def test_an_empty_project_is_set_up(stack: str) -> None:
    outcome = deploy(stack)
    assert outcome.refusals == []
    assert outcome.outputs["backend"].startswith("gs://aiprod-")
    assert outcome.outputs["secrets_provider"].startswith("gcpkms://projects/aiprod-")
    assert outcome.outputs["project_number"].isdigit()
    assert "cloudkms.googleapis.com" in outcome.outputs["services"]


def test_the_same_again_changes_nothing() -> None:
    world = World()
    first = deploy("prod", world=world)
    second = deploy("prod", before=first, world=world)
    assert second.refusals == []
    assert {step.op.value for step in second.steps} == {"same"}


def test_state_and_keys_cannot_be_destroyed() -> None:
    world = World()
    first = deploy("prod", world=world)
    down = deploy("prod", Mode.DESTROY, first, world)
    assert down.refusals
    protected = {resource.type for resource in down.snapshot.resources if resource.protect}
    assert protected == {
        "gcp:kms/cryptoKey:CryptoKey",
        "gcp:kms/keyRing:KeyRing",
        "gcp:storage/bucket:Bucket",
    }


def test_every_service_that_the_platform_uses_is_switched_on() -> None:
    services = set(deploy("prod").outputs["services"])
    needed = {
        "compute",
        "run",
        "sqladmin",
        "servicenetworking",
        "redis",
        "pubsub",
        "secretmanager",
        "cloudkms",
    }
    needed |= {
        "monitoring",
        "logging",
        "certificatemanager",
        "dns",
        "artifactregistry",
        "billingbudgets",
        "iam",
    }
    assert {f"{service}.googleapis.com" for service in needed} <= services


def test_fails_when_the_project_is_not_named() -> None:
    program = load_project(FOLDER)
    outcome = run(
        program,
        stack="dev",
        config=load_stack(program, "dev", examples=False),
        snapshot=Snapshot(),
        world=World(),
        mode=Mode.PREVIEW,
    )
    sentence = "aiprod-bootstrap:project_id must be given by an operator, got REPLACE_ME; set it with"
    assert [refusal.message.partition(" `")[0] for refusal in outcome.refusals] == [sentence]


def test_its_rooms_are_installed_so_that_it_starts_anywhere() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    assert {"bootstrap*", "components*", "facts*"} <= set(packages["packages"]["find"]["include"])
    assert "naming" in packages["py-modules"]
    options = yaml.safe_load((FOLDER / "Pulumi.yaml").read_text(encoding="utf-8"))["runtime"]["options"]
    assert options["virtualenv"] == "../.venv"

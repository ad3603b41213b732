"""Bootstrap starts from its own folder, as an operator runs it, in the sandbox."""

from __future__ import annotations

import itertools
import json
import tomllib
from dataclasses import replace
from typing import Any

import pytest
import yaml

from bootstrap.settings import LEVELS
from naming import Names
from review.real_cli import RealStack
from review.verdicts import judge
from sandbox.cloud import World
from sandbox.errors import UsageError
from sandbox.host import run
from sandbox.model import Mode, Outcome, Snapshot
from sandbox.project import load_project, load_stack
from tests.bootstrap.deploying import FOLDER, deploy, inputs

ROOT = FOLDER.parent
PROJECT_LEVEL: dict[str, Any] = {
    "level": "granted",
    "groups": {group: f"{group}@example.com" for group in ("on_call", "data", "platform", "operators")},
    "contacts": {"all": {"email": "a@example.com", "categories": ["ALL"]}},
}


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


@pytest.mark.parametrize("stack", ["dev", "staging", "prod"])
def test_the_same_again_changes_nothing(stack: str) -> None:
    world = World()
    first = deploy(stack, world=world)
    second = deploy(stack, before=first, world=world)
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


@pytest.mark.parametrize("stack", ["dev", "staging", "prod"])
def test_every_type_is_known_and_every_rule_is_kept(stack: str) -> None:
    outcome = deploy(stack)
    assert outcome.lightly_checked == ()
    assert judge(outcome.snapshot.resources) == ()


def test_deployer_and_drift_reader_are_two_environments_of_one_repository() -> None:
    outcome = deploy("prod")
    logins = {
        login["serviceAccountId"].rsplit("/", 1)[-1].split("@")[0]: login["member"].rsplit("/", 1)[-1]
        for login in inputs(outcome, "gcp:serviceaccount/iAMMember:IAMMember")
    }
    assert logins == {
        "aiprod-deployer": "100000001::prod",
        "aiprod-drift-reader": "100000001::prod-drift",
    }
    assert outcome.outputs["workload_identity_provider"].startswith("projects/")
    assert outcome.outputs["deployer"].startswith("aiprod-deployer@")
    assert outcome.outputs["drift_reader"].startswith("aiprod-drift-reader@")


def test_only_the_deployer_and_operators_write_the_state() -> None:
    outcome = deploy("prod")
    held = {
        (grant["role"].rsplit(".", 1)[-1], grant["member"].split("@")[0])
        for type in (
            "gcp:storage/bucketIAMMember:BucketIAMMember",
            "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
        )
        for grant in inputs(outcome, type)
        if "gs-project-accounts" not in grant["member"]
    }
    assert held == {
        ("objectUser", "serviceAccount:aiprod-deployer"),
        ("objectUser", "group:operators"),
        ("objectViewer", "serviceAccount:aiprod-drift-reader"),
        ("cryptoKeyEncrypterDecrypter", "serviceAccount:aiprod-deployer"),
        ("cryptoKeyEncrypterDecrypter", "group:operators"),
        ("cryptoKeyDecrypter", "serviceAccount:aiprod-drift-reader"),
    }


@pytest.mark.parametrize("stack", ["dev", "staging", "prod"])
def test_the_deployer_may_grant_what_the_platform_grants_on_the_project(
    stack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One grant names ten roles at most.
    condition = " ".join(
        grant["condition"]["expression"]
        for grant in inputs(deploy(stack), "gcp:projects/iAMMember:IAMMember")
        if grant["role"] == "roles/resourcemanager.projectIamAdmin"
    )
    monkeypatch.chdir(ROOT)
    program = load_project(ROOT)
    platform = run(
        program,
        stack=stack,
        config=load_stack(program, stack),
        snapshot=Snapshot(),
        world=World(),
        mode=Mode.UPDATE,
    )
    granted = {grant["role"] for grant in inputs(platform, "gcp:projects/iAMMember:IAMMember")}
    assert {role for role in granted if f"'{role}'" not in condition} == set()
    # It may write no role, so each of the project's own is bootstrap's.
    assert inputs(platform, "gcp:projects/iAMCustomRole:IAMCustomRole") == []
    project = deploy(stack).resources
    made = {
        f"projects/{state.inputs['project']}/roles/{state.inputs['roleId']}"
        for state in project
        if state.type == "gcp:projects/iAMCustomRole:IAMCustomRole"
    }
    own = {
        str(state.inputs["role"])
        for state in platform.resources
        if "/roles/" in str(state.inputs.get("role"))
    }
    assert own <= made


def test_the_platform_names_the_deployer_that_bootstrap_makes() -> None:
    outcome = deploy("prod")
    names = Names(system="aiprod", environment="prod", project_id="aiprod-484120")
    assert names.deployer == f"serviceAccount:{outcome.outputs['deployer']}"


def settings_with(**changes: Any) -> Outcome:
    program = load_project(FOLDER)
    settings = load_stack(program, "prod")
    values = {f"aiprod-bootstrap:{key}": json.dumps(value) for key, value in changes.items()}
    return run(
        program,
        stack="prod",
        config=replace(settings, values={**settings.values, **values}),
        snapshot=Snapshot(),
        world=World(),
        mode=Mode.UPDATE,
    )


@pytest.mark.parametrize(("stack", "amount"), [("dev", "150"), ("staging", "500"), ("prod", "3000")])
def test_one_budget_is_that_of_the_environment(stack: str, amount: str) -> None:
    [budget] = inputs(deploy(stack), "gcp:billing/budget:Budget")
    assert budget["amount"]["specifiedAmount"] == {"units": amount, "currencyCode": "USD"}
    assert budget["budgetFilter"]["projects"] == ["projects/" + deploy(stack).outputs["project_number"]]


@pytest.mark.parametrize("withheld", [*itertools.combinations(LEVELS, 1), LEVELS])
def test_a_level_that_is_withheld_is_said_with_what_it_leaves_open(withheld: tuple[str, ...]) -> None:
    outcome = settings_with(**{level: {"level": "withheld"} for level in withheld})
    assert outcome.refusals == []
    assert set(outcome.outputs["unguarded"]) == set(withheld)
    for level in withheld:
        assert outcome.outputs["unguarded"][level].startswith(f"{level} level withheld: ")
    assert outcome.outputs["backend"] == "gs://aiprod-484120-pulumi-state"
    types = {state.type for state in outcome.resources}
    assert ("gcp:billing/budget:Budget" in types) is ("billing" not in withheld)
    assert ("gcp:iam/denyPolicy:DenyPolicy" in types) is ("organisation" not in withheld)
    assert ("gcp:iam/workloadIdentityPool:WorkloadIdentityPool" in types) is ("project" not in withheld)


@pytest.mark.parametrize("stack", ["dev", "staging", "prod"])
def test_all_levels_granted_leave_nothing_unguarded(stack: str) -> None:
    assert deploy(stack).outputs["unguarded"] == {}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"project": {**PROJECT_LEVEL, "github": {"repository_id": "aiprod/platform", "owner_id": "2"}}},
            "aiprod-bootstrap:project.github.repository_id: repository_id must be GitHub's number",
        ),
        ({"billing": {"level": "maybe"}}, "aiprod-bootstrap:billing.level is not usable"),
        ({"billing": "granted"}, "aiprod-bootstrap:billing is not usable"),
        (
            {"billing": {"level": "granted", "billing_account": "REPLACE_ME"}},
            "aiprod-bootstrap:billing.billing_account must be given by an operator, got REPLACE_ME",
        ),
        (
            {
                "billing": {
                    "level": "granted",
                    "billing_account": "mine",
                    "monthly_amount": 1,
                    "currency": "EUR",
                    "notify": "a@example.com",
                }
            },
            "aiprod-bootstrap:billing.billing_account: must be the billing account's id",
        ),
    ],
)
def test_fails_with_one_sentence_when_a_level_cannot_be_used(changes: Any, sentence: str) -> None:
    outcome = settings_with(**changes)
    assert [refusal.message.startswith(sentence) for refusal in outcome.refusals] == [True], outcome.refusals
    assert "Traceback" not in outcome.refusals[0].message
    assert [step.type for step in outcome.steps] == ["pulumi:pulumi:Stack"]


def test_google_is_refused_while_an_operator_has_not_given_what_only_he_knows() -> None:
    program = load_project(FOLDER)
    left = load_stack(program, "prod", examples=False).placeholders
    assert "aiprod-bootstrap:project.github.repository_id" in left
    assert "aiprod-bootstrap:organisation.organisation_id" in left
    with pytest.raises(UsageError, match="REPLACE_ME is left over in aiprod-bootstrap:"):
        RealStack.open(program, "prod", print)


@pytest.mark.parametrize("stack", ["dev", "staging", "prod"])
def test_what_the_platforms_sandbox_takes_for_made_is_what_bootstrap_makes(stack: str) -> None:
    made = {(state.type, state.id) for state in deploy(stack).resources}
    assumed = load_stack(load_project(ROOT), stack).exists
    assert assumed
    assert set(assumed) <= made

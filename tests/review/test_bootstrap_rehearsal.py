"""`bootstrap-config` and `bootstrap-migrate` in the sandbox, as README's first deployment runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from review.bootstrap_migrate import differing, resources_in
from review.bootstrap_rehearsal import rehearse_move, show_config
from review.cli import main
from review.commands import Files, up
from review.workspace import Workspace
from sandbox.errors import UsageError
from sandbox.state import StateStore
from tests.stack_files import ROOT

QUIET = Console(quiet=True)
KEY = (
    "gcpkms://projects/aiprod-example/locations/europe-west1/keyRings/aiprod-state-keyring/cryptoKeys/"
    "aiprod-state-key"
)


def bootstrap_in(folder: Path) -> Workspace:
    program = Workspace.open(ROOT / "bootstrap", QUIET).program
    return Workspace(program=program, store=StateStore(folder, project=program.name), progress=QUIET)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    work = bootstrap_in(tmp_path_factory.mktemp("bootstrap") / ".sandbox")
    assert up(work, "dev", Files(), QUIET) == 0
    return work


def test_shows_the_line_and_writes_nothing(done: Workspace) -> None:
    said: list[str] = []
    before = (ROOT / "Pulumi.dev.yaml").read_bytes()
    assert show_config(Workspace.open(ROOT, QUIET), done, "dev", said.append) == 0
    assert said == [
        "Pulumi.dev.yaml (sandbox, nothing is written): TARGET=gcp would write secretsprovider: " + KEY
    ]
    assert (ROOT / "Pulumi.dev.yaml").read_bytes() == before


def test_copies_the_state_in_place_of_the_bucket_as_often_as_wanted(done: Workspace) -> None:
    said: list[str] = []
    before = done.store.path("dev").read_bytes()
    assert rehearse_move(done, "dev", said.append) == 0
    assert rehearse_move(done, "dev", said.append) == 0
    assert said[0] == said[1]
    assert "in place of gs://aiprod-example-pulumi-state" in said[0]
    assert f"under the key {KEY}" in said[0]
    assert done.store.path("dev").read_bytes() == before
    bucket = done.store.folder / "buckets" / "aiprod-example-pulumi-state"
    (copy,) = [path for path in bucket.rglob("*") if path.is_file()]
    assert copy.relative_to(bucket) == Path(".pulumi/stacks/aiprod-bootstrap/dev.json")
    there = json.loads(copy.read_text())
    assert len(resources_in(there)) > 100
    assert differing(json.loads(before), there) == []


def test_a_copy_that_lacks_or_changes_something_is_told(done: Workspace) -> None:
    state = json.loads(done.store.path("dev").read_text())
    other = json.loads(json.dumps(state))
    gone = other["deployment"]["resources"].pop()
    other["deployment"]["resources"][5]["id"] = "another"
    assert differing(state, other) == sorted([gone["urn"], other["deployment"]["resources"][5]["urn"]])


def test_fails_before_bootstrap_has_run(tmp_path: Path) -> None:
    work = bootstrap_in(tmp_path)
    for command in (
        lambda: rehearse_move(work, "dev", print),
        lambda: show_config(Workspace.open(ROOT, QUIET), work, "dev", print),
    ):
        with pytest.raises(UsageError, match="no state of bootstrap for dev: run `make bootstrap STACK=dev`"):
            command()


@pytest.mark.parametrize("command", ["bootstrap-migrate", "bootstrap-config"])
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            ("--stack", "zz"),
            "stack 'zz' is unknown: bootstrap/Pulumi.zz.yaml does not exist; stacks here: dev",
        ),
        (("--stack", "dev", "--target", "sandbox-cli"), "is for TARGET=sandbox or TARGET=gcp: name one"),
    ],
)
def test_fails_when_stack_or_target_is_no_good(
    command: str,
    options: tuple[str, ...],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE", raising=False)
    assert main([command, *options]) == 2
    assert sentence in capsys.readouterr().err

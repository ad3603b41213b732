"""`make promote` and `make attest`: what is asked and signed, the one line written, and what is refused."""

from __future__ import annotations

import difflib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from review import promote as module
from review.cli import main
from sandbox.project import load_project

REPOSITORY = Path(__file__).parents[2]
REGISTRY = "europe-docker.pkg.dev/aiprod-484120/aiprod"
IMAGE = f"{REGISTRY}/api@sha256:{'c' * 64}"
KEY = "projects/staging-1/locations/europe/keyRings/r/cryptoKeys/promoted/cryptoKeyVersions/1"
# Answers like the Google Cloud CLI: it knows the attestations of the file `attested`, and adds to it.
GCLOUD = """#!{python}
import json, pathlib, sys
folder = pathlib.Path({folder!r})
arguments = sys.argv[1:]
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps(arguments) + "\\n")
if (folder / "broken").exists():
    print("ERROR: you are not logged in", file=sys.stderr)
    sys.exit(1)
options = dict(word.split("=", 1) for word in arguments if word.startswith("--"))
attested = folder / "attested"
line = options.get("--attestor", "") + " " + options.get("--artifact-url", "")
if "list" in arguments:
    if attested.exists() and line in attested.read_text().splitlines():
        print("projects/p/occurrences/1")
elif "describe" in arguments:
    print((folder / "key").read_text())
else:
    with attested.open("a") as found:
        found.write(line + "\\n")
"""


class Ground:
    """The stack files of the repository, filled in, in a folder of their own with a `gcloud` on PATH."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "program"
        self.tools = folder / "tools"
        self.folder.mkdir()
        self.tools.mkdir()
        shutil.copy(REPOSITORY / "Pulumi.yaml", self.folder)
        shutil.copy(REPOSITORY / "example-values.yaml", self.folder)
        for name in ("dev", "staging", "prod"):
            text = (REPOSITORY / f"Pulumi.{name}.yaml").read_text()
            self.file(name).write_text(text.replace("project_id: REPLACE_ME\n", f"project_id: {name}-1\n"))
        self.change("dev", "api: REPLACE_ME", f"api: {IMAGE}")
        command = self.tools / "gcloud"
        command.write_text(GCLOUD.format(folder=str(self.tools), python=sys.executable))
        command.chmod(0o755)
        (self.tools / "key").write_text(f"//cloudkms.googleapis.com/v1/{KEY}")
        (self.tools / "git").symlink_to(shutil.which("git") or "git")
        monkeypatch.setenv("PATH", str(self.tools))
        monkeypatch.chdir(self.folder)

    def file(self, name: str) -> Path:
        return self.folder / f"Pulumi.{name}.yaml"

    def change(self, name: str, old: str, new: str) -> None:
        text = self.file(name).read_text()
        assert old in text
        self.file(name).write_text(text.replace(old, new, 1))

    def verified(self, image: str = IMAGE) -> None:
        with (self.tools / "attested").open("a") as attested:
            attested.write(f"projects/dev-1/attestors/verified-dev {image}\n")

    def attested(self) -> list[str]:
        path = self.tools / "attested"
        return path.read_text().splitlines() if path.exists() else []

    def calls(self) -> list[list[str]]:
        path = self.tools / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def commit(self) -> None:
        for words in (
            ("init", "-q"),
            ("add", "."),
            ("-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "Start"),
        ):
            subprocess.run(["git", *words], cwd=self.folder, check=True)

    def promote(self, *options: str, source: str = "dev", to: str = "staging", target: str = "gcp") -> int:
        return main(["promote", "--from", source, "--to", to, "--target", target, *options])


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ground:
    return Ground(tmp_path, monkeypatch)


def changes(before: str, after: str) -> list[str]:
    lines = difflib.ndiff(before.splitlines(keepends=True), after.splitlines(keepends=True))
    return [line for line in lines if line[0] in "+-"]


def test_writes_one_line_and_vouches_for_the_digest(ground: Ground) -> None:
    ground.verified()
    before = ground.file("staging").read_text()
    assert ground.promote() == 0
    assert changes(before, ground.file("staging").read_text()) == [
        "-       api: REPLACE_ME\n",
        f"+       api: {IMAGE}\n",
    ]
    assert ground.attested()[-1] == f"projects/staging-1/attestors/promoted-staging {IMAGE}"
    signing = next(call for call in ground.calls() if "sign-and-create" in call)
    assert signing == [
        *("beta", "container", "binauthz", "attestations", "sign-and-create", "--project=staging-1"),
        "--attestor=projects/staging-1/attestors/promoted-staging",
        *(f"--artifact-url={IMAGE}", f"--keyversion={KEY}"),
    ]


def test_the_second_time_nothing_is_signed_or_written(ground: Ground) -> None:
    ground.verified()
    assert ground.promote() == 0
    after, attested = ground.file("staging").read_text(), ground.attested()
    stamp = ground.file("staging").stat().st_mtime_ns
    assert ground.promote() == 0
    assert (ground.file("staging").read_text(), ground.attested()) == (after, attested)
    assert ground.file("staging").stat().st_mtime_ns == stamp


@pytest.mark.parametrize("kept", ["api: {}  # the last good one", "api: '{}'", 'api: "{}"'])
def test_comments_quotes_and_neighbours_stay(ground: Ground, kept: str) -> None:
    old = f"{REGISTRY}/api@sha256:{'d' * 64}"
    ground.change("staging", "api: REPLACE_ME", kept.format(old))
    ground.verified()
    before = ground.file("staging").read_text()
    assert ground.promote() == 0
    assert changes(before, ground.file("staging").read_text()) == [
        f"-       {kept.format(old)}\n",
        f"+       {kept.replace(chr(39), '').replace(chr(34), '').format(IMAGE)}\n",
    ]


def test_killed_before_the_write_it_leaves_the_file_whole_and_ends_later(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(path: Path, text: str) -> None:
        raise KeyboardInterrupt

    ground.verified()
    before = ground.file("staging").read_text()
    program = load_project(ground.folder)
    with monkeypatch.context() as patched:
        patched.setattr(module, "write_atomically", killed)
        with pytest.raises(KeyboardInterrupt):
            module.promote(program, "dev", "staging", "api", lambda text: None, real=True)
    assert ground.file("staging").read_text() == before
    assert len(ground.attested()) == 2
    assert ground.promote() == 0
    assert f"api: {IMAGE}" in ground.file("staging").read_text()
    assert len(ground.attested()) == 2


def test_fails_when_the_lower_environment_has_not_verified_it(
    ground: Ground, capsys: pytest.CaptureFixture[str]
) -> None:
    ground.verified(IMAGE.replace("c" * 64, "e" * 64))
    before = ground.file("staging").read_text()
    assert ground.promote() == 1
    assert f"{IMAGE} must be verified in dev, and verified-dev does not say so" in capsys.readouterr().out
    assert ground.file("staging").read_text() == before
    assert len(ground.attested()) == 1


@pytest.mark.parametrize(
    ("source", "to", "sentence"),
    [
        ("dev", "dev", "TO must be staging, the environment after dev, got 'dev'"),
        ("dev", "prod", "TO must be staging, the environment after dev, got 'prod'"),
        ("staging", "dev", "TO must be prod, the environment after staging, got 'dev'"),
        ("prod", "dev", "FROM must be an environment below prod, got 'prod'"),
        ("qa", "prod", "stack 'qa' is unknown: Pulumi.qa.yaml does not exist"),
        ("dev", "qa", "stack 'qa' is unknown: Pulumi.qa.yaml does not exist"),
        ("", "dev", "stack '' must be 1 to 100 letters"),
        ("staging", "prod", "release.images.api must be an image by digest, got REPLACE_ME"),
    ],
)
def test_fails_when_it_does_not_go_one_step_up(
    ground: Ground, source: str, to: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {name: ground.file(name).read_text() for name in ("dev", "staging", "prod")}
    assert ground.promote(source=source, to=to) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert sentence in said.err
    assert ground.calls() == []
    assert {name: ground.file(name).read_text() for name in before} == before


def _without_release(ground: Ground, name: str) -> None:
    text = ground.file(name).read_text()
    ground.file(name).write_text(text[: text.index("  aiprod:release:")])


def test_fails_without_a_release_to_take_from_or_a_line_to_write(
    ground: Ground, capsys: pytest.CaptureFixture[str]
) -> None:
    _without_release(ground, "staging")
    assert ground.promote() == 2
    assert "Pulumi.staging.yaml must have a line release.images.api, got none" in capsys.readouterr().err
    _without_release(ground, "dev")
    assert ground.promote() == 2
    assert "dev must have a release with images, got none" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "old", "new", "sentence"),
    [
        (
            "dev",
            IMAGE,
            IMAGE.replace("aiprod-484120", "elsewhere-1"),
            f"release.images.api of dev must be in {REGISTRY}, from which staging pulls, got europe-docker",
        ),
        (
            "staging",
            "    images:\n      api: REPLACE_ME\n      worker: REPLACE_ME\n",
            "    images: {api: REPLACE_ME, worker: REPLACE_ME}\n",
            "must have a line release.images.api, got none",
        ),
        ("staging", "project_id: staging-1", "project_id: REPLACE_ME", "project_id is REPLACE_ME: set it"),
    ],
)
def test_fails_when_the_image_or_the_file_does_not_fit(
    ground: Ground, name: str, old: str, new: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ground.verified()
    ground.change(name, old, new)
    assert ground.promote() == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert ground.calls() == []


def test_fails_when_the_release_does_not_name_the_image(
    ground: Ground, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ground.promote("--image", "collector") == 2
    assert "IMAGE must be one that the release of dev names, got 'collector': name api, worker" in (
        capsys.readouterr().err
    )


def test_fails_when_the_file_has_another_change_that_waits(
    ground: Ground, capsys: pytest.CaptureFixture[str]
) -> None:
    ground.commit()
    ground.verified()
    ground.change("staging", "disk_size_gb: 20", "disk_size_gb: 30")
    assert ground.promote() == 2
    assert "Pulumi.staging.yaml must have no other change that is not committed" in capsys.readouterr().err
    assert ground.calls() == []


def test_a_promotion_that_is_not_committed_yet_does_not_stop_the_next(ground: Ground) -> None:
    worker = f"{REGISTRY}/worker@sha256:{'f' * 64}"
    ground.change("dev", "worker: REPLACE_ME", f"worker: {worker}")
    ground.commit()
    for image in (IMAGE, worker):
        ground.verified(image)
    assert ground.promote() == 0
    assert ground.promote("--image", "worker") == 0
    text = ground.file("staging").read_text()
    assert f"api: {IMAGE}\n      worker: {worker}\n" in text


def test_a_collector_may_come_from_a_mirror(ground: Ground) -> None:
    mirrored = f"{REGISTRY.rpartition('/')[0]}/collector/sidecar@sha256:{'e' * 64}"
    for name in ("dev", "staging"):
        old = f"{REGISTRY}/collector@sha256:{'d' * 64}" if name == "staging" else mirrored
        ground.change(name, "worker: REPLACE_ME", f"worker: REPLACE_ME\n      collector: {old}")
    ground.verified(mirrored)
    assert ground.promote("--image", "collector") == 0
    assert f"collector: {mirrored}\n" in ground.file("staging").read_text()
    assert attest("dev", "--image", "collector") == 0


def test_nothing_else_may(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    mirrored = f"{REGISTRY.rpartition('/')[0]}/collector/worker@sha256:{'e' * 64}"
    ground.change("dev", "worker: REPLACE_ME", f"worker: {mirrored}")
    assert ground.promote("--image", "worker") == 2
    assert f"release.images.worker of dev must be in {REGISTRY}, from which" in capsys.readouterr().err


def test_says_which_image_is_next(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    ground.change("dev", "worker: REPLACE_ME", f"worker: {REGISTRY}/worker@sha256:{'f' * 64}")
    ground.verified()
    assert ground.promote() == 0
    assert "worker of dev and staging differ too: IMAGE=worker is next" in capsys.readouterr().out


def _log_out(tools: Path) -> None:
    (tools / "broken").touch()


def _take_key(tools: Path) -> None:
    (tools / "key").write_text("")


def _uninstall(tools: Path) -> None:
    (tools / "gcloud").unlink()


@pytest.mark.parametrize(
    ("prepare", "sentence"),
    [
        (_log_out, "gcloud cannot list the attestations of projects/dev-1"),
        (_take_key, "promoted-staging must have a key of Cloud KMS, got none"),
        (_uninstall, "the Google Cloud CLI (gcloud) is not on PATH"),
    ],
)
def test_fails_in_one_sentence_when_google_does_not_answer(
    ground: Ground, prepare: Callable[[Path], None], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ground.verified()
    prepare(ground.tools)
    before = ground.file("staging").read_text()
    assert ground.promote() == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert ground.file("staging").read_text() == before


@pytest.mark.parametrize("target", ["sandbox", "sandbox-cli"])
def test_the_sandbox_says_what_it_would_ask_sign_and_write(
    ground: Ground, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = ground.file("staging").read_text()
    assert ground.promote(target=target) == 0
    said = capsys.readouterr().out
    for part in (
        f"list --attestor=projects/dev-1/attestors/verified-dev --artifact-url={IMAGE}",
        "--attestor=projects/staging-1/attestors/promoted-staging",
        f"write release.images.api: {IMAGE} into Pulumi.staging.yaml",
    ):
        assert part in said
    assert (ground.file("staging").read_text(), ground.calls()) == (before, [])


def attest(stack: str, *options: str, target: str = "gcp") -> int:
    return main(["attest", "--stack", stack, "--target", target, *options])


def test_what_is_attested_may_be_promoted(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    assert ground.promote() == 1
    assert attest("dev") == 0
    assert ground.attested() == [f"projects/dev-1/attestors/verified-dev {IMAGE}"]
    assert attest("dev") == 0
    assert len(ground.attested()) == 1
    assert ground.promote() == 0
    assert "verified-dev says so already" in capsys.readouterr().out


def test_the_sandbox_attests_nothing(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    assert attest("dev", target="sandbox") == 0
    assert capsys.readouterr().out.startswith("attest (sandbox): nothing is signed. TARGET=gcp would run")
    assert ground.calls() == []


@pytest.mark.parametrize(
    ("stack", "options", "sentence"),
    [
        ("prod", (), "STACK must be one that something is promoted from, dev or staging, got 'prod'"),
        ("qa", (), "stack 'qa' is unknown"),
        ("staging", (), "release.images.api must be an image by digest, got REPLACE_ME"),
        ("dev", ("--image", "nope"), "IMAGE must be one that the release of dev names, got 'nope'"),
    ],
)
def test_fails_when_there_is_nothing_to_attest(
    ground: Ground,
    stack: str,
    options: tuple[str, ...],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert attest(stack, *options) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert ground.calls() == []

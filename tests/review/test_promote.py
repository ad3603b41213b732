"""`make promote`: what is asked and signed, the one line written, and what is refused."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from review import promote as module
from sandbox.project import load_project
from tests.review.promoting import IMAGE, KEY, REGISTRY, Ground, serving


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Ground]:
    found = Ground(tmp_path, monkeypatch)
    with found.google.server:
        yield found


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
        ("qa", "prod", "FROM must be dev, staging, prod, got 'qa'"),
        ("dev", "qa", "TO must be dev, staging, prod, got 'qa'"),
        ("", "staging", "FROM must be dev, staging, prod, got ''"),
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
    ground.google.runs["europe-west1", "services"] = [
        serving(IMAGE, template={"containers": [{"image": IMAGE}, {"image": mirrored}]})
    ]
    assert ground.attest("dev", "--image", "collector") == 0


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


@pytest.mark.parametrize(
    "wrong", [f"{REGISTRY}/api:v7", f"{REGISTRY}/api@sha256:zzz", f"{REGISTRY}/api", f"api@sha256:{'c' * 64}"]
)
def test_fails_when_the_image_is_not_named_by_digest(
    ground: Ground, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ground.change("dev", IMAGE, wrong)
    for run in (ground.promote, lambda: ground.attest("dev"), lambda: ground.promote(target="sandbox")):
        assert run() == 2
        said = capsys.readouterr().err
        assert (
            "Pulumi.dev.yaml: release.images.api must be an image by digest, HOST/PATH@sha256:DIGEST" in said
        )
        assert wrong in said
        assert said.count("\n") == 1
    assert ground.calls() == []


@pytest.mark.parametrize(
    ("old", "new"), [(IMAGE, IMAGE.replace("c" * 64, "e" * 64)), ("10.32.0.0/14", "10.44.0.0/14")]
)
def test_fails_when_what_it_comes_from_is_not_committed(
    ground: Ground, old: str, new: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ground.commit()
    ground.change("dev", old, new)
    for image in (IMAGE, new):
        ground.verified(image)
    assert ground.promote() == 2
    assert "Pulumi.dev.yaml must have no change that is not committed" in capsys.readouterr().err
    assert ground.calls() == []


def test_fails_when_the_registry_would_delete_it(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    ground.verified()
    ground.google.untagged.add(IMAGE.rpartition("@")[2])
    before = ground.file("staging").read_text()
    assert ground.promote() == 2
    assert f"{IMAGE} must have a tag, got none" in capsys.readouterr().err
    assert (ground.file("staging").read_text(), len(ground.attested())) == (before, 1)

"""What a person can get wrong: one sentence, the exit code, and nothing half-written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from review.cli import main
from sandbox.state import StateStore
from tests.end_to_end.conftest import Platform

Config = dict[str, Any]
DIGEST = "sha256:" + "c3" * 32

REFUSED_CONFIG: dict[str, tuple[Callable[[Config], object], str, int]] = {
    "unknown key": (
        lambda config: config.update({"aiprod:postgress": {}}),
        "did you mean aiprod:postgres?",
        2,
    ),
    "unknown nested key": (
        lambda config: config["aiprod:postgres"].update(teir="x"),
        "aiprod:postgres.teir is not a known key; did you mean tier",
        2,
    ),
    "wrong type": (
        lambda config: config.update({"aiprod:deletion_protection": "no"}),
        "aiprod:deletion_protection must be of type boolean",
        2,
    ),
    "wrong range": (
        lambda config: config["aiprod:postgres"].update(backups_kept=3),
        "aiprod:postgres.backups_kept must be greater than or equal to 7, got 3",
        2,
    ),
    "wrong unit": (
        lambda config: config["aiprod:workers"].update(memory="4 GB"),
        "aiprod:workers.memory must",
        2,
    ),
    "image without digest": (
        lambda config: config["aiprod:release"]["images"].update(
            api="europe-docker.pkg.dev/aiprod-dev-example/aiprod/api:latest"
        ),
        "aiprod:release.images.api must",
        2,
    ),
    "image from another registry": (
        lambda config: config["aiprod:release"]["images"].update(api=f"docker.io/library/api@{DIGEST}"),
        "/aiprod/NAME@sha256:DIGEST, got 'docker.io/library/api@",
        2,
    ),
    "overlapping ranges": (
        lambda config: config["aiprod:network"].update(peered_ranges={"office": "10.32.0.0/16"}),
        "overlap",
        2,
    ),
    "domain that is none": (
        lambda config: config["aiprod:edge"].update(customers={"acme": "acme"}),
        "aiprod:edge.customers.acme must be a host name in lower case such as api.example.com, got 'acme'",
        2,
    ),
    "ban time that Google lacks": (
        lambda config: config["aiprod:edge"].update(ban_seconds=61),
        "aiprod:edge.ban_seconds must be 60, 120,",
        2,
    ),
    "eleven denied ranges": (
        lambda config: config["aiprod:edge"].update(denied_ranges=[f"192.0.2.{n}/32" for n in range(11)]),
        "aiprod:edge.denied_ranges must",
        2,
    ),
    "refused name": (
        lambda config: config.update({"aiprod:repository": "Not_A_Name"}),
        "aiprod:repository",
        2,
    ),
}


def one_sentence(text: str) -> str:
    """The last line that says what is wrong."""
    (line,) = [line for line in text.splitlines() if line.startswith(("refused", "sandbox: "))]
    return line


@pytest.mark.parametrize("case", REFUSED_CONFIG)
def test_fails_when_the_stack_file_is_wrong(platform: Platform, case: str) -> None:
    change, sentence, code = REFUSED_CONFIG[case]
    platform.edit("dev", change)
    up = platform.run("up")
    assert up.code == code, up.output + up.error
    assert sentence in one_sentence(up.output + up.error)
    assert not [name for name in platform.files() if name.startswith("dev.")]


def test_fails_when_the_stack_is_unknown(platform: Platform) -> None:
    up = platform.run("up", stack="produktion")
    assert up.code == 2
    assert "stack 'produktion' is unknown" in one_sentence(up.error)
    assert "dev, prod, staging" in up.error


def test_fails_when_replace_me_is_left_over_with_real_target(
    platform: Platform, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["up", "--stack", "dev", "--target", "gcp"]) == 2
    sentence = capsys.readouterr().err
    assert "Pulumi.dev.yaml: REPLACE_ME is left over in aiprod:project_id" in sentence
    assert len(sentence.splitlines()) == 1


@pytest.mark.parametrize(
    "content",
    [
        "not json",
        "[]",
        "{}",
        '{"version": 99, "deployment": {}}',
        json.dumps(
            {
                "version": 3,
                "deployment": {"resources": [{"urn": "urn:pulumi:dev::other::a:b:C::c", "type": "a:b:C"}]},
            }
        ),
    ],
)
def test_fails_when_the_state_file_is_corrupt_or_foreign(
    platform: Platform, tmp_path: Path, content: str
) -> None:
    state = tmp_path / "export.json"
    state.write_text(content)
    preview = platform.run("preview", "--state", str(state))
    assert preview.code == 2, preview.output
    assert "export.json" in one_sentence(preview.error)


def test_fails_when_an_up_is_refused_and_keeps_the_last_good_state(platform: Platform) -> None:
    platform.without_release("dev")
    assert platform.run("up").code == 0
    good = platform.files()

    platform.edit("dev", lambda config: config["aiprod:redis"].update(memory_size_gb=9_999))
    assert platform.run("up").code == 2
    assert platform.files() == good

    with StateStore(platform.folder / ".sandbox", project="aiprod").lock("dev"):
        locked = platform.run("up")
    assert locked.code == 2
    assert "stack dev is locked by another process" in one_sentence(locked.error)
    assert platform.files() == good

    path = platform.folder / ".sandbox" / "dev.json"
    path.write_text(path.read_text()[:-200])
    corrupt = platform.files()
    up = platform.run("up")
    assert up.code == 2
    assert "dev.json" in one_sentence(up.error)
    assert platform.files() == corrupt


def test_fails_when_the_program_refuses_after_its_first_resource(platform: Platform) -> None:
    (platform.folder / "__main__.py").unlink()
    (platform.folder / "__main__.py").write_text(
        "import pulumi\n"
        "import pulumi_random\n"
        "pulumi_random.RandomPet('one', opts=pulumi.ResourceOptions(provider=pulumi_random.Provider('p')))\n"
        "raise pulumi.RunError('half-way')\n"
    )
    result = platform.run("preview")
    assert result.code == 1
    assert [error["kind"] for error in result.report["errors"]] == ["program"]


@pytest.mark.parametrize("command", ["preview", "up"])
def test_fails_when_the_program_raises(platform: Platform, command: str) -> None:
    (platform.folder / "__main__.py").unlink()
    (platform.folder / "__main__.py").write_text("raise RuntimeError('out of ideas')\n")
    result = platform.run(command)
    assert result.code == 1
    assert "out of ideas" in one_sentence(result.output)
    assert [error["kind"] for error in result.report["errors"]] == ["program"]
    assert not [name for name in platform.files() if name.startswith("dev.")]

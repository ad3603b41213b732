"""All three environments in the sandbox: first up, release, again, one change, down."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Platform

RUN = {"gcp:cloudrunv2/service:Service", "gcp:cloudrunv2/workerPool:WorkerPool"}
KEPT = {"gcp:kms/keyRing:KeyRing", "gcp:kms/cryptoKey:CryptoKey"}
STACKS = ("dev", "staging", "prod")


@pytest.mark.parametrize("stack", STACKS)
def test_platform_comes_up_takes_a_release_stays_and_takes_one_change(platform: Platform, stack: str) -> None:
    release = platform.without_release(stack)
    assert release, "the stack file carries a release"

    first = platform.run("up", stack=stack)
    assert first.code == 0, first.output
    assert set(first.summary) == {"create"}
    assert not RUN & first.types

    platform.edit(stack, lambda config: config.update({"aiprod:release": release}))
    released = platform.run("up", stack=stack)
    assert released.code == 0, released.output
    assert released.types >= RUN
    assert not released.steps("delete", "replace")
    assert {step["type"] for step in released.steps("create")} >= RUN

    again = platform.run("up", stack=stack)
    assert again.code == 0
    assert again.summary == {"same": sum(again.summary.values())}

    platform.edit(stack, lambda config: config["aiprod:redis"].update(memory_size_gb=5))
    changed = platform.run("up", stack=stack)
    assert changed.code == 0, changed.output
    (step,) = changed.steps("create", "update", "replace", "delete")
    assert (step["op"], step["type"]) == ("update", "gcp:redis/instance:Instance")
    assert [(item["path"], item["kind"], item["new"]) for item in step["diff"]] == [
        ("memorySizeGb", "update", 5)
    ]
    assert "memorySizeGb" in changed.output


def test_prod_is_as_large_as_the_platform(platform: Platform) -> None:
    preview = platform.run("preview", stack="prod")
    assert preview.code == 0, preview.output
    assert len(preview.report["resources"]) >= 200
    assert platform.files() == {}


def test_down_of_dev_leaves_only_keys_and_the_next_up_adopts_them(platform: Platform) -> None:
    up = platform.run("up")
    assert up.code == 0, up.output
    down = platform.run("down")
    assert down.code == 0, down.output
    left = {row["type"] for row in down.report["resources"] if row["type"].startswith("gcp:")}
    assert left == KEPT
    kept = {row["urn"] for row in down.report["resources"] if row["type"] in KEPT}

    again = platform.run("up")
    assert again.code == 0, again.output
    assert kept <= {step["urn"] for step in again.steps("same")}
    assert not {step["urn"] for step in again.steps("create")} & kept
    assert again.types == up.types
    after = platform.run("preview")
    assert after.summary == {"same": sum(after.summary.values())}


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_fails_when_down_would_delete_what_is_protected(platform: Platform, stack: str) -> None:
    assert platform.run("up", stack=stack).code == 0
    before = platform.files()
    down = platform.run("down", stack=stack)
    assert down.code == 1
    assert down.report["steps"] == []
    (error,) = down.report["errors"]
    assert error["kind"] == "protect"
    protected = [
        row["name"] for row in down.report["resources"] if row["protect"] and row["type"] not in KEPT
    ]
    assert protected
    for name in protected:
        assert name in error["message"]
    assert platform.files() == before


def test_state_can_go_out_and_come_back(platform: Platform, tmp_path: Path) -> None:
    state = tmp_path / "export.json"
    assert platform.run("preview", "--save-state", str(state)).code == 0
    assert json.loads(state.read_text())["version"] == 3
    back = platform.run("preview", "--state", str(state))
    assert back.code == 0, back.output
    assert back.summary == {"same": sum(back.summary.values())}
    assert platform.files() == {} or set(platform.files()) <= {"passphrase", "key", "salt"}


def test_markdown_report_is_written(platform: Platform, tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    platform.run("preview", "--markdown", str(path))
    text = path.read_text(encoding="utf-8")
    assert text.startswith("## sandbox preview of stack dev")
    assert len(text) < 65_536


def test_no_secret_is_printed_or_stored(platform: Platform) -> None:
    up = platform.run("up", stack="prod")
    assert up.code == 0, up.output
    written = b"".join(platform.files().values()).decode()
    for text in (up.output, up.error, json.dumps(up.report), written):
        assert "xoxb-example" not in text

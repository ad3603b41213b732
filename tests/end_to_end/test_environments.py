"""All three environments in the sandbox: first up, release, again, one change, down."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Platform, Result

# What only a release brings; functions that Google builds from this repository run before.
RUN = {
    "gcp:cloudrunv2/job:Job",
    "gcp:cloudrunv2/workerPool:WorkerPool",
    "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup",
}
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
    if stack == "prod":
        assert len(released.report["resources"]) >= 200

    again = platform.run("preview", stack=stack)
    assert again.code == 0
    assert again.summary == {"same": len(released.report["resources"])}

    platform.edit(stack, lambda config: config["aiprod:redis"].update(memory_size_gb=5))
    changed = platform.run("up", stack=stack)
    assert changed.code == 0, changed.output
    (step,) = changed.steps("create", "update", "replace", "delete")
    assert (step["op"], step["type"]) == ("update", "gcp:redis/instance:Instance")
    (change,) = step["diff"]
    assert (change["path"], change["kind"], change["new"]) == ("memorySizeGb", "update", 5)
    assert "memorySizeGb" in changed.output

    for run in (first, released, changed):
        assert run.report["quiet_failures"] == []

    written = b"".join(platform.files().values()).decode()
    for text in (first.output, changed.output, json.dumps(changed.report), written):
        assert "xoxb-example" not in text
    if stack == "dev":
        down_leaves_only_keys_and_the_next_up_adopts_them(platform, changed)
    else:
        down_is_refused_before_the_first_delete(platform, stack)


def down_leaves_only_keys_and_the_next_up_adopts_them(platform: Platform, up: Result) -> None:
    down = platform.run("down")
    assert down.code == 0, down.output
    left = {row["type"] for row in down.report["resources"] if row["type"].startswith("gcp:")}
    assert left == KEPT
    kept = {row["urn"] for row in down.report["resources"] if row["type"] in KEPT}

    again = platform.run("up")
    assert again.code == 0, again.output
    assert kept <= {step["urn"] for step in again.steps("same")}
    assert again.types == up.types
    after = platform.run("preview")
    assert set(after.summary) == {"same"}


def down_is_refused_before_the_first_delete(platform: Platform, stack: str) -> None:
    before = platform.files()
    down = platform.run("down", stack=stack)
    assert down.code == 1
    assert down.report["steps"] == []
    (error,) = down.report["errors"]
    assert error["kind"] == "protect"
    protected = {
        row["name"] for row in down.report["resources"] if row["protect"] and row["type"] not in KEPT
    }
    assert len(protected) > 3
    for name in protected:
        assert name in error["message"]
    assert platform.files() == before


def test_preview_with_files_writes_nothing_else(platform: Platform, tmp_path: Path) -> None:
    state, page = tmp_path / "export.json", tmp_path / "report.md"
    out = platform.run("preview", "--save-state", str(state), "--markdown", str(page))
    assert out.code == 0
    assert set(out.summary) == {"create"}
    text = page.read_text(encoding="utf-8")
    assert text.startswith("## sandbox preview of stack dev")
    assert len(text) < 65_536
    assert json.loads(state.read_text())["version"] == 3

    back = platform.run("preview", "--state", str(state))
    assert back.code == 0, back.output
    assert set(back.summary) == {"same"}
    assert not [name for name in platform.files() if name.startswith("dev.")]

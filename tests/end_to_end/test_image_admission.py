"""A stack that admits attested images only: `up`, nothing to do, enforced, `down`."""

from __future__ import annotations

from typing import Any

from tests.end_to_end.conftest import Platform

POLICY = "gcp:binaryauthorization/policy:Policy"


def enforced(config: dict[str, Any]) -> None:
    config["aiprod:admission"]["mode"] = "enforced"


def test_admission_comes_as_declared_is_enforced_and_goes(platform: Platform) -> None:
    first = platform.run("up")
    assert first.code == 0, first.report["errors"]
    rows = {row["name"]: row for row in first.report["resources"]}
    attestor = "image-admission-verified-dev"
    assert {attestor, f"{attestor}-note", f"{attestor}-key"} <= set(rows)
    assert POLICY in first.types
    assert not platform.run("up").steps("create", "update", "replace", "delete")

    platform.edit("dev", enforced)
    second = platform.run("up")
    assert second.code == 0, second.report["errors"]
    assert {(step["name"], step["op"]) for step in second.steps("create", "update", "replace", "delete")} == {
        ("image-admission", "update")
    }
    gone = platform.run("down")
    assert gone.code == 0, gone.report["errors"]

"""The same scenario on the real Pulumi CLI: same program and cloud, same steps, state and verdicts."""

from __future__ import annotations

import pytest

from tests.end_to_end.conftest import Platform, Result

pytestmark = [
    pytest.mark.real_cli,
]


def steps(result: Result) -> dict[str, tuple[str, list[str]]]:
    """Operation and changed paths by URN, of what changes."""
    return {
        step["urn"]: (step["op"], sorted(item["path"] for item in step["diff"]))
        for step in result.report["steps"]
        if step["op"] != "same"
    }


def state(result: Result) -> dict[str, tuple[str, str, list[str], list[str]]]:
    """What each resource is, where it hangs, what it needs and which inputs it has."""
    return {
        row["urn"]: (row["type"], row["parent"] or "", sorted(row["dependencies"]), sorted(row["inputs"]))
        for row in result.report["resources"]
    }


def verdicts(result: Result) -> set[tuple[str, str]]:
    """Which rules are broken where."""
    return {(item["rule"], item["level"]) for item in result.report["policies"]["violations"]}


def test_real_cli_takes_the_same_steps_to_the_same_state(platform: Platform) -> None:
    release = platform.without_release("dev")

    def both(command: str, expected: set[str]) -> None:
        ours = platform.run(command)
        real = platform.run(command, "--target", "sandbox-cli")
        assert (ours.code, real.code) == (0, 0), ours.error + real.error + real.output
        assert {op for op, _ in steps(real).values()} == expected
        assert steps(ours) == steps(real)
        assert state(ours) == state(real)
        assert verdicts(ours) == verdicts(real)

    both("up", {"create"})
    platform.edit("dev", lambda config: config.update({"aiprod:release": release}))
    both("up", {"create", "update"})
    platform.edit("dev", lambda config: config["aiprod:redis"].update(memory_size_gb=5))
    both("up", {"update"})
    both("up", set())
    # Of a secret the cloud keeps a digest only, which is no drift.
    both("refresh", set())
    both("up", set())
    both("down", {"delete"})

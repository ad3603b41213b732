"""The real program, killed by the system while it works and while a service writes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.operations.cut_over.world import World
from tests.operations.cut_over.writer import writing
from tests.stack_files import ROOT

STEPS = ("copy", "wait", "switch", "back", "finish")


def start(one: World, step: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "operations.cut_over", step, "--settings", str(one.settings)]
    return subprocess.Popen(command, cwd=ROOT, env=dict(os.environ), stdout=subprocess.PIPE)


def test_every_step_ends_well_after_kills_at_any_time(small: World) -> None:
    kills = 0
    with writing(small) as writer:
        writer.wait("old")
        for step in STEPS:
            # Longer each time, until it comes through: start, connections, each part of the work.
            for tenths in range(4, 90, 3):
                process = start(small, step)
                with process:
                    try:
                        assert process.wait(tenths / 10) == 0, step
                        break
                    except subprocess.TimeoutExpired:
                        process.send_signal(signal.SIGKILL)
                        kills += 1
            else:
                pytest.fail(f"{step} never came through")
            if step == "switch":
                writer.wait("new")
        writer.wait("old")
    assert kills >= len(STEPS)
    assert small.left() == []
    there = {row[0] for row in small.on(small.old, "SELECT token FROM jobs")}
    assert {token for _, token, _ in writer.stored} <= there


def test_a_kill_leaves_no_moment_in_which_both_take_writes(small: World) -> None:
    small.steps("copy", "wait")
    with writing(small) as writer:
        writer.wait("old")
        process = start(small, "switch")
        with process:
            time.sleep(0.5)
            process.kill()
        small.steps("switch")
        writer.wait("new", 50)
    places = [place for _, _, place in writer.stored]
    # Old, then new: no transaction is stored on old once one is stored on new.
    assert places == sorted(places, reverse=True)
    small.steps("verify")

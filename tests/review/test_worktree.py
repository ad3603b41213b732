"""The base revision: found or refused, checked out, and always removed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from review.worktree import checkout, resolve
from sandbox.errors import UsageError
from tests.repository import begin, git


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "file").write_text("one")
    begin(folder)
    (folder / "inner" / "file").write_text("two")
    git(folder, "commit", "--quiet", "-a", "-m", "Two")
    return folder


def worktrees(folder: Path) -> int:
    return len(git(folder, "worktree", "list").splitlines())


def test_checkout_gives_the_folder_as_it_was_and_removes_it(repository: Path) -> None:
    with checkout(repository / "inner", resolve(repository, "HEAD~1")) as tree:
        assert (tree / "file").read_text() == "one"
        assert worktrees(repository) == 2
    assert not tree.exists()
    assert not tree.parent.parent.exists()
    assert worktrees(repository) == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, SystemExit])
def test_checkout_is_removed_after_an_interruption(repository: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), checkout(repository, resolve(repository, "HEAD")) as tree:
        raise error
    assert not tree.exists()
    assert worktrees(repository) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_checkout_is_removed_after_a_signal(repository: Path, number: signal.Signals) -> None:
    program = (
        "import sys, time; from pathlib import Path; from review.worktree import checkout\n"
        "with checkout(Path(sys.argv[1]), 'HEAD') as tree:\n"
        "    print(tree, flush=True); time.sleep(60)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(
        [sys.executable, "-c", program, str(repository)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        tree = Path(process.stdout.readline().strip())
        assert tree.exists()
        process.send_signal(number)
        assert process.wait(timeout=30) != 0
    deadline = time.monotonic() + 5
    while tree.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not tree.exists()
    assert worktrees(repository) == 1


def test_checkout_runs_no_hook_of_the_repository(repository: Path) -> None:
    hook = repository / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {repository}/ran\n")
    hook.chmod(0o755)
    with checkout(repository, resolve(repository, "HEAD")):
        pass
    assert not (repository / "ran").exists()


@pytest.mark.parametrize("revision", ["nowhere", "--all", "", "HEAD~9", "HEAD:inner"])
def test_fails_when_the_revision_does_not_exist(repository: Path, revision: str) -> None:
    with pytest.raises(UsageError, match="does not exist in this repository: name a branch"):
        resolve(repository, revision)


def test_fails_when_there_is_no_repository(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not in a git repository"):
        resolve(tmp_path, "HEAD")

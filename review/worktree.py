"""The tree of another revision, in a temporary git worktree that always goes away."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from sandbox.errors import UsageError

__all__ = ["checkout", "committed", "resolve"]


def resolve(directory: Path, revision: str) -> str:
    """The commit that ``revision`` names. Raises UsageError when there is none."""
    if shutil.which("git") is None:
        raise UsageError("git is not on PATH: install it, the base revision is read from the repository")
    if _git(directory, "rev-parse", "--git-dir").returncode:
        raise UsageError(f"{directory} is not in a git repository: run the difference in a clone")
    found = _git(directory, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if found.returncode:
        raise UsageError(
            f"revision {revision!r} does not exist in this repository: name a branch, a tag or a commit"
        )
    return found.stdout.strip()


@contextmanager
def checkout(directory: Path, commit: str) -> Generator[Path]:
    """The folder that ``directory`` was at ``commit``; removed in the end, after Ctrl-C and SIGTERM too."""
    top = Path(_git(directory, "rev-parse", "--show-toplevel").stdout.strip())
    inside = directory.resolve().relative_to(top.resolve())
    # SIGTERM becomes an exception, so that the removal below runs.
    before = signal.signal(signal.SIGTERM, _terminated)
    folder = Path(tempfile.mkdtemp(prefix="sandbox-base-"))
    tree = folder / "base"
    try:
        added = _git(directory, "worktree", "add", "--quiet", "--detach", str(tree), commit)
        if added.returncode:
            raise UsageError(f"git could not check out {commit[:12]}: {_last_line(added.stderr)}")
        yield tree / inside
    finally:
        waiting = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            shutil.rmtree(folder, ignore_errors=True)
            _git(directory, "worktree", "prune")
        finally:
            signal.signal(signal.SIGINT, waiting)
            signal.signal(signal.SIGTERM, before)


def committed(path: Path) -> str | None:
    """A file as it was committed, empty where it never was; None without a repository."""
    if (
        shutil.which("git") is None
        or _git(path.parent, "rev-parse", "--verify", "--quiet", "HEAD").returncode
    ):
        return None
    done = _git(path.parent, "show", f"HEAD:./{path.name}")
    return done.stdout if done.returncode == 0 else ""


def _git(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["git", "-C", str(directory), "-c", "core.hooksPath=/dev/null", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no reason given"


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)

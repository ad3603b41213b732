"""git for tests, whoever runs them and whatever they set up."""

from __future__ import annotations

import subprocess
from pathlib import Path

__all__ = ["begin", "git"]

_IDENTITY = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")


def git(folder: Path, *arguments: str) -> str:
    """What git prints for a command in a folder; it has to succeed."""
    command = ["git", "-C", str(folder), *_IDENTITY, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def begin(folder: Path) -> None:
    """Make the folder a repository, with everything in it committed."""
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "One")

"""What the tests of programs share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sandbox.programs.running import Runner


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """Runs a command on a program."""
    return Runner(tmp_path / "report.json")

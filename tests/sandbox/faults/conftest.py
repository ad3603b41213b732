"""Says at the end of a run how many faults were put."""

from __future__ import annotations

import pytest

from tests.sandbox.faults.tally import TALLY


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line below the results."""
    if TALLY.put:
        terminalreporter.write_line(f"faults put into deployments: {TALLY.put:,}")

"""Fixtures of every room: a recorder and a builder that drains it; and what a run closes with."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings
from xdist.workermanage import WorkerController

from tests.recording import Build, Recorder
from tests.sandbox.faults.tally import TALLY

# A shell ignores Ctrl-C for what it runs in the background, and programs started by a test inherit that.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# A busy machine is no failure: tests of time say so themselves, with limits of their own.
settings.register_profile("aiprod", deadline=None)
settings.load_profile("aiprod")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests on the real CLI are skipped, by name, where there is none."""
    if item.get_closest_marker("real_cli") is not None and shutil.which("pulumi") is None:
        pytest.skip("the real Pulumi CLI is not on PATH")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process of several tells the first one what it counted."""
    told: dict[str, int] | None = getattr(session.config, "workeroutput", None)
    if told is not None:
        told["faults"] = TALLY.put


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: WorkerController) -> None:
    """Take it over; a process that died has told nothing."""
    TALLY.put += getattr(node, "workeroutput", {}).get("faults", 0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many faults were put into deployments."""
    if TALLY.put:
        terminalreporter.write_line(f"faults put into deployments: {TALLY.put:,}")


@pytest.fixture
def recorder() -> Recorder:
    """Keeps every registration of this test's `build`."""
    return Recorder()


@pytest.fixture
def build(recorder: Recorder) -> Iterator[Build]:
    """`build(lambda: Component(...))` drains all registrations; `build.resolve(output)` reads an output."""
    builder = Build(recorder)
    yield builder
    builder.close()

"""Fixtures of every room: a recorder of registrations and a builder that drains them."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator

import pytest

from tests.recording import Build, Recorder

# A shell ignores Ctrl-C for what it runs in the background, and programs started by a test inherit that.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests on the real CLI are skipped, by name, where there is none."""
    if item.get_closest_marker("real_cli") is not None and shutil.which("pulumi") is None:
        pytest.skip("the real Pulumi CLI is not on PATH")


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

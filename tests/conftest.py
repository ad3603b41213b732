"""Fixtures of every room: a recorder of registrations and a builder that drains them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.recording import Build, Recorder


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

"""What the program says in each environment, evaluated once."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from rich.console import Console

from review.contract.program import Given, given
from tests.stack_files import PROGRAM, STACKS


@pytest.fixture(scope="session")
def environments() -> Mapping[str, Given]:
    """By stack, in the order of promotion."""
    return {stack: given(PROGRAM, stack, Console(quiet=True)) for stack in STACKS}


@pytest.fixture
def prod(environments: Mapping[str, Given]) -> Given:
    return environments["prod"]

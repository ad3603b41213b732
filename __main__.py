"""The program: configuration in, platform built, outputs exported."""

from __future__ import annotations

import pulumi

from config import load
from facts.refusal import RefusedError
from stacks.platform import platform


def main() -> None:
    """One stack, as its file says."""
    try:
        outputs = platform(load())
    except RefusedError as error:
        # What a person wrote is refused with one sentence; a traceback would bury it. A bug keeps its own.
        raise pulumi.RunError(str(error)) from error
    for name, value in outputs.items():
        pulumi.export(name, value)


main()

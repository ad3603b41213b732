"""The program: configuration in, platform built, outputs exported."""

from __future__ import annotations

import pulumi

from config import load
from stacks.platform import platform


def main() -> None:
    """One stack, as its file says."""
    try:
        outputs = platform(load())
    except ValueError as error:
        # Config and components refuse what a person wrote with one sentence each; a traceback would bury it.
        raise pulumi.RunError(str(error)) from error
    for name, value in outputs.items():
        pulumi.export(name, value)


main()

"""The program: configuration in, platform built, outputs exported."""

from __future__ import annotations

import pulumi

from config import ConfigError, load
from stacks.platform import platform


def main() -> None:
    """One stack, as its file says."""
    try:
        settings = load()
    except ConfigError as error:
        raise pulumi.RunError(str(error)) from None
    for name, value in platform(settings).items():
        pulumi.export(name, value)


main()

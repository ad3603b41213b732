"""The stand-in cloud as a provider plug-in for the real Pulumi CLI.

``install`` writes the executables that the CLI looks for; with their folder first on PATH, `pulumi up` on a
local backend runs against the stand-in cloud, which is kept in one file.
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

__all__ = ["PACKAGES", "ROOT", "install"]

PACKAGES = ("gcp", "random")
ROOT = Path(__file__).resolve().parents[2]


def install(folder: Path, world: Path) -> dict[str, str]:
    """Write the executables into ``folder``; returns the environment in which the CLI stays offline."""
    folder.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        path = folder / f"pulumi-resource-{package}"
        # -P: the CLI starts it in the program's folder, and modules there may have the names of ours.
        command = shlex.join(
            [sys.executable, "-P", "-u", "-m", "sandbox.plugin.provider", package, str(world.absolute())]
        )
        path.write_text(
            f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {command} "$@"\n', encoding="utf-8"
        )
        path.chmod(0o755)
    return {
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_DISABLE_REGISTRY_RESOLVE": "true",
        "PULUMI_DISABLE_CI_DETECTION": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_SUPPRESS_NEO_LINK": "true",
    }

"""Which provider modules one command of the review imports."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from review.cli import main


def write_modules(path: Path) -> None:
    """Write the names of the provider modules that are loaded now."""
    names = sorted(name for name in sys.modules if name.split(".")[0] in {"pulumi_gcp", "pulumi_random"})
    path.write_text(json.dumps(names), encoding="utf-8")


if __name__ == "__main__":
    code = main(sys.argv[2:])
    write_modules(Path(sys.argv[1]))
    sys.exit(code)

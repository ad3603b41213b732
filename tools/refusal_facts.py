"""Writes facts/data/refusals.json from a catalogue of refusals: `python -m tools.refusal_facts CATALOGUE`."""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any, Final

import yaml

from sandbox.cloud.behaviours import BEHAVIOURS
from sandbox.cloud.behaviours.by_facts import REFUSED, REPLACED

__all__ = ["DATA", "platform_types"]

_ROOT: Final = Path(__file__).parent.parent
DATA: Final = _ROOT / "facts" / "data" / "refusals.json"
_ORIGIN: Final = (
    "catalogue of what Google Cloud and its provider refuse, read from public issue threads, the source and "
    "documentation of terraform-provider-google-beta (commit 93c65b2, 21 August 2026) and Google's pages"
)


def platform_types() -> frozenset[str]:
    """The tokens of every Google type that the platform's own code makes."""
    text = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("components", "stacks", "bootstrap")
        for path in sorted((_ROOT / folder).rglob("*.py"))
    )
    found: set[str] = set()
    for area, name in sorted(set(re.findall(r"gcp\.([a-z0-9]+)\.([A-Z]\w+)\(", text))):
        made = getattr(importlib.import_module(f"pulumi_gcp.{area}"), name, None)
        token = getattr(made, "pulumi_type", None)
        if isinstance(token, str):
            found.add(token)
    return frozenset(found)


def _kept(entry: dict[str, Any], types: frozenset[str]) -> bool:
    enforced = {*BEHAVIOURS, *(row.id for row in (*REFUSED, *REPLACED))}
    return entry["id"] in enforced or "*" in entry["types"] or bool(types & set(entry["types"]))


def main(arguments: list[str]) -> int:
    """Write the data file."""
    if len(arguments) != 1:
        print("usage: python -m tools.refusal_facts CATALOGUE.yaml")
        return 2
    catalogue: list[dict[str, Any]] = yaml.safe_load(Path(arguments[0]).read_text(encoding="utf-8"))
    types = platform_types()
    names = {
        "id": "id",
        "service": "service",
        "types": "types",
        "situation": "situation",
        "refused_by": "refusedBy",
        "confidence": "confidence",
    }
    rows = [
        json.dumps({new: entry[old] for old, new in names.items()}, ensure_ascii=False)
        for entry in catalogue
        if _kept(entry, types)
    ]
    body = ",\n  ".join(rows)
    DATA.write_text(
        f'{{\n "origin": {json.dumps(_ORIGIN)},\n "refusals": [\n  {body}\n ]\n}}\n', encoding="utf-8"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

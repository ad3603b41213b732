"""`python -m review contract`: write the contract of every environment, or compare what is written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

from rich.console import Console

from review.commands import FINE, REFUSED, write
from review.contract.checks import differences
from review.contract.demands import load_demands
from review.contract.document import SCHEMA_ID, document, schema
from review.contract.messages import Message, breaks, load_messages
from review.contract.page import render
from review.contract.program import Given, given
from sandbox.project import Program

__all__ = ["FOLDER", "JSON_FILE", "PAGE", "contract", "files", "stacks_of"]

FOLDER: Final = "docs"
JSON_FILE: Final = "contract.json"
PAGE: Final = "service-contract.md"
# Least first: the order of promotion.
_ORDER: Final = ("dev", "staging", "prod")


def stacks_of(program: Program) -> list[str]:
    """The stacks that have a file, in the order of promotion and then by name."""
    found = {
        path.name.removeprefix("Pulumi.").removesuffix(".yaml")
        for path in program.directory.glob("Pulumi.*.yaml")
    }
    return sorted(found, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))


def contract(program: Program, out: Console, progress: Console, *, check: bool) -> int:
    """Write page, JSON and schema below docs/; with `check` only compare.

    REFUSED, and nothing written, where program and demands differ or a message changed within its version.
    """
    folder = program.directory / FOLDER
    environments = [given(program, stack, progress) for stack in stacks_of(program)]
    messages = load_messages()
    refused = [
        *(one for found in environments for one in differences(load_demands(), messages, found)),
        *_broken(_written(folder / JSON_FILE), messages),
    ]
    made = files(environments)
    if check and not refused:
        refused = [
            f"{FOLDER}/{name} must be what the program says, got another text: run make contract"
            for name, text in made.items()
            if _read(folder / name) != text
        ]
    for sentence in refused:
        out.print(sentence, style="red", soft_wrap=True, highlight=False, markup=False)
    if refused:
        return REFUSED
    if not check:
        for name, text in made.items():
            write(folder / name, text)
    did = "is as written" if check else "written"
    out.print(f"sandbox contract of {', '.join(one.stack for one in environments)} {did}: {FOLDER}/{PAGE}")
    return FINE


def files(environments: Sequence[Given]) -> dict[str, str]:
    """What stands below docs/, by name."""
    demands, messages = load_demands(), load_messages()
    return {
        PAGE: render(demands, messages, environments),
        JSON_FILE: _json(document(demands, messages, environments)),
        SCHEMA_ID: _json(schema()),
    }


def _broken(written: Mapping[str, Any], messages: Mapping[str, Message]) -> list[str]:
    """How a message changed within its version since the contract was written."""
    found: list[str] = []
    for name, before in cast("Mapping[str, Any]", written.get("messages", {})).items():
        if name not in messages:
            found.append(f"message {name} is gone: keep its schema until no message of it can be left")
            continue
        found += [
            f"message {name}: {reason}, unknown to its consumers: take it back, or raise schema_version"
            for reason in breaks(before["json_schema"], messages[name].schema)
        ]
    return found


def _written(path: Path) -> Mapping[str, Any]:
    text = _read(path)
    return {} if text is None else json.loads(text)


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"

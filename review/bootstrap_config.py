"""What bootstrap found out, written into the stack file: the secrets provider and the project's number.

Only those two lines change; comments and order stay as they are. A second run changes nothing.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, cast

import yaml

from sandbox.errors import UsageError
from sandbox.project import PLACEHOLDER, Program
from sandbox.state import write_atomically

__all__ = ["bootstrap_config", "outputs_of", "written"]

FOLDER: Final = "bootstrap"
_VALUE: Final = r"""[ \t]*("[^"\n]*"|'[^'\n]*'|[^\s#]*)"""


def bootstrap_config(program: Program, stack: str, say: Callable[[str], None]) -> int:
    """Write the outputs of bootstrap's stack of the same name into the file of ``stack``."""
    path = program.stack_file(stack)
    if not path.exists():
        known = ", ".join(program.stacks) or "none"
        raise UsageError(f"stack {stack!r} is unknown: {path.name} does not exist; stacks here: {known}")
    before = path.read_text(encoding="utf-8")
    after = written(before, path.name, program.name, outputs_of(program.directory / FOLDER, stack))
    if after == before:
        say(f"{path.name} says what bootstrap says already")
        return 0
    write_atomically(path, after)
    say(f"{path.name}: wrote secretsprovider and {program.name}:project_number; review and commit it")
    return 0


def outputs_of(folder: Path, stack: str) -> Mapping[str, Any]:
    """The outputs of one stack of bootstrap, on the backend that the CLI is logged in to."""
    command = shutil.which("pulumi")
    if command is None:
        raise UsageError("the Pulumi CLI is not on PATH: install it, bootstrap's outputs are read with it")
    done = subprocess.run(
        [command, "stack", "output", "--json", "--stack", stack, "--non-interactive"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        raise UsageError(
            f"the Pulumi CLI cannot read bootstrap's outputs of stack {stack} ({lines[-1]}): run bootstrap "
            "first, and log in to the backend that holds its state"
        )
    return json.loads(done.stdout)


def written(text: str, file: str, project: str, outputs: Mapping[str, Any]) -> str:
    """The stack file with bootstrap's outputs. Raises UsageError rather than replace another real value."""
    provider, number = (str(outputs.get(name) or "") for name in ("secrets_provider", "project_number"))
    for name, value, good in (
        ("secrets_provider", provider, provider.startswith("gcpkms://")),
        ("project_number", number, number.isdigit()),
    ):
        if not good:
            raise UsageError(
                f"bootstrap's output {name} is not usable, got {value or 'nothing'}: run bootstrap again"
            )
    key = f"{project}:project_number"
    after = _set(text, file, "secretsprovider", provider, r"^secretsprovider:", provider)
    after = _set(after, file, key, number, rf"^[ \t]+[\"']?{re.escape(key)}[\"']?:", f'"{number}"')
    old, new = _parsed(text, file), _parsed(after, file)
    old["secretsprovider"] = provider
    old["config"] = {**cast("dict[str, Any]", old.get("config") or {}), key: number}
    if new != old:
        raise UsageError(f"{file} is written in a form that cannot be edited line by line: set {key} by hand")
    return after


def _set(text: str, file: str, key: str, value: str, start: str, shown: str) -> str:
    found = re.search(f"({start}){_VALUE}", text, re.MULTILINE)
    if found is None:
        if key != "secretsprovider":
            raise UsageError(f"{file}: {key} is missing: add it with the value {PLACEHOLDER}")
        config = re.search(r"^config:", text, re.MULTILINE)
        at = config.start() if config is not None else len(text)
        return f"{text[:at]}{key}: {shown}\n{text[at:]}"
    present = found[2].strip("\"'")
    if present == value:
        return text
    if present and PLACEHOLDER not in present:
        raise UsageError(
            f"{file}: {key} is {present} and bootstrap says {value}: one of them belongs to another project; "
            "correct it"
        )
    return f"{text[: found.start()]}{found[1]} {shown}{text[found.end() :]}"


def _parsed(text: str, file: str) -> dict[str, Any]:
    try:
        document: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"{file} is not valid YAML: correct it") from error
    return dict(cast("dict[str, Any]", document)) if isinstance(document, dict) else {}

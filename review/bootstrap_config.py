"""What bootstrap made, written into the stack file: the key of the secrets in the state.

Only that line changes; comments and order stay as they are. A second run changes nothing.
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
_KEY: Final = "secretsprovider"
_VALUE: Final = r"""[ \t]*("[^"\n]*"|'[^'\n]*'|[^\s#]*)"""


def bootstrap_config(program: Program, stack: str, say: Callable[[str], None]) -> int:
    """Write the outputs of bootstrap's stack of the same name into the file of ``stack``."""
    path = program.stack_file(stack)
    if not path.exists():
        known = ", ".join(program.stacks) or "none"
        raise UsageError(f"stack {stack!r} is unknown: {path.name} does not exist; stacks here: {known}")
    before = path.read_text(encoding="utf-8")
    after = written(before, path.name, outputs_of(program.directory / FOLDER, stack))
    if after == before:
        say(f"{path.name} says what bootstrap says already")
        return 0
    write_atomically(path, after)
    say(f"{path.name}: wrote {_KEY}; review and commit it")
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


def written(text: str, file: str, outputs: Mapping[str, Any]) -> str:
    """The stack file with bootstrap's key. Raises UsageError rather than replace another real value."""
    provider = str(outputs.get("secrets_provider") or "")
    if not provider.startswith("gcpkms://"):
        raise UsageError(
            f"bootstrap's output secrets_provider is not usable, got {provider or 'nothing'}: run "
            "bootstrap again"
        )
    after = _set(text, file, provider)
    old, new = _parsed(text, file), _parsed(after, file)
    if new != {**old, _KEY: provider}:
        raise UsageError(f"{file} is written in a form that cannot be edited line by line: set {_KEY}")
    return after


def _set(text: str, file: str, provider: str) -> str:
    found = re.search(rf"^({_KEY}:){_VALUE}", text, re.MULTILINE)
    if found is None:
        config = re.search(r"^config:", text, re.MULTILINE)
        at = config.start() if config is not None else len(text)
        return f"{text[:at]}{_KEY}: {provider}\n{text[at:]}"
    present = found[2].strip("\"'")
    if present == provider:
        return text
    if present and PLACEHOLDER not in present:
        raise UsageError(
            f"{file}: {_KEY} is {present} and bootstrap says {provider}: one of them belongs to another "
            "project; correct it"
        )
    return f"{text[: found.start()]}{found[1]} {provider}{text[found.end() :]}"


def _parsed(text: str, file: str) -> dict[str, Any]:
    try:
        document: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f"{file} is not valid YAML: correct it") from error
    return dict(cast("dict[str, Any]", document)) if isinstance(document, dict) else {}

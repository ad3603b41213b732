"""A `pulumi` for tests of moving state: backends are JSON files, and it can kill its caller at any call."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any


def main(arguments: list[str]) -> int:
    """One call: counted, done, and, when asked, its caller killed before or after."""
    folder = Path(os.environ["SCRIPTED_FOLDER"])
    calls = folder / "calls"
    with calls.open("a") as log:
        log.write(json.dumps([os.environ["PULUMI_BACKEND_URL"], *arguments]) + "\n")
    number = len(calls.read_text().splitlines())
    kill, _, moment = os.environ.get("SCRIPTED_KILL", "0:").partition(":")
    if number == int(kill) and moment == "before":
        os.kill(os.getppid(), signal.SIGKILL)
        return 1
    code = _do(folder, os.environ["PULUMI_BACKEND_URL"].rsplit("/", 1)[-1], arguments)
    if number == int(kill) and moment == "after":
        os.kill(os.getppid(), signal.SIGKILL)
    return code


def _do(folder: Path, backend: str, arguments: list[str]) -> int:
    path = folder / f"{backend}.json"
    stacks: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    verb = arguments[1]
    name = arguments[arguments.index("--stack") + 1] if "--stack" in arguments else arguments[2]
    if verb == "ls":
        print(json.dumps([{"name": f"organization/aiprod-bootstrap/{each}"} for each in stacks]))
        return 0
    if verb != "init" and name not in stacks:
        print(f"error: no stack named '{name}' found", file=sys.stderr)
        return 255
    match verb:
        case "export":
            print(json.dumps(stacks[name]))
        case "init":
            if name in stacks:
                print(f"error: stack '{name}' already exists", file=sys.stderr)
                return 255
            stacks[name] = {"version": 3, "deployment": {"resources": None}}
        case "import":
            stacks[name] = json.loads(Path(arguments[arguments.index("--file") + 1]).read_text())
        case "change-secrets-provider":
            stacks[name]["deployment"]["secrets_providers"] = {
                "type": "cloud",
                "state": {"url": arguments[2]},
            }
        case "rm":
            del stacks[name]
        case _:
            return 2
    path.write_text(json.dumps(stacks))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

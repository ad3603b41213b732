"""`bootstrap-config` and `bootstrap-migrate` in the sandbox: no file of the project changes.

Both read the state that `make bootstrap` left in the sandbox. Not rehearsed: the change from passphrase to
key, for the stand-in cloud encrypts nothing, and the removal of what is left behind, for the sandbox has one
place for its state.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, cast

from review.bootstrap_config import FOLDER, written
from review.bootstrap_migrate import differing, known_stack, resources_in
from review.workspace import Workspace
from sandbox.errors import UsageError
from sandbox.state import snapshot_to_json, write_atomically

__all__ = ["rehearse_move", "show_config"]

_STACK: Final = "pulumi:pulumi:Stack"


def show_config(work: Workspace, bootstrap: Workspace, stack: str, say: Callable[[str], None]) -> int:
    """Say which line `bootstrap-config` would write into the file of ``stack`` of ``work``."""
    known_stack(bootstrap.program, stack)
    path = work.program.stack_file(stack)
    if not path.exists():
        raise UsageError(f"stack {stack!r} is unknown: {path.name} does not exist")
    before = path.read_text(encoding="utf-8")
    after = written(before, path.name, _outputs(_state(bootstrap, stack)))
    lines = [line for line in after.splitlines() if line not in before.splitlines()]
    if not lines:
        say(f"{path.name} says what bootstrap says already (sandbox)")
    for line in lines:
        say(f"{path.name} (sandbox, nothing is written): TARGET=gcp would write {line}")
    return 0


def rehearse_move(bootstrap: Workspace, stack: str, say: Callable[[str], None]) -> int:
    """Copy the sandbox's state of bootstrap into a folder in place of its bucket, and compare both sides."""
    known_stack(bootstrap.program, stack)
    with bootstrap.locked(stack):
        state = _state(bootstrap, stack)
        backend = str(_outputs(state).get("backend") or "")
        if not backend.startswith("gs://"):
            raise UsageError(
                f"bootstrap's output backend is not usable, got {backend or 'nothing'}: its level project is "
                "withheld, so there is no bucket to move into"
            )
        target = _bucket(bootstrap, backend) / ".pulumi" / "stacks" / bootstrap.program.name / f"{stack}.json"
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(target, json.dumps(state, indent=1) + "\n")
        target.chmod(0o600)
        wrong = differing(state, json.loads(target.read_text(encoding="utf-8")))
    if wrong:
        raise UsageError(f"{target} does not hold what was written ({wrong[0]} differs): look at the disk")
    shown = os.path.relpath(target, bootstrap.program.directory.parent)
    say(
        f"{stack} (sandbox): {len(resources_in(state))} resources copied to {shown}, in place of {backend}, "
        "and compared; the sandbox goes on with its own state. TARGET=gcp would move them under the key "
        f"{_outputs(state).get('secrets_provider')}"
    )
    return 0


def _bucket(bootstrap: Workspace, backend: str) -> Path:
    return bootstrap.store.path("any").parent / "buckets" / backend.removeprefix("gs://")


def _state(bootstrap: Workspace, stack: str) -> dict[str, Any]:
    if not bootstrap.store.knows(stack):
        raise UsageError(
            f"the sandbox holds no state of {FOLDER} for {stack}: run `make bootstrap STACK={stack}` first"
        )
    return snapshot_to_json(bootstrap.store.load(stack), bootstrap.store.crypter)


def _outputs(state: Mapping[str, Any]) -> dict[str, Any]:
    for resource in resources_in(state).values():
        if resource.get("type") == _STACK:
            return cast("dict[str, Any]", resource.get("outputs") or {})
    return {}

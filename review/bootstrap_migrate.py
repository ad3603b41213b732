"""Bootstrap's own state: from the local backend it was born in, into the bucket that it made.

Export, import, change of the secrets provider, comparison, and only then removal of what was left behind.
What is done already is read from the two backends each time, never from a record of its own: the command may
be interrupted anywhere and repeated as often as wanted. Until the comparison the old state stays as it is; a
copy of it stays in ``.sandbox`` (readable by its owner alone, its secrets encrypted with the passphrase).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from review.bootstrap_config import FOLDER
from sandbox.errors import UsageError
from sandbox.project import Program, load_project
from sandbox.state import write_atomically

__all__ = ["Move", "differing", "known_stack", "resources_in"]

PASSPHRASE: Final = "passphrase"
_CONTENTS: Final = ("type", "id", "inputs", "outputs", "parent", "protect", "dependencies")
_SECRET: Final = "4dabf18193072939515e22adb298388d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One move of one stack. ``folder`` is the program's, ``command`` the CLI."""

    folder: Path
    stack: str
    source: str
    target: str | None
    provider: str | None
    command: str
    say: Callable[[str], None]

    @classmethod
    def open(
        cls,
        folder: Path,
        stack: str,
        source: str,
        target: str | None,
        provider: str | None,
        say: Callable[[str], None],
    ) -> Move:
        """Check what can be checked before anything is asked."""
        if not (folder / "Pulumi.yaml").exists():
            raise UsageError(f"--folder must hold a Pulumi program, {folder} has no Pulumi.yaml: correct it")
        known_stack(load_project(folder), stack)
        command = shutil.which("pulumi")
        if command is None:
            raise UsageError("the Pulumi CLI is not on PATH: install it, the state is moved with it")
        if not {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"} & set(os.environ):
            raise UsageError(
                "PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE must be set: the local state is "
                "encrypted with that passphrase"
            )
        if source == target:
            raise UsageError(f"--to must be another backend than --from, got {source} for both: name another")
        return cls(
            folder=folder,
            stack=stack,
            source=source,
            target=target,
            provider=provider,
            command=command,
            say=say,
        )

    def run(self) -> int:
        """Do what is not done yet; 0 when the state is where it belongs."""
        if not self._stands_in(self.source):
            return self._moved_before()
        state = self._export(self.source)
        target, provider = self._destination(state)
        self._keep(state)
        if not self._stands_in(target):
            self._ask(target, "stack", "init", self.stack, "--secrets-provider", PASSPHRASE)
        there = self._export(target)
        if not resources_in(there):
            self._ask(target, "stack", "import", "--stack", self.stack, "--file", str(self._copy.resolve()))
            there = self._export(target)
        self._same(state, there, target)
        if _provider_of(there) != provider:
            self._ask(target, "stack", "change-secrets-provider", provider, "--stack", self.stack)
            there = self._export(target)
            self._same(state, there, target)
            if _provider_of(there) != provider:
                raise UsageError(
                    f"the state in {target} is still encrypted with {_provider_of(there)}, not {provider}: "
                    "run the command again"
                )
        self._ask(self.source, "stack", "rm", self.stack, "--force", "--preserve-config", "--yes")
        self.say(
            f"{self.stack}: {len(resources_in(there))} resources moved from {self.source} to {target}; "
            f"log in there with `pulumi login {target}`"
        )
        return 0

    def _moved_before(self) -> int:
        if self.target is None:
            raise UsageError(
                f"{self.source} holds no stack {self.stack}: it was moved already, or bootstrap has not run; "
                "name the bucket with --to to have it looked at"
            )
        if not self._stands_in(self.target):
            raise UsageError(
                f"neither {self.source} nor {self.target} holds a stack {self.stack}: run bootstrap first"
            )
        count = len(resources_in(self._export(self.target)))
        self.say(f"{self.stack}: {self.target} holds its {count} resources already; nothing to do")
        return 0

    def _destination(self, state: Mapping[str, Any]) -> tuple[str, str]:
        """Where to and under which provider: as asked, else as bootstrap put out."""
        outputs: dict[str, Any] = {}
        for resource in resources_in(state).values():
            if resource.get("type") == "pulumi:pulumi:Stack":
                outputs = resource.get("outputs") or {}
        target = self.target or str(outputs.get("backend") or "")
        provider = self.provider or str(outputs.get("secrets_provider") or "")
        for name, value, option, good in (
            ("backend", target, "--to", "://" in target),
            ("secrets_provider", provider, "--secrets-provider", bool(provider)),
        ):
            if not good:
                raise UsageError(
                    f"bootstrap's output {name} is not usable, got {value or 'nothing'}: run bootstrap "
                    f"again, or give {option}"
                )
        return target, provider

    def _keep(self, state: Mapping[str, Any]) -> None:
        path = self._copy
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        write_atomically(path, json.dumps(state, indent=1))
        path.chmod(0o600)

    @property
    def _copy(self) -> Path:
        return self.folder / ".sandbox" / f"before-move.{self.stack}.json"

    def _same(self, left: Mapping[str, Any], there: Mapping[str, Any], target: str) -> None:
        """The target holds what the source holds, no more, no less; secrets are compared by their place."""
        found = differing(left, there)
        if found:
            raise UsageError(
                f"{target} holds another state of {self.stack} than {self.source} ({len(found)} "
                f"resources differ, first {found[0].rsplit('::', 1)[-1]}): find out which one is "
                "right and remove the other with `pulumi stack rm --force --preserve-config`"
            )

    def _stands_in(self, backend: str) -> bool:
        listed: list[dict[str, Any]] = json.loads(self._ask(backend, "stack", "ls", "--json"))
        return self.stack in {str(row["name"]).rsplit("/", 1)[-1] for row in listed}

    def _export(self, backend: str) -> dict[str, Any]:
        return json.loads(self._ask(backend, "stack", "export", "--stack", self.stack))

    def _ask(self, backend: str, *arguments: str) -> str:
        done = subprocess.run(
            [self.command, *arguments, "--non-interactive", "--color", "never"],
            cwd=self.folder,
            env={**os.environ, "PULUMI_BACKEND_URL": backend},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
            raise UsageError(
                f"the Pulumi CLI could not `pulumi {' '.join(arguments[:2])}` in {backend} ({lines[-1]}): "
                "the state that was there before is untouched; mend the cause and run the command again"
            )
        return done.stdout


def known_stack(program: Program, stack: str) -> None:
    """Raise UsageError where bootstrap has no file of ``stack``."""
    if stack not in program.stacks:
        raise UsageError(
            f"stack {stack!r} is unknown: {FOLDER}/{program.stack_file(stack).name} does not exist; "
            f"stacks here: {', '.join(program.stacks) or 'none'}"
        )


def differing(left: Mapping[str, Any], right: Mapping[str, Any]) -> list[str]:
    """The URNs that two exports do not hold alike; secrets are compared by their place."""
    ours, theirs = resources_in(left), resources_in(right)
    return sorted(urn for urn in {*ours, *theirs} if _content(ours.get(urn)) != _content(theirs.get(urn)))


def resources_in(state: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The resources of an export by their URNs."""
    deployment = cast("dict[str, Any]", state.get("deployment") or {})
    rows = cast("list[dict[str, Any]]", deployment.get("resources") or [])
    return {str(row["urn"]): row for row in rows}


def _provider_of(state: Mapping[str, Any]) -> str:
    deployment = cast("dict[str, Any]", state.get("deployment") or {})
    found = cast("dict[str, Any]", deployment.get("secrets_providers") or {})
    inner = cast("dict[str, Any]", found.get("state") or {})
    return str(inner.get("url") or found.get("type") or "nothing")


def _content(row: Mapping[str, Any] | None) -> Any:
    return None if row is None else {key: _opened(row.get(key)) for key in _CONTENTS}


def _opened(value: Any) -> Any:
    """Without what encryption makes anew each time."""
    if isinstance(value, dict):
        block = cast("dict[str, Any]", value)
        if _SECRET in block:
            return {_SECRET: block[_SECRET]}
        return {key: _opened(item) for key, item in block.items()}
    if isinstance(value, list):
        return [_opened(item) for item in cast("list[Any]", value)]
    return value

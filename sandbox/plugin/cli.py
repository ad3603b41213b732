"""The real Pulumi CLI on a local backend, with the stand-in cloud as its providers, off the network.

The CLI runs a copy of the program's folder made of links, with a stack file of its own: example values for
what only an operator knows and a passphrase for secrets, so that no key service is called and the project's
own files stay as they are.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import yaml

from sandbox.errors import UsageError
from sandbox.model import Refusal, Violation
from sandbox.paths import lookup, parse_path
from sandbox.plugin import ROOT, install
from sandbox.project import Program, StackSettings
from sandbox.state import PassphraseCrypter, write_atomically
from sandbox.urn import STACK_TYPE, type_of

__all__ = ["CliError", "CliStep", "SandboxCli"]

_PASSPHRASE: Final = "sandbox"
_MARKUP: Final = re.compile(r"<\{%[^%]*%\}>")
_STATUS: Final = re.compile(r"\(Error (?P<code>\d{3}): ")
_UNHANDLED: Final = "Program failed with an unhandled exception"
_ENDED: Final = "program exited with non-zero exit code"
_NOT_LINKED: Final = frozenset({".git", ".sandbox", "__pycache__"})
_PATIENCE_SECONDS: Final = 1200


@dataclass(frozen=True, slots=True)
class CliStep:
    """A step as the CLI's event log tells it: ``diff`` maps property paths to kinds.

    ``old`` and ``new`` are the inputs before and after, in which the CLI has hidden what is secret.
    """

    op: str
    urn: str
    diff: Mapping[str, str]
    replace_reasons: tuple[str, ...]
    logical: bool
    old: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    new: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)

    @staticmethod
    def value(inputs: Mapping[str, Any], path: str) -> Any:
        """The value at a property path."""
        return lookup(inputs, parse_path(path))


class SandboxCli:
    """One stack of a program on the real CLI. ``folder`` holds its backend, its cloud and its links."""

    def __init__(self, program: Program, stack: str, settings: StackSettings, folder: Path) -> None:
        executable = shutil.which("pulumi")
        if executable is None:
            raise UsageError(
                "TARGET=sandbox-cli needs the Pulumi CLI, and `pulumi` is not on PATH: install it"
            )
        self.stack = stack
        self.passphrase = _PASSPHRASE
        self.world = folder / "cloud.json"
        self._executable = executable
        self._program = program
        self._folder = folder
        self._directory = folder / "program"
        self._events = folder / "events.jsonl"
        self.last_arguments: tuple[str, ...] = ()
        """What the CLI was last asked to do."""
        (folder / "backend").mkdir(parents=True, exist_ok=True)
        offline = install(folder / "bin", self.world)
        path = [str(folder / "bin"), str(Path(sys.executable).parent), os.environ.get("PATH", "")]
        self._environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")},
            **offline,
            "PATH": os.pathsep.join(path),
            "PULUMI_BACKEND_URL": f"file://{(folder / 'backend').resolve()}",
            "PULUMI_HOME": str((folder / "home").resolve()),
            "PULUMI_CONFIG_PASSPHRASE": _PASSPHRASE,
            "PULUMI_DEBUG_COMMANDS": "true",
            "PULUMI_SKIP_CONFIRMATIONS": "true",
            # Policies, and programs in a folder of this repository, import rooms from outside their own.
            "PYTHONPATH": os.pathsep.join(
                [str(program.directory), *filter(None, [os.environ.get("PYTHONPATH")]), str(ROOT)]
            ),
        }
        self._link(settings)
        if not (folder / "backend" / ".pulumi" / "stacks" / program.name / f"{stack}.json").exists():
            self._run("stack", "init", stack, "--secrets-provider", "passphrase")
            self._write_stack_file(settings)

    def preview(self) -> list[CliStep]:
        """The steps that an ``up`` would do."""
        return self._operate("preview", *self._policies())

    def up(self, read_again: Sequence[str] = ()) -> list[CliStep]:
        """Deploy, after a refresh of the resources in ``read_again``; the steps done."""
        if read_again:
            targets = [word for urn in read_again for word in ("--target", urn)]
            # A lost region answers nothing; the update shows what that means.
            with suppress(CliError):
                self._run("refresh", "--yes", "--skip-preview", *targets)
        return self._operate("up", "--yes", "--skip-preview", *self._policies())

    def up_but(self, *options: str) -> list[CliStep]:
        """Deploy what ``options`` leave in, unjudged: the CLI shows policies the rest without a property."""
        return self._operate("up", "--yes", "--skip-preview", *options)

    def import_live(self, file: Path, providers: Sequence[str]) -> list[CliStep]:
        """Take live resources into the state, after those providers alone, if any; the steps done."""
        if targets := [word for urn in providers for word in ("--target", urn)]:
            self._operate("up", "--yes", "--skip-preview", *targets)
        options = ("--yes", "--skip-preview", "--generate-code=false", "--protect=false")
        return self._operate("import", "--file", str(file.resolve()), *options)

    def destroy(self, *, exclude_protected: bool = False) -> list[CliStep]:
        """Delete; the steps done."""
        excluded = ["--exclude-protected"] if exclude_protected else []
        return self._operate("destroy", "--yes", "--skip-preview", *excluded)

    def refresh(self) -> list[CliStep]:
        """Take over what the cloud says; the steps done, each with what the refresh found."""
        self._operate("refresh", "--yes", "--skip-preview")
        return list(self._steps("resOutputsEvent"))

    def export(self) -> dict[str, Any]:
        """The state as ``pulumi stack export`` writes it."""
        return json.loads(self._run("stack", "export"))

    def urns(self) -> frozenset[str]:
        """What the state holds."""
        deployment: dict[str, Any] = self.export().get("deployment") or {}
        resources: list[dict[str, Any]] = deployment.get("resources") or []
        return frozenset(str(item["urn"]) for item in resources)

    def _operate(self, *arguments: str) -> list[CliStep]:
        self._events.unlink(missing_ok=True)
        self.last_arguments = arguments
        # The caller holds the stack's lock, so one in the CLI's own backend is left from a killed run.
        locks = self._folder / "backend" / ".pulumi" / "locks"
        if any(path.is_file() for path in locks.rglob("*")):
            self._run("cancel", "--yes")
        self._run(*arguments, "--event-log", str(self._events.resolve()))
        return list(self._steps())

    def _run(self, *arguments: str) -> str:
        command = [self._executable, *arguments, "--non-interactive", "--color", "never"]
        if arguments[:2] != ("stack", "init"):
            command += ["--stack", self.stack]
        with subprocess.Popen(
            command,
            cwd=self._directory,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                output, errors = process.communicate(timeout=_PATIENCE_SECONDS)
            except KeyboardInterrupt:
                # Ctrl-C reaches the CLI as well: it ends by itself, and its state must be whole by then.
                process.communicate()
                raise
            except subprocess.TimeoutExpired as error:
                process.kill()
                message = f"error: the Pulumi CLI gave no answer within {_PATIENCE_SECONDS} seconds"
                raise CliError(message) from error
        if process.returncode != 0:
            raise CliError((output + errors).replace(str(self._folder.resolve()), "."))
        return output

    def last_steps(self) -> list[CliStep]:
        """The steps of the last operation, also when it failed."""
        return list(self._steps())

    def last_refusal(self, error: CliError) -> Refusal:
        """Why the last operation failed, of the kind that the built-in engine gives it."""
        told = [found for found in self._found("diagnosticEvent") if found["severity"] == "error"]
        if not told:
            return Refusal("engine", error.sentence)
        urn, text = told[0].get("urn") or "", told[0]["message"].strip()
        message = " ".join(text.split())
        if urn and type_of(urn) != STACK_TYPE:
            status = _STATUS.search(message)
            kind = "engine" if status is None else "cloud"
            return Refusal(kind, message, urn, None if status is None else int(status["code"]))
        if message.startswith(_UNHANDLED):
            return Refusal("program", text.rsplit("\n", 1)[-1])
        if any(_ENDED in found["message"] for found in told):
            # The program refused what a person wrote; once it has made something, it simply failed.
            begun = any(type_of(step.urn) != STACK_TYPE for step in self._steps())
            return Refusal("program" if begun else "usage", message)
        return Refusal("engine", error.sentence)

    def failures(self) -> int:
        """For how many resources the last operation failed."""
        return len({found["metadata"]["urn"] for found in self._found("resOpFailedEvent")})

    def last_violations(self) -> list[Violation]:
        """What the program's policy pack found in the last operation."""
        return [
            Violation(
                rule=found["policyName"],
                level=found["enforcementLevel"],
                urn=found.get("resourceUrn") or "",
                message=_MARKUP.sub("", found["message"]).strip().rsplit("\n", 1)[-1].strip(),
            )
            for found in self._found("policyEvent")
        ]

    @property
    def judged(self) -> bool:
        """Whether the program has a policy pack that the CLI runs."""
        return (self._program.directory / "policies" / "PulumiPolicy.yaml").exists()

    def _policies(self) -> list[str]:
        return ["--policy-pack", str((self._folder / "policies").resolve())] if self.judged else []

    def _found(self, kind: str) -> Iterator[dict[str, Any]]:
        if not self._events.exists():
            return
        for line in self._events.read_text(encoding="utf-8").splitlines():
            found: dict[str, Any] | None = cast("dict[str, Any]", json.loads(line)).get(kind)
            if found is not None:
                yield found

    def _steps(self, kind: str = "resourcePreEvent") -> Iterator[CliStep]:
        failed = {
            (found["metadata"]["op"], found["metadata"]["urn"]) for found in self._found("resOpFailedEvent")
        }
        for found in self._found(kind):
            metadata: dict[str, Any] = found["metadata"]
            if (metadata["op"], metadata["urn"]) in failed:
                continue
            detailed: dict[str, dict[str, str]] = metadata.get("detailedDiff") or {}
            yield CliStep(
                op=metadata["op"],
                urn=metadata["urn"],
                diff={path: item["diffKind"] for path, item in detailed.items()},
                replace_reasons=tuple(sorted(metadata.get("keys") or ())),
                logical=bool(metadata.get("logical")),
                old=_inputs(metadata.get("old")),
                new=_inputs(metadata.get("new")),
            )

    def _link(self, settings: StackSettings) -> None:
        _mirror(self._program.directory, self._directory, "Pulumi.yaml")
        if self.judged:
            _mirror(self._program.directory / "policies", self._folder / "policies", "PulumiPolicy.yaml")
        self._write_stack_file(settings)

    def _write_stack_file(self, settings: StackSettings) -> None:
        crypter = PassphraseCrypter(_PASSPHRASE)
        config: dict[str, Any] = {}
        for key, value in settings.values.items():
            secret = key in settings.secret_keys
            config[key] = {"secure": crypter.encrypt(value)} if secret else self._plain(key, value)
        document = {"encryptionsalt": crypter.state["salt"], "config": config}
        path = self._directory / f"Pulumi.{self.stack}.yaml"
        write_atomically(path, yaml.safe_dump(document, sort_keys=False))

    def _plain(self, key: str, value: str) -> Any:
        declaration = self._program.declarations.get(key)
        if declaration is not None and declaration.type != "string":
            return json.loads(value)
        return value


def _inputs(state: dict[str, Any] | None) -> dict[str, Any]:
    return (state or {}).get("inputs") or {}


def _mirror(source: Path, target: Path, project: str) -> None:
    """Make ``target`` a folder of links to ``source`` with a project file of its own.

    The interpreter that runs the sandbox runs the program and its policies too: nothing is installed.
    """
    target.mkdir(exist_ok=True)
    for entry in source.iterdir():
        link = target / entry.name
        foreign = entry.name.startswith("Pulumi") and entry.suffix == ".yaml"
        if entry.name not in _NOT_LINKED and not foreign and not link.exists():
            link.symlink_to(entry)
    document = yaml.safe_load((source / project).read_text(encoding="utf-8"))
    document["runtime"] = {"name": "python", "options": {"toolchain": "pip"}}
    write_atomically(target / project, yaml.safe_dump(document, sort_keys=False))


class CliError(Exception):
    """The CLI refused; the text is its output with this folder's path taken out."""

    @property
    def sentence(self) -> str:
        """The CLI's first error line."""
        lines = [line.strip() for line in str(self).splitlines()]
        found = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
        return found[0] if found else next((line for line in reversed(lines) if line), "no message")

"""The real Pulumi CLI against real Google Cloud: the same program, the operator's own credentials.

Nothing here is the sandbox. The backend is the bucket that bootstrap made in the stack's own project, the
secrets provider the one that the stack file names. An ``up`` is repeated at most three times, and only when
every error it reports is one that Google is known to give while something fresh is still propagating.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import yaml

from facts.propagation import REPEATS, propagation_of
from review.interrupted import GOES_ON, RunInterruptedError
from review.migration import gcloud, job_of, not_serving
from review.overrides import unnamed, unprotected
from review.protected import refused_down
from sandbox.errors import UsageError
from sandbox.project import PLACEHOLDER, Program, StackSettings, load_stack

__all__ = [
    "REPEATS",
    "RealStack",
    "installed",
    "left_to_others",
    "project_id",
    "propagating",
    "refuse_placeholders",
]

# Google: a change of access takes 2 minutes typically (cloud.google.com/iam/docs/access-change-propagation).
# The platform's longest chain of grants, each needed to make the next, is as long as the repetitions.
WAIT_SECONDS: Final = (120, 120, 120)

ERROR: Final = re.compile(r"\berror: |googleapi: Error|\bError \d{3}:", re.IGNORECASE)
SUMMARY: Final = re.compile(
    r"error: (update failed|\d+ errors? occurred|one or more|resource monitor shut down"
    r"|program exited with non-zero exit code)",
    re.IGNORECASE,
)
"""What the CLI adds to another error."""


_ASLEEP: Final = "instance is not running"


def left_to_others(states: Iterable[Mapping[str, Any]]) -> list[str]:
    """The resources of an exported state of which an ``up`` ignores something."""
    return [str(state["urn"]) for state in states if state.get("ignoreChanges") and not state.get("delete")]


def propagating(lines: Iterable[str]) -> str | None:
    """Which listed propagation error ``lines`` show; None when there is none or another error beside it."""
    found: str | None = None
    for line in lines:
        if not ERROR.search(line) or SUMMARY.search(line):
            continue
        found = propagation_of([line])
        if found is None:
            return None
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class RealStack:
    """One stack of ``program`` as the real CLI deploys it."""

    program: Program
    stack: str
    command: str
    backend: str
    secrets_provider: str
    say: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep
    released: bool = False
    """Whether images run, so that a schema is migrated before they do."""

    @classmethod
    def open(cls, program: Program, stack: str, say: Callable[[str], None]) -> RealStack:
        """Check everything that can be checked before anything starts."""
        settings = load_stack(program, stack, examples=False)
        refuse_placeholders(program, stack, settings)
        document = cast("dict[str, Any]", yaml.safe_load(program.stack_file(stack).read_text("utf-8")) or {})
        provider = str(document.get("secretsprovider") or "")
        if not provider.startswith("gcpkms://") or PLACEHOLDER in provider:
            raise UsageError(
                f"{program.stack_file(stack).name}: secretsprovider must be a gcpkms:// key, got "
                f"{provider or 'nothing'}: write bootstrap's output secrets_provider there, with "
                f"`make bootstrap-config STACK={stack} TARGET=gcp`"
            )
        project = project_id(settings.values, program.name)
        if project is None:
            raise UsageError(
                f"{program.stack_file(stack).name}: {program.name}:project_id is missing: "
                "set the project id of this stack"
            )
        command, released = installed(), settings.values.get(f"{program.name}:release", "{}") != "{}"
        if released:
            gcloud()
        return cls(
            program=program,
            stack=stack,
            command=command,
            backend=f"gs://{project}-pulumi-state",
            secrets_provider=provider,
            say=say,
            released=released,
        )

    def preview(self, allowed: Sequence[str] = ()) -> int:
        """``pulumi preview`` with the policy pack; refused as an ``up`` would be."""
        self._select()
        code = self._run("preview", *self._policies(), "--diff")[0]
        return code or int(self._loses(self._exported(), allowed))

    def drift(self) -> int:
        """``pulumi preview --refresh``: 1 when an ``up`` would change something. Takes no lock."""
        self._select()
        return self._run("preview", "--refresh", "--expect-no-changes", "--diff")[0]

    def up(self, allowed: Sequence[str] = ()) -> int:
        """``pulumi up``; with a release twice: what serves only after the schema was migrated.

        Refused when it would lose something stateful and unprotected that ``allowed`` does not name.
        What others own is read again first: an update sends what it ignores as the state has it.
        """
        self._select()
        states = self._exported()
        if self._loses(states, allowed):
            return 1
        left = [word for urn in left_to_others(states) for word in ("--target", urn)]
        if left and self._run("refresh", "--yes", "--skip-preview", *left)[0]:
            # A region that is lost answers nothing, and the other one must be deployed all the same.
            self.say("what others own was not read again: up goes on with it as the state has it")
        if self.released:
            self.say("up in two parts: everything but what serves, the migration, then what serves")
            # The whole is judged here: policies see what an update leaves out without a property.
            code = self._run("preview", *self._policies())[0]
            code = code or self._update(*not_serving(self.stack, self.program.name))
            job = None if code else job_of(self._outputs())
            code = code or (0 if job is None else job.run(self.say))
            if code:
                return code
        return self._update(*self._policies())

    def outputs(self) -> Mapping[str, Any]:
        """What the last ``up`` put out; nothing when there was none yet."""
        self._select()
        return self._outputs()

    def _update(self, *options: str) -> int:
        """``pulumi up``, repeated on propagation errors only."""
        for attempt in range(REPEATS + 1):
            code, lines = self._run("up", "--yes", *options)
            reason = propagating(lines) if code else None
            if code and any(_ASLEEP in line for line in lines):
                self.say(
                    f"the database of {self.stack} is stopped, and Google changes no users and databases "
                    f"of it: run `make wake STACK={self.stack} TARGET=gcp`, then up again"
                )
            if reason is None or attempt == REPEATS:
                return code
            wait = WAIT_SECONDS[attempt]
            self.say(
                f"repeating up ({attempt + 1} of {REPEATS}) in {wait} s: Google does not see {reason} yet"
            )
            self.sleep(wait)
        raise AssertionError("the loop returns")

    def refresh(self) -> int:
        """``pulumi refresh``: show what was changed behind the stack's back and take it over."""
        self._select()
        return self._run("refresh", "--yes", "--diff")[0]

    def down(self) -> int:
        """``pulumi destroy``, refused when more than what Google keeps anyway is protected."""
        self._select()
        refused = refused_down(self.stack, self._protected())
        if refused is not None:
            self.say(refused)
            return 1
        return self._run("destroy", "--yes", "--exclude-protected")[0]

    def resources(self) -> Sequence[Mapping[str, Any]]:
        """What the state holds, as it is exported; nothing when there is no stack yet."""
        self._select()
        return self._exported()

    def import_live(self, file: Path, providers: Sequence[str]) -> int:
        """``pulumi import --file``, after those providers alone, if any: they must be in the state first."""
        self._select()
        targets = [word for urn in providers for word in ("--target", urn)]
        if targets and (code := self._run("up", "--yes", *targets)[0]):
            return code
        options = ("--yes", "--generate-code=false", "--protect=false")
        return self._run("import", "--file", str(file), *options)[0]

    def _loses(self, states: Sequence[Mapping[str, Any]], allowed: Sequence[str]) -> bool:
        """Whether a preview has steps that lose something unnamed; says which. Protection needs no look."""
        if not (self.program.directory / "policies").exists() or not unprotected(states):
            return False
        command = [self.command, "preview", "--json", "--stack", self.stack, "--non-interactive"]
        done = subprocess.run(
            command, cwd=self.program.directory, env=self._environment(), capture_output=True, check=False
        )
        if done.returncode:
            # Whoever asked sees why.
            return self._run("preview")[0] != 0
        steps: list[dict[str, Any]] = json.loads(done.stdout).get("steps") or []
        found = unnamed(((str(step["op"]), str(step["urn"])) for step in steps), allowed)
        for refusal in found:
            self.say(f"{self.stack} is refused: {refusal.message}")
        return bool(found)

    def _select(self) -> None:
        arguments = ("--create", "--secrets-provider", self.secrets_provider)
        code, lines = self._run("stack", "select", *arguments, quiet=True)
        if code:
            raise UsageError(
                f"the Pulumi CLI cannot select stack {self.stack} in {self.backend}: "
                f"{lines[-1] if lines else 'no reason given'}"
            )

    def _protected(self) -> Sequence[tuple[str, str]]:
        return [
            (str(item["urn"]).rsplit("::", 1)[-1], str(item["type"]))
            for item in self._exported()
            if item.get("protect")
        ]

    def _outputs(self) -> Mapping[str, Any]:
        for item in self._exported():
            if item["type"] == "pulumi:pulumi:Stack":
                return cast("dict[str, Any]", item.get("outputs") or {})
        return {}

    def _exported(self) -> Sequence[dict[str, Any]]:
        command = [self.command, "stack", "export", "--stack", self.stack, "--non-interactive"]
        done = subprocess.run(
            command, cwd=self.program.directory, env=self._environment(), capture_output=True, check=False
        )
        if done.returncode:
            raise UsageError(f"the Pulumi CLI cannot read the state of stack {self.stack} in {self.backend}")
        return json.loads(done.stdout)["deployment"].get("resources") or []

    def _policies(self) -> Sequence[str]:
        own, shared = self.program.directory / "policies", self.program.directory.parent / "policies"
        found = shared if not own.exists() and (shared / "PulumiPolicy.yaml").exists() else own
        return ("--policy-pack", str(found))

    def _environment(self) -> dict[str, str]:
        here = str(Path(sys.executable).parent)
        return {
            **os.environ,
            "PATH": f"{here}{os.pathsep}{os.environ.get('PATH', '')}",
            "PULUMI_BACKEND_URL": self.backend,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }

    def _run(self, *arguments: str, quiet: bool = False) -> tuple[int, list[str]]:
        """Run one CLI command; what it prints is passed on and kept."""
        command = [self.command, *arguments, "--stack", self.stack, "--non-interactive", "--color", "never"]
        lines: list[str] = []
        with subprocess.Popen(
            command,
            cwd=self.program.directory,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            assert process.stdout is not None
            interrupted: KeyboardInterrupt | None = None
            while True:
                try:
                    for line in process.stdout:
                        lines.append(line.rstrip("\n"))
                        if not quiet:
                            sys.stdout.write(line)
                            sys.stdout.flush()
                    process.wait()
                    break
                except KeyboardInterrupt as error:
                    # Ctrl-C reaches the CLI as well: it ends by itself, and its state must be whole by then.
                    interrupted = error
        if interrupted is not None:
            raise RunInterruptedError(GOES_ON) from interrupted
        # The CLI ends with 255 on any error; here 1 means refused, 2 wrong use.
        return int(process.returncode != 0), lines


def refuse_placeholders(program: Program, stack: str, settings: StackSettings) -> None:
    """Raise UsageError when something is left that only an operator knows."""
    if settings.placeholders:
        release = any(path.startswith(f"{program.name}:release.") for path in settings.placeholders)
        raise UsageError(
            f"{program.stack_file(stack).name}: {PLACEHOLDER} is left over in "
            f"{', '.join(settings.placeholders)}: write the real values before deploying to Google Cloud"
            + (
                "; for a first deployment, before there are images, remove the release block"
                if release
                else ""
            )
        )


def installed() -> str:
    """Where the CLI is. Raises UsageError when it is nowhere."""
    command = shutil.which("pulumi")
    if command is None:
        raise UsageError(
            "the Pulumi CLI is not on PATH: install it (TARGET=gcp deploys with the real CLI), or leave "
            "TARGET out to stay in the sandbox"
        )
    return command


def project_id(values: Mapping[str, str], name: str) -> str | None:
    """The Google project of a stack: ``gcp:project``, or the project's own key for it."""
    for key in ("gcp:project", f"{name}:project_id", f"{name}:project-id", f"{name}:projectId"):
        if values.get(key):
            return values[key]
    return None

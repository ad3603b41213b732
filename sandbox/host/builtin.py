"""The resources of the engine itself: references to other stacks, and stashes.

What another stack puts out is read from a fixture (``stacks``), or from the sandbox's own state of a stack
of this project or of a project in a folder beside it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from typing_extensions import override

from sandbox.cloud import Cloud, World
from sandbox.cloud.package import package_type
from sandbox.cloud.results import CheckFailure, DiffResult
from sandbox.errors import CloudError, UsageError
from sandbox.project import Program, load_project
from sandbox.state import StateStore
from sandbox.urn import STACK_TYPE
from sandbox.values import UNKNOWN, DiffKind, contains_secret

__all__ = ["SANDBOX_FOLDER", "EngineCloud"]

SANDBOX_FOLDER: Final = ".sandbox"
_REFERENCE: Final = "pulumi:pulumi:StackReference"
_STASH: Final = "pulumi:index:Stash"
_INPUTS: Final = {_REFERENCE: "name", _STASH: "input"}
_NO_PROVIDER: Final[Mapping[str, Any]] = {}

Values = dict[str, Any]


class EngineCloud(Cloud):
    """The stand-in cloud, and beside it what the engine provides itself."""

    def __init__(self, world: World, program: Program | None) -> None:
        super().__init__(world)
        self._program = program

    @override
    def check(
        self, type: str, urn: str, olds: Mapping[str, Any] | None, news: Mapping[str, Any], seed: bytes
    ) -> tuple[Values, list[CheckFailure]]:
        if type not in _INPUTS:
            return super().check(type, urn, olds, news, seed)
        wrong = [
            CheckFailure(key, "is not a property here; remove it.") for key in news if key != _INPUTS[type]
        ]
        return dict(news), wrong

    @override
    def diff(
        self,
        type: str,
        urn: str,
        id: str,
        old_inputs: Mapping[str, Any],
        old_outputs: Mapping[str, Any],
        news: Mapping[str, Any],
        ignore_changes: Sequence[str] = (),
    ) -> DiffResult:
        if type not in _INPUTS:
            return super().diff(type, urn, id, old_inputs, old_outputs, news, ignore_changes)
        key = _INPUTS[type]
        if old_inputs.get(key) == news.get(key):
            return DiffResult(detailed={}, replaces=())
        replaces = (key,) if type == _REFERENCE else ()
        kind = DiffKind.UPDATE_REPLACE if replaces else DiffKind.UPDATE
        return DiffResult(detailed={key: kind}, replaces=replaces)

    @override
    def create(
        self,
        type: str,
        urn: str,
        inputs: Mapping[str, Any],
        *,
        preview: bool,
        provider: Mapping[str, Any] = _NO_PROVIDER,
    ) -> tuple[str, Values]:
        if type not in _INPUTS:
            id, outputs = super().create(type, urn, inputs, preview=preview, provider=provider)
            if type in self.lightly_checked:
                outputs = _completed(type, id, outputs, provider, preview=preview)
                if not preview:
                    self.world.add(type, id, inputs, outputs)
            return id, outputs
        id = "" if preview else str(uuid.uuid4())
        if type == _REFERENCE:
            return id, self._reference(str(inputs.get("name")))
        return id, {"input": inputs.get("input"), "output": inputs.get("input")}

    @override
    def update(
        self,
        type: str,
        urn: str,
        id: str,
        old_inputs: Mapping[str, Any],
        old_outputs: Mapping[str, Any],
        news: Mapping[str, Any],
        *,
        preview: bool,
        provider: Mapping[str, Any] = _NO_PROVIDER,
    ) -> Values:
        if type == _STASH:
            return {"input": news.get("input"), "output": old_outputs.get("output")}
        outputs = super().update(
            type, urn, id, old_inputs, old_outputs, news, preview=preview, provider=provider
        )
        if type in self.lightly_checked:
            # What nothing here knows about stays as it was.
            outputs = {
                **{key: value for key, value in old_outputs.items() if key not in old_inputs},
                **outputs,
            }
            if not preview:
                self.world.add(type, id, news, outputs)
        return outputs

    @override
    def delete(
        self,
        type: str,
        urn: str,
        id: str,
        inputs: Mapping[str, Any],
        outputs: Mapping[str, Any],
        *,
        provider: Mapping[str, Any] = _NO_PROVIDER,
    ) -> None:
        if type not in _INPUTS:
            super().delete(type, urn, id, inputs, outputs, provider=provider)

    @override
    def read(
        self,
        type: str,
        urn: str,
        id: str,
        inputs: Mapping[str, Any] | None,
        outputs: Mapping[str, Any] | None = None,
        *,
        provider: Mapping[str, Any] = _NO_PROVIDER,
    ) -> tuple[Values, Values] | None:
        if type == _REFERENCE:
            return dict(inputs or {}), self._reference(str((inputs or {}).get("name") or id))
        if type == _STASH:
            return None if inputs is None else (dict(inputs), {"input": inputs.get("input")})
        return super().read(type, urn, id, inputs, outputs, provider=provider)

    def _reference(self, name: str) -> Values:
        outputs = self._outputs_of(name)
        secret = sorted(key for key, value in outputs.items() if contains_secret(value))
        return {"name": name, "outputs": outputs, "secretOutputNames": secret}

    def _outputs_of(self, name: str) -> Mapping[str, Any]:
        own = self._program.name if self._program is not None else ""
        *_, project, stack = ["", own, *name.split("/")] if "/" not in name else name.split("/")
        for key, outputs in self.world.facts.stack_outputs.items():
            if key == name or key.split("/")[1:] == [project, stack]:
                if outputs is None:
                    raise CloudError(
                        404,
                        "NOT_FOUND",
                        f"what stack {name} puts out came from a fixture and holds secrets, which are not "
                        "kept; give the fixture again (--fixture FILE).",
                        behaviour="INV-005",
                        source="pulumi, StackReference",
                    )
                return outputs
        found = None if self._program is None else _folder_of(self._program, project)
        outputs = None if found is None else self._state_outputs(found, project, stack)
        if outputs is None:
            raise CloudError(
                404,
                "NOT_FOUND",
                f"stack {name} is not known here; bring {stack} of project {project} up in the sandbox "
                f"first, or give what it puts out in a fixture (--fixture FILE) under `stacks`: "
                f"{{organization/{project}/{stack}: {{OUTPUT: VALUE}}}}.",
                behaviour="INV-005",
                source="pulumi, StackReference",
            )
        return outputs

    def _state_outputs(self, folder: Path, project: str, stack: str) -> Mapping[str, Any] | None:
        store = StateStore(folder / SANDBOX_FOLDER, project=project)
        if not store.path(stack).exists():
            return None
        try:
            resources, cloud = store.load(stack).resources, store.load_cloud(stack)
        except UsageError as error:
            raise ValueError(str(error)) from error
        # What that stack made is at the same cloud.
        for record in World.from_json(cloud) if cloud is not None else World.from_resources(resources):
            self.world.borrow(record)
        return next((state.outputs for state in resources if state.type == STACK_TYPE), Values())


def _completed(type: str, id: str, outputs: Values, provider: Mapping[str, Any], *, preview: bool) -> Values:
    """The outputs of a type without facts: unknown in a preview, then what its id and its provider tell."""
    known = package_type(type)
    missing = [] if known is None else [name for name in known.outputs if name not in outputs]
    if preview:
        return {**outputs, **dict.fromkeys(missing, UNKNOWN)}
    told: Values = {key: provider[key] for key in ("project", "region", "zone") if provider.get(key)}
    told["selfLink"] = f"https://www.googleapis.com/compute/v1/{id}"
    return {**outputs, **{name: told[name] for name in missing if name in told}}


def _folder_of(program: Program, project: str) -> Path | None:
    """Where a project lies: the program's own folder, or one beside it."""
    if project == program.name:
        return program.directory
    for file in sorted(program.directory.parent.glob("*/Pulumi.yaml")):
        try:
            if load_project(file.parent).name == project:
                return file.parent
        except UsageError:
            continue
    return None

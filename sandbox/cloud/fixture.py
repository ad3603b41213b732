"""Facts about the cloud from a file: images and secret versions that exist, enabled services, live resources.

YAML or JSON with these keys, all optional::

    images: ["europe-docker.pkg.dev/PROJECT/REPOSITORY/NAME@sha256:..."]
    secret_versions: {"projects/PROJECT/secrets/NAME": [1, 2]}
    revisions: {"projects/PROJECT/locations/REGION/services/NAME": ["NAME-00042-abc"]}
    services: ["run.googleapis.com"]        # absent: every service is enabled
    projects: {"PROJECT": "123456789012"}   # project numbers
    resources:
      - {type: "gcp:kms/keyRing:KeyRing", id: "projects/...", inputs: {}, outputs: {}}
    lookups:                                # what provider functions answer
      - {function: "gcp:compute/getImage:getImage", arguments: {family: "debian-12"}, result: {name: "..."}}
    stacks:                                 # what other stacks put out, for StackReference
      organization/PROJECT/STACK: {endpoint: "...", password: {secret: "..."}}
    drift:                                  # what was changed behind the stack's back; `refresh` shows it
      - {type: "gcp:pubsub/topic:Topic", id: "projects/...", inputs: {"labels.owner": "somebody"}}
      - {type: "gcp:pubsub/topic:Topic", id: "projects/...", gone: true}

A release is then taken at its word only for what the file lists, unless it lists answers and drift alone.
What a file says is kept, beside what files before it said, but for answers that hold a secret.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import yaml

from facts.provider import facts_for
from sandbox.cloud.data import Values, as_list, as_map
from sandbox.cloud.drift import Drift
from sandbox.cloud.package import package_type
from sandbox.cloud.world import World, WorldFacts
from sandbox.cloud.world_facts import Lookup
from sandbox.errors import UsageError
from sandbox.values import Secret

__all__ = ["Fixture", "load_fixture"]

_KEYS: Final = (
    "drift",
    "images",
    "lookups",
    "projects",
    "resources",
    "revisions",
    "secret_versions",
    "services",
    "stacks",
)
_ANSWERS: Final = frozenset({"drift", "lookups", "revisions", "stacks"})
_STACK: Final = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
_FUNCTION: Final = re.compile(r"[a-z][\w-]*:[\w/-]+:\w+")
_IMAGE: Final = re.compile(r"[a-z0-9.-]+/[a-z0-9._/-]+@sha256:[0-9a-f]{64}")
_SECRET: Final = re.compile(r"projects/[a-z0-9.:-]+/secrets/[A-Za-z0-9_-]+")
_SERVICE: Final = re.compile(r"[a-z0-9-]+\.googleapis\.com")
_REVISED: Final = re.compile(r"projects/[^/]+/locations/[^/]+/(services|workerPools)/[a-z][a-z0-9-]*")
_DEPTH: Final = 60
_NUMBER: Final = re.compile(r"[0-9]{6,19}")


@dataclass(frozen=True, slots=True)
class Fixture:
    """What a fixture file says."""

    where: str
    world: World
    drift: tuple[Drift, ...] = ()

    def add_to(self, world: World) -> None:
        """Put what it says into ``world``; resources that are there already stay, but for the drift.

        Raises UsageError when the drift is of something that is not there.
        """
        for record in self.world:
            if world.get(record.type, record.id) is None:
                world.add(record.type, record.id, record.inputs, record.outputs)
        world.facts.add(self.world.facts)
        for index, item in enumerate(self.drift):
            wrong = item.apply(world)
            if wrong:
                raise UsageError(f"fixture {self.where}: `drift[{index}]`: {item.id} {wrong}.")


def load_fixture(path: str | Path) -> Fixture:
    """What a fixture file describes."""
    where = Path(path).name
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise UsageError(f"fixture {where} cannot be read ({reason}); give a YAML or JSON file.") from error
    try:
        loaded = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark is not None else ""
        raise UsageError(f"fixture {where} is not YAML{line}; correct it.") from error
    data = as_map({} if loaded is None else loaded)
    if data is None:
        raise UsageError(f"fixture {where} must be a map with the keys {', '.join(_KEYS)}; it is not a map.")
    read = _Reader(where)
    return Fixture(where, read.world(data), read.drift(data.get("drift")))


class _Reader:
    def __init__(self, where: str) -> None:
        self.where = where

    def refuse(self, field: str, rule: str) -> UsageError:
        return UsageError(f"fixture {self.where}: `{field}` {rule}.")

    def world(self, data: dict[str, Any]) -> World:
        for key, value in data.items():
            if key not in _KEYS:
                near = difflib.get_close_matches(str(key), _KEYS, n=1)
                hint = f"did you mean `{near[0]}`?" if near else f"use {', '.join(_KEYS)}"
                raise self.refuse(str(key), f"is not a key of a fixture; {hint}")
            self.plain(value, str(key), 0)
        services = data.get("services")
        facts = WorldFacts(
            images=set(self.texts(data, "images", _IMAGE, "repository@sha256:digest")),
            secret_versions=self.versions(data.get("secret_versions")),
            enabled_services=None
            if services is None
            else set(self.texts(data, "services", _SERVICE, "NAME.googleapis.com")),
            project_numbers=self.numbers(data.get("projects")),
            assume_release=set(data) <= _ANSWERS,
            lookups=self.lookups(data.get("lookups")),
            revisions=self.revisions(data.get("revisions")),
            stack_outputs=self.stacks(data.get("stacks")),
        )
        world = World(facts)
        items = self.items(data.get("resources"), "resources")
        for index, item in enumerate(items):
            self.resource(world, f"resources[{index}]", item)
        return world

    def plain(self, value: Any, field: str, depth: int) -> None:
        """Refuse what YAML has and JSON has not: dates, keys that are no texts, values within themselves."""
        if depth > _DEPTH:
            raise self.refuse(field[:40], f"must not be nested deeper than {_DEPTH}; correct it")
        members = cast("dict[Any, Any] | None", as_map(value))
        entries = as_list(value)
        if members is not None:
            for key, item in members.items():
                if not isinstance(key, str):
                    raise self.refuse(
                        f"{field}.{key}", f"must have a text for its key; write '{key}' in quotes"
                    )
                self.plain(item, f"{field}.{key}", depth + 1)
        elif entries is not None:
            for index, item in enumerate(entries):
                self.plain(item, f"{field}[{index}]", depth + 1)
        elif value is not None and not isinstance(value, str | int | float):
            kind = type(value).__name__
            raise self.refuse(
                field, f"must be a text, a number, true or false, not a {kind}; put it in quotes"
            )

    def items(self, value: Any, field: str) -> list[Any]:
        if value is None:
            return []
        found = as_list(value)
        if found is None:
            raise self.refuse(field, f"must be a list, not {value!r}")
        return found

    def texts(self, data: dict[str, Any], field: str, form: re.Pattern[str], shape: str) -> list[str]:
        result: list[str] = []
        for index, item in enumerate(self.items(data.get(field), field)):
            if not isinstance(item, str) or not form.fullmatch(item):
                raise self.refuse(f"{field}[{index}]", f"must be of the form {shape}, not {item!r}")
            result.append(item)
        return result

    def mapping(self, value: Any, field: str) -> dict[str, Any]:
        if value is None:
            return {}
        found = as_map(value)
        if found is None:
            raise self.refuse(field, f"must be a map, not {value!r}")
        return found

    def versions(self, value: Any) -> dict[str, list[int]]:
        result: dict[str, list[int]] = {}
        for name, numbers in self.mapping(value, "secret_versions").items():
            field = f"secret_versions.{name}"
            if not _SECRET.fullmatch(str(name)):
                raise self.refuse(field, "must be named projects/PROJECT/secrets/NAME")
            found = self.items(numbers, field)
            wrong = [
                item for item in found if not isinstance(item, int) or isinstance(item, bool) or item < 1
            ]
            if wrong:
                raise self.refuse(field, f"must list version numbers from 1, not {wrong[0]!r}")
            result[str(name)] = cast("list[int]", found)
        return result

    def revisions(self, value: Any) -> dict[str, list[str]]:
        result: dict[str, list[str]] = {}
        for id, names in self.mapping(value, "revisions").items():
            field = f"revisions.{id}"
            if not _REVISED.fullmatch(id):
                raise self.refuse(field, "must be named projects/PROJECT/locations/REGION/services/NAME")
            start = f"{id.rsplit('/', 1)[-1]}-"
            found = self.items(names, field)
            wrong = [name for name in found if not isinstance(name, str) or not name.startswith(start)]
            if wrong:
                raise self.refuse(field, f"must list names that begin with {start}, not {wrong[0]!r}")
            result[id] = cast("list[str]", found)
        return result

    def numbers(self, value: Any) -> dict[str, str]:
        result: dict[str, str] = {}
        for project, number in self.mapping(value, "projects").items():
            if not _NUMBER.fullmatch(str(number)):
                raise self.refuse(f"projects.{project}", f"must be a project number, not {number!r}")
            result[str(project)] = str(number)
        return result

    def lookups(self, value: Any) -> tuple[Lookup, ...]:
        result: list[Lookup] = []
        for index, item in enumerate(self.items(value, "lookups")):
            field = f"lookups[{index}]"
            entry = self.mapping(item, field)
            for key in entry:
                if key not in {"function", "arguments", "result"}:
                    raise self.refuse(
                        f"{field}.{key}", "is not a key of a look-up; use function, arguments, result"
                    )
            function = entry.get("function")
            if not isinstance(function, str) or not _FUNCTION.fullmatch(function):
                raise self.refuse(
                    f"{field}.function",
                    f"must be a function's token such as gcp:compute/getImage:getImage, not {function!r}",
                )
            arguments = self.mapping(entry.get("arguments"), f"{field}.arguments")
            if "result" not in entry:
                raise self.refuse(f"{field}.result", "is missing; give what the function answers")
            answer = self.mapping(entry["result"], f"{field}.result")
            result.append(Lookup(function, arguments, answer))
        return tuple(result)

    def stacks(self, value: Any) -> dict[str, Values]:
        result: dict[str, Values] = {}
        for name, outputs in self.mapping(value, "stacks").items():
            field = f"stacks.{name}"
            if not _STACK.fullmatch(str(name)):
                raise self.refuse(field, "must be named ORGANIZATION/PROJECT/STACK")
            result[str(name)] = {
                key: Secret(item["secret"]) if as_map(item) is not None and set(item) == {"secret"} else item
                for key, item in self.mapping(outputs, field).items()
            }
        return result

    def drift(self, value: Any) -> tuple[Drift, ...]:
        result: list[Drift] = []
        for index, item in enumerate(self.items(value, "drift")):
            field = f"drift[{index}]"
            entry = self.mapping(item, field)
            for key in entry:
                if key not in {"type", "id", "inputs", "outputs", "gone"}:
                    raise self.refuse(
                        f"{field}.{key}", "is not a key of a drift; use type, id, inputs, outputs, gone"
                    )
            type, id = self.identity(entry, field)
            gone = entry.get("gone", False)
            inputs = self.mapping(entry.get("inputs"), f"{field}.inputs")
            outputs = self.mapping(entry.get("outputs"), f"{field}.outputs")
            if not isinstance(gone, bool) or gone == bool(inputs or outputs):
                raise self.refuse(field, "must have either changed inputs or outputs, or gone: true")
            result.append(Drift(type, id, inputs, outputs, gone))
        return tuple(result)

    def identity(self, entry: dict[str, Any], field: str) -> tuple[str, str]:
        type, id = entry.get("type"), entry.get("id")
        if not isinstance(type, str) or (facts_for(type) is None and package_type(type) is None):
            raise self.refuse(f"{field}.type", f"must be a type of pulumi-gcp, not {type!r}")
        if not isinstance(id, str) or not id:
            raise self.refuse(f"{field}.id", f"must be the resource's id, not {id!r}")
        return type, id

    def resource(self, world: World, field: str, item: Any) -> None:
        values = as_map(item)
        if values is None:
            raise self.refuse(field, "must be a map with type, id, inputs and outputs")
        for key in values:
            if key not in {"type", "id", "inputs", "outputs"}:
                raise self.refuse(
                    f"{field}.{key}", "is not a key of a resource; use type, id, inputs, outputs"
                )
        type, id = self.identity(values, field)
        if world.get(type, id) is not None:
            raise self.refuse(f"{field}.id", f"names a resource twice: {id}")
        inputs = self.mapping(values.get("inputs"), f"{field}.inputs")
        world.add(type, id, inputs, self.mapping(values.get("outputs"), f"{field}.outputs"))

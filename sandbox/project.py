"""Pulumi's project and stack files, read as the CLI reads them, without a CLI.

``load_project`` reads ``Pulumi.yaml``, ``load_stack`` the ``Pulumi.<stack>.yaml`` beside it. Values become
the strings that a program receives: numbers and booleans in their YAML spelling, lists and objects as JSON.
An encrypted value stays encrypted: the program receives a stand-in made of its ciphertext's digest, marked
secret, so that equal ciphertexts compare as equal and nothing is decrypted.

A value that only an operator knows stands as ``REPLACE_ME`` in the stack file. ``example-values.yaml`` beside
``Pulumi.yaml`` gives documented example values for the sandbox by configuration path; those of one stack
alone stand under ``stacks``. Its list ``exists`` names what another program has made before, as ``TYPE ID``
with ``${key}`` for a configured value.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, cast

import yaml

from sandbox.errors import UsageError
from sandbox.values import Opaque

__all__ = ["PLACEHOLDER", "Program", "StackSettings", "load_project", "load_stack"]

PLACEHOLDER: Final = "REPLACE_ME"
_VALUE: Final = re.compile(r"\$\{([^}]+)\}")
_INTEGER: Final = re.compile(r"-?[0-9]+")
_STACK: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Declaration:
    type: str = "string"
    items: str = ""
    default: Any = None
    secret: bool = False
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A Pulumi program: where it is, its project name, the configuration keys that it declares."""

    directory: Path
    name: str
    main: Path
    declarations: Mapping[str, _Declaration] = field(default_factory=dict[str, _Declaration], repr=False)

    @property
    def stacks(self) -> tuple[str, ...]:
        """The stacks that have a file, in alphabetical order."""
        return tuple(sorted(path.name.split(".", 1)[1].removesuffix(".yaml") for path in self._stack_files()))

    def _stack_files(self) -> Iterator[Path]:
        return self.directory.glob("Pulumi.*.yaml")

    def stack_file(self, stack: str) -> Path:
        """Where the file of ``stack`` is or would be."""
        return self.directory / f"Pulumi.{stack}.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSettings:
    """The configuration of one stack, as the program receives it.

    ``examples`` maps each configuration path that stood as ``REPLACE_ME`` to the example value used;
    ``placeholders`` lists the paths that have no example value and still stand so. ``exists`` are type and id
    of what another program has made in the sandbox's cloud.
    """

    values: Mapping[str, str] = field(repr=False)
    secret_keys: frozenset[str] = frozenset()
    examples: Mapping[str, str] = field(default_factory=dict[str, str])
    placeholders: tuple[str, ...] = ()
    exists: tuple[tuple[str, str], ...] = ()


def load_project(directory: Path) -> Program:
    """The program in ``directory``. Raises UsageError when ``Pulumi.yaml`` is missing or no good."""
    path = directory / "Pulumi.yaml"
    if not path.exists():
        raise UsageError(f"{path} does not exist: run this in the folder of a Pulumi project")
    document = _read_mapping(path)
    name, runtime = document.get("name"), document.get("runtime")
    if not isinstance(name, str) or not name:
        raise UsageError(f"{path.name}: name must be a non-empty string, got {name!r}: name the project")
    kind = cast("dict[str, Any]", runtime).get("name") if isinstance(runtime, dict) else runtime
    if kind != "python":
        raise UsageError(
            f"{path.name}: runtime must be python, got {kind!r}: the sandbox runs Python programs only"
        )
    declared: Any = document.get("config") or {}
    if not isinstance(declared, dict):
        raise UsageError(f"{path.name}: config must be a mapping of keys, got {type(declared).__name__}")
    declarations = {
        _full_key(str(key), name): _declaration(str(key), value)
        for key, value in cast("dict[str, Any]", declared).items()
    }
    return Program(
        directory=directory.resolve(),
        name=name,
        main=_main(directory.resolve(), str(document.get("main") or ".")),
        declarations=declarations,
    )


def _main(directory: Path, main: str) -> Path:
    """The folder or file to run; it lies inside the project, as the CLI demands."""
    path = (directory / main).resolve()
    if Path(main).is_absolute() or not path.is_relative_to(directory):
        raise UsageError(f"Pulumi.yaml: main must be a path inside the project, got {main!r}: correct it")
    return path


def _declaration(key: str, value: Any) -> _Declaration:
    if not isinstance(value, dict):
        return _Declaration(type=_kind(value), default=value, required=False)
    members = cast("dict[str, Any]", value)
    if "value" in members:
        return _Declaration(type=_kind(members["value"]), default=members["value"], required=False)
    type_ = str(members.get("type", "string"))
    if type_ not in {"string", "integer", "boolean", "array", "object"}:
        raise UsageError(
            f"Pulumi.yaml: config.{key}.type must be string, integer, boolean, array or object, got {type_!r}"
        )
    items: Any = members.get("items") or {}
    return _Declaration(
        type=type_,
        items=str(cast("dict[str, Any]", items).get("type", "")) if isinstance(items, dict) else "",
        default=members.get("default"),
        secret=bool(members.get("secret")),
        required="default" not in members,
    )


def load_stack(program: Program, stack: str, *, examples: bool = True) -> StackSettings:
    """The configuration of ``stack``, checked against what ``Pulumi.yaml`` declares.

    With ``examples`` false nothing is filled in for ``REPLACE_ME``: the real CLI would not either.
    Raises UsageError on an unknown stack, an unreadable file, an undeclared key of the project's own, or a
    value of the wrong type.
    """
    if not _STACK.fullmatch(stack):
        raise UsageError(
            f"stack {stack!r} must be 1 to 100 letters, digits, dots, dashes or underscores: correct the name"
        )
    path = program.stack_file(stack)
    if not path.exists() and not program.stacks:
        # As after `pulumi stack init`: no stack of this project has settings of its own.
        return _Reader(program, path.name, {}).settings()
    if not path.exists():
        known = ", ".join(program.stacks)
        raise UsageError(f"stack {stack!r} is unknown: {path.name} does not exist; stacks here: {known}")
    document = _read_mapping(path)
    config: Any = document.get("config") or {}
    if not isinstance(config, dict):
        raise UsageError(f"{path.name}: config must be a mapping of keys, got {type(config).__name__}")
    reader = _Reader(program, path.name, _example_values(program, stack) if examples else {})
    for key, value in cast("dict[Any, Any]", config).items():
        reader.add(_full_key(str(key), program.name), value)
    settings = reader.settings()
    return replace(settings, exists=_existing(program, settings.values)) if examples else settings


class _Reader:
    def __init__(self, program: Program, file: str, example_values: Mapping[str, str]) -> None:
        self._program = program
        self._file = file
        self._example_values = example_values
        self._values: dict[str, str] = {}
        self._secret_keys: set[str] = set()
        self._examples: dict[str, str] = {}
        self._placeholders: list[str] = []

    def add(self, key: str, value: Any) -> None:
        declarations = self._program.declarations
        declaration = declarations.get(key)
        if declaration is None and declarations and key.startswith(f"{self._program.name}:"):
            # Pulumi accepts keys beside the declared ones; one that looks like a declared key is a slip.
            own = {name.partition(":")[2]: name for name in declarations}
            near = difflib.get_close_matches(key.partition(":")[2], own, n=1, cutoff=0.75)
            if near:
                hint = f"did you mean {own[near[0]]}?"
                raise UsageError(f"{self._file}: {key} is not a configuration key of this project: {hint}")
        if value is None:
            # Nothing is given: the declared default stands.
            return
        if declaration is not None and declaration.secret:
            self._refuse_readable(key, value)
        filled = self._fill(key, value)
        opened, secret = _seal(filled)
        if declaration is not None and not (secret and opened is not filled):
            self._check(key, opened, declaration)
        if secret or (declaration is not None and declaration.secret and key in self._examples):
            self._secret_keys.add(key)
        self._values[key] = _text(opened)

    def _refuse_readable(self, key: str, value: Any) -> None:
        """A declared secret is encrypted, or not given yet."""
        encrypted = isinstance(value, dict) and set(cast("dict[str, Any]", value)) == {"secure"}
        if not encrypted and value not in ("", PLACEHOLDER):
            raise UsageError(
                f"{self._file}: {key} must be encrypted, got a readable value: revoke it where it was issued "
                f"and set a new one with `pulumi config set --secret {key}`"
            )

    def settings(self) -> StackSettings:
        for key, declaration in self._program.declarations.items():
            if key in self._values:
                continue
            if declaration.required:
                raise UsageError(
                    f"{self._file}: {key} is missing and has no default: set it in the stack file"
                )
            if declaration.default is not None:
                self._values[key] = _text(declaration.default)
        return StackSettings(
            values=self._values,
            secret_keys=frozenset(self._secret_keys),
            examples=self._examples,
            placeholders=tuple(self._placeholders),
        )

    def _check(self, key: str, value: Any, declaration: _Declaration) -> None:
        # The CLI writes numbers and booleans back as text, and reads them so.
        text = value if isinstance(value, str) else ""
        fits = {
            "string": isinstance(value, str),
            "integer": (isinstance(value, int) and not isinstance(value, bool)) or _INTEGER.fullmatch(text),
            "boolean": isinstance(value, bool) or text in {"true", "false"},
            "array": isinstance(value, list),
            "object": isinstance(value, dict),
        }[declaration.type]
        if not fits:
            shown = "" if declaration.secret else f" {_excerpt(value)}"
            raise UsageError(
                f"{self._file}: {key} must be of type {declaration.type}, got {_kind(value)}{shown}: "
                "correct the value"
            )
        if declaration.items and isinstance(value, list):
            for index, item in enumerate(cast("list[Any]", value)):
                if _kind(item) != declaration.items:
                    raise UsageError(
                        f"{self._file}: {key}[{index}] must be of type {declaration.items}, "
                        f"got {_kind(item)} {_excerpt(item)}: correct the value"
                    )

    def _fill(self, path: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {
                str(key): self._fill(f"{path}.{key}", item)
                for key, item in cast("dict[Any, Any]", value).items()
            }
        if isinstance(value, list):
            return [
                self._fill(f"{path}[{index}]", item) for index, item in enumerate(cast("list[Any]", value))
            ]
        if not (isinstance(value, str) and PLACEHOLDER in value):
            return value
        example = self._example_values.get(path)
        if example is None:
            self._placeholders.append(path)
            return value
        self._examples[path] = example
        return example


def _example_values(program: Program, stack: str) -> Mapping[str, str]:
    """Examples for every stack, and over them those under ``stacks`` for this one."""
    path = program.directory / "example-values.yaml"
    if not path.exists():
        return {}
    common = _read_mapping(path)
    common.pop("exists", None)
    stacks: Any = common.pop("stacks", None) or {}
    own: Any = cast("dict[str, Any]", stacks).get(stack) or {} if isinstance(stacks, dict) else None
    if not isinstance(own, dict):
        raise UsageError(f"{path.name}: stacks must map each stack to a mapping of examples: correct it")
    return {str(key): str(value) for key, value in {**common, **cast("dict[str, Any]", own)}.items()}


def _existing(program: Program, values: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    path = program.directory / "example-values.yaml"
    entries: Any = _read_mapping(path).get("exists") if path.exists() else None
    found: list[tuple[str, str]] = []
    for entry in cast("list[Any]", entries or []):
        type, _, id = str(entry).partition(" ")
        missing = [key for key in _VALUE.findall(id) if key not in values]
        if not id or missing:
            raise UsageError(
                f"{path.name}: exists must list TYPE ID with ${{key}} for a configured value, got {entry!r}: "
                "correct it"
            )
        found.append((type, _VALUE.sub(lambda match: values[match[1]], id)))
    return tuple(found)


class _Loader(yaml.SafeLoader):
    """YAML as the CLI reads it: only ``true`` and ``false`` are booleans, and no key stands twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen and key.value != "<<":
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key.value!r} stands twice", key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, re.compile("^(?:true|True|TRUE|false|False|FALSE)$") if tag.endswith(":bool") else pattern)
        for tag, pattern in resolvers
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _read_mapping(path: Path) -> dict[str, Any]:
    try:
        document: Any = _Loader(path.read_text(encoding="utf-8")).get_single_data()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark is not None else ""
        problem = str(getattr(error, "problem", ""))
        wrong = f"holds a key twice: {problem}" if "stands twice" in problem else "is not valid YAML"
        raise UsageError(f"{path.name} {wrong}{where}: correct it") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name} cannot be read as text: check the file") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise UsageError(f"{path.name} must hold a mapping, got {type(document).__name__}: correct it")
    return cast("dict[str, Any]", document)


def _full_key(key: str, project: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _seal(value: Any) -> tuple[Any, bool]:
    """``value`` with every encrypted part replaced by its stand-in, and whether there was one."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        if set(members) == {"secure"}:
            return Opaque(str(members["secure"])).stand_in, True
        sealed = {key: _seal(item) for key, item in members.items()}
        secret = any(found for _, found in sealed.values())
        return ({key: item for key, (item, _) in sealed.items()} if secret else members), secret
    if isinstance(value, list):
        elements = cast("list[Any]", value)
        items = [_seal(item) for item in elements]
        secret = any(found for _, found in items)
        return ([item for item, _ in items] if secret else elements), secret
    return value, False


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return json.dumps(value, separators=(",", ":"), default=str)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, list):
        return "array"
    if isinstance(value, dict):
        return "object"
    return "string" if isinstance(value, str) else type(value).__name__


def _excerpt(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

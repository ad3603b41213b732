"""Which room may import which. Any arrow that is not in the table fails, and so does a path round a wall."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Room:
    """What a room may import: rooms, then packages from outside; the standard library always."""

    rooms: frozenset[str]
    packages: frozenset[str]
    # Rooms that must not be reached through any number of steps.
    walls: frozenset[str] = frozenset()


def room(rooms: str = "", packages: str = "", walls: str = "") -> Room:
    return Room(frozenset(rooms.split()), frozenset(packages.split()), frozenset(walls.split()))


PROGRAM = "config naming components stacks __main__ bootstrap"

# The table of the design. A room may always import itself, and every room but operations may import facts.
ROOMS = {
    "facts": room(packages="cel lark", walls=PROGRAM + " policies sandbox review operations tools"),
    "config": room(
        "facts", "pydantic pydantic_core pulumi", walls="naming components stacks policies sandbox review"
    ),
    "naming": room("facts", walls="config components stacks policies sandbox review"),
    "components": room(
        "facts", "pulumi pulumi_gcp pulumi_random", walls="config naming stacks policies sandbox review"
    ),
    "stacks": room(
        "facts config naming components", "pulumi pulumi_gcp pulumi_random", walls="policies sandbox review"
    ),
    "__main__": room("facts config stacks", "pulumi", walls="policies sandbox review"),
    "bootstrap": room(
        "facts naming components", "pulumi pulumi_gcp pydantic", walls="config stacks policies sandbox review"
    ),
    "policies": room("facts", walls=PROGRAM + " sandbox review operations"),
    "policies.__main__": room("facts policies", "pulumi_policy", walls=PROGRAM + " sandbox review"),
    "sandbox": room(
        "facts",
        "pulumi google grpc yaml filelock cryptography typing_extensions",
        walls=PROGRAM + " policies review operations",
    ),
    "review": room(
        "facts sandbox policies",
        "cel click jinja2 jsonschema libmodsecurity pydantic re2 rich yaml",
        walls=PROGRAM + " operations",
    ),
    "operations": room(
        packages="flask google google_crc32c httpx pg8000 psycopg",
        walls=PROGRAM + " facts policies sandbox review",
    ),
}
# Nothing imports these; they may import anything.
OUTSIDE = frozenset({"tests", "tools", "bench", "docs"})
# One room in several files.
PARTS = {
    "config_capacity": "config",
    "config_collector": "config",
    "config_database": "config",
    "config_edge": "config",
    "config_messaging": "config",
    "config_release": "config",
    "config_sections": "config",
    "config_types": "config",
}


def room_of(module: str) -> str:
    """The room of a dotted module name."""
    if module == "policies.__main__":
        return module
    first = module.split(".", maxsplit=1)[0]
    return PARTS.get(first, first)


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of a room, with its dotted name."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[0] in OUTSIDE or parts[0].startswith(".") or parts[0] == "build":
            continue
        yield ".".join(part for part in parts if part != "__init__") or parts[0], path


def imported(path: Path, module: str) -> Iterator[str]:
    """Dotted names that a module imports, wherever in it the statement stands."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            yield ".".join([*base, *([node.module] if node.module else [])])


def arrows(found: str, names: Iterator[str] | list[str]) -> list[str]:
    """The imports among `names` that the room of `found` may not make, worded for a person."""
    here = room_of(found)
    allowed = ROOMS[here]
    own = here.split(".")[0]
    refused: list[str] = []
    for name in names:
        target = room_of(name)
        if target in ROOMS or target in OUTSIDE:
            if target not in {own, here} and target not in allowed.rooms:
                refused.append(f"{found} imports room {target}")
        elif target not in sys.stdlib_module_names and target not in allowed.packages:
            refused.append(f"{found} imports package {target}")
    return refused


def test_every_module_lives_in_a_room_of_the_table() -> None:
    strangers = [name for name, _ in modules() if room_of(name) not in ROOMS]
    assert not strangers


def test_no_arrow_but_those_of_the_table() -> None:
    refused = [arrow for name, path in modules() for arrow in arrows(name, imported(path, name))]
    assert not refused


def test_no_path_leads_round_a_wall() -> None:
    steps: dict[str, set[str]] = {}
    for name, path in modules():
        here = room_of(name)
        targets = {room_of(target) for target in imported(path, name)}
        steps.setdefault(here, set()).update(
            target for target in targets if target in ROOMS and target != here
        )
    for here, first in steps.items():
        reached, todo = set[str](), list(first)
        while todo:
            target = todo.pop()
            if target not in reached:
                reached.add(target)
                todo += steps.get(target, set())
        assert not reached & ROOMS[here].walls, f"{here} reaches {sorted(reached & ROOMS[here].walls)}"


def test_the_engine_works_on_plain_data() -> None:
    outside = {"pulumi", "pulumi_gcp", "pulumi_random", "google", "grpc", "sandbox.host", "sandbox.protobuf"}
    found = {
        f"{module} imports {name}"
        for module, path in modules()
        if module.startswith("sandbox.engine")
        for name in imported(path, module)
        if any(name == item or name.startswith(f"{item}.") for item in outside)
    }
    assert not found


def test_neither_state_nor_cloud_leans_on_the_engine() -> None:
    found = {
        f"{module} imports {name}"
        for module, path in modules()
        if module.startswith(("sandbox.state", "sandbox.cloud", "sandbox.graph", "sandbox.model"))
        for name in imported(path, module)
        if name.startswith(("sandbox.engine", "sandbox.host"))
    }
    assert not found


def test_the_engine_can_be_read_in_an_afternoon() -> None:
    lines = {
        path.name: len(path.read_text(encoding="utf-8").splitlines())
        for module, path in modules()
        if module.startswith("sandbox.engine")
    }
    assert sum(lines.values()) <= 1500, f"redesign before going on: {lines}"
    assert lines["deployment.py"] <= 390, "move something out of deployment.py before adding to it"


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("components.data.postgres", "config"),
        ("components.data.postgres", "config_sections"),
        ("components.data.postgres", "naming"),
        ("components.data.postgres", "stacks.platform"),
        ("facts.names", "pulumi"),
        ("naming", "pulumi"),
        ("config", "pulumi_gcp"),
        ("policies.rules", "pulumi_policy"),
        ("policies.rules", "sandbox.values"),
        ("sandbox.host.run", "components.data.postgres"),
        ("review.cli", "stacks.platform"),
        ("review.cli", "components.data"),
        ("stacks.platform", "review"),
        ("stacks.platform", "pydantic"),
        ("__main__", "components.data.postgres"),
        ("bootstrap.__main__", "config"),
        ("operations.rotation", "facts.names"),
        ("components.data.postgres", "tests.recording"),
    ],
)
def test_a_forbidden_arrow_is_found(module: str, name: str) -> None:
    assert arrows(module, [name])


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("components.data.postgres", "components._checks"),
        ("components.data.postgres", "pulumi_gcp"),
        ("config", "config_sections"),
        ("config", "pydantic"),
        ("policies.__main__", "pulumi_policy"),
        ("policies.__main__", "policies.rules"),
        ("review.cli", "policies.rules"),
        ("stacks.platform", "naming"),
        ("facts.names", "json"),
    ],
)
def test_an_allowed_arrow_passes(module: str, name: str) -> None:
    assert not arrows(module, [name])

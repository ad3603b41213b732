"""The table of behaviours: what Google or its provider refuses, one small function each.

A behaviour names the types and the phase that it watches and yields a ``Problem`` for each thing wrong. In
phase ``CHECK`` a problem becomes a check failure, as the provider would give it before any call; in the
others it becomes the refusal of the call. In ``CHECK`` values may be unknown: ``Call.get`` gives None then.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from facts.provider import facts_for
from sandbox.cloud.data import Values, as_list, as_map, at
from sandbox.cloud.paths import canonical
from sandbox.cloud.results import CheckFailure
from sandbox.cloud.scope import Scope
from sandbox.cloud.world import Record, World
from sandbox.errors import CloudError
from sandbox.values import UNKNOWN

__all__ = [
    "ANY",
    "BEHAVIOURS",
    "Behaviour",
    "Call",
    "Phase",
    "Problem",
    "behaviour",
    "check_phase",
    "run_phase",
    "switched_off",
]

ANY: Final = "*"


class Phase(StrEnum):
    """When a behaviour looks."""

    CHECK = "check"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: the property it is about (empty for the whole resource) and one sentence."""

    property: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Call:
    """One call to the cloud: inputs without secret marks, with the provider's project and region."""

    phase: Phase
    type: str
    urn: str
    inputs: Values
    scope: Scope
    world: World
    id: str = ""
    old_inputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def project(self) -> str:
        """The project that the resource belongs to."""
        return str(self.inputs.get("project") or self.scope.project)

    @property
    def number(self) -> str:
        """The number of that project."""
        return self.world.project_number(self.project)

    @property
    def location(self) -> str:
        """The region or location of the resource."""
        return str(self.get("region") or self.get("location") or self.scope.region)

    def get(self, path: str) -> Any:
        """The input at a property path; None when it is absent or not known yet."""
        value = at(self.inputs, path)
        return None if value is UNKNOWN else value

    def text(self, path: str) -> str:
        """The input at a property path when it is a text, else an empty one."""
        value = self.get(path)
        return value if isinstance(value, str) else ""

    def absent(self, path: str) -> bool:
        """Whether the input is really absent, not merely unknown."""
        return at(self.inputs, path) is None

    def blocks(self, path: str) -> list[Values]:
        """The blocks of a list (or the one block) at a property path; those not known yet are left out."""
        value = self.get(path)
        items = as_list(value) if as_list(value) is not None else [value]
        return [block for item in items or [] if (block := as_map(item)) is not None]

    def texts(self, path: str) -> list[str]:
        """The known texts of a list at a property path."""
        return [item for item in as_list(self.get(path)) or [] if isinstance(item, str)]

    def target(self, path: str) -> Record | None:
        """The live resource that the input at a property path refers to, or None."""
        return self.world.at(canonical(self.text(path)))


Rule = Callable[[Call], Iterable[Problem]]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A registered behaviour."""

    id: str
    types: tuple[str, ...]
    phases: tuple[Phase, ...]
    status: int
    reason: str
    source: str
    rule: Rule
    told: str = ""

    @property
    def title(self) -> str:
        """What it refuses, in one line."""
        return self.told or (self.rule.__doc__ or "").strip().split("\n")[0]


BEHAVIOURS: Final[dict[str, Behaviour]] = {}
_OFF: Final[set[str]] = set()
_BY_TYPE: Final[dict[tuple[Phase, str], list[Behaviour]]] = {}


def behaviour(
    id: str,
    types: str | tuple[str, ...],
    phase: Phase | tuple[Phase, ...],
    status: int,
    reason: str,
    source: str,
    *,
    title: str = "",
) -> Callable[[Rule], Rule]:
    """Register a behaviour under its id; ``title`` stands in for the rule's own first line."""
    known = (types,) if isinstance(types, str) else types
    phases = (phase,) if isinstance(phase, Phase) else phase

    def register(rule: Rule) -> Rule:
        if id in BEHAVIOURS:
            raise ValueError(f"two behaviours have the id {id}")
        for type in known:
            if type != ANY and facts_for(type) is None:
                raise ValueError(f"behaviour {id} names a type without facts: {type}")
        BEHAVIOURS[id] = found = Behaviour(id, known, phases, status, reason, source, rule, title)
        for type in known:
            for each in phases:
                watching = _BY_TYPE.setdefault((each, type), [])
                watching.append(found)
                watching.sort(key=lambda item: len(item.types))
        return rule

    return register


def _watching(phase: Phase, type: str) -> Iterator[Behaviour]:
    """The particular ones first: they say more than those of every type."""
    for found in (_BY_TYPE.get((phase, type), ()), _BY_TYPE.get((phase, ANY), ())):
        for each in found:
            if each.id not in _OFF:
                yield each


@contextmanager
def switched_off(id: str) -> Generator[None]:
    """Within it the behaviour refuses nothing: so tests see that their case really meets it."""
    _OFF.add(id)
    try:
        yield
    finally:
        _OFF.discard(id)


def check_phase(call: Call) -> list[CheckFailure]:
    """Every failure that the behaviours of phase ``CHECK`` find."""
    return [
        CheckFailure(problem.property, problem.sentence)
        for watching in _watching(Phase.CHECK, call.type)
        for problem in watching.rule(call)
    ]


def run_phase(call: Call) -> None:
    """Refuse the call when a behaviour finds a problem."""
    for watching in _watching(call.phase, call.type):
        for problem in watching.rule(call):
            raise CloudError(
                watching.status,
                watching.reason,
                problem.sentence,
                behaviour=watching.id,
                source=watching.source,
            )

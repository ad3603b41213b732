"""What the engine works on and what it answers: states, steps, refusals, an outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol

from sandbox.values import DiffKind

__all__ = [
    "AnalyzedResource",
    "Analyzer",
    "Keeper",
    "Mode",
    "Observer",
    "Old",
    "Op",
    "Outcome",
    "PendingOperation",
    "PropertyDiff",
    "Refusal",
    "RefusalKind",
    "ResourceState",
    "Snapshot",
    "Step",
    "Violation",
]


class Op(StrEnum):
    """What a step does; the words of Pulumi's engine (``pkg/resource/deploy/step.go``)."""

    SAME = "same"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    REPLACE = "replace"
    CREATE_REPLACEMENT = "create-replacement"
    DELETE_REPLACED = "delete-replaced"
    READ = "read"
    READ_REPLACEMENT = "read-replacement"
    REFRESH = "refresh"
    DISCARD = "discard"
    DISCARD_REPLACED = "discard-replaced"
    REMOVE_PENDING_REPLACE = "remove-pending-replace"
    IMPORT = "import"
    IMPORT_REPLACEMENT = "import-replacement"

    @property
    def replacement(self) -> bool:
        """Whether the step brings the new instance of a resource that is replaced."""
        return self in {Op.CREATE_REPLACEMENT, Op.READ_REPLACEMENT, Op.IMPORT_REPLACEMENT}


class Mode(StrEnum):
    """What a run is for."""

    PREVIEW = "preview"
    UPDATE = "update"
    DESTROY = "destroy"
    REFRESH = "refresh"


@dataclass(kw_only=True)
class ResourceState:
    """One resource as state holds it; the fields of ``pulumi stack export``.

    ``inputs`` and ``outputs`` hold values of ``sandbox.values``. ``delete`` marks an old instance whose
    replacement already stands; ``pending_replacement`` an instance deleted before its replacement came.
    """

    urn: str
    type: str
    custom: bool
    id: str = ""
    delete: bool = False
    inputs: dict[str, Any] = field(default_factory=dict[str, Any])
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    parent: str = ""
    protect: bool = False
    external: bool = False
    dependencies: list[str] = field(default_factory=list[str])
    property_dependencies: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    init_errors: list[str] = field(default_factory=list[str])
    provider: str = ""
    pending_replacement: bool = False
    additional_secret_outputs: list[str] = field(default_factory=list[str])
    aliases: list[str] = field(default_factory=list[str])
    custom_timeouts: dict[str, float] = field(default_factory=dict[str, float])
    import_id: str = ""
    retain_on_delete: bool = False
    deleted_with: str = ""
    replace_with: list[str] = field(default_factory=list[str])
    replacement_trigger: Any = None
    created: str = ""
    modified: str = ""
    ignore_changes: list[str] = field(default_factory=list[str])
    replace_on_changes: list[str] = field(default_factory=list[str])
    source_position: str = ""
    extra: dict[str, Any] = field(default_factory=dict[str, Any])
    """Fields of a newer state format, kept as they came."""

    @property
    def name(self) -> str:
        """The logical name."""
        return self.urn.split("::", 3)[3]


Old = ResourceState | None
"""A resource as it was, when it was there."""


@dataclass(frozen=True, slots=True)
class PendingOperation:
    """A call of the cloud of which nobody knows how it ended: ``creating``, ``updating`` or ``deleting``."""

    resource: ResourceState
    type: str


@dataclass(kw_only=True)
class Snapshot:
    """The state of a stack: what ``pulumi stack export`` writes."""

    resources: list[ResourceState] = field(default_factory=list[ResourceState])
    pending_operations: list[PendingOperation] = field(default_factory=list[PendingOperation])
    metadata: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class PropertyDiff:
    """One property that changes. ``old`` and ``new`` still carry their marks: redact before showing."""

    path: str
    kind: DiffKind
    old: Any = field(default=None, repr=False)
    new: Any = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing the engine does to one resource."""

    op: Op
    urn: str
    type: str
    old: ResourceState | None = field(repr=False)
    new: ResourceState | None = field(repr=False)
    diff: tuple[PropertyDiff, ...] = ()
    replace_reasons: tuple[str, ...] = ()
    not_compared: tuple[str, ...] = ()
    """Paths of secrets whose ciphertext cannot be read here."""

    @property
    def name(self) -> str:
        """The logical name."""
        return self.urn.split("::", 3)[3]

    @property
    def logical(self) -> bool:
        """Whether the step stands for a resource's whole fate.

        A replacement is one ``replace``; the ``create-replacement`` and ``delete-replaced`` that carry it
        out are not counted again, as in Pulumi's own summary.
        """
        return self.op not in {
            Op.CREATE_REPLACEMENT,
            Op.DELETE_REPLACED,
            Op.DISCARD_REPLACED,
            Op.REMOVE_PENDING_REPLACE,
        }


RefusalKind = Literal["cloud", "check", "program", "policy", "protect", "engine", "usage"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something does not happen, in one sentence for the person who can mend it."""

    kind: RefusalKind
    message: str
    urn: str | None = None
    code: int | None = None
    behaviour: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Violation:
    """A policy rule that a resource or the stack breaks."""

    rule: str
    level: str
    urn: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyzedResource:
    """A resource as analyzers see it, marks kept.

    ``properties`` are the inputs after check where one resource is judged, and the outputs where all are
    judged together, as in Pulumi's ``AnalyzeStack``: what a program left out may stand there.
    """

    urn: str
    type: str
    name: str
    custom: bool
    properties: Mapping[str, Any] = field(repr=False)
    parent: str
    dependencies: tuple[str, ...]
    property_dependencies: Mapping[str, tuple[str, ...]]
    provider: str
    protect: bool


class Observer(Protocol):
    """Watches a run: progress displays and logs."""

    def step_started(self, step: Step) -> None:
        """A step begins."""
        ...

    def step_done(self, step: Step, error: str | None) -> None:
        """A step ended; ``error`` is its sentence when it was refused."""
        ...

    def message(self, severity: str, text: str, urn: str | None) -> None:
        """The program or the engine says something: ``debug``, ``info``, ``warning`` or ``error``."""
        ...


class Analyzer(Protocol):
    """Judges resources before they change and the whole stack after the program ran."""

    def analyze(self, resource: AnalyzedResource) -> Sequence[Violation]:
        """What is wrong with one resource."""
        ...

    def analyze_stack(self, resources: Sequence[AnalyzedResource]) -> Sequence[Violation]:
        """What is wrong with all of them together."""
        ...


class Keeper(Protocol):
    """Is told of each change of the state while a run works.

    A slot is a place in the state: the resources of the base have the first ones, in their order, and what
    the run places takes the next.
    """

    def start(self, base: Snapshot, *, settled: bool) -> None:
        """The run starts from ``base``; ``settled`` when it is not what was loaded."""
        ...

    def put(self, slot: int, state: ResourceState) -> None:
        """``state`` stands in ``slot``."""
        ...

    def drop(self, slot: int) -> None:
        """What stood in ``slot`` is gone."""
        ...

    def began(self, number: int, operation: PendingOperation) -> None:
        """The cloud is about to be called."""
        ...

    def ended(self, number: int) -> None:
        """The cloud has answered, and the state says what came of it."""
        ...


@dataclass(kw_only=True)
class Outcome:
    """What a run did. ``snapshot`` is the state to keep; in a preview it is the state as it was."""

    project: str
    stack: str
    mode: Mode
    steps: list[Step] = field(default_factory=list[Step])
    resources: list[ResourceState] = field(default_factory=list[ResourceState])
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    violations: list[Violation] = field(default_factory=list[Violation])
    refusals: list[Refusal] = field(default_factory=list[Refusal])
    lightly_checked: tuple[str, ...] = ()
    """Types that the stand-in cloud knows only by their SDK class."""
    snapshot: Snapshot = field(default_factory=Snapshot)
    duration_seconds: float = 0.0

    @property
    def succeeded(self) -> bool:
        """Whether nothing was refused and no mandatory rule is broken."""
        return not self.refusals and not any(item.level == "mandatory" for item in self.violations)

    def summary(self) -> dict[str, int]:
        """How many resources each operation concerns."""
        counts: dict[str, int] = {}
        for step in self.steps:
            if step.logical:
                counts[step.op.value] = counts.get(step.op.value, 0) + 1
        return counts

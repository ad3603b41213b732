"""A run as data that may be shown: the one thing that every renderer reads.

Secrets leave here as ``[secret]`` and unknown values as ``[unknown]``; nothing after this module sees either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

from review.access import Access, access_document, access_of
from review.effects import effects
from review.recovery import Resilience, resilience_document, resilience_of
from sandbox.model import Op, Outcome, ResourceState, Step
from sandbox.values import Secret, redact

__all__ = [
    "ENGINE",
    "Change",
    "Notes",
    "Problem",
    "QuietRow",
    "Report",
    "ResourceRow",
    "RuleRow",
    "StepRow",
    "Verdict",
    "build",
    "document",
    "scrubber",
]

ENGINE: Final = "sandbox"
MIN_SECRET_LENGTH: Final = 4
ORDINARY: Final = frozenset({"true", "false", "null", "none"})
"""Words that hide nothing: the provider marks whole label maps as secret."""


@dataclass(frozen=True, slots=True)
class Change:
    """One property that changes; the values are already redacted."""

    path: str
    kind: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """One step of the engine."""

    op: str
    urn: str
    type: str
    name: str
    parent: str | None
    diff: tuple[Change, ...]
    replace_reasons: tuple[str, ...]
    not_compared: tuple[str, ...]
    effects: tuple[str, ...] = ()
    """What the update does to those who use it, such as a restart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRow:
    """One resource as it stands, or would stand, after the run."""

    urn: str
    type: str
    name: str
    parent: str | None
    dependencies: tuple[str, ...]
    protect: bool
    inputs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One policy rule that was applied."""

    id: str
    title: str
    level: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """One broken rule."""

    rule: str
    level: str
    urn: str
    message: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One refusal, in one sentence."""

    kind: str
    message: str
    urn: str | None
    code: int | None


@dataclass(frozen=True, slots=True)
class QuietRow:
    """Something that Google accepts and that then does not work, in one sentence that says what to do."""

    rule: str
    id: str
    message: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """What the reader must know beside the steps."""

    example_values: tuple[str, ...] = ()
    """Configuration keys that still say ``REPLACE_ME`` and for which a documented example value was used."""
    lightly_checked: tuple[str, ...] = ()
    """Resource types that are checked against the provider's schema only."""
    quiet: tuple[QuietRow, ...] = ()
    """What will be accepted and not work; empty too where no finished cloud was there to look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole run."""

    project: str
    stack: str
    mode: str
    duration_seconds: float
    summary: Mapping[str, int]
    steps: tuple[StepRow, ...]
    resources: tuple[ResourceRow, ...]
    rules: tuple[RuleRow, ...] = ()
    violations: tuple[Verdict, ...] = ()
    errors: tuple[Problem, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    access: Access = field(default_factory=Access)
    resilience: Resilience = field(default_factory=Resilience)
    notes: Notes = field(default_factory=Notes)

    @property
    def refused(self) -> bool:
        """Whether the cloud, the engine or a mandatory rule says no."""
        return bool(self.errors) or any(item.level == "mandatory" for item in self.violations)

    @property
    def misused(self) -> bool:
        """Whether the program refused what stands in the stack file."""
        return any(item.kind == "usage" for item in self.errors)

    @property
    def changes(self) -> int:
        """How many resources do not stay as they are."""
        return sum(count for op, count in self.summary.items() if op not in {Op.SAME, Op.READ})


def build(
    outcome: Outcome,
    *,
    rules: Sequence[RuleRow] = (),
    notes: Notes | None = None,
    secrets: Iterable[Any] = (),
) -> Report:
    """The report of ``outcome``; ``secrets`` are further secret values that a message could repeat."""
    scrub = scrubber(_values(outcome), secrets)
    return Report(
        project=outcome.project,
        stack=outcome.stack,
        mode=str(outcome.mode),
        duration_seconds=round(outcome.duration_seconds, 3),
        summary=outcome.summary(),
        # As in `pulumi preview --json`: a replacement is one step, not the three that carry it out.
        steps=tuple(_step(step) for step in outcome.steps if step.logical),
        resources=tuple(_resource(state) for state in outcome.resources if not state.delete),
        # A program that broke off was not judged.
        rules=() if any(item.kind in {"program", "usage"} for item in outcome.refusals) else tuple(rules),
        violations=tuple(
            Verdict(rule=item.rule, level=item.level, urn=item.urn, message=scrub(item.message))
            for item in outcome.violations
        ),
        errors=tuple(
            Problem(kind=item.kind, message=scrub(item.message), urn=item.urn, code=item.code)
            for item in outcome.refusals
        ),
        outputs=redact(outcome.outputs),
        access=access_of(outcome.resources),
        resilience=resilience_of(outcome.resources),
        notes=_scrubbed(notes or Notes(), scrub),
    )


def _scrubbed(notes: Notes, scrub: Callable[[str], str]) -> Notes:
    rows = tuple(replace(row, id=scrub(row.id), message=scrub(row.message)) for row in notes.quiet)
    return replace(notes, quiet=rows)


def scrubber(*holders: Iterable[Any]) -> Callable[[str], str]:
    """A function that takes every secret found in ``holders`` out of a text.

    Values are redacted by their marks; this is for sentences, in which a program or the cloud may have
    repeated a value.
    """
    found: set[str] = set()
    shown: set[str] = set(ORDINARY)
    for holder in holders:
        for value in holder:
            _collect(value, found, shown, inside=False)
    # A value that also stands unmarked is shown anyway.
    words = sorted((word for word in found - shown if len(word) >= MIN_SECRET_LENGTH), key=len, reverse=True)

    def scrub(text: str) -> str:
        for word in words:
            text = text.replace(word, "[secret]")
        return text

    return scrub


def document(report: Report) -> dict[str, Any]:
    """The report as ``report.schema.json`` describes it."""
    return {
        "project": report.project,
        "stack": report.stack,
        "engine": ENGINE,
        "mode": report.mode,
        "duration_seconds": report.duration_seconds,
        "refused": report.refused,
        "summary": dict(report.summary),
        "steps": [_step_document(step) for step in report.steps],
        "resources": [
            {
                "urn": row.urn,
                "type": row.type,
                "name": row.name,
                "parent": row.parent,
                "dependencies": list(row.dependencies),
                "protect": row.protect,
                "inputs": dict(row.inputs),
            }
            for row in report.resources
        ],
        "policies": {
            "rules": [{"id": rule.id, "title": rule.title, "level": rule.level} for rule in report.rules],
            "violations": [violation_document(item) for item in report.violations],
        },
        "errors": [
            {"kind": item.kind, "message": item.message, "urn": item.urn, "code": item.code}
            for item in report.errors
        ],
        "outputs": dict(report.outputs),
        "access": access_document(report.access),
        "resilience": resilience_document(report.resilience),
        "example_values": list(report.notes.example_values),
        "lightly_checked": list(report.notes.lightly_checked),
        "quiet_failures": [
            {"rule": row.rule, "id": row.id, "message": row.message, "source": row.source}
            for row in report.notes.quiet
        ],
    }


def violation_document(item: Verdict) -> dict[str, str]:
    """One verdict as JSON."""
    return {"rule": item.rule, "level": item.level, "urn": item.urn, "message": item.message}


def _step_document(step: StepRow) -> dict[str, Any]:
    return {
        "op": step.op,
        "urn": step.urn,
        "type": step.type,
        "name": step.name,
        "diff": [
            {"path": change.path, "kind": change.kind, "old": change.old, "new": change.new}
            for change in step.diff
        ],
        "replace_reasons": list(step.replace_reasons),
        "not_compared": list(step.not_compared),
        "effects": list(step.effects),
    }


def _step(step: Step) -> StepRow:
    state = step.new or step.old
    return StepRow(
        op=str(step.op),
        urn=step.urn,
        type=step.type,
        name=step.name,
        parent=(state.parent or None) if state is not None else None,
        diff=tuple(
            Change(path=item.path, kind=str(item.kind), old=redact(item.old), new=redact(item.new))
            for item in step.diff
        ),
        replace_reasons=step.replace_reasons,
        not_compared=step.not_compared,
        effects=effects(step),
    )


def _resource(state: ResourceState) -> ResourceRow:
    return ResourceRow(
        urn=state.urn,
        type=state.type,
        name=state.name,
        parent=state.parent or None,
        dependencies=tuple(state.dependencies),
        protect=state.protect,
        inputs=redact({key: value for key, value in state.inputs.items() if not key.startswith("__")}),
    )


def _values(outcome: Outcome) -> Iterable[Any]:
    yield outcome.outputs
    for state in (*outcome.resources, *outcome.snapshot.resources):
        yield state.inputs
        yield state.outputs
    for step in outcome.steps:
        for state in (step.old, step.new):
            if state is not None:
                yield state.inputs
                yield state.outputs


def _collect(value: Any, found: set[str], shown: set[str], *, inside: bool) -> None:
    if isinstance(value, Secret):
        _collect(value.value, found, shown, inside=True)
    elif isinstance(value, Mapping):
        for item in cast("Mapping[str, Any]", value).values():
            _collect(item, found, shown, inside=inside)
    elif isinstance(value, list | tuple):
        for item in cast("Sequence[Any]", value):
            _collect(item, found, shown, inside=inside)
    elif isinstance(value, str):
        (found if inside else shown).update((value, *value.splitlines()))

"""Outcomes as the engine answers them, written by hand: what the renderers are tried on."""

from __future__ import annotations

from typing import Any

from sandbox.model import (
    Mode,
    Op,
    Outcome,
    PropertyDiff,
    Refusal,
    ResourceState,
    Snapshot,
    Step,
    Violation,
)
from sandbox.values import UNKNOWN, DiffKind, Secret

PREFIX = "urn:pulumi:dev::aiprod"
STACK = f"{PREFIX}::pulumi:pulumi:Stack::aiprod-dev"
COMPONENT = f"{PREFIX}::aiprod:data:Postgres::postgres"
DATABASE = "gcp:sql/databaseInstance:DatabaseInstance"
BUCKET = "gcp:storage/bucket:Bucket"


def state(type: str, name: str, parent: str = COMPONENT, **fields: Any) -> ResourceState:
    """One resource of the stack."""
    fields.setdefault("custom", type.startswith("gcp:"))
    return ResourceState(urn=f"{PREFIX}::{type}::{name}", type=type, parent=parent, **fields)


def stack_state() -> ResourceState:
    """The root."""
    return ResourceState(urn=STACK, type="pulumi:pulumi:Stack", custom=False)


def component_state() -> ResourceState:
    """The component that owns the others."""
    return ResourceState(urn=COMPONENT, type="aiprod:data:Postgres", custom=False, parent=STACK)


def step(op: Op, old: ResourceState | None, new: ResourceState | None, **fields: Any) -> Step:
    """One step on a resource."""
    known = new or old
    assert known is not None
    return Step(op=op, urn=known.urn, type=known.type, old=old, new=new, **fields)


def sample(secret: str = "hunter2-hunter2", mode: Mode = Mode.PREVIEW) -> Outcome:
    """A preview with one step of each common kind, a secret wherever one can be."""
    before = state(DATABASE, "main", inputs={"settings": {"tier": "small"}, "rootPassword": Secret(secret)})
    after = state(
        DATABASE,
        "main",
        inputs={"settings": {"tier": "large"}, "rootPassword": Secret(f"{secret}-next")},
        outputs={"selfLink": UNKNOWN, "rootPassword": Secret(f"{secret}-next")},
        protect=True,
    )
    old_bucket = state(BUCKET, "uploads", inputs={"location": "EU"})
    new_bucket = state(BUCKET, "uploads", inputs={"location": "US", "token": [Secret({"deep": secret})]})
    created = state(BUCKET, "results", inputs={"__defaults": [], "name": UNKNOWN}, dependencies=[before.urn])
    gone = state(BUCKET, "old", inputs={"key": Secret(secret)})
    root, component = stack_state(), component_state()
    return Outcome(
        project="aiprod",
        stack="dev",
        mode=mode,
        steps=[
            step(Op.SAME, root, root),
            step(Op.SAME, component, component),
            step(
                Op.UPDATE,
                before,
                after,
                diff=(
                    PropertyDiff("settings.tier", DiffKind.UPDATE, "small", "large"),
                    PropertyDiff("rootPassword", DiffKind.UPDATE, Secret(secret), Secret(f"{secret}-next")),
                ),
                not_compared=("settings.token",),
            ),
            step(
                Op.REPLACE,
                old_bucket,
                new_bucket,
                diff=(
                    PropertyDiff("location", DiffKind.UPDATE_REPLACE, "EU", "US"),
                    PropertyDiff("token", DiffKind.ADD, None, [Secret({"deep": secret})]),
                ),
                replace_reasons=("location",),
            ),
            step(Op.CREATE_REPLACEMENT, old_bucket, new_bucket),
            step(Op.CREATE, None, created),
            step(Op.DELETE, gone, None),
            step(Op.DELETE_REPLACED, old_bucket, None),
        ],
        resources=[root, component, after, new_bucket, created],
        outputs={"host": "api.dev.aiprod.ai", "password": Secret(secret), "id": UNKNOWN},
        violations=[
            Violation(
                rule="sql-backups", level="mandatory", urn=after.urn, message=f"keeps no backups of {secret}"
            ),
            Violation(rule="labels", level="advisory", urn="", message="a label | is missing"),
        ],
        refusals=[
            Refusal(
                kind="cloud",
                message=f"settings.tier must be a known tier, got {secret}: choose one",
                urn=after.urn,
                code=400,
            )
        ],
        snapshot=Snapshot(resources=[root, component, before, old_bucket, gone]),
        duration_seconds=1.25,
    )


def many(count: int) -> Outcome:
    """A preview that creates ``count`` buckets with long names."""
    root, component = stack_state(), component_state()
    buckets = [state(BUCKET, f"bucket-{index:05d}-{'x' * 40}") for index in range(count)]
    return Outcome(
        project="aiprod",
        stack="dev",
        mode=Mode.PREVIEW,
        steps=[step(Op.CREATE, None, bucket) for bucket in buckets],
        resources=[root, component, *buckets],
    )

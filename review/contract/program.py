"""What the program says to an image in one environment: a preview, and its update on an empty cloud."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console

from policies.model import Resource
from review.adapting import adapt
from review.contract.reading import metrics_read
from review.contract.wiring import BucketOf, EdgeOf, QueueOf, Uptime, buckets, edge, queues, uptime
from review.contract.workloads import Workload, workloads
from review.workspace import Ground, add_existing, evaluate, settings_of
from sandbox.cloud import World
from sandbox.errors import UsageError
from sandbox.model import Mode, Snapshot
from sandbox.project import Program, StackSettings

__all__ = ["Given", "given", "given_by"]

_CACHE = "gcp:redis/instance:Instance"
_NAT = "gcp:compute/routerNat:RouterNat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the images get in one environment."""

    stack: str
    project: str
    example_values: tuple[str, ...]
    """Paths of the stack file that stand as REPLACE_ME, so that what follows from them is an example."""
    workloads: tuple[Workload, ...]
    queues: tuple[QueueOf, ...]
    buckets: tuple[BucketOf, ...]
    edge: EdgeOf | None
    uptime: tuple[Uptime, ...]
    egress_addresses: Mapping[str, int]
    """Region to the number of reserved addresses that its requests come from."""
    eviction: tuple[str, ...]
    metrics_read: tuple[str, ...]


def given(program: Program, stack: str, progress: Console) -> Given:
    """Raises UsageError where the program of the stack fails or is refused, or runs no image."""
    settings = settings_of(program, stack)
    planned = _run(program, stack, settings, Mode.PREVIEW, progress)
    made = _run(program, stack, settings, Mode.UPDATE, progress)
    found = given_by(stack, made, planned, tuple(sorted(settings.examples)))
    if not found.workloads:
        raise UsageError(f"the program of {stack} runs no image, so it has no contract: give it a release")
    return found


def given_by(
    stack: str, made: Sequence[Resource], planned: Sequence[Resource], examples: tuple[str, ...] = ()
) -> Given:
    """From the resources of an update and of the preview before it."""
    users = workloads(made, {one.urn: one for one in planned})
    return Given(
        stack=stack,
        project=next((value for one in users if (value := one.value("GOOGLE_CLOUD_PROJECT"))), ""),
        example_values=examples,
        workloads=users,
        queues=queues(made, users),
        buckets=buckets(made, users),
        edge=edge(made),
        uptime=uptime(made),
        egress_addresses=dict(
            sorted((str(one.get("region")), len(one.strings("natIps"))) for one in made if one.type == _NAT)
        ),
        eviction=tuple(
            sorted(
                {
                    str(one.get("redisConfigs", {}).get("maxmemory-policy"))
                    for one in made
                    if one.type == _CACHE
                }
            )
        ),
        metrics_read=metrics_read(made),
    )


def _run(
    program: Program, stack: str, settings: StackSettings, mode: Mode, progress: Console
) -> list[Resource]:
    world = World()
    add_existing(world, settings)
    ground = Ground(snapshot=Snapshot(), world=world)
    outcome = evaluate(
        program, stack, settings, ground, mode, progress=progress, analyze=False, label="contract"
    )
    for refusal in outcome.refusals:
        raise UsageError(f"the program of {stack} is refused ({refusal.message}): run make preview")
    return [adapt(one) for one in outcome.resources]

"""Where the messages of a queue are when they failed, as the program declares it; for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from rich.console import Console

from review.stack_project import project_of, settings_for
from review.workspace import Ground, Workspace, evaluate
from sandbox.cloud import World
from sandbox.cloud.data import as_list, as_map, at, plain
from sandbox.errors import UsageError
from sandbox.model import Mode, ResourceState, Snapshot

__all__ = ["Queue", "queue_of"]

_TOPIC: Final = "gcp:pubsub/topic:Topic"
_SUBSCRIPTION: Final = "gcp:pubsub/subscription:Subscription"
# The output that names each queue's topic.
_OUTPUT: Final = "topics"


class Queue(NamedTuple):
    """Physical names, and a region that the topic admits."""

    project: str
    region: str
    topic: str
    dead_letter_subscription: str

    def line(self) -> str:
        """Everything, apart by spaces."""
        return " ".join(self)


def queue_of(work: Workspace, stack: str, queue: str, *, real: bool) -> Queue:
    """The queue of that name among the output ``topics``.

    Raises UsageError like ``project_of``, and on a queue that the program does not declare or whose dead
    letters nothing keeps.
    """
    project = project_of(work, stack, real=real)
    ground = Ground(snapshot=Snapshot(), world=World())
    outcome = evaluate(
        work.program,
        stack,
        settings_for(work, stack, real=real),
        ground,
        Mode.PREVIEW,
        progress=Console(quiet=True),
        analyze=False,
    )
    for refusal in outcome.refusals:
        raise UsageError(f"the program of {stack} is refused ({refusal.message}): run make preview")
    topics = as_map(plain(outcome.outputs.get(_OUTPUT))) or {}
    if queue not in topics:
        raise UsageError(
            f"QUEUE must be one that {stack} declares, got {queue!r}: name {', '.join(sorted(topics))}"
        )
    return Queue(project, *_places(str(topics[queue]), outcome.resources))


def _places(topic: str, resources: Sequence[ResourceState]) -> tuple[str, str, str]:
    """By what depends on what: an id is not known before it is made."""
    urns = {row.urn for row in resources if row.type == _TOPIC and plain(row.inputs).get("name") == topic}
    subscriptions = [row for row in resources if row.type == _SUBSCRIPTION]
    dead = {
        urn
        for row in subscriptions
        if urns & set(row.property_dependencies.get("topic", ()))
        for urn in row.property_dependencies.get("deadLetterPolicy", ())
    }
    kept = [
        str(plain(row.inputs).get("name"))
        for row in subscriptions
        if dead & set(row.property_dependencies.get("topic", ()))
    ]
    regions = [
        str(region)
        for row in resources
        if row.urn in urns
        for region in as_list(at(plain(row.inputs), "messageStoragePolicy.allowedPersistenceRegions")) or []
    ]
    if len(kept) != 1 or not regions:
        raise UsageError(
            f"topic {topic} must have one subscription that keeps its dead letters, and regions, got "
            f"{len(kept)} and {len(regions)}: correct the program"
        )
    return regions[0], topic, kept[0]

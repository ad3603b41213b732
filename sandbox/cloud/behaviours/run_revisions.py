"""Cloud Run: shares and tags go to revisions that there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sandbox.cloud.behaviours.table import Call, Phase, Problem, behaviour
from sandbox.cloud.data import as_map
from sandbox.cloud.revisions import has_revision

_SERVICE: Final = "gcp:cloudrunv2/service:Service"
_POOL: Final = "gcp:cloudrunv2/workerPool:WorkerPool"
_SHARES: Final = {_SERVICE: "traffics", _POOL: "instanceSplits"}


@behaviour(
    "RUN-023",
    (_SERVICE, _POOL),
    (Phase.CREATE, Phase.UPDATE),
    400,
    "INVALID_ARGUMENT",
    "issue threads: Revision X does not exist or is deleted. Update all traffic",
)
def revision_missing(call: Call) -> Iterator[Problem]:
    """A share of a revision that there is not; a new service has none but its own."""
    path = _SHARES[call.type]
    for index, share in enumerate(call.blocks(path)):
        name = share.get("revision")
        if not isinstance(name, str) or not name:
            continue
        template = as_map(call.get("template")) or {}
        if not has_revision(call.world, call.type, call.id, name, template):
            where = f"{path}[{index}].revision"
            yield Problem(
                where, f"`{where}`: there is no revision {name}; name one that is there, or the latest."
            )

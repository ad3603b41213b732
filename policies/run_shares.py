"""Which revisions of a service or a worker pool answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from policies.model import SECRET, UNKNOWN, Resource, number, rule, say, text

__all__ = ["RULES"]

_SHARES: Final = {
    "gcp:cloudrunv2/service:Service": "traffics",
    "gcp:cloudrunv2/workerPool:WorkerPool": "instanceSplits",
}


@rule(
    "run-shares-add-up",
    "Shares of revisions add up to 100, and name revisions of their own service",
    controls=("RUN-14",),
    source="OPT-4.7, Cloud Run: percentages must total 100",
    types=tuple(_SHARES),
)
def shares_add_up(resource: Resource) -> Iterator[str]:
    path = _SHARES[resource.type]
    shares = list(resource.each(path))
    if not shares or any(share.get("percent") in (UNKNOWN, SECRET) for share in shares):
        return
    # `each` leaves out a share that is hidden as a whole: then there is no sum to judge.
    if any(share in (UNKNOWN, SECRET) for share in resource.get(path)):
        return
    total = sum(number(share.get("percent")) or 0 for share in shares)
    if total != 100:
        yield say(resource, path, "add up to 100 %", f"{total:g} %", "correct the shares")
    name = text(resource.get("name"))
    for share in shares:
        revision = text(share.get("revision"))
        if name is not None and revision is not None and not revision.startswith(f"{name}-"):
            yield say(
                resource,
                share.within("revision"),
                f"be a revision of {name}",
                revision,
                "take it from `gcloud run revisions list`",
            )


RULES = (shares_add_up,)

"""Where a service stands in its walk, read from its shares and its record; pure.

A walk is halfway while its record is open and the walked revision has a share, at 100 % as well: until the
last step was watched. Where somebody took that share away by hand the record is over, whatever it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .google import Live

__all__ = ["Standing", "StuckError", "half_given_back", "standing", "standings", "strange", "walked_again"]


class StuckError(Exception):
    """Traffic that is none of a walk, or that cannot be given back; one sentence for a person."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Where a service stands in its walk."""

    kind: Literal["settled", "begins", "halfway", "strange", "walked_again"]
    new: str
    """Revision that is walked; when settled, the one that serves."""
    stable: str
    """Revision that keeps what the new one has not; empty where nothing says which it is."""
    percent: int
    """Share of the new one."""
    walk: str = ""
    """The walk it belongs to; empty before one, and for shares that were set by hand."""

    @property
    def moves(self) -> bool:
        """Whether it is between two revisions."""
        return self.kind in ("halfway", "strange")


def standing(live: Live) -> Standing:
    """Where a service stands; `strange` on shares that no walk leaves behind."""
    shares, record = dict(live.shares), live.record
    if record is not None and record.state == "walking" and shares.get(record.walked):
        return Standing(
            kind="halfway" if set(shares) <= {record.walked, record.stable} else "strange",
            new=record.walked,
            stable=record.stable,
            percent=shares[record.walked],
            walk=record.walk,
        )
    new = live.ready
    others = [revision for revision in shares if revision != new]
    if not others:
        return Standing(kind="settled", new=new, stable=new, percent=100)
    if len(shares) == 1:
        return Standing(kind="begins", new=new, stable=others[0], percent=0)
    if len(shares) == 2 and new in shares:
        # By hand: a walk would have written its record.
        return Standing(kind="halfway", new=new, stable=others[0], percent=shares[new])
    return Standing(kind="strange", new=new, stable="", percent=shares.get(new, 0))


def standings(lives: Iterable[Live]) -> dict[str, Standing]:
    """The same of each region, which stand together: one that is noted as released is halfway too while the
    walk goes on in another one, or was given back there.
    """
    each = list(lives)
    found = {live.name: standing(live) for live in each}
    records = [live.record for live in each]
    walks = _walks(found) | {one.walk for one in records if one and one.state == "given-back"}
    for live in each:
        record = live.record
        if record is None or record.walk not in walks or record.state != "released":
            continue
        if set(live.shares) == {record.walked}:
            found[live.name] = Standing(
                kind="halfway", new=record.walked, stable=record.stable, percent=100, walk=record.walk
            )
    return found


def half_given_back(lives: Iterable[Live], found: Mapping[str, Standing]) -> bool:
    """Whether a walk that is halfway in one region was given back in another one."""
    walks = _walks(found)
    return any(
        live.record is not None and live.record.walk in walks and not found[live.name].moves for live in lives
    )


def walked_again(lives: Sequence[Live], found: Mapping[str, Standing]) -> bool:
    """Whether a region's newest revision is the one of the walk that is halfway."""
    walks = _walks(found)
    return any(
        live.ready == found[live.name].new
        if found[live.name].moves
        else live.record is not None and live.record.walk in walks and live.ready == live.record.walked
        for live in lives
    )


def strange(live: Live) -> str:
    """The sentence on shares of no walk."""
    found = ", ".join(f"{revision} {percent} %" for revision, percent in live.shares.items())
    return (
        f"{live.region}: traffic must be on one revision, or on the newest and one before it, got {found}: "
        f"give all to the one that is good with `back --revision {live.region}=NAME`, then begin again"
    )


def _walks(found: Mapping[str, Standing]) -> set[str]:
    return {one.walk for one in found.values() if one.moves and one.walk}

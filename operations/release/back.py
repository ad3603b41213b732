"""The way back: everything to the stable revision of the record, in every region that answers."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence

from .google import Google, GoogleError, Live
from .record import Record
from .standing import Standing, StuckError, standings, strange

__all__ = ["Back", "region_of"]

_ROUNDS = 3
_PAUSE_SECONDS = 2


def region_of(name: str) -> str:
    """The region in the full name of a service."""
    return name.split("/")[3]


class Back:
    """Gives back, by itself or because somebody asked for it."""

    def __init__(
        self,
        google: Google,
        services: Sequence[str],
        say: Callable[[str], None],
        sleep: Callable[[float], None],
    ) -> None:
        """`services`: full names of the service in its regions."""
        self._google = google
        self._services = services
        self._say = say
        self._sleep = sleep
        self._left: list[str] = []
        self._refused: list[str] = []

    def by_itself(self, found: Mapping[str, Standing], why: str) -> int:
        """A walk is over: what it gave comes back; 1. Raises StuckError where it does not."""
        self._give(found, why, asked=False)
        self._end()
        return 1

    def asked(self, *, only_halfway: bool, revisions: Mapping[str, str]) -> int:
        """By the records, or to the revisions that are named, by region; 0.

        Raises ValueError on a revision that there is not, before anything is moved, and StuckError on what
        cannot be given back, after everything else was.
        """
        lives = self._lives()
        if not lives and not self._left and not only_halfway:
            self._refused.append("the service must be in one region at least, it is in none: is STACK right?")
        if revisions:
            targets = self._named(lives, revisions)
        else:
            found = standings(lives)
            if any(one.moves for one in found.values()):
                targets = self._moving(lives, found)
            elif only_halfway:
                self._say("nothing to give back: no region is between two revisions")
                targets = dict[str, Standing]()
            else:
                targets = self._settled(lives)
            targets = self._that_are_there(lives, targets)
        self._give(targets, "asked for", asked=True)
        self._end()
        return 0

    def _lives(self) -> list[Live]:
        lives = list[Live]()
        for name in self._services:
            try:
                live = self._google.find(name)
            except GoogleError as error:
                self._left.append(f"{region_of(name)}: {error}")
                continue
            if live is None:
                self._say(f"{region_of(name)}: there is no service, so nothing to give back")
            else:
                lives.append(live)
        return lives

    def _named(self, lives: Sequence[Live], revisions: Mapping[str, str]) -> dict[str, Standing]:
        targets = dict[str, Standing]()
        found = standings(lives)
        for live in lives:
            named, one = revisions.get(live.region, revisions.get("", "")), found[live.name]
            if not named:
                self._say(f"{live.region}: stays as it is, no revision of it is named")
                continue
            if one.moves and named == one.new:
                raise ValueError(
                    f"revision must be another than the one that is walked, got {named} for {live.region}: "
                    "go on with the walk"
                )
            there = self._google.revisions(live.name)
            if not there.get(named):
                started = ", ".join(name for name, good in there.items() if good)
                raise ValueError(
                    f"revision must be one of {live.region} that has started ({started}), got {named}: "
                    f"name it with --revision {live.region}=NAME"
                )
            if dict(live.shares) == {named: 100}:
                self._say(f"{live.region}: {named} serves already")
                continue
            # After a release it is a choice for this region, which binds no other one.
            gone = one.new if one.moves else next(iter(live.shares))
            targets[live.name] = Standing(
                kind="halfway", new=gone, stable=named, percent=one.percent, walk=one.walk
            )
        return targets

    def _moving(self, lives: Sequence[Live], found: Mapping[str, Standing]) -> dict[str, Standing]:
        targets = dict[str, Standing]()
        for live in lives:
            one = found[live.name]
            if not one.moves:
                self._say(f"{live.region}: stays on {', '.join(live.shares)}")
            elif one.stable:
                targets[live.name] = one
            else:
                self._refused.append(strange(live))
        return targets

    def _settled(self, lives: Sequence[Live]) -> dict[str, Standing]:
        targets = dict[str, Standing]()
        over = {live.record.walk: live for live in lives if live.record and _is_back(live, live.record)}
        for live in lives:
            serving, record = next(iter(live.shares)), live.record
            if record is not None and serving == record.walked and over and record.walk not in over:
                # Otherwise it would go two releases back here, and one there.
                region = next(iter(over.values())).region
                self._refused.append(
                    f"{live.region}: {serving} is of another release than the one that is back in {region}: "
                    f"name {record.stable} or another one with `back --revision {live.region}=NAME`"
                )
            elif record is not None and serving == record.walked:
                targets[live.name] = Standing(
                    kind="halfway", new=serving, stable=record.stable, percent=100, walk=record.walk
                )
            elif record is not None and _is_back(live, record):
                self._say(
                    f"{live.region}: {serving} serves, the stable one of the last release: nothing to do"
                )
            else:
                self._without_record(live, serving)
        return targets

    def _without_record(self, live: Live, serving: str) -> None:
        try:
            there = self._google.revisions(live.name)
        except GoogleError as error:
            self._left.append(f"{live.region}: {error}")
            return
        others = [name for name, good in there.items() if good and name != serving]
        if others:
            self._refused.append(
                f"{live.region}: {serving} serves, and no release recorded a stable revision before it: "
                f"name one of {', '.join(others[:5])} with `back --revision {live.region}=NAME`"
            )
        else:
            self._say(f"{live.region}: stays on {serving}, there is no other revision")

    def _that_are_there(self, lives: Sequence[Live], targets: dict[str, Standing]) -> dict[str, Standing]:
        """Without those whose stable revision is gone; one that serves is there."""
        for live in lives:
            one = targets.get(live.name)
            if one is None or one.stable in live.shares:
                continue
            try:
                there = self._google.revisions(live.name)
            except GoogleError:
                # Trying costs nothing: Google refuses a revision that there is not.
                continue
            if not there.get(one.stable):
                del targets[live.name]
                others = [name for name, good in there.items() if good and name != one.new]
                self._refused.append(
                    f"{live.region}: the stable revision {one.stable} of the record is gone: "
                    f"name one of {', '.join(others[:5]) or 'none that started'} with "
                    f"`back --revision {live.region}=NAME`"
                )
        return targets

    def _give(self, found: Mapping[str, Standing], why: str, *, asked: bool) -> None:
        """In rounds, so that a region that does not answer keeps no other one waiting."""
        remaining, problems = dict(found), dict[str, str]()
        for attempt in range(_ROUNDS):
            if attempt and remaining:
                self._sleep(_PAUSE_SECONDS)
            for name, one in list(remaining.items()):
                try:
                    self._one(name, one, why, asked=asked)
                    del remaining[name]
                except GoogleError as error:
                    problems[name] = str(error)
        self._left += [f"{region_of(name)}: {problems[name]}" for name in remaining]

    def _one(self, name: str, one: Standing, why: str, *, asked: bool) -> None:
        live = self._google.service(name)
        record, shares = live.record, {one.stable: 100}
        if not asked and one.new not in live.shares:
            # Not begun here, or given back by a person meanwhile, who may have had another one in mind.
            shares = dict(live.shares)
            if record is None or record.walk != one.walk or record.state != "walking":
                self._say(f"{live.region}: stays on {', '.join(shares)}")
                return
        closed = Record(
            stable=one.stable,
            walked=one.new,
            state="given-back",
            walk=one.walk or uuid.uuid4().hex,
            by=record.by if record is not None else "",
        )
        self._google.share(live, shares, closed)
        self._say(f"{live.region}: back on {', '.join(shares)} ({why})")

    def _end(self) -> None:
        sentences = list(self._refused)
        if self._left:
            sentences.insert(
                0,
                f"traffic could NOT be given back in {'; '.join(self._left)}: set it by hand now, "
                "docs/runbooks/deploy-rollback.md",
            )
        if sentences:
            raise StuckError("; ".join(sentences))


def _is_back(live: Live, record: Record) -> bool:
    return record.stable in live.shares and record.walked not in live.shares

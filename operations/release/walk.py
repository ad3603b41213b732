"""The walk: one service in its regions, from the stable revision to the new one, step by step, or back.

Everything that it needs to know stands in Cloud Run: which revision has which share, and the record beside
it. So a walk that was killed goes on when it is started again, with the step at which it stood, watched anew;
one whose giving back was killed is given back first. A second walk at the same time takes the first one over,
which stops when it sees the record.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from .back import Back, region_of
from .decide import Rules, Sample, Verdict, decide
from .google import Google, GoogleError, Live, MovedError
from .record import Record, State
from .standing import Standing, StuckError, half_given_back, standings, strange, walked_again

__all__ = ["STEPS", "Place", "Walk"]

STEPS = (1, 10, 50, 100)
_TICK_SECONDS = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """What is released."""

    project: str
    services: Sequence[str]
    """Full names of the service in its regions."""
    objectives: Sequence[str]
    """Full names."""

    @property
    def service(self) -> str:
        """Short name."""
        return self.services[0].rsplit("/", 1)[-1]


class Walk:
    """The four commands; each returns the exit code: 0 done, 1 not released, given back or halfway."""

    def __init__(
        self,
        google: Google,
        place: Place,
        rules: Rules,
        say: Callable[[str], None],
        sleep: Callable[[float], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._google = google
        self._place = place
        self._rules = rules
        self._say = say
        self._sleep = sleep
        self._now = now
        self._by = uuid.uuid4().hex
        self._known = dict[str, tuple[dict[str, int], Record | None]]()

    def status(self) -> int:
        """Say where traffic is; 1 while it is between two revisions."""
        lives = [live for name in self._place.services if (live := self._there(name)) is not None]
        found = standings(lives)
        for live in lives:
            one = found[live.name]
            shares = ", ".join(f"{revision} {percent} %" for revision, percent in live.shares.items())
            match one.kind:
                case "begins":
                    more = f"; {one.new} waits"
                case "halfway":
                    more = f"; halfway from {one.stable} to {one.new}, not ended"
                case "strange":
                    more = "; shares of no walk"
                case _:
                    more = ""
            self._say(f"{live.region}: {shares}{more}{'; follows the newest' if live.follows else ''}")
        return int(any(one.moves for one in found.values()))

    def hold(self) -> int:
        """Name the revision that serves, so that the next one gets nothing until it is walked."""
        for name in self._place.services:
            live = self._there(name)
            if live is not None and live.follows and live.ready:
                self._google.share(live, live.shares)
                self._say(f"{live.region}: held at {', '.join(live.shares)}")
        return 0

    def walk(self) -> int:
        """Give the new revision more, step by step, and everything back as soon as it is worse."""
        try:
            return self._walk()
        except KeyboardInterrupt:
            self._say(
                "interrupted, and traffic stays as it is: the same command goes on from there, "
                "`back` gives it back"
            )
            return 130

    def back(self, *, only_halfway: bool = False, revisions: Mapping[str, str] | None = None) -> int:
        """Everything to the stable revision: of the walk in its middle, of the last one after it.

        `only_halfway`: nothing where no region is between two revisions. `revisions`: by region, or for all
        of them under an empty text; only these are moved.
        """
        return self._way_back().asked(only_halfway=only_halfway, revisions=revisions or {})

    def _walk(self) -> int:
        lives = [live for name in self._place.services if (live := self._there(name)) is not None]
        if len(lives) < len(self._place.services):
            self._say("not begun: the service must be in every region: run `make up` first")
            return 1
        for live in lives:
            if live.newest != live.ready:
                self._say(
                    f"{live.region}: revision {live.newest} did not start, so it gets nothing; see its log"
                )
                return 1
        found = standings(lives)
        for live in lives:
            if found[live.name].kind == "strange":
                raise StuckError(strange(live))
        if all(one.kind == "settled" for one in found.values()):
            self._say("nothing to release: every region serves its newest revision")
            return self.hold()
        over = self._over(lives, found)
        if over:
            code = self._way_back().by_itself({name: one for name, one in found.items() if one.moves}, over)
            return code if walked_again(lives, found) else self._walk()
        begun = max((one.percent for one in found.values() if one.kind == "halfway"), default=0)
        if not begun:
            burning = self._burning()
            if burning:
                self._say(f"not begun: {burning}; release when it burns no more")
                return 1
        walk = next((one.walk for one in found.values() if one.walk), uuid.uuid4().hex)
        self._known = {live.name: (dict(live.shares), live.record) for live in lives}
        return self._walked(
            {name: replace(one, walk=walk) for name, one in found.items()},
            next(step for step in STEPS if step >= begun),
        )

    def _over(self, lives: Sequence[Live], found: Mapping[str, Standing]) -> str:
        """Why a walk that is halfway cannot go on; empty when it can."""
        if half_given_back(lives, found):
            return "it was given back in another region already"
        for live in lives:
            if found[live.name].moves and found[live.name].new != live.ready:
                return f"revision {live.ready} came in between, in {live.region}"
        return ""

    def _walked(self, found: Mapping[str, Standing], first: int) -> int:
        moving = {name: one for name, one in found.items() if one.kind != "settled"}
        try:
            for step in STEPS[STEPS.index(first) :]:
                self._raise_to(found, step)
                self._say(f"{step} %: watched for {self._rules.soak_seconds / 60:g} minutes at least")
                verdict = self._watch(found)
                if verdict.kind == "back":
                    return self._way_back().by_itself(moving, f"{step} %: {verdict.why}")
                self._say(f"{step} %: on, for {verdict.why}")
            return self._note(moving)
        except MovedError as error:
            self._say(f"stopped, and nothing was given back: {error}")
            return 1
        except GoogleError as error:
            self._say(f"{error}; so everything goes back")
            return self._way_back().by_itself(moving, "the walk could not go on")

    def _raise_to(self, found: Mapping[str, Standing], step: int) -> None:
        for name, one in found.items():
            if one.kind == "settled":
                self._set(name, {one.new: 100}, None)
            else:
                shares = {one.new: step, one.stable: 100 - step} if step < 100 else {one.new: 100}
                self._set(name, shares, self._record(one, "walking"))

    def _record(self, one: Standing, state: State) -> Record:
        return Record(stable=one.stable, walked=one.new, state=state, walk=one.walk, by=self._by)

    def _note(self, moving: Mapping[str, Standing]) -> int:
        """Close the records. The traffic is right by now, so a failure here gives nothing back."""
        left: list[str] = []
        for name, one in moving.items():
            try:
                self._set(name, {one.new: 100}, self._record(one, "released"))
            except MovedError:
                raise
            except GoogleError as error:
                left.append(f"{region_of(name)}: {error}")
        if left:
            self._say(
                f"every region serves the new revision, which could not be noted in {'; '.join(left)}: "
                "the same command watches the last step again and notes it"
            )
            return 1
        self._say("released: " + ", ".join(f"{one.new} instead of {one.stable}" for one in moving.values()))
        return 0

    def _set(self, name: str, shares: Mapping[str, int], record: Record | None) -> None:
        """From what this walk left there, and from nothing else."""
        live = self._google.service(name)
        wanted = (dict(shares), record or live.record)
        if self._left(live) != wanted or live.follows:
            self._check(live)
            self._google.share(live, shares, record)
        self._known[name] = wanted

    def _check(self, live: Live) -> None:
        if self._left(live) != self._known[live.name]:
            raise MovedError(f"{live.region}: somebody else moved the traffic: look at it first")

    @staticmethod
    def _left(live: Live) -> tuple[dict[str, int], Record | None]:
        return dict(live.shares), live.record

    def _watch(self, found: Mapping[str, Standing]) -> Verdict:
        began = self._now()
        verdict = Verdict(kind="wait", why="")
        while verdict.kind == "wait":
            self._sleep(_TICK_SECONDS)
            elapsed = (self._now() - began).total_seconds()
            for name, one in found.items():
                live = self._google.service(name)
                self._check(live)
                if live.newest != one.new:
                    return Verdict(
                        kind="back", why=f"revision {live.newest} came in between, in {live.region}"
                    )
            verdict = self._judge(found, began, elapsed)
        return verdict

    def _judge(self, found: Mapping[str, Standing], began: datetime, elapsed: float) -> Verdict:
        moving = [one for one in found.values() if one.kind != "settled"]
        sides = {"new": {one.new for one in moving}, "stable": {one.stable for one in moving}}
        try:
            samples = self._google.samples(self._place.project, self._place.service, sides, began)
            burn = {
                _short(name): self._google.burn(self._place.project, name) for name in self._place.objectives
            }
        except GoogleError as error:
            # Blind is no verdict: waited for, and back once the patience is over.
            self._say(str(error))
            burn = {"Cloud Monitoring": None}
            samples = {
                "new": Sample(requests=self._rules.minimum_requests, errors=0, p95_ms=0.0),
                "stable": Sample(requests=0, errors=0),
            }
        return decide(self._rules, elapsed, samples["new"], samples["stable"], burn)

    def _burning(self) -> str:
        for name in self._place.objectives:
            rate = self._google.burn(self._place.project, name)
            if rate is not None and rate >= self._rules.burn_limit:
                return f"objective {_short(name)} burns its budget {rate:.1f} times too fast"
        return ""

    def _there(self, name: str) -> Live | None:
        live = self._google.find(name)
        if live is None:
            self._say(f"{region_of(name)}: there is no service yet")
        return live

    def _way_back(self) -> Back:
        return Back(self._google, self._place.services, self._say, self._sleep)


def _short(name: str) -> str:
    return name.rsplit("/", 1)[-1]

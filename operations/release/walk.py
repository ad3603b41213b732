"""The walk: one service in its regions, from the stable revision to the new one, step by step, or back.

Everything that it needs to know stands in Cloud Run: which revision has which share. So a walk that was
killed goes on when it is started again, with the step at which it stood, watched anew; nothing is kept
beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from .decide import Rules, Sample, Verdict, decide
from .google import Google, GoogleError, Live, MovedError

__all__ = ["Place", "Standing", "StuckError", "Walk", "standing"]

STEPS = (1, 10, 50, 100)
_TICK_SECONDS = 60
_ATTEMPTS = 3


class StuckError(Exception):
    """Traffic that is none of a walk, or that cannot be given back; one sentence for a person."""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Where a service stands in its walk."""

    kind: Literal["settled", "begins", "halfway"]
    new: str
    """Newest revision that started."""
    stable: str
    """Revision that keeps what the new one has not; the new one itself when settled."""
    percent: int
    """Share of the new one."""


def standing(live: Live) -> Standing:
    """Where a service stands. Raises StuckError on shares that no walk leaves behind."""
    new, shares = live.ready, dict(live.shares)
    percent = shares.pop(new, 0)
    if not shares:
        return Standing(kind="settled", new=new, stable=new, percent=100)
    first, *others = sorted(shares, key=lambda revision: -shares[revision])
    if others and percent:
        raise StuckError(_strange(live))
    if others and shares[first] == shares[others[0]]:
        raise StuckError(_strange(live))
    # Two revisions and a third, newer one: the walk of the second was overtaken.
    kind = "halfway" if percent or others else "begins"
    return Standing(kind=kind, new=new, stable=first, percent=percent)


def _strange(live: Live) -> str:
    found = ", ".join(f"{revision} {percent} %" for revision, percent in live.shares.items())
    return (
        f"{live.region}: traffic must be on one revision, or on the newest and one before it, got {found}: "
        "give all to the one that is good with `gcloud run services update-traffic`, then begin again"
    )


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

    def status(self) -> int:
        """Say where traffic is; 1 while it is between two revisions."""
        halfway = False
        for live in self._lives():
            found = standing(live)
            halfway = halfway or found.kind == "halfway"
            shares = ", ".join(f"{revision} {percent} %" for revision, percent in live.shares.items())
            waits = f"; {found.new} waits" if found.kind == "begins" else ""
            self._say(f"{live.region}: {shares}{waits}{'; follows the newest' if live.follows else ''}")
        return int(halfway)

    def hold(self) -> int:
        """Name the revision that serves, so that the next one gets nothing until it is walked."""
        for name in self._place.services:
            live = self._google.find(name)
            if live is None:
                self._say(f"{name}: not there yet, nothing to hold")
            elif live.follows:
                self._set(live, live.shares)
                self._say(f"{live.region}: held at {', '.join(live.shares)}")
        return 0

    def walk(self) -> int:
        """Give the new revision more, step by step, and everything back as soon as it is worse."""
        lives = self._lives()
        for live in lives:
            if live.newest != live.ready:
                self._say(
                    f"{live.region}: revision {live.newest} did not start, so it gets nothing; see its log"
                )
                return 1
        found = {live.name: standing(live) for live in lives}
        if all(one.kind == "settled" for one in found.values()):
            self._say("nothing to release: every region serves its newest revision")
            return self.hold()
        begun = max((one.percent for one in found.values() if one.kind != "settled"), default=0)
        if not begun:
            burning = self._burning()
            if burning:
                self._say(f"not begun: {burning}; release when it burns no more")
                return 1
        try:
            return self._steps(found, next((step for step in STEPS if step >= begun), 100))
        except MovedError as error:
            self._say(f"stopped, and nothing was given back: {error}")
            return 1
        except GoogleError as error:
            self._say(f"{error}; so everything goes back")
            return self._back(found, "the walk could not go on")
        except KeyboardInterrupt:
            self._say(
                "interrupted, and traffic stays as it is: the same command goes on from there, "
                "`back` gives it back"
            )
            return 130

    def back(self) -> int:
        """Everything to the stable revision, or, when the newest serves alone, to the one before it."""
        found: dict[str, Standing] = {}
        for live in self._lives():
            one = standing(live)
            if one.kind == "settled":
                before = self._google.before(live, one.new)
                if before is None:
                    raise StuckError(
                        f"{live.region}: there is no revision before {one.new}: nothing to go back to"
                    )
                one = Standing(kind="halfway", new=one.new, stable=before, percent=100)
            found[live.name] = one
        code = self._back(found, "asked for")
        return 0 if code == 1 else code

    def _steps(self, found: Mapping[str, Standing], first: int) -> int:
        for step in STEPS[STEPS.index(first) :]:
            self._raise_to(found, step)
            self._say(f"{step} %: watched for {self._rules.soak_seconds / 60:g} minutes at least")
            verdict = self._watch(found, step)
            if verdict.kind == "back":
                return self._back(found, f"{step} %: {verdict.why}")
            self._say(f"{step} %: on, for {verdict.why}")
        self._say("released: " + ", ".join(f"{one.new} instead of {one.stable}" for one in found.values()))
        return 0

    def _raise_to(self, found: Mapping[str, Standing], step: int) -> None:
        for name, one in found.items():
            live = self._google.service(name)
            target = {one.new: step, one.stable: 100 - step} if one.new != one.stable else {one.new: 100}
            wanted = {revision: percent for revision, percent in target.items() if percent}
            if live.follows or dict(live.shares) != wanted:
                self._set(live, wanted)

    def _watch(self, found: Mapping[str, Standing], step: int) -> Verdict:
        began = self._now()
        verdict = Verdict(kind="wait", why="")
        while verdict.kind == "wait":
            self._sleep(_TICK_SECONDS)
            elapsed = (self._now() - began).total_seconds()
            for name, one in found.items():
                live = self._google.service(name)
                if live.shares.get(one.new, 0) != (100 if one.new == one.stable else step):
                    raise MovedError(
                        f"{live.region}: somebody else moved the traffic at {step} %: look at it first"
                    )
                if live.newest != one.new:
                    return Verdict(
                        kind="back", why=f"revision {live.newest} came in between, in {live.region}"
                    )
            verdict = self._judge(found, began, elapsed)
        return verdict

    def _judge(self, found: Mapping[str, Standing], began: datetime, elapsed: float) -> Verdict:
        moving = [one for one in found.values() if one.new != one.stable]
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

    def _back(self, found: Mapping[str, Standing], why: str) -> int:
        """Every region is tried, whatever becomes of the others."""
        left: list[str] = []
        for name, one in found.items():
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    self._set(self._google.service(name), {one.stable: 100})
                    self._say(f"{name.split('/')[3]}: back on {one.stable} ({why})")
                    break
                except GoogleError as error:
                    if attempt == _ATTEMPTS:
                        left.append(f"{name.split('/')[3]}: {error}")
                    else:
                        self._sleep(2)
        if left:
            raise StuckError(
                f"traffic could NOT be given back in {'; '.join(left)}: set it by hand now, "
                "docs/runbooks/deploy-rollback.md"
            )
        return 1

    def _set(self, live: Live, shares: Mapping[str, int]) -> None:
        self._google.share(live, shares)

    def _lives(self) -> list[Live]:
        return [self._google.service(name) for name in self._place.services]


def _short(name: str) -> str:
    return name.rsplit("/", 1)[-1]

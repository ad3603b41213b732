"""Random sequences of walks, kills at any call, restarts, ways back and new revisions, over two regions."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from operations.release.standing import StuckError
from tests.operations.release.conftest import Stage
from tests.operations.release.stand_in import NEW, SERVICES, World, named

SEEDS = 400


class Killed(BaseException):
    """The process is gone, before a call reached Google or after Google had carried it out."""


@dataclass
class Story:
    """What happens, and what must never happen."""

    chance: random.Random
    world: World = field(default_factory=World)
    told: list[str] = field(default_factory=list[str])
    seen: set[str] = field(default_factory=set[str])
    number: int = 2
    bad: set[str] = field(default_factory=set[str])
    from_percent: dict[str, int] = field(default_factory=dict[str, int])
    hands: bool = False
    looked: int = 0
    # What a walk gave back in a region, by its own record, until it is released there after all.
    given_back: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def __post_init__(self) -> None:
        self.stage = Stage(self.world)
        self.world.minute_requests = 20_000
        self.world.tick = self.load
        if self.chance.random() < 0.4:
            self.spoil(NEW)

    def spoil(self, revision: str) -> None:
        """Bad from a share on, when its errors find it out at once."""
        self.bad.add(revision)
        self.from_percent[revision] = self.chance.choice((1, 10, 50, 100))

    def load(self, _minute: int) -> None:
        for revision, percent in self.from_percent.items():
            most = max(self.world.shares(name).get(revision, 0) for name in SERVICES)
            self.world.failing[revision] = 0.5 if most >= percent else 0.0

    def deploy(self) -> None:
        self.number += 1
        revision = f"api-{self.number:05}-{self.chance.choice('abc') * 3}"
        if self.chance.random() < 0.4:
            self.spoil(revision)
        names = SERVICES if self.chance.random() < 0.8 else (self.chance.choice(SERVICES),)
        self.world.deploy(revision, names)

    def by_hand(self) -> None:
        """Somebody gives all of a region to the revision that is known to be good."""
        self.hands = True
        name = self.chance.choice(SERVICES)
        self.world.traffic[name] = self.world.statuses[name] = named(s=100)
        self.world.etag[name] += 1

    def kill(self) -> None:
        """At the nth call from now, before or after it is carried out."""
        left, after = self.chance.randrange(1, 60), self.chance.random() < 0.5
        answer = self.world.answer

        def counted(verb: str, path: str, query: Any, body: Any) -> Any:
            nonlocal left
            left -= 1
            if left <= 0 and not after:
                raise Killed
            found = answer(verb, path, query, body)
            if left <= 0:
                raise Killed
            return found

        self.world.answer = counted

    def stumble(self) -> None:
        """Answers that are lost after the call was carried out, and calls that Google puts off."""
        answer, chance = self.world.answer, self.chance

        def stumbling(verb: str, path: str, query: Any, body: Any) -> Any:
            luck = chance.random()
            if luck < 0.05:
                return 503
            found = answer(verb, path, query, body)
            return 503 if luck < 0.1 else found

        self.world.answer = stumbling

    def run(self, command: str) -> int | None:
        """A process of its own; None when it was killed."""
        kept = self.world.__class__.answer.__get__(self.world)
        if self.chance.random() < 0.3:
            self.stumble()
        if self.chance.random() < 0.6:
            self.kill()
        walk = self.stage.walk(soak_seconds=60, patience_seconds=180, minimum_requests=1)
        before = {name: self.world.shares(name) for name in SERVICES}
        try:
            code: int | None = walk.walk() if command == "walk" else walk.back(only_halfway=command != "back")
        except Killed:
            code = None
        except StuckError as error:
            code = 3
            self.refused(str(error))
        finally:
            self.world.answer = kept
        self.seen.add(f"{command} {code}")
        self.told.append(f"{command} -> {code}: {[self.world.shares(name) for name in SERVICES]}")
        self.check(command, code, before)
        return code

    def refused(self, sentence: str) -> None:
        """Nothing is guessed."""
        known = ("no release recorded", "of another release", "could NOT be given back")
        assert any(words in sentence for words in known), sentence

    def check(self, command: str, code: int | None, before: dict[str, dict[str, int]]) -> None:
        self.from_the_first_step(before)
        if command == "walk" and code is not None:
            # Alone it ends: nothing that Google lost or put off leaves it halfway.
            assert self.stage.walk().status() == 0
        for name in SERVICES:
            assert sum(self.world.shares(name).values()) == 100
            record = self.world.record(name)
            if record is not None:
                {"given-back": self.given_back.add, "released": self.given_back.discard}.get(
                    record.state, lambda _one: None
                )((name, record.walked))
        if command == "walk" and code == 0:
            for name in SERVICES:
                record = self.world.record(name)
                assert self.world.shares(name) == {self.world.newest[name]: 100}
                assert record is None or record.state != "walking"
                assert self.world.newest[name] not in self.bad or before[name] == self.world.shares(name)
        if command != "walk" and code == 0:
            for name in SERVICES:
                (serving,) = self.world.shares(name)
                assert (name, serving) not in self.given_back or {serving: 100} == before[name]

        if code == 0 and not self.hands:
            # Regions of one walk are on the same side of it.
            records = [record for name in SERVICES if (record := self.world.record(name))]
            sides = {(one.walk, one.state) for one in records}
            assert len(sides) == len({walk for walk, _ in sides})

    def from_the_first_step(self, before: dict[str, dict[str, int]]) -> None:
        """What was given back begins anew with 1 %."""
        shares = {name.split("/")[3]: now for name, now in before.items()}
        for region, now in self.world.patches[self.looked :]:
            for revision, percent in now.items():
                name = next(name for name in SERVICES if f"/{region}/" in name)
                if (name, revision) in self.given_back and revision not in shares[region]:
                    assert percent == 1
            shares[region] = now
        self.looked = len(self.world.patches)

    def end(self) -> None:
        """Whatever happened, the way back leads every region to one that is good, and nothing is open."""
        assert self.stage.walk().back(only_halfway=True) == 0
        self.good()
        assert self.stage.walk().status() == 0
        try:
            assert self.stage.walk().back() == 0
        except StuckError as error:
            self.refused(str(error))
        self.good()

    def good(self) -> None:
        for name in SERVICES:
            (serving,) = self.world.shares(name)
            assert (name, serving) not in self.given_back
            assert serving not in self.bad


@pytest.mark.parametrize("block", range(10))
def test_no_sequence_leaves_a_region_that_cannot_go_back(block: int) -> None:
    seen = set[str]()
    for seed in range(block * SEEDS // 10, (block + 1) * SEEDS // 10):
        story = Story(random.Random(seed))
        try:
            for _ in range(story.chance.randrange(2, 10)):
                match story.chance.choice(("walk",) * 4 + ("back", "halfway", "deploy", "hand")):
                    case "deploy":
                        story.deploy()
                    case "hand":
                        story.by_hand()
                    case command:
                        story.run(command)
            story.end()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: " + "\n".join([*story.told, str(error)])) from error
        seen |= story.seen
    # Released, given back, killed; the way back gone, refused and not needed.
    assert seen >= {"walk 0", "walk 1", "walk None", "back 0", "back 3", "halfway 0"}

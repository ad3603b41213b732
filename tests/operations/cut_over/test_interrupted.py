"""A program that is killed anywhere is run again and ends well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from operations.cut_over import steps
from operations.cut_over.servers import Server
from tests.operations.cut_over.world import World

JOBS = "SELECT count(*), sum(hashtext(j::text)::bigint) FROM jobs AS j"


class Killed(BaseException):
    """The process is gone: nothing after this runs, clean-up least of all."""


class Plug:
    """Pulled at the change of that number, before or after it: a statement, or the copy by pg_dump."""

    def __init__(self, patch: pytest.MonkeyPatch, at: int, *, after: bool) -> None:
        self.calls = 0
        self._at, self._after = at, after
        for place, name in ((Server, "run"), (steps, "carry")):
            patch.setattr(place, name, self._wrapped(getattr(place, name)))

    def _wrapped(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            number = self.calls
            self.calls += 1
            # What would be done about a failure is not done by a process that is gone.
            if number > self._at:
                raise Killed
            if number == self._at and not self._after:
                raise Killed
            answer = real(*arguments, **named)
            if number == self._at:
                raise Killed
            return answer

        return call


def killed(world: World, step: str, at: int, *, after: bool) -> bool:
    """Run a step, pull the plug at a change; whether the step had so many."""
    with pytest.MonkeyPatch.context() as patch:
        plug = Plug(patch, at, after=after)
        try:
            assert world.run(step) == 0
        except Killed:
            return True
        assert plug.calls <= at
    return False


BEFORE: dict[str, tuple[str, ...]] = {
    "copy": (),
    "switch": ("copy", "wait"),
    "back": ("copy", "wait", "switch"),
    "finish": ("copy", "wait", "switch"),
    "abort": ("copy",),
}
MOST_CHANGES = 60


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", BEFORE)
def test_a_step_killed_at_every_change_ends_well_when_run_again(small: World, step: str, after: bool) -> None:
    small.steps(*BEFORE[step])
    at = 0
    # Killed, run again and killed one change later, until it comes to its end.
    while killed(small, step, at, after=after):
        at += 1
        assert at < MOST_CHANGES
    assert at >= 3
    equal = small.on(small.old, JOBS) == small.on(small.new, JOBS)
    match step:
        case "copy":
            small.steps("wait", "switch", "verify")
            small.settle(JOBS)
        case "switch":
            assert equal
            small.steps("verify", "back", "verify")
        case "back":
            assert equal
            small.steps("verify", "finish")
            assert small.left() == []
        case _:
            assert small.left() == []
            used = small.old if step == "abort" else small.new
            with small.application(used) as service:
                service.execute("DELETE FROM results")


def test_what_old_took_after_an_interrupted_comparison_is_brought_over_too(
    small: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted in the moment after the comparison was written down: old takes writes again."""
    small.steps("copy", "wait")

    def say(text: str) -> None:
        if "are equal on both" in text:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("operations.cut_over.__main__._say", say)
        assert small.run("switch") == 130
    with small.application(small.old) as service:
        service.execute("DELETE FROM results")
        service.commit()
    small.steps("switch", "verify")
    assert small.on(small.new, "SELECT count(*) FROM results") == [(0,)]
    with small.application(small.old) as service, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        service.execute("DELETE FROM results")

"""Faults of a cloud, put between engine and stand-in cloud: what a deployment must survive.

Written as ``KIND@WHERE*TIMES``; ``*TIMES`` is 1 when left out. ``WHERE`` is the number of a call (creates,
updates and deletes count, from 1 and over all repetitions) or a resource type, whole or its last word. Kinds:
``quota`` (429), ``conflict`` (409), ``unavailable`` (503), ``timeout`` (the call takes place, and answers
504), ``agent``, ``api`` and ``metric`` (something fresh is not visible yet), ``kill`` (the process ends after
the call took place and before the state says so). ``kill@files`` ends it between the cloud's file and the
state's. ``grant*TIMES`` hides each new grant from what needs it for so many calls, ``grant@WHERE*TIMES``
only the one that a call makes, or those of a type.

Google's grants become visible some time after they were made, all those that stand at the same time: so a
call that is refused for one counts for all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from typing_extensions import override

from sandbox.cloud import Cloud, World
from sandbox.cloud.api import CloudApi, Made
from sandbox.cloud.results import CheckFailure, DiffResult
from sandbox.errors import CloudError, UsageError

__all__ = [
    "Fail",
    "Fault",
    "FaultyCloud",
    "HideGrants",
    "Kill",
    "KillBetweenFiles",
    "KilledError",
    "Where",
    "parse_fault",
]

Values = dict[str, Any]
_T = TypeVar("_T")

_ERRORS: Final[Mapping[str, tuple[int, str, str]]] = {
    "quota": (429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Write requests'; run up again"),
    "conflict": (409, "ABORTED", "There were concurrent changes of the resource; run up again"),
    "unavailable": (503, "UNAVAILABLE", "The service is currently unavailable; run up again"),
    "timeout": (504, "DEADLINE_EXCEEDED", "No answer within the deadline; run up again"),
    "agent": (
        400,
        "INVALID_ARGUMENT",
        "Service account service-1@fresh.iam.gserviceaccount.com does not exist.",
    ),
    "api": (403, "SERVICE_DISABLED", "The API has not been used in project 1 before or it is disabled."),
    "metric": (404, "NOT_FOUND", "Cannot find metric that matches type; it may take 10 minutes to appear."),
}
_GRANT: Final = re.compile(r":\w*(IAMMember|IAMBinding|IamMember|IamBinding|IAMPolicy|IamPolicy)$")
_FORM: Final = re.compile(r"(?P<kind>[a-z]+)(@(?P<where>[^*@]+))?(\*(?P<times>[0-9]{1,9}))?")


class KilledError(BaseException):
    """Stands for the end of the process: nothing may be done after it."""


@dataclass(frozen=True, slots=True)
class Where:
    """The calls that a fault meets: ``times`` of them from the ``call``-th on, or of a ``type``."""

    call: int = 0
    type: str = ""
    times: int = 1

    def meets(self, call: int, type: str, met: int) -> bool:
        """Whether it meets a call, having met ``met`` before."""
        if self.call:
            return self.call <= call < self.call + self.times
        return met < self.times and self.type in {type, type.rsplit(":", 1)[-1]}


@dataclass(frozen=True, slots=True)
class Fail:
    """Calls are refused; with kind ``timeout`` they take place first."""

    kind: str
    where: Where


@dataclass(frozen=True, slots=True)
class Kill:
    """The process ends after a call took place."""

    where: Where


@dataclass(frozen=True, slots=True)
class KillBetweenFiles:
    """The process ends after the cloud's file is written and before the state's."""


@dataclass(frozen=True, slots=True)
class HideGrants:
    """What needs a new grant is refused for so many calls; ``where`` says which grants, None all."""

    calls: int
    where: Where | None = None

    def hides(self, call: int, type: str) -> bool:
        """Whether it hides what a call made."""
        if not _GRANT.search(type):
            return False
        return self.where is None or self.where.meets(call, type, 0)


@dataclass(slots=True)
class _Hidden:
    fault: HideGrants
    left: int


Fault = Fail | Kill | KillBetweenFiles | HideGrants


def parse_fault(text: str) -> Fault:
    """The fault that ``text`` describes. Raises UsageError with the grammar."""
    found = _FORM.fullmatch(text)
    kinds = [*_ERRORS, "kill", "grant"]
    if found is None or found["kind"] not in kinds:
        raise UsageError(
            f"--fault {text!r} must be KIND@WHERE*TIMES with KIND one of {', '.join(kinds)}: "
            "write for example quota@5 or unavailable@DatabaseInstance*2"
        )
    kind, where, times = found["kind"], found["where"], int(found["times"] or 1)
    if times < 1:
        raise UsageError(f"--fault {text!r}: TIMES must be at least 1: leave it out for once")
    if kind == "grant" and where is None:
        return HideGrants(times)
    if where is None:
        raise UsageError(f"--fault {text!r}: {kind} needs a WHERE: write {kind}@5 or {kind}@DatabaseInstance")
    if (kind, where) == ("kill", "files"):
        return KillBetweenFiles()
    if kind == "grant":
        return HideGrants(times, _place(text, where, 1))
    place = _place(text, where, times)
    return Kill(place) if kind == "kill" else Fail(kind, place)


def _place(text: str, where: str, times: int) -> Where:
    if re.fullmatch(r"[0-9]{1,9}", where):
        if int(where) < 1:
            raise UsageError(f"--fault {text!r}: calls are counted from 1, got {where}: write 1 or more")
        return Where(call=int(where), times=times)
    if re.fullmatch(r"([a-z]+:\w+/\w+:)?[A-Z]\w*", where):
        return Where(type=where, times=times)
    raise UsageError(
        f"--fault {text!r}: WHERE must be a call's number or a resource type, got {where!r}: "
        "write 5, DatabaseInstance or gcp:sql/databaseInstance:DatabaseInstance"
    )


class FaultyCloud:
    """A cloud with faults. It lives as long as one command: repetitions go on counting."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.called: Callable[[], None] | None = None
        """Told after each call that may have changed the cloud, before any fault that follows it."""
        self.calls = 0
        self._met: dict[Fault, int] = dict.fromkeys(faults, 0)
        self._hidden: dict[tuple[str, str], _Hidden] = {}
        self._dead = False

    def unmet(self) -> list[Fault]:
        """The faults that no call has met."""
        return [fault for fault, met in self._met.items() if not met]

    def between_files(self) -> None:
        """Called between the cloud's file and the state's."""
        fault = KillBetweenFiles()
        if fault in self._met:
            self._met[fault] += 1
            raise KilledError("between the file of the cloud and the file of the state")

    def around(self, cloud: CloudApi, world: World) -> CloudApi:
        """``cloud``, which changes ``world``, with these faults."""
        return _Faulty(cloud, world, self)

    def call(self, type: str, act: Callable[[], _T]) -> _T:
        """One call that changes something."""
        if self._dead:
            raise KilledError("the process has ended")
        self.calls += 1
        fault = next((fault for fault in self._met if self._meets(fault, type)), None)
        if fault is not None:
            self._met[fault] += 1
        if isinstance(fault, Fail) and fault.kind != "timeout":
            raise _error(fault.kind)
        try:
            done = act()
        finally:
            if self.called is not None:
                self.called()
        if isinstance(fault, Fail):
            raise _error(fault.kind)
        if isinstance(fault, Kill):
            self._dead = True
            raise KilledError(f"after call {self.calls} ({type}) and before the state was saved")
        return done

    def made(self, type: str, id: str) -> None:
        """Something stands at the cloud; a grant stays hidden for a while."""
        for fault in self._met:
            if isinstance(fault, HideGrants) and fault.hides(self.calls, type):
                self._hidden[type, id] = _Hidden(fault, fault.calls)

    def refuse_hidden(self, world: World, act: Callable[[Cloud], object]) -> None:
        """Refuse what does not work without the grants that are hidden."""
        hidden = {key: found for key, found in self._hidden.items() if found.left}
        if not hidden:
            return
        without = world.copy()
        for key in hidden:
            without.remove(*key)
        try:
            act(Cloud(without))
        except CloudError as error:
            try:
                act(Cloud(world.copy()))
            except CloudError:
                return
            for found in hidden.values():
                found.left -= 1
                self._met[found.fault] += 1
            raise CloudError(
                error.code,
                error.reason,
                f"{error.message} The grant was made a moment ago and may take 7 minutes to propagate.",
                behaviour=error.behaviour,
                source=error.source,
            ) from error

    def _meets(self, fault: Fault, type: str) -> bool:
        return isinstance(fault, Fail | Kill) and fault.where.meets(self.calls, type, self._met[fault])


def _error(kind: str) -> CloudError:
    code, reason, message = _ERRORS[kind]
    return CloudError(code, reason, message, behaviour=f"fault-{kind}", source="--fault")


class _Faulty(CloudApi):
    def __init__(self, inner: CloudApi, world: World, faults: FaultyCloud) -> None:
        self._inner = inner
        self._world = world
        self._faults = faults

    @override
    def check(
        self, type: str, urn: str, olds: Mapping[str, Any] | None, news: Mapping[str, Any], seed: bytes
    ) -> tuple[Values, list[CheckFailure]]:
        return self._inner.check(type, urn, olds, news, seed)

    @override
    def diff(
        self,
        type: str,
        urn: str,
        id: str,
        old_inputs: Mapping[str, Any],
        old_outputs: Mapping[str, Any],
        news: Mapping[str, Any],
        ignore_changes: Sequence[str] = (),
    ) -> DiffResult:
        return self._inner.diff(type, urn, id, old_inputs, old_outputs, news, ignore_changes)

    @override
    def create(
        self, type: str, urn: str, inputs: Mapping[str, Any], *, preview: bool, provider: Mapping[str, Any]
    ) -> Made:
        def act(cloud: CloudApi) -> Made:
            return cloud.create(type, urn, inputs, preview=preview, provider=provider)

        if preview:
            return act(self._inner)
        self._faults.refuse_hidden(self._world, act)
        done = self._faults.call(type, lambda: act(self._inner))
        self._faults.made(type, done[0])
        return done

    @override
    def update(
        self,
        type: str,
        urn: str,
        id: str,
        old_inputs: Mapping[str, Any],
        old_outputs: Mapping[str, Any],
        news: Mapping[str, Any],
        *,
        preview: bool,
        provider: Mapping[str, Any],
    ) -> Values:
        def act(cloud: CloudApi) -> Values:
            return cloud.update(
                type, urn, id, old_inputs, old_outputs, news, preview=preview, provider=provider
            )

        if preview:
            return act(self._inner)
        self._faults.refuse_hidden(self._world, act)
        return self._faults.call(type, lambda: act(self._inner))

    @override
    def delete(
        self,
        type: str,
        urn: str,
        id: str,
        inputs: Mapping[str, Any],
        outputs: Mapping[str, Any],
        *,
        provider: Mapping[str, Any],
    ) -> None:
        def act() -> None:
            self._inner.delete(type, urn, id, inputs, outputs, provider=provider)

        self._faults.call(type, act)

    @override
    def read(
        self,
        type: str,
        urn: str,
        id: str,
        inputs: Mapping[str, Any] | None,
        outputs: Mapping[str, Any] | None = None,
        *,
        provider: Mapping[str, Any],
    ) -> tuple[Values, Values] | None:
        return self._inner.read(type, urn, id, inputs, outputs, provider=provider)

    @override
    def invoke(self, token: str, args: Mapping[str, Any], *, provider: Mapping[str, Any]) -> Values:
        return self._inner.invoke(token, args, provider=provider)

    @override
    def made(
        self, type: str, urn: str, inputs: Mapping[str, Any], *, provider: Mapping[str, Any]
    ) -> Sequence[Made]:
        return self._inner.made(type, urn, inputs, provider=provider)

"""Runs a definition of Google Workflows against real HTTP servers on loopback, with a clock of its own.

Knows the steps that the drill uses and refuses every other when it loads the definition, so that nothing is
skipped in silence. A call of `sys.sleep` moves the clock and does not wait. Variables that first appear in a
`for` or an `except` end with it, as in Workflows. Sources: the pages "Syntax", "Variables", "Retry steps",
"Catch errors", "http.default_retry_predicate" of the Workflows documentation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlsplit

import httpx
import yaml

from tests.operations.restore_drill.expressions import (
    UnsupportedError,
    WorkflowError,
    evaluate,
    fail,
    parse,
)

__all__ = ["Clock", "KilledError", "Logged", "Workflow", "check", "load"]

_KINDS: Final[Mapping[str, frozenset[str]]] = {
    "assign": frozenset({"assign", "next"}),
    "call": frozenset({"call", "args", "result", "next"}),
    "switch": frozenset({"switch", "next"}),
    "for": frozenset({"for"}),
    "try": frozenset({"try", "retry", "except"}),
    "return": frozenset({"return"}),
    "raise": frozenset({"raise"}),
    "steps": frozenset({"steps", "next"}),
}
_REQUESTS: Final = {"http.get": "GET", "http.post": "POST", "http.request": None}
_RETRIED: Final = (429, 502, 503, 504)
# Google stops an execution after 100,000 steps; a test that needs this many runs in a circle.
_MAX_STEPS: Final = 20_000


class KilledError(Exception):
    """The execution was cancelled: no `except` of the workflow sees it."""


@dataclass
class Clock:
    """Seconds since 1970, moved by sleeping and by whoever takes time."""

    now: float

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass(frozen=True)
class Logged:
    """One entry of the log."""

    severity: str
    payload: Any


@dataclass(frozen=True)
class _Leave:
    """How a list of steps ended: at a step of an outer list, or with a value."""

    step: str | None = None
    value: Any = None


@dataclass
class _Scope:
    """Variables of one subworkflow, and of what is nested in it."""

    values: dict[str, Any]
    outer: _Scope | None = None

    def all(self) -> dict[str, Any]:
        return {**(self.outer.all() if self.outer else {}), **self.values}

    def home(self, name: str) -> dict[str, Any]:
        scope: _Scope | None = self
        while scope is not None:
            if name in scope.values:
                return scope.values
            scope = scope.outer
        return self.values


@dataclass
class Workflow:
    """One deployed definition."""

    main: Mapping[str, Any]
    clock: Clock
    environment: Mapping[str, str]
    # Google's host, or the function's, to the loopback server that stands for it.
    hosts: Mapping[str, str]
    logs: list[Logged] = field(default_factory=list[Logged])
    # Called before each step with its name; raises KilledError to cancel.
    before: Callable[[str], None] = lambda _: None
    _steps: int = 0
    _client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60, verify=False))

    def close(self) -> None:
        """Its connections are closed."""
        self._client.close()

    def run(self, argument: Any = None) -> Any:
        """What `main` returns; WorkflowError when it fails."""
        self._steps = 0
        return self._call("main", {"input": argument})

    def call(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """One subworkflow alone."""
        return self._call(name, arguments)

    def _call(self, name: str, arguments: Mapping[str, Any]) -> Any:
        if name not in self.main:
            raise UnsupportedError(f"the call {name} is not known here")
        block = self.main[name]
        if set(block["params"]) != set(arguments):
            raise fail("ValueError", f"{name} takes {block['params']}, got {sorted(arguments)}")
        left = self._run(block["steps"], _Scope(dict(arguments)))
        if left.step not in (None, "end"):
            raise UnsupportedError(f"{name}: next names {left.step}, which is no step of an enclosing list")
        return left.value

    def _run(self, steps: list[dict[str, Any]], scope: _Scope) -> _Leave:
        names = [next(iter(step)) for step in steps]
        index = 0
        while index < len(steps):
            self._steps += 1
            if self._steps > _MAX_STEPS:
                raise UnsupportedError("the workflow runs in a circle")
            self.before(names[index])
            left = self._step(steps[index][names[index]], scope)
            if left is None:
                index += 1
            elif left.step in names:
                index = names.index(left.step)
            else:
                return left
        return _Leave()

    def _step(self, step: dict[str, Any], scope: _Scope) -> _Leave | None:
        """None: go on with the step after it."""
        match _kind(step):
            case "assign":
                self._assign(step["assign"], scope)
            case "call":
                result = self._invoke(step["call"], self._value(step.get("args", {}), scope))
                if "result" in step:
                    self._put(step["result"], result, scope)
            case "switch":
                for case in step["switch"]:
                    if self._value(case["condition"], scope) is True:
                        rest = {key: value for key, value in case.items() if key != "condition"}
                        left = _Leave(step=rest["next"]) if [*rest] == ["next"] else self._step(rest, scope)
                        return left if left is not None or "next" not in step else _Leave(step=step["next"])
            case "for":
                return self._each(step["for"], scope)
            case "try":
                return self._try(step, scope)
            case "return":
                return _Leave(step="end", value=self._value(step["return"], scope))
            case "raise":
                raise WorkflowError(self._value(step["raise"], scope))
            case _:
                left = self._run(step["steps"], scope)
                if left != _Leave():
                    return left
        return _Leave(step=step["next"]) if "next" in step else None

    def _each(self, loop: dict[str, Any], scope: _Scope) -> _Leave | None:
        for item in cast("list[Any]", self._value(loop["in"], scope)):
            left = self._run(loop["steps"], _Scope({loop["value"]: item}, scope))
            if left.step not in (None, "continue"):
                return left
        return None

    def _try(self, step: dict[str, Any], scope: _Scope) -> _Leave | None:
        retry = step.get("retry")
        delay, tries = (float(retry["backoff"]["initial_delay"]), 0) if retry else (0.0, 0)
        while True:
            try:
                return self._step(step["try"], scope)
            except WorkflowError as error:
                if retry and tries < retry["max_retries"] and _transient(error.value):
                    self.clock.sleep(delay)
                    tries += 1
                    delay = min(delay * retry["backoff"]["multiplier"], retry["backoff"]["max_delay"])
                    continue
                if "except" not in step:
                    raise
                handler = step["except"]
                left = self._run(handler["steps"], _Scope({handler["as"]: deepcopy(error.value)}, scope))
                return None if left == _Leave() else left

    def _assign(self, entries: list[dict[str, Any]], scope: _Scope) -> None:
        for entry in entries:
            ((target, value),) = entry.items()
            self._put(target, self._value(value, scope), scope)

    def _put(self, target: str, value: Any, scope: _Scope) -> None:
        name, *path = target.split(".")
        home = scope.home(name)
        if not path:
            home[name] = value
            return
        holder = home[name] if name in home else fail_for(name)
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = value

    def _value(self, raw: Any, scope: _Scope) -> Any:
        if isinstance(raw, str) and (inside := _expression(raw)) is not None:
            host: dict[str, Callable[..., Any]] = {
                "sys.now": lambda: self.clock.now,
                "sys.get_env": self._env,
            }
            return evaluate(parse(inside), scope.all(), host)
        if isinstance(raw, dict):
            return {key: self._value(value, scope) for key, value in cast("dict[str, Any]", raw).items()}
        if isinstance(raw, list):
            return [self._value(value, scope) for value in cast("list[Any]", raw)]
        return raw

    def _env(self, name: str) -> str:
        if name not in self.environment:
            raise fail("KeyError", f"environment variable {name} is not set")
        return self.environment[name]

    def _invoke(self, name: str, arguments: dict[str, Any]) -> Any:
        if name in _REQUESTS:
            return self._request(_REQUESTS[name] or arguments["method"], arguments)
        if name == "sys.sleep":
            return self.clock.sleep(arguments["seconds"])
        if name == "sys.log":
            return self.logs.append(Logged(arguments["severity"], arguments["json"]))
        return self._call(name, arguments)

    def _request(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        if set(arguments) - {"method", "url", "body", "auth", "timeout"} or arguments.get("body", "") is None:
            raise UnsupportedError(f"a request with {arguments} is not known here")
        url, auth = urlsplit(str(arguments["url"])), arguments["auth"]
        if url.netloc not in self.hosts:
            raise fail("ConnectionError", f"no such host: {url.netloc}")
        token = "access" if auth["type"] == "OAuth2" else f"identity:{auth['audience']}"
        target = f"{self.hosts[url.netloc]}{url.path}{'?' + url.query if url.query else ''}"
        try:
            answer = self._client.request(
                method,
                target,
                json=arguments.get("body"),
                headers={"Authorization": f"Bearer {token}", "X-Timeout": str(arguments["timeout"])},
            )
        except httpx.TransportError as error:
            raise fail("ConnectionError", str(error)) from None
        if "X-Slept" in answer.headers:
            self.clock.sleep(float(answer.headers["X-Slept"]))
            if float(answer.headers["X-Slept"]) > arguments["timeout"]:
                raise fail("TimeoutError", f"{arguments['url']} took too long")
        is_json = "json" in answer.headers.get("content-type", "")
        body = answer.json() if is_json else answer.text
        if answer.is_error:
            said = f"HTTP server responded with error code {answer.status_code}"
            raise WorkflowError(
                {"tags": ["HttpError"], "code": answer.status_code, "message": said, "body": body}
            )
        return {"code": answer.status_code, "body": body, "headers": dict(answer.headers)}


def fail_for(name: str) -> Any:
    """A path into a variable that was never set."""
    raise fail("KeyError", f"variable {name} is not set")


def _transient(error: Any) -> bool:
    """http.default_retry_predicate."""
    if not isinstance(error, dict):
        return False
    known = cast("dict[str, Any]", error)
    tags = known.get("tags", [])
    return known.get("code") in _RETRIED or "ConnectionError" in tags or "TimeoutError" in tags


def _expression(text: str) -> str | None:
    match = re.fullmatch(r"\$\{(.*)\}", text, re.DOTALL)
    if match is None and "${" in text:
        raise UnsupportedError(f"an expression must be the whole value: {text}")
    return None if match is None else match[1]


def _kind(step: dict[str, Any]) -> str:
    for kind, keys in _KINDS.items():
        if kind in step:
            if unknown := set(step) - keys:
                raise UnsupportedError(f"{kind} with {', '.join(sorted(unknown))} is not known here")
            return kind
    raise UnsupportedError(f"a step with {', '.join(sorted(step))} is not known here")


@cache
def load(path: Path) -> Mapping[str, Any]:
    """The definition, read whole: every step, every expression, every call and every `next`."""
    return check(cast("dict[str, Any]", yaml.safe_load(path.read_text(encoding="utf-8"))))


def check(definition: dict[str, Any]) -> Mapping[str, Any]:
    """The same definition, or UnsupportedError."""
    for block in definition.values():
        if set(block) != {"params", "steps"}:
            raise UnsupportedError(f"a subworkflow with {', '.join(sorted(block))} is not known here")
        _check_steps(block["steps"], set(definition), frozenset())
        names = list(_names(block["steps"]))
        if twice := {name for name in names if names.count(name) > 1}:
            raise UnsupportedError(f"steps of one subworkflow need names of their own: {twice}")
    return definition


def _names(value: Any) -> Iterator[str]:
    """The names of all steps, nested ones among them."""
    if isinstance(value, dict):
        for key, one in cast("dict[str, Any]", value).items():
            if key in ("steps", "try", "except", "for", "switch"):
                yield from _names(one)
    elif isinstance(value, list):
        for one in cast("list[dict[str, Any]]", value):
            if "condition" in one:
                yield from _names(one)
            else:
                yield from one
                yield from _names(next(iter(one.values())))


def _check_steps(steps: list[dict[str, Any]], calls: set[str], outer: frozenset[str]) -> None:
    names = [next(iter(step)) for step in steps]
    if len(set(names)) != len(names) or any(len(step) != 1 for step in steps):
        raise UnsupportedError(f"steps need one name each: {names}")
    reachable = outer | set(names)
    for step in steps:
        _check_step(next(iter(step.values())), calls, reachable)


def _check_step(step: dict[str, Any], calls: set[str], reachable: frozenset[str]) -> None:
    kind = _kind(step)
    if (target := step.get("next")) is not None and target not in reachable | {"end", "continue"}:
        raise UnsupportedError(f"next names {target}, which is no step")
    if kind == "call" and step["call"] not in {*calls, *_REQUESTS, "sys.sleep", "sys.log"}:
        raise UnsupportedError(f"the call {step['call']} is not known here")
    if kind == "switch":
        for case in step["switch"]:
            parse(_expression(case["condition"]) or "")
            rest: dict[str, Any] = {key: value for key, value in case.items() if key != "condition"}
            _check_step({"assign": [], **rest} if [*rest] == ["next"] else rest, calls, reachable)
    elif kind == "for":
        if set(step["for"]) != {"value", "in", "steps"}:
            raise UnsupportedError(f"for with {', '.join(sorted(step['for']))} is not known here")
        _check_steps(step["for"]["steps"], calls, reachable)
    elif kind == "try":
        _check_step(step["try"], calls, reachable)
        if "except" in step:
            _check_steps(step["except"]["steps"], calls, reachable)
        if "retry" in step and step["retry"]["predicate"] != "${http.default_retry_predicate}":
            raise UnsupportedError("another predicate than http.default_retry_predicate is not known here")
    elif kind == "steps":
        _check_steps(step["steps"], calls, reachable)
    for text in _texts({key: step[key] for key in ("assign", "args", "return", "raise") if key in step}):
        if (inside := _expression(text)) is not None:
            parse(inside)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in cast("dict[str, Any]", value).values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in cast("list[Any]", value):
            yield from _texts(one)

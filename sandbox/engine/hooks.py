"""Resource hooks: functions of the program before and after a resource is created, updated or deleted.

What they may do and when is the engine's (``RunHooks`` in ``pkg/resource/deploy/deployment.go``): a failing
*before* hook stops the step, a failing *after* hook the run, and an *on error* hook may ask to try again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, TypeVar, cast

from google.protobuf import struct_pb2
from google.protobuf.message import Message
from pulumi.runtime.proto import resource_pb2

from sandbox.engine.callbacks import CallbackError, CallbackServers
from sandbox.engine.model import Op, Refusal, ResourceState
from sandbox.engine.recorder import Recorder
from sandbox.protobuf import to_struct

__all__ = ["HOOKS_FIELD", "HookError", "Hooks", "hooks_of", "unrunnable"]

HOOKS_FIELD: Final = "resourceHooks"
"""The field of a state file that names a resource's hooks."""

_Answer = TypeVar("_Answer", bound=Message)
_MOST_RETRIES: Final = 100
_KINDS: Final = {
    "before_create": "BeforeCreate",
    "after_create": "AfterCreate",
    "before_update": "BeforeUpdate",
    "after_update": "AfterUpdate",
    "before_delete": "BeforeDelete",
    "after_delete": "AfterDelete",
    "on_error": "OnError",
}


class HookError(Exception):
    """A hook of the program stops a step."""


def hooks_of(request: resource_pb2.RegisterResourceRequest) -> dict[str, list[str]]:
    """The names of a registration's hooks by the engine's words for their kinds."""
    given = {_KINDS[kind]: list(getattr(request.hooks, kind)) for kind in _KINDS}
    return {kind: names for kind, names in given.items() if names}


def unrunnable(states: Iterable[ResourceState]) -> Iterator[Refusal]:
    """Why ``states`` cannot be deleted without their program: its hooks would not run."""
    for state in states:
        names = [*_named(state, "BeforeDelete"), *_named(state, "AfterDelete")]
        if names:
            message = (
                f"{state.name} ({state.type}) has delete hooks ({', '.join(names)}), and deleting a stack "
                "does not run its program: remove them with an update first"
            )
            yield Refusal("program", message, state.urn)


class Hooks:
    """The hooks of one run. While one runs, ``unlocked`` lets the program register other things."""

    def __init__(
        self,
        servers: CallbackServers,
        record: Recorder,
        *,
        preview: bool,
        unlocked: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._servers = servers
        self._record = record
        self._preview = preview
        self._unlocked = unlocked
        self._hooks: dict[str, resource_pb2.RegisterResourceHookRequest] = {}
        self._error_hooks: dict[str, resource_pb2.RegisterErrorHookRequest] = {}

    @property
    def in_use(self) -> bool:
        """Whether a step may have to call back."""
        return bool(self._hooks or self._error_hooks)

    def add(self, hook: resource_pb2.RegisterResourceHookRequest) -> None:
        """A hook of the program. Raises ValueError when its name is taken."""
        self._must_be_free(hook.name)
        self._hooks[hook.name] = hook

    def add_on_error(self, hook: resource_pb2.RegisterErrorHookRequest) -> None:
        """An error hook of the program. Raises ValueError when its name is taken."""
        self._must_be_free(hook.name)
        self._error_hooks[hook.name] = hook

    def _must_be_free(self, name: str) -> None:
        if name in self._hooks or name in self._error_hooks:
            raise ValueError(f"two resource hooks are called {name!r}: give each its own name")

    def before(self, op: Op, old: ResourceState | None, new: ResourceState | None) -> None:
        """Run the hooks before a step. Raises HookError when one fails."""
        self._run(f"Before{_word(op)}", old, new)

    def after(self, op: Op, old: ResourceState | None, new: ResourceState | None) -> None:
        """Run the hooks after a step; a failing one is the run's refusal, and what was done stays."""
        try:
            self._run(f"After{_word(op)}", old, new)
        except HookError as error:
            state = new if new is not None else old
            self._record.refuse(Refusal("program", str(error), state.urn if state is not None else None))

    def retry(self, op: Op, old: ResourceState | None, new: ResourceState, failures: Sequence[str]) -> bool:
        """Whether an error hook asks to try again after ``failures``, of which the last is the first here."""
        if len(failures) > _MOST_RETRIES:
            return False
        word = _word(op).lower()
        wanted = False
        for name in _named(new, "OnError"):
            hook = self._error_hooks.get(name)
            if hook is None:
                raise HookError(_unregistered(name, new))
            request = resource_pb2.ErrorHookRequest(
                urn=new.urn,
                id=new.id,
                name=new.name,
                type=new.type,
                new_inputs=to_struct(new.inputs),
                old_inputs=_struct(old, "inputs"),
                old_outputs=_struct(old, "outputs"),
                failed_operation=word,
                errors=failures,
            )
            try:
                with self._unlocked():
                    answer = self._call(hook, request, resource_pb2.ErrorHookResponse)
            except CallbackError as error:
                raise HookError(f"error hook {name!r} of {new.name} failed: {error}") from error
            if answer.error:
                raise HookError(f"error hook {name!r} of {new.name} failed: {answer.error}")
            wanted = wanted or answer.retry
        if wanted:
            notice = f"retrying {word} as an error hook asks ({len(failures)}/{_MOST_RETRIES})"
            self._record.message("warning", notice, new.urn)
        return wanted

    def _call(self, hook: Any, request: Message, answer: type[_Answer]) -> _Answer:
        return self._servers.call(hook.callback, request, answer)

    def _run(self, kind: str, old: ResourceState | None, new: ResourceState | None) -> None:
        state = new if new is not None else old
        if state is None:
            return
        created = kind.endswith("Create")
        for name in _named(state, kind):
            hook = self._hooks.get(name)
            if hook is None:
                raise HookError(_unregistered(name, state))
            if self._preview and not hook.on_dry_run:
                continue
            request = resource_pb2.ResourceHookRequest(
                urn=state.urn,
                id=state.id,
                name=state.name,
                type=state.type,
                new_inputs=_struct(new, "inputs"),
                old_inputs=None if created else _struct(old, "inputs"),
                new_outputs=_struct(new, "outputs") if kind.startswith("After") else None,
                old_outputs=None if created else _struct(old, "outputs"),
            )
            try:
                with self._unlocked():
                    answer = self._call(hook, request, resource_pb2.ResourceHookResponse)
                failure = answer.error
            except CallbackError as error:
                failure = str(error)
            if not failure:
                continue
            sentence = f"{kind} hook {name!r} of {state.name} ({state.type}) failed: {failure}"
            if not hook.ignore_errors:
                raise HookError(sentence)
            self._record.message("warning", sentence, state.urn)


def _named(state: ResourceState, kind: str) -> list[str]:
    hooks = cast("Mapping[str, list[str]]", state.extra.get(HOOKS_FIELD) or {})
    return hooks.get(kind, [])


def _unregistered(name: str, state: ResourceState) -> str:
    return (
        f"hook {name!r} of {state.name} ({state.type}) is not registered by the program: "
        "keep it in the program until the resource is gone"
    )


def _struct(state: ResourceState | None, part: str) -> struct_pb2.Struct | None:
    values: dict[str, Any] | None = None if state is None else getattr(state, part)
    return None if values is None else to_struct(values)


def _word(op: Op) -> str:
    if op is Op.UPDATE:
        return "Update"
    return "Delete" if op in {Op.DELETE, Op.DELETE_REPLACED} else "Create"

"""Resource hooks: functions of the program before and after a resource is created, updated or deleted.

What they may do and when is the engine's (``RunHooks`` in ``pkg/resource/deploy/deployment.go``): a failing
*before* hook stops the step, a failing *after* hook the run, and an *on error* hook may ask to try again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, cast

from sandbox.engine.recorder import Recorder
from sandbox.model import Old, Op, Refusal, ResourceState

__all__ = ["HOOKS_FIELD", "ErrorHook", "Hook", "HookError", "Hooks", "unrunnable"]

HOOKS_FIELD: Final = "resourceHooks"
"""The field of a state file that names a resource's hooks."""

_MOST_RETRIES: Final = 100


class HookError(Exception):
    """A hook of the program stops a step."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A function of the program: called with its kind, the old and the new state; raises HookError."""

    call: Callable[[str, Old, Old], None]
    on_dry_run: bool = False
    ignore_errors: bool = False


ErrorHook = Callable[[str, Old, ResourceState, Sequence[str]], bool]
"""Called with the operation, the states and its failures: whether to try again. Raises HookError."""


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
        self, record: Recorder, *, preview: bool, unlocked: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._record = record
        self._preview = preview
        self._unlocked = unlocked
        self._hooks: dict[str, Hook] = {}
        self._error_hooks: dict[str, ErrorHook] = {}

    @property
    def in_use(self) -> bool:
        """Whether a step may have to call back."""
        return bool(self._hooks or self._error_hooks)

    def add(self, name: str, hook: Hook) -> None:
        """A hook of the program. Raises ValueError when its name is taken."""
        self._must_be_free(name)
        self._hooks[name] = hook

    def add_on_error(self, name: str, hook: ErrorHook) -> None:
        """An error hook of the program. Raises ValueError when its name is taken."""
        self._must_be_free(name)
        self._error_hooks[name] = hook

    def _must_be_free(self, name: str) -> None:
        if name in self._hooks or name in self._error_hooks:
            raise ValueError(f"two resource hooks are called {name!r}: give each its own name")

    def before(self, op: Op, old: Old, new: Old) -> None:
        """Run the hooks before a step. Raises HookError when one fails."""
        self._run(f"Before{_word(op)}", old, new)

    def after(self, op: Op, old: Old, new: Old) -> None:
        """Run the hooks after a step; a failing one is the run's refusal, and what was done stays."""
        try:
            self._run(f"After{_word(op)}", old, new)
        except HookError as error:
            state = new if new is not None else old
            self._record.refuse(Refusal("program", str(error), state.urn if state is not None else None))

    def retry(self, op: Op, old: Old, new: ResourceState, failures: Sequence[str]) -> bool:
        """Whether an error hook asks to try again after ``failures``, of which the last is the first here."""
        if len(failures) > _MOST_RETRIES:
            return False
        word = _word(op).lower()
        wanted = False
        for name in _named(new, "OnError"):
            hook = self._error_hooks.get(name)
            if hook is None:
                raise HookError(_unregistered(name, new))
            try:
                with self._unlocked():
                    wanted = hook(word, old, new, failures) or wanted
            except HookError as error:
                raise HookError(f"error hook {name!r} of {new.name} failed: {error}") from error
        if wanted:
            notice = f"retrying {word} as an error hook asks ({len(failures)}/{_MOST_RETRIES})"
            self._record.message("warning", notice, new.urn)
        return wanted

    def _run(self, kind: str, old: Old, new: Old) -> None:
        state = new if new is not None else old
        if state is None:
            return
        for name in _named(state, kind):
            hook = self._hooks.get(name)
            if hook is None:
                raise HookError(_unregistered(name, state))
            if self._preview and not hook.on_dry_run:
                continue
            try:
                with self._unlocked():
                    hook.call(kind, old, new)
            except HookError as error:
                sentence = f"{kind} hook {name!r} of {state.name} ({state.type}) failed: {error}"
                if not hook.ignore_errors:
                    raise HookError(sentence) from error
                self._record.message("warning", sentence, state.urn)


def _named(state: ResourceState, kind: str) -> list[str]:
    hooks = cast("Mapping[str, list[str]]", state.extra.get(HOOKS_FIELD) or {})
    return hooks.get(kind, [])


def _unregistered(name: str, state: ResourceState) -> str:
    return (
        f"hook {name!r} of {state.name} ({state.type}) is not registered by the program: "
        "keep it in the program until the resource is gone"
    )


def _word(op: Op) -> str:
    if op is Op.UPDATE:
        return "Update"
    return "Delete" if op in {Op.DELETE, Op.DELETE_REPLACED} else "Create"

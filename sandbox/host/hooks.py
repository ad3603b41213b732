"""Resource hooks as the engine takes them: each a call back into the program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, cast

from google.protobuf import struct_pb2
from google.protobuf.message import Message
from pulumi.runtime.proto import callback_pb2, resource_pb2

from sandbox.engine.hooks import ErrorHook, Hook, HookError
from sandbox.host.callbacks import CallbackError, CallbackServers
from sandbox.model import ResourceState
from sandbox.protobuf import to_struct

__all__ = ["error_hook_of", "hook_of"]

_Answer = TypeVar("_Answer", resource_pb2.ResourceHookResponse, resource_pb2.ErrorHookResponse)


def hook_of(request: resource_pb2.RegisterResourceHookRequest, servers: CallbackServers) -> Hook:
    """The hook that a program registers."""

    def call(kind: str, old: ResourceState | None, new: ResourceState | None) -> None:
        state = new if new is not None else old
        if state is None:
            return
        known = None if kind.endswith("Create") else old
        asked = resource_pb2.ResourceHookRequest(
            urn=state.urn,
            id=state.id,
            name=state.name,
            type=state.type,
            new_inputs=_struct(new, "inputs"),
            old_inputs=_struct(known, "inputs"),
            new_outputs=_struct(new, "outputs") if kind.startswith("After") else None,
            old_outputs=_struct(known, "outputs"),
        )
        _call(servers, cast("Any", request).callback, asked, resource_pb2.ResourceHookResponse)

    return Hook(call, on_dry_run=request.on_dry_run, ignore_errors=request.ignore_errors)


def error_hook_of(request: resource_pb2.RegisterErrorHookRequest, servers: CallbackServers) -> ErrorHook:
    """The error hook that a program registers."""

    def call(word: str, old: ResourceState | None, new: ResourceState, failures: Sequence[str]) -> bool:
        asked = resource_pb2.ErrorHookRequest(
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
        return _call(servers, cast("Any", request).callback, asked, resource_pb2.ErrorHookResponse).retry

    return call


def _call(
    servers: CallbackServers, callback: callback_pb2.Callback, asked: Message, answer: type[_Answer]
) -> _Answer:
    try:
        answered = servers.call(callback, asked, answer)
    except CallbackError as error:
        raise HookError(str(error)) from error
    if answered.error:
        raise HookError(answered.error)
    return answered


def _struct(state: ResourceState | None, part: str) -> struct_pb2.Struct | None:
    values: dict[str, Any] | None = None if state is None else getattr(state, part)
    return None if values is None else to_struct(values)

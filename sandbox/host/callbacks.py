"""Calls back into the program: its transforms of resources and of functions, and its resource hooks.

The SDK serves these functions over gRPC on the program's event loop and tells the monitor where
(``pulumi/runtime/_callbacks.py``). A call waits for that loop, so it must not be made on the loop's thread:
once ``in_use`` says so, the host runs the SDK's calls of the monitor on threads of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar, cast

import grpc
from google.protobuf import struct_pb2
from google.protobuf.message import Message
from pulumi.runtime.proto import alias_pb2, callback_pb2, callback_pb2_grpc, resource_pb2

from sandbox.protobuf import OUTPUT_SIGNATURE, SECRET_SIGNATURE, SIGNATURE_KEY, is_unknown

__all__ = ["CallbackError", "CallbackServers", "Transforms"]

_Answer = TypeVar("_Answer", bound=Message)
_OPTIONS: Final = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))
_PREAMBLE: Final = re.compile(r"^Invoke callback \S+ error: ")
_FRAME: Final = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)')

# Field of a transform's options -> field of a registration.
_LISTS: Final = {
    "ignore_changes": "ignoreChanges",
    "replace_on_changes": "replaceOnChanges",
    "additional_secret_outputs": "additionalSecretOutputs",
    "hide_diff": "hideDiffs",
    "replace_with": "replace_with",
    "aliases": "aliases",
}
_TEXTS: Final = {
    "version": "version",
    "provider": "provider",
    "plugin_download_url": "pluginDownloadURL",
    "deleted_with": "deletedWith",
    "import": "importId",
}
_OPTIONAL: Final = {"protect": "protect", "retain_on_delete": "retainOnDelete"}
_MESSAGES: Final = {
    "custom_timeouts": "customTimeouts",
    "hooks": "hooks",
    "replacement_trigger": "replacement_trigger",
}
_MAPS: Final = {"providers": "providers", "plugin_checksums": "pluginChecksums"}


class CallbackError(Exception):
    """A function of the program raised when it was called back. ``file`` and ``line`` say where."""

    def __init__(self, message: str, file: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.file = file
        self.line = line


class CallbackServers:
    """The program's callback servers, by address."""

    def __init__(self) -> None:
        self._channels: dict[str, grpc.Channel] = {}

    def call(self, callback: callback_pb2.Callback, request: Message, answer: type[_Answer]) -> _Answer:
        """What the program's function answers. Raises CallbackError when it raised."""
        channel = self._channels.get(callback.target)
        if channel is None:
            channel = grpc.insecure_channel(callback.target, options=_OPTIONS)
            self._channels[callback.target] = channel
        stub: Any = callback_pb2_grpc.CallbacksStub(channel)
        wrapped = callback_pb2.CallbackInvokeRequest(
            token=callback.token, request=request.SerializeToString()
        )
        try:
            response = stub.Invoke(wrapped)
        except grpc.RpcError as error:
            raise _failure(str(cast("Any", error).details())) from None
        return answer.FromString(response.response)

    def close(self) -> None:
        """Close the connections."""
        for channel in self._channels.values():
            channel.close()
        self._channels.clear()


def _failure(details: str) -> CallbackError:
    """The failure in a status: the exception's text, then the program's frames."""
    text, _, frames = _PREAMBLE.sub("", details).partition(':\n  File "')
    found = list(_FRAME.finditer(f'File "{frames}'))
    message = " ".join(text.split()) or "no message"
    if not found:
        return CallbackError(message)
    return CallbackError(message, found[-1]["file"], int(found[-1]["line"]))


class Transforms:
    """The transforms that a program has registered, run in the engine's order.

    A resource's own come first, then its parents' from the nearest outward, then the stack's
    (``RegisterResource`` in ``pkg/resource/deploy/source_eval.go``).
    """

    def __init__(self, servers: CallbackServers) -> None:
        self._servers = servers
        self._of_stack: list[callback_pb2.Callback] = []
        self._of_invokes: list[callback_pb2.Callback] = []
        self._own: dict[str, list[callback_pb2.Callback]] = {}
        self._parents: dict[str, str] = {}

    @property
    def in_use(self) -> bool:
        """Whether any registration or function call may have to call back."""
        return bool(self._of_stack or self._of_invokes or self._own)

    def add_of_stack(self, callback: callback_pb2.Callback) -> None:
        """A transform of every resource registered from now on."""
        self._of_stack.append(callback)

    def add_of_invokes(self, callback: callback_pb2.Callback) -> None:
        """A transform of every function call from now on."""
        self._of_invokes.append(callback)

    def registered(self, urn: str, request: resource_pb2.RegisterResourceRequest) -> None:
        """Remember a resource's parent, and its transforms for its children."""
        self._parents[urn] = request.parent
        if own := _own_transforms(request):
            self._own[urn] = own

    def _for(self, request: resource_pb2.RegisterResourceRequest) -> list[callback_pb2.Callback]:
        found = _own_transforms(request)
        parent = request.parent
        while parent:
            found += self._own.get(parent, ())
            parent = self._parents.get(parent, "")
        return found + self._of_stack

    def applied(self, request: resource_pb2.RegisterResourceRequest) -> resource_pb2.RegisterResourceRequest:
        """The registration as the transforms make it. Raises CallbackError when one raises."""
        transforms = self._for(request)
        if not transforms:
            return request
        dependencies = {key: list(value.urns) for key, value in request.propertyDependencies.items()}
        properties = _with_outputs(request.object, dependencies if _own_transforms(request) else {})
        options = _options(request)
        for transform in transforms:
            asked = resource_pb2.TransformRequest(
                name=request.name,
                type=request.type,
                parent=request.parent,
                custom=request.custom,
                properties=properties,
                options=options,
            )
            answer = self._servers.call(transform, asked, resource_pb2.TransformResponse)
            properties = answer.properties if answer.HasField("properties") else properties
            options = answer.options if answer.HasField("options") else options
        return _merged(request, properties, options)

    def invoke(self, request: resource_pb2.ResourceInvokeRequest) -> resource_pb2.ResourceInvokeRequest:
        """The function call as the transforms make it. Raises CallbackError when one raises."""
        if not self._of_invokes:
            return request
        args = _with_outputs(request.args, {})
        options = resource_pb2.TransformInvokeOptions(
            provider=request.provider, version=request.version, plugin_download_url=request.pluginDownloadURL
        )
        for transform in self._of_invokes:
            asked = resource_pb2.TransformInvokeRequest(token=request.tok, args=args, options=options)
            answer = self._servers.call(transform, asked, resource_pb2.TransformInvokeResponse)
            args = answer.args if answer.HasField("args") else args
            options = answer.options if answer.HasField("options") else options
        result = resource_pb2.ResourceInvokeRequest()
        result.CopyFrom(request)
        result.args.CopyFrom(args)
        result.provider, result.version = options.provider, options.version
        return result


def _own_transforms(request: resource_pb2.RegisterResourceRequest) -> list[callback_pb2.Callback]:
    return list(cast("Any", request).transforms)


def _options(request: resource_pb2.RegisterResourceRequest) -> resource_pb2.TransformResourceOptions:
    """The registration's options as a transform gets them."""
    options = resource_pb2.TransformResourceOptions(depends_on=request.dependencies)
    for ours, theirs in _LISTS.items():
        getattr(options, ours).extend(getattr(request, theirs))
    cast("Any", options).aliases.extend(alias_pb2.Alias(urn=urn) for urn in request.aliasURNs)
    for ours, theirs in _TEXTS.items():
        setattr(options, ours, getattr(request, theirs))
    for ours, theirs in _OPTIONAL.items():
        if request.HasField(cast("Any", theirs)):
            setattr(options, ours, getattr(request, theirs))
    for ours, theirs in _MESSAGES.items():
        if request.HasField(cast("Any", theirs)):
            getattr(options, ours).CopyFrom(getattr(request, theirs))
    for ours, theirs in _MAPS.items():
        getattr(options, ours).update(getattr(request, theirs))
    if request.deleteBeforeReplaceDefined:
        options.delete_before_replace = request.deleteBeforeReplace
    return options


def _merged(
    request: resource_pb2.RegisterResourceRequest,
    properties: struct_pb2.Struct,
    options: resource_pb2.TransformResourceOptions,
) -> resource_pb2.RegisterResourceRequest:
    """The registration with a transform's answer in place of its properties and options."""
    result = resource_pb2.RegisterResourceRequest()
    result.CopyFrom(request)
    result.object.CopyFrom(properties)
    del result.aliasURNs[:]
    for ours, theirs in _LISTS.items():
        result.ClearField(cast("Any", theirs))
        getattr(result, theirs).extend(getattr(options, ours))
    for ours, theirs in _TEXTS.items():
        setattr(result, theirs, getattr(options, ours))
    for ours, theirs in {**_OPTIONAL, **_MESSAGES}.items():
        result.ClearField(cast("Any", theirs))
        if options.HasField(cast("Any", ours)):
            value = getattr(options, ours)
            if isinstance(value, Message):
                getattr(result, theirs).CopyFrom(value)
            else:
                setattr(result, theirs, value)
    for ours, theirs in _MAPS.items():
        result.ClearField(cast("Any", theirs))
        getattr(result, theirs).update(getattr(options, ours))
    result.deleteBeforeReplaceDefined = options.HasField("delete_before_replace")
    result.deleteBeforeReplace = options.delete_before_replace
    if not _own_transforms(request):
        # Only a resource's own transforms change what it depends on: so it is in the engine.
        return result
    del result.dependencies[:]
    result.propertyDependencies.clear()
    found = set(options.depends_on)
    for key, value in properties.fields.items():
        urns = set(_dependencies(value))
        result.propertyDependencies[key].urns.extend(sorted(urns))
        found |= urns
    result.dependencies.extend(sorted(found))
    return result


# Output values: what is unknown, secret or depends on something, as the program's functions get it.


def _with_outputs(
    properties: struct_pb2.Struct, dependencies: Mapping[str, Iterable[str]]
) -> struct_pb2.Struct:
    result = struct_pb2.Struct()
    result.CopyFrom(properties)
    for key, value in result.fields.items():
        _raise_to_outputs(value)
        urns = sorted(dependencies.get(key, ()))
        if not urns:
            continue
        if not _is_output(value):
            inner = struct_pb2.Value()
            inner.CopyFrom(value)
            _make_output(value, inner, secret=False)
        value.struct_value.fields["dependencies"].list_value.extend(urns)
    return result


def _raise_to_outputs(value: struct_pb2.Value) -> None:
    kind = value.WhichOneof("kind")
    if kind == "string_value" and is_unknown(value.string_value):
        _make_output(value, None, secret=False)
    elif kind == "list_value":
        for item in value.list_value.values:
            _raise_to_outputs(item)
    elif kind == "struct_value":
        fields = value.struct_value.fields
        signature = fields[SIGNATURE_KEY].string_value if SIGNATURE_KEY in fields else ""
        if signature == SECRET_SIGNATURE:
            inner = struct_pb2.Value()
            inner.CopyFrom(fields["value"])
            unknown = inner.WhichOneof("kind") == "string_value" and is_unknown(inner.string_value)
            _raise_to_outputs(inner)
            _make_output(value, None if unknown else inner, secret=True)
        elif not signature:
            for item in fields.values():
                _raise_to_outputs(item)


def _make_output(value: struct_pb2.Value, inner: struct_pb2.Value | None, *, secret: bool) -> None:
    made = struct_pb2.Struct()
    made.fields[SIGNATURE_KEY].string_value = OUTPUT_SIGNATURE
    if inner is not None:
        made.fields["value"].CopyFrom(inner)
    if secret:
        made.fields["secret"].bool_value = True
    value.struct_value.CopyFrom(made)


def _is_output(value: struct_pb2.Value) -> bool:
    fields = value.struct_value.fields
    return SIGNATURE_KEY in fields and fields[SIGNATURE_KEY].string_value == OUTPUT_SIGNATURE


def _dependencies(value: struct_pb2.Value) -> Iterable[str]:
    kind = value.WhichOneof("kind")
    if kind == "list_value":
        for item in value.list_value.values:
            yield from _dependencies(item)
    elif kind == "struct_value":
        fields = value.struct_value.fields
        if _is_output(value) and "dependencies" in fields:
            yield from (item.string_value for item in fields["dependencies"].list_value.values)
        for key, item in fields.items():
            if key != "dependencies":
                yield from _dependencies(item)

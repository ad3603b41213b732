"""``pulumirpc.ResourceProvider`` over the stand-in cloud; method names are the protocol's.

One process serves one provider instance. The cloud is a file shared by all of them, taken under a lock for
each call and read anew, because a preview and its update start different processes.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from types import FrameType
from typing import Any, Final, Protocol

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from sandbox.cloud import Cloud
from sandbox.cloud.store import FileWorld
from sandbox.errors import CloudError, UsageError
from sandbox.protobuf import from_struct, to_struct
from sandbox.urn import type_of
from sandbox.values import DiffKind

__all__ = ["ProviderPlugin", "main"]

_KINDS: Final = {
    DiffKind.ADD: provider_pb2.PropertyDiff.ADD,
    DiffKind.ADD_REPLACE: provider_pb2.PropertyDiff.ADD_REPLACE,
    DiffKind.DELETE: provider_pb2.PropertyDiff.DELETE,
    DiffKind.DELETE_REPLACE: provider_pb2.PropertyDiff.DELETE_REPLACE,
    DiffKind.UPDATE: provider_pb2.PropertyDiff.UPDATE,
    DiffKind.UPDATE_REPLACE: provider_pb2.PropertyDiff.UPDATE_REPLACE,
}
_GRACE_SECONDS: Final = 60
_MESSAGE_BYTES: Final = 400 * 1024 * 1024


class _Context(Protocol):
    def abort(self, code: Any, details: str) -> Any: ...


class ProviderPlugin(provider_pb2_grpc.ResourceProviderServicer):
    """One package's provider."""

    def __init__(self, package: str, world: Path) -> None:
        self._package = package
        self._world = FileWorld(world)
        self._configuration: dict[str, Any] = {}

    @contextmanager
    def _cloud(self, context: _Context, *, keep: bool = False) -> Generator[Cloud]:
        """The cloud as it stands; with ``keep`` what the call did to it stays. A refusal ends the call.

        Any other error ends it too, with a status that does not make the CLI doubt the resource's state:
        nothing was kept.
        """
        try:
            with self._world.open(keep=keep) as world:
                yield Cloud(world)
        except CloudError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        except UsageError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error.args[0]))
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            context.abort(grpc.StatusCode.ABORTED, f"the stand-in cloud failed: {error!r}")

    def Handshake(self, request: Any, context: _Context) -> provider_pb2.ProviderHandshakeResponse:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=True)

    def GetPluginInfo(self, request: Any, context: _Context) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=metadata.version(f"pulumi-{self._package}"))

    def Attach(self, request: Any, context: _Context) -> empty_pb2.Empty:
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: _Context) -> empty_pb2.Empty:
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, context: _Context) -> provider_pb2.CheckResponse:
        return self._checked(request, f"pulumi:providers:{self._package}", context)

    def DiffConfig(self, request: Any, context: _Context) -> provider_pb2.DiffResponse:
        return self._differing(request, f"pulumi:providers:{self._package}", context)

    def Configure(self, request: Any, context: _Context) -> provider_pb2.ConfigureResponse:
        self._configuration = from_struct(request.args)
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True, acceptResources=True)

    def Check(self, request: Any, context: _Context) -> provider_pb2.CheckResponse:
        return self._checked(request, type_of(request.urn), context)

    def _checked(self, request: Any, type: str, context: _Context) -> provider_pb2.CheckResponse:
        olds = from_struct(request.olds) if request.HasField("olds") and request.olds.fields else None
        with self._cloud(context) as cloud:
            inputs, failures = cloud.check(
                type, request.urn, olds, from_struct(request.news), request.randomSeed
            )
            found = [
                provider_pb2.CheckFailure(property=item.property, reason=item.reason) for item in failures
            ]
            return provider_pb2.CheckResponse(inputs=to_struct(inputs), failures=found)
        raise AssertionError("abort raises")

    def Diff(self, request: Any, context: _Context) -> provider_pb2.DiffResponse:
        return self._differing(request, type_of(request.urn), context)

    def _differing(self, request: Any, type: str, context: _Context) -> provider_pb2.DiffResponse:
        with self._cloud(context) as cloud:
            result = cloud.diff(
                type,
                request.urn,
                request.id,
                from_struct(request.old_inputs),
                from_struct(request.olds),
                from_struct(request.news),
                list(request.ignoreChanges),
            )
            changes = (
                provider_pb2.DiffResponse.DIFF_SOME if result.changes else provider_pb2.DiffResponse.DIFF_NONE
            )
            return provider_pb2.DiffResponse(
                changes=changes,
                replaces=list(result.replaces),
                deleteBeforeReplace=result.delete_before_replace,
                diffs=sorted({path.split(".")[0].split("[")[0] for path in result.detailed}),
                detailedDiff={
                    path: provider_pb2.PropertyDiff(kind=_KINDS[kind], inputDiff=True)
                    for path, kind in result.detailed.items()
                },
                hasDetailedDiff=True,
            )
        raise AssertionError("abort raises")

    def Create(self, request: Any, context: _Context) -> provider_pb2.CreateResponse:
        with self._cloud(context, keep=not request.preview) as cloud:
            id, outputs = cloud.create(
                type_of(request.urn),
                request.urn,
                from_struct(request.properties),
                preview=request.preview,
                provider=self._configuration,
            )
            return provider_pb2.CreateResponse(id=id, properties=to_struct(outputs))
        raise AssertionError("abort raises")

    def Update(self, request: Any, context: _Context) -> provider_pb2.UpdateResponse:
        with self._cloud(context, keep=not request.preview) as cloud:
            outputs = cloud.update(
                type_of(request.urn),
                request.urn,
                request.id,
                from_struct(request.old_inputs),
                from_struct(request.olds),
                from_struct(request.news),
                preview=request.preview,
                provider=self._configuration,
            )
            return provider_pb2.UpdateResponse(properties=to_struct(outputs))
        raise AssertionError("abort raises")

    def Delete(self, request: Any, context: _Context) -> empty_pb2.Empty:
        with self._cloud(context, keep=True) as cloud:
            cloud.delete(
                type_of(request.urn),
                request.urn,
                request.id,
                from_struct(request.old_inputs),
                from_struct(request.properties),
                provider=self._configuration,
            )
        return empty_pb2.Empty()

    def Read(self, request: Any, context: _Context) -> provider_pb2.ReadResponse:
        inputs = from_struct(request.inputs) if request.inputs.fields else None
        outputs = from_struct(request.properties)
        with self._cloud(context, keep=True) as cloud:
            found = cloud.read(
                type_of(request.urn), request.urn, request.id, inputs, outputs, provider=self._configuration
            )
            if found is None:
                return provider_pb2.ReadResponse()
            return provider_pb2.ReadResponse(
                id=request.id, inputs=to_struct(found[0]), properties=to_struct(found[1])
            )
        raise AssertionError("abort raises")

    def Invoke(self, request: Any, context: _Context) -> provider_pb2.InvokeResponse:
        with self._cloud(context, keep=True) as cloud:
            answer = cloud.invoke(request.tok, from_struct(request.args), provider=self._configuration)
            response = provider_pb2.InvokeResponse()
            # The field's name is a Python keyword.
            getattr(response, "return").CopyFrom(to_struct(answer))
            return response
        raise AssertionError("abort raises")


def _stopping(server: Any) -> Callable[[int, FrameType | None], None]:
    def stop(number: int, frame: FrameType | None) -> None:
        server.stop(_GRACE_SECONDS)

    return stop


def main() -> None:
    """Serve until the CLI ends this process: ``provider PACKAGE WORLD ENGINE_ADDRESS``."""
    package, world = sys.argv[1], Path(sys.argv[2])
    options = [
        ("grpc.max_receive_message_length", _MESSAGE_BYTES),
        ("grpc.max_send_message_length", _MESSAGE_BYTES),
    ]
    server: Any = grpc.server(ThreadPoolExecutor(max_workers=16), options=options)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(ProviderPlugin(package, world), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    # The CLI ends its plug-ins so, and Ctrl-C reaches them beside it: calls under way are still answered.
    signal.signal(signal.SIGINT, _stopping(server))
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()


if __name__ == "__main__":
    main()

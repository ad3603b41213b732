"""What component tests stand on: a monitor that keeps every registration and fills in computed outputs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import pulumi
from google.protobuf import empty_pb2
from pulumi.runtime import mocks, rpc

__all__ = ["Build", "Recorded", "Recorder", "drain"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One registration. Inputs are camelCase and plain; `secrets` names the inputs that hold a secret."""

    urn: str
    type: str
    name: str
    custom: bool
    parent: str
    inputs: Mapping[str, Any]
    secrets: frozenset[str]
    protect: bool
    dependencies: tuple[str, ...]
    provider: str
    ignore_changes: tuple[str, ...]
    import_id: str
    retain_on_delete: bool
    delete_before_replace: bool


@dataclass
class Recorder(mocks.Mocks):
    """Every registration in order. `computed` adds outputs per type; `invokes` answers look-ups."""

    resources: list[Recorded] = field(default_factory=list[Recorded])
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    computed: dict[str, Callable[[str, dict[str, Any]], dict[str, Any]]] = field(
        default_factory=lambda: dict(_COMPUTED)
    )
    invokes: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        if args.token not in self.invokes:
            raise AssertionError(f"unexpected look-up {args.token}")
        return self.invokes[args.token], []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        inputs = cast("dict[str, Any]", vars(args)["inputs"])
        name = str(inputs.get("name") or args.name)
        extra = self.computed.get(args.typ, lambda _name, _inputs: {})(name, inputs)
        return f"{args.name}-id" if args.custom else "", {"name": name, **inputs, **extra}

    def of_type(self, type: str) -> list[Recorded]:
        """Resources of one type, by token or by its end such as "topic:Topic"; components by token."""
        return [
            resource
            for resource in self.resources
            if resource.type == type or (resource.custom and resource.type.endswith(type))
        ]

    def one(self, type: str, name: str | None = None) -> Recorded:
        """The only registration of that type (and name); a failure lists what there is."""
        found = [resource for resource in self.of_type(type) if name is None or resource.name == name]
        assert len(found) == 1, f"{type} {name or ''}: {[(r.type, r.name) for r in self.resources]}"
        return found[0]

    def names(self, type: str) -> list[str]:
        """Logical names of one type, sorted."""
        return sorted(resource.name for resource in self.of_type(type))


class RecordingMonitor(mocks.MockMonitor):
    """Pulumi's own mock monitor, with the parts of a registration that it drops."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self.recorder = recorder

    def _register(self, request: Any) -> Any:
        response = cast("Any", mocks.MockMonitor).RegisterResource(self, request)
        if request.type == "pulumi:pulumi:Stack":
            return response
        wrapped = cast("dict[str, Any]", rpc.deserialize_properties(request.object))
        self.recorder.resources.append(
            Recorded(
                urn=response.urn,
                type=request.type,
                name=request.name,
                custom=request.custom,
                parent=request.parent,
                inputs={key: _plain(value) for key, value in wrapped.items()},
                secrets=frozenset(key for key, value in wrapped.items() if _holds_secret(value)),
                protect=request.protect,
                dependencies=tuple(request.dependencies),
                provider=request.provider,
                ignore_changes=tuple(request.ignoreChanges),
                import_id=request.importId,
                retain_on_delete=request.retainOnDelete,
                delete_before_replace=request.deleteBeforeReplace,
            )
        )
        return response

    def _register_outputs(self, request: Any) -> Any:
        self.recorder.outputs[request.urn] = cast(
            "dict[str, Any]", _plain(rpc.deserialize_properties(request.outputs))
        )
        return empty_pb2.Empty()

    RegisterResource = _register
    RegisterResourceOutputs = _register_outputs


class Build:
    """Runs a factory under the recorder until every registration is done; returns what the factory returned.

    The mock monitor opens an event loop in each thread it is called from, so there is one thread whose loop,
    like the main one, is closed at the end.
    """

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self._loops = [asyncio.new_event_loop()]
        self._executor = ThreadPoolExecutor(max_workers=1, initializer=self._open_thread_loop)
        self._loops[0].set_default_executor(self._executor)
        asyncio.set_event_loop(self._loops[0])

    def __call__(self, factory: Callable[[], T], *, config: Mapping[str, str] | None = None) -> T:
        pulumi.runtime.set_all_config(dict(config or {}), [])
        pulumi.runtime.set_mocks(
            self.recorder,
            project="aiprod",
            stack="test",
            preview=False,
            monitor=RecordingMonitor(self.recorder),
        )
        made: list[T] = []

        def program() -> None:
            made.append(factory())

        cast("Any", pulumi.runtime).test(program)()
        return made[0]

    def resolve(self, output: pulumi.Output[T]) -> T:
        """The value of an output once the registrations are done."""
        return cast("T", self._loops[0].run_until_complete(output.future()))

    def is_secret(self, output: pulumi.Output[Any]) -> bool:
        """Whether the output is marked secret."""
        return self._loops[0].run_until_complete(output.is_secret())

    def close(self) -> None:
        """Stop the thread and close both loops, once nothing is left running on them."""
        drain(self._loops[0])
        self._executor.shutdown()
        for loop in self._loops:
            loop.close()
        asyncio.set_event_loop(None)

    def _open_thread_loop(self) -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        self._loops.append(loop)


def drain(loop: asyncio.AbstractEventLoop) -> None:
    """Finish what runs on a loop, or end it after a second, so that closing it leaves no coroutine behind."""

    async def finish() -> None:
        running = asyncio.all_tasks() - {cast("asyncio.Task[None]", asyncio.current_task())}
        if running:
            _, late = await asyncio.wait(running, timeout=1)
            for task in late:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    loop.run_until_complete(finish())


def _plain(value: Any) -> Any:
    if rpc.is_rpc_secret(value):
        return _plain(rpc.unwrap_rpc_secret(value))
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_plain(item) for item in cast("list[Any]", value)]
    return value


def _holds_secret(value: Any) -> bool:
    if rpc.is_rpc_secret(value):
        return True
    if isinstance(value, dict):
        return any(_holds_secret(item) for item in cast("dict[str, Any]", value).values())
    return isinstance(value, list) and any(_holds_secret(item) for item in cast("list[Any]", value))


def _account(name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    email = f"{inputs.get('accountId', name)}@project.iam.gserviceaccount.com"
    return {
        "email": email,
        "member": f"serviceAccount:{email}",
        "name": f"projects/-/serviceAccounts/{email}",
    }


def _agent(name: str, inputs: dict[str, Any]) -> dict[str, Any]:
    email = f"agent-{str(inputs.get('service', name)).split('.')[0]}@agents.iam.gserviceaccount.com"
    return {"email": email, "member": f"serviceAccount:{email}"}


_COMPUTED: dict[str, Callable[[str, dict[str, Any]], dict[str, Any]]] = {
    "gcp:serviceaccount/account:Account": _account,
    "gcp:projects/serviceIdentity:ServiceIdentity": _agent,
    "gcp:sql/databaseInstance:DatabaseInstance": lambda name, _: {
        "connectionName": f"project:region:{name}",
        "privateIpAddress": "10.0.0.2",
        "firstIpAddress": "10.0.0.2",
    },
    "gcp:memorystore/instance:Instance": lambda _, __: {
        "endpoints": [{"connections": [{"pscAutoConnection": {"ipAddress": "10.0.0.4", "port": 6379}}]}],
        "managedServerCas": [{"caCerts": [{"certificates": ["certificate"]}]}],
    },
    "gcp:redis/instance:Instance": lambda _, __: {
        "host": "10.0.0.3",
        "port": 6378,
        "authString": "auth",
        "serverCaCerts": [{"cert": "certificate"}],
    },
    "gcp:compute/address:Address": lambda _, __: {"address": "192.0.2.1", "selfLink": "address-link"},
    "gcp:compute/globalAddress:GlobalAddress": lambda _, __: {"address": "192.0.2.2"},
    "gcp:compute/network:Network": lambda name, _: {"selfLink": f"networks/{name}"},
    "gcp:compute/subnetwork:Subnetwork": lambda name, _: {"selfLink": f"subnetworks/{name}"},
    "gcp:secretmanager/secretVersion:SecretVersion": lambda _, __: {"version": "1"},
    "gcp:certificatemanager/dnsAuthorization:DnsAuthorization": lambda _, inputs: {
        "dnsResourceRecords": [
            {"name": f"_acme-challenge.{inputs['domain']}.", "type": "CNAME", "data": "proof.example.net."}
        ]
    },
    "gcp:dns/managedZone:ManagedZone": lambda _, __: {
        "nameServers": ["ns1.example.net.", "ns2.example.net."]
    },
    "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig": lambda name, _: {"uptimeCheckId": f"{name}-check"},
    "gcp:cloudrunv2/service:Service": lambda name, _: {"uri": f"https://{name}.run.app"},
    "gcp:storage/bucket:Bucket": lambda name, _: {"url": f"gs://{name}"},
    "random:index/randomPassword:RandomPassword": lambda _, __: {"result": "generated"},
    "random:index/randomId:RandomId": lambda _, __: {"hex": "abcd"},
}

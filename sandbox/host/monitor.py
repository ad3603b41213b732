"""The resource monitor and the engine as the SDK calls them, in process, with the protocol's own messages.

The SDK takes any object with the methods of the generated gRPC stubs; a call through it costs a third of one
over gRPC in the same process.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import callback_pb2, engine_pb2, provider_pb2, resource_pb2

from sandbox.engine.deployment import Deployment, DeploymentAbortedError
from sandbox.engine.goal import Goal, Registration
from sandbox.errors import CloudError
from sandbox.host.assets import with_hashes
from sandbox.host.callbacks import CallbackError, CallbackServers, Transforms
from sandbox.host.hooks import error_hook_of, hook_of
from sandbox.host.requests import goal_of
from sandbox.host.wording import place, without_paths
from sandbox.model import Refusal
from sandbox.protobuf import from_struct, from_value, to_struct
from sandbox.urn import package_of

__all__ = ["EngineLog", "ResourceMonitor"]

_FEATURES: Final = (
    resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACEMENT_TRIGGER,
    resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_TRANSFORMS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_INVOKE_TRANSFORMS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_HOOKS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ERROR_HOOKS,
)
_FEATURE_NAMES: Final = frozenset(
    {
        "secrets",
        "resourceReferences",
        "aliasSpecs",
        "deletedWith",
        "replaceWith",
        "replacementTrigger",
        "transforms",
        "invokeTransforms",
        "resourceHooks",
        "errorHooks",
    }
)
_PACKAGES: Final = frozenset({"gcp", "pulumi", "random"})
_SEVERITIES: Final = {
    engine_pb2.DEBUG: "debug",
    engine_pb2.INFO: "info",
    engine_pb2.WARNING: "warning",
    engine_pb2.ERROR: "error",
}


class ResourceMonitor:
    """``pulumirpc.ResourceMonitor`` over one deployment; method names are the protocol's."""

    def __init__(self, deployment: Deployment, directory: Path | None = None) -> None:
        self._deployment = deployment
        self._directory = directory
        self._servers = CallbackServers()
        self._transforms = Transforms(self._servers)
        self._refused_packages: set[str] = set()

    @property
    def calls_back(self) -> bool:
        """Whether a call may have to call the program back and wait for it."""
        return self._transforms.in_use or self._deployment.hooks.in_use

    def close(self) -> None:
        """No function of the program is called any more."""
        self._servers.close()

    def GetDeploymentInfo(self, request: empty_pb2.Empty) -> resource_pb2.DeploymentInfo:
        return resource_pb2.DeploymentInfo(supportedFeatures=list(_FEATURES))

    def SupportsFeature(
        self, request: resource_pb2.SupportsFeatureRequest
    ) -> resource_pb2.SupportsFeatureResponse:
        return resource_pb2.SupportsFeatureResponse(hasSupport=request.id in _FEATURE_NAMES)

    def RegisterResource(
        self, request: resource_pb2.RegisterResourceRequest
    ) -> resource_pb2.RegisterResourceResponse:
        if request.remote:
            raise ValueError(
                f"{request.name} ({request.type}) is a component of another package: "
                "the sandbox runs components of the program only"
            )
        if request.custom and self._is_foreign(request.type):
            return resource_pb2.RegisterResourceResponse(result=resource_pb2.FAIL)
        if list(cast("Any", request).state_migrations):
            raise ValueError(f"{request.name} ({request.type}) migrates state: the sandbox does not do that")
        with self._program_called():
            request = self._transforms.applied(request)
        goal = goal_of(request)
        try:
            goal = replace(goal, inputs=with_hashes(goal.inputs))
        except ValueError as error:
            message = without_paths(f"{goal.name} ({goal.type}): {error}", self._directory)
            self._deployment.record.refuse(Refusal("program", message), final=True)
            raise DeploymentAbortedError from error
        done = self._deployment.register(goal)
        if done.urn:
            self._transforms.registered(done.urn, request)
        return resource_pb2.RegisterResourceResponse(
            urn=done.urn,
            id=done.id,
            object=_outputs(done),
            result=resource_pb2.FAIL if done.failed else resource_pb2.SUCCESS,
        )

    def RegisterResourceOutputs(
        self, request: resource_pb2.RegisterResourceOutputsRequest
    ) -> empty_pb2.Empty:
        self._deployment.register_outputs(request.urn, from_struct(request.outputs))
        return empty_pb2.Empty()

    def ReadResource(self, request: resource_pb2.ReadResourceRequest) -> resource_pb2.ReadResourceResponse:
        if self._is_foreign(request.type):
            raise DeploymentAbortedError
        goal = Goal(
            type=request.type,
            name=request.name,
            custom=True,
            inputs=from_struct(request.properties),
            parent=request.parent,
            dependencies=sorted(request.dependencies),
            provider=request.provider,
            version=request.version,
            additional_secret_outputs=list(request.additionalSecretOutputs),
        )
        done = self._deployment.read(goal, from_value(struct_pb2.Value(string_value=request.id)))
        return resource_pb2.ReadResourceResponse(urn=done.urn, properties=_outputs(done))

    def ExistsResource(
        self, request: resource_pb2.ExistsResourceRequest
    ) -> resource_pb2.ExistsResourceResponse:
        found = self._deployment.exists(request.type, request.id, request.provider, request.version)
        return resource_pb2.ExistsResourceResponse(exists=found)

    def Invoke(self, request: resource_pb2.ResourceInvokeRequest) -> resource_pb2.ResourceInvokeResponse:
        if self._is_foreign(request.tok):
            raise DeploymentAbortedError
        with self._program_called():
            request = self._transforms.invoke(request)
        try:
            result = self._deployment.invoke(
                request.tok, from_struct(request.args), request.provider, request.version
            )
        except CloudError as error:
            failure = provider_pb2.CheckFailure(property="", reason=str(error))
            return resource_pb2.ResourceInvokeResponse(failures=[failure])
        response = resource_pb2.ResourceInvokeResponse()
        # The field is called `return`, which is no attribute name in Python.
        getattr(response, "return").CopyFrom(to_struct(result))
        return response

    def Call(self, request: resource_pb2.ResourceCallRequest) -> provider_pb2.CallResponse:
        raise ValueError(f"{request.tok} is a method of another package: the sandbox does not run those")

    def RegisterPackage(
        self, request: resource_pb2.RegisterPackageRequest
    ) -> resource_pb2.RegisterPackageResponse:
        raise ValueError(f"package {request.name} is parameterized: the sandbox does not run such packages")

    def RegisterStackTransform(self, request: callback_pb2.Callback) -> empty_pb2.Empty:
        self._transforms.add_of_stack(request)
        return empty_pb2.Empty()

    def RegisterStackInvokeTransform(self, request: callback_pb2.Callback) -> empty_pb2.Empty:
        self._transforms.add_of_invokes(request)
        return empty_pb2.Empty()

    def RegisterResourceHook(self, request: resource_pb2.RegisterResourceHookRequest) -> empty_pb2.Empty:
        self._deployment.hooks.add(request.name, hook_of(request, self._servers))
        return empty_pb2.Empty()

    def RegisterErrorHook(self, request: resource_pb2.RegisterErrorHookRequest) -> empty_pb2.Empty:
        self._deployment.hooks.add_on_error(request.name, error_hook_of(request, self._servers))
        return empty_pb2.Empty()

    def SignalAndWaitForShutdown(self, request: empty_pb2.Empty) -> empty_pb2.Empty:
        # The program has ended, and its functions are served for as long as this call lasts: hooks of
        # deletions can run only now.
        if self._deployment.hooks.in_use:
            self._deployment.finish()
        return empty_pb2.Empty()

    def _is_foreign(self, token: str) -> bool:
        """Whether a type or function is of a package that is not run here; each is refused once."""
        package = package_of(token)
        if package in _PACKAGES:
            return False
        if package not in self._refused_packages:
            self._refused_packages.add(package)
            if package == "pulumi-python":
                message = (
                    "the program makes a dynamic resource (pulumi.dynamic): its provider is code of the "
                    "program's own that works on something real, and the sandbox does not run it"
                )
            else:
                message = (
                    f"the sandbox has no provider for package {package} ({token}): it runs gcp and random"
                )
            self._deployment.record.refuse(Refusal("program", message))
        if self._deployment.record.aborted:
            raise DeploymentAbortedError
        return True

    @contextmanager
    def _program_called(self) -> Generator[None]:
        """A function of the program that raises ends the run."""
        try:
            yield
        except CallbackError as error:
            where = place(error.file, error.line, self._directory)
            text = without_paths(str(error), self._directory)
            self._deployment.fail(f"a transform of the program raised{where}: {text}")
            raise DeploymentAbortedError from error


class EngineLog:
    """``pulumirpc.Engine``: takes what the program logs."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    def Log(self, request: engine_pb2.LogRequest) -> empty_pb2.Empty:
        severity = _SEVERITIES.get(request.severity, "info")
        if severity != "debug":
            self._deployment.record.message(severity, request.message, request.urn or None)
        return empty_pb2.Empty()

    def RequirePulumiVersion(
        self, request: engine_pb2.RequirePulumiVersionRequest
    ) -> engine_pb2.RequirePulumiVersionResponse:
        return engine_pb2.RequirePulumiVersionResponse()


def _outputs(done: Registration) -> struct_pb2.Struct:
    return to_struct(done.outputs)

"""The resource monitor and the engine as the SDK calls them, in process, with the protocol's own messages.

The SDK takes any object with the methods of the generated gRPC stubs; a call through it costs a third of one
over gRPC in the same process.
"""

from __future__ import annotations

from typing import Final

from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import engine_pb2, provider_pb2, resource_pb2

from sandbox.engine.deployment import Deployment
from sandbox.engine.goal import Goal, Registration, goal_of
from sandbox.errors import CloudError
from sandbox.protobuf import from_struct, from_value, to_struct

__all__ = ["EngineLog", "ResourceMonitor"]

_FEATURES: Final = (
    resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACEMENT_TRIGGER,
    resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
)
_FEATURE_NAMES: Final = frozenset(
    {"secrets", "resourceReferences", "aliasSpecs", "deletedWith", "replaceWith", "replacementTrigger"}
)
_SEVERITIES: Final = {
    engine_pb2.DEBUG: "debug",
    engine_pb2.INFO: "info",
    engine_pb2.WARNING: "warning",
    engine_pb2.ERROR: "error",
}


class ResourceMonitor:
    """``pulumirpc.ResourceMonitor`` over one deployment; method names are the protocol's."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

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
        done = self._deployment.register(goal_of(request))
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

    def SignalAndWaitForShutdown(self, request: empty_pb2.Empty) -> empty_pb2.Empty:
        return empty_pb2.Empty()


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

"""The plug-in over the wire's own messages, without a CLI."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from sandbox.plugin.provider import ProviderPlugin
from sandbox.protobuf import from_struct, to_struct
from sandbox.values import UNKNOWN

TOPIC = "gcp:pubsub/topic:Topic"
URN = f"urn:pulumi:dev::aiprod::{TOPIC}::jobs"
PROVIDER = "urn:pulumi:dev::aiprod::pulumi:providers:gcp::default"


class _AbortedError(Exception):
    def __init__(self, code: Any, details: str) -> None:
        super().__init__(details)
        self.code = code


class _Context:
    def abort(self, code: Any, details: str) -> Any:
        raise _AbortedError(code, details)


@pytest.fixture(name="plugin")
def _plugin(tmp_path: Path) -> ProviderPlugin:
    plugin = ProviderPlugin("gcp", tmp_path / "world.json")
    arguments = to_struct({"project": "aiprod-test", "region": "europe-west1"})
    plugin.Configure(provider_pb2.ConfigureRequest(args=arguments), _Context())
    return plugin


def _check(plugin: ProviderPlugin, inputs: dict[str, Any]) -> Any:
    return plugin.Check(
        provider_pb2.CheckRequest(urn=URN, news=to_struct(inputs), randomSeed=b"seed"), _Context()
    )


def _create(plugin: ProviderPlugin, inputs: dict[str, Any], *, preview: bool = False) -> Any:
    request = provider_pb2.CreateRequest(urn=URN, properties=to_struct(inputs), preview=preview)
    return plugin.Create(request, _Context())


def test_a_resource_lives_from_check_to_delete(plugin: ProviderPlugin) -> None:
    inputs = from_struct(_check(plugin, {}).inputs)
    previewed = _create(plugin, inputs, preview=True)
    assert previewed.id == ""
    assert from_struct(previewed.properties)["messageStoragePolicy"] is UNKNOWN
    made = _create(plugin, inputs)
    assert made.id == f"projects/aiprod-test/topics/{inputs['name']}"
    news = {**inputs, "labels": {"a": "b"}}
    diff = plugin.Diff(
        provider_pb2.DiffRequest(
            id=made.id, urn=URN, old_inputs=to_struct(inputs), olds=made.properties, news=to_struct(news)
        ),
        _Context(),
    )
    assert list(diff.detailedDiff) == ["labels"]
    assert diff.changes == provider_pb2.DiffResponse.DIFF_SOME
    read = plugin.Read(provider_pb2.ReadRequest(id=made.id, urn=URN), _Context())
    assert from_struct(read.properties)["project"] == "aiprod-test"
    gone = provider_pb2.DeleteRequest(
        id=made.id, urn=URN, old_inputs=to_struct(inputs), properties=made.properties
    )
    plugin.Delete(gone, _Context())
    assert plugin.Read(provider_pb2.ReadRequest(id=made.id, urn=URN), _Context()).id == ""


def test_a_refusal_has_a_status_that_leaves_the_state_in_no_doubt(plugin: ProviderPlugin) -> None:
    _create(plugin, {"name": "jobs"})
    with pytest.raises(_AbortedError, match="ALREADY_EXISTS") as refused:
        _create(plugin, {"name": "jobs"})
    assert refused.value.code == grpc.StatusCode.FAILED_PRECONDITION


def test_a_broken_world_is_told_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(_AbortedError, match="no world of the stand-in cloud") as refused:
        _create(ProviderPlugin("gcp", path), {"name": "jobs"})
    assert refused.value.code == grpc.StatusCode.FAILED_PRECONDITION


def test_settings_of_the_provider_are_checked(plugin: ProviderPlugin) -> None:
    request = provider_pb2.CheckRequest(urn=PROVIDER, news=to_struct({"projekt": "x"}))
    answer = plugin.CheckConfig(request, _Context())
    assert [failure.property for failure in answer.failures] == ["projekt"]
    changed = provider_pb2.DiffRequest(
        urn=PROVIDER, old_inputs=to_struct({"project": "a"}), news=to_struct({"project": "b"})
    )
    assert list(plugin.DiffConfig(changed, _Context()).replaces) == ["project"]

"""The pack as the real engine starts it: a process of its own that speaks the analyser protocol."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from policies.model import UNKNOWN, Resource
from policies.pack import Requests, plain
from policies.rules import RULES
from tests.policies.good import GOOD, bad, by_name

_ROOT = Path(__file__).parents[2]
_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"

Stub = Any


@pytest.fixture(scope="module")
def pack() -> Iterator[Stub]:
    """A stub of the running pack, started from its own folder."""
    folder = _ROOT / "policies"
    environment = {
        **os.environ,
        "PULUMI_PROJECT": "aiprod",
        "PULUMI_STACK": "prod",
        "PULUMI_DRY_RUN": "true",
        "PYTHONPATH": str(_ROOT),
    }
    command = [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(folder)]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = process.stdout.readline().strip()
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                stub: Any = analyzer_pb2_grpc.AnalyzerStub(channel)
                stub.ConfigureStack(
                    analyzer_pb2.AnalyzerStackConfigureRequest(stack="prod", project="aiprod", dry_run=True)
                )
                yield stub
        finally:
            process.kill()


def _wire(value: Any) -> Any:
    """A value as the engine sends it."""
    if value is UNKNOWN:
        return _UNKNOWN
    if isinstance(value, Mapping):
        return {key: _wire(item) for key, item in cast("Mapping[str, Any]", value).items()}
    return value


def _analyze(pack: Stub, resource: Resource, extra: Mapping[str, Any] | None = None) -> list[Any]:
    request = analyzer_pb2.AnalyzeRequest(
        type=resource.type,
        urn=resource.urn,
        name=resource.name,
        properties=_struct({**resource.props, **(extra or {})}),
        options=analyzer_pb2.AnalyzerResourceOptions(protect=resource.protect),
        provider=analyzer_pb2.AnalyzerProviderResource(
            type="pulumi:providers:gcp", urn=resource.provider, name="google"
        ),
    )
    return list(pack.Analyze(request).diagnostics)


def _struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update(_wire(values))
    return struct


def _stack(pack: Stub, resources: list[Resource]) -> list[Any]:
    sent = [
        analyzer_pb2.AnalyzerResource(
            type=one.type,
            urn=one.urn,
            name=one.name,
            properties=_struct(one.props),
            options=analyzer_pb2.AnalyzerResourceOptions(protect=one.protect),
            parent=one.parent or "",
            propertyDependencies={
                key: analyzer_pb2.AnalyzerPropertyDependencies(urns=urns)
                for key, urns in one.property_dependencies.items()
            },
        )
        for one in resources
    ]
    return list(pack.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=sent)).diagnostics)


def test_pack_offers_every_rule_at_its_level(pack: Stub) -> None:
    info = pack.GetAnalyzerInfo(empty_pb2.Empty())
    levels = {analyzer_pb2.MANDATORY: "mandatory", analyzer_pb2.ADVISORY: "advisory"}
    assert info.name == "aiprod"
    assert {one.name: levels[one.enforcementLevel] for one in info.policies} == {
        rule.id: rule.level for rule in RULES
    }


def test_good_platform_passes_the_real_protocol(pack: Stub) -> None:
    assert [one.message for resource in GOOD for one in _analyze(pack, resource)] == []
    assert [one.message for one in _stack(pack, list(GOOD))] == []


def test_bad_resource_is_reported_under_the_rules_name(pack: Stub) -> None:
    changed = bad("postgres", {"settings.ipConfiguration.ipv4Enabled": True})

    (found,) = _analyze(pack, changed)

    assert (found.policyName, found.enforcementLevel) == ("sql-no-public-address", analyzer_pb2.MANDATORY)
    assert found.urn == changed.urn
    assert (
        'sql.DatabaseInstance "postgres": settings.ipConfiguration.ipv4Enabled must be false' in found.message
    )


def test_bad_stack_is_reported_on_the_resource_to_blame(pack: Stub) -> None:
    (found,) = _stack(pack, [one for one in GOOD if one.name != "keeper"])

    assert found.policyName == "pubsub-dead-letter-kept"
    assert found.urn == by_name("jobs-dead").urn


def test_unknown_and_secret_values_neither_violate_nor_stop_a_rule(pack: Stub) -> None:
    unknown = bad("cache", {"customerManagedKey": UNKNOWN, "authEnabled": UNKNOWN, "tier": "BASIC"})
    names = [one.policyName for one in _analyze(pack, unknown)]
    assert names == ["redis-high-availability"]
    secret = {"password": {_SIGNATURE: _SECRET, "value": "hunter2"}}
    (found,) = _analyze(pack, by_name("app"), secret)
    assert found.policyName == "sql-user-password-write-only"
    assert "hunter2" not in found.message


def test_providers_book_keeping_and_protection_are_understood(pack: Stub) -> None:
    assert _analyze(pack, by_name("jobs"), {"__defaults": ["name"]}) == []
    (found,) = _analyze(pack, bad("ring", protect=False))
    assert found.policyName == "kms-protected"


def test_requests_do_not_see_each_other(pack: Stub) -> None:
    """What was converted for one request is not used for the next one, even of the same resource."""
    good, changed = by_name("jobs"), bad("jobs", {"kmsKeyName": ""})
    for resource, count in ((good, 0), (changed, 1), (good, 0), (changed, 1)):
        assert len(_analyze(pack, resource)) == count


def test_plain_data_comes_out_of_proxies() -> None:
    class Proxy(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            value = super().__getitem__(key)
            if value == _UNKNOWN:
                raise KeyError(key)
            return value

    source = Proxy(a=1.0, b=_UNKNOWN, c=Proxy(d=[1.5, "x"]), __defaults=["a"], e=object())
    assert plain(source, KeyError) == {"a": 1, "b": UNKNOWN, "c": {"d": [1.5, "x"]}, "e": "[asset]"}


def test_conversion_is_shared_by_the_policies_of_one_request() -> None:
    requests, made = Requests(), list[int]()

    def convert() -> int:
        made.append(1)
        return len(made)

    results: list[int] = []
    for index, subject in ((0, "a"), (2, "a"), (2, "a"), (5, "a"), (1, "a"), (3, "b")):
        requests.enter(index, subject)
        results.append(requests.once(convert))
    assert results == [1, 1, 2, 2, 3, 4]

"""All layers joined, as each environment says, with and without a release."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from stacks.platform import platform
from tests.recording import Build, Recorder
from tests.stack_files import STACKS, lookups, settings

# Functions that Google builds from this repository; dev rehearses no restore.
BUILT_HERE = {"rotator", "age-watch", "restore-drill"}
RUNS = ("gcp:cloudrunv2/service:Service", "gcp:cloudrunv2/workerPool:WorkerPool")


def made(build: Build, recorder: Recorder, stack: str, *, release: bool = True) -> Mapping[str, Any]:
    """The outputs of one environment's platform."""
    found = settings(stack, release=release)
    recorder.invokes.update(lookups())
    return build(lambda: platform(found))


@pytest.mark.parametrize("stack", STACKS)
def test_only_what_runs_images_needs_a_release(stack: str) -> None:
    with_release, without = Recorder(), Recorder()
    for recorder, release in ((with_release, True), (without, False)):
        build = Build(recorder)
        made(build, recorder, stack, release=release)
        build.close()
    identities = [{(r.type, r.name) for r in recorder.resources} for recorder in (with_release, without)]
    assert identities[1] < identities[0]
    assert {r.name for r in without.resources if r.type in RUNS} == BUILT_HERE - (
        {"restore-drill"} if stack == "dev" else set()
    )
    added = {type for type, _ in identities[0] - identities[1] if type.startswith("gcp:")}
    assert (
        set(RUNS)
        <= added
        <= {
            *RUNS,
            "gcp:cloudrunv2/job:Job",
            "gcp:cloudscheduler/job:Job",
            "gcp:serviceaccount/iAMMember:IAMMember",
            "gcp:cloudrunv2/serviceIamMember:ServiceIamMember",
            "gcp:cloudrunv2/workerPoolIamMember:WorkerPoolIamMember",
            "gcp:compute/backendService:BackendService",
            "gcp:compute/regionNetworkEndpointGroup:RegionNetworkEndpointGroup",
            "gcp:compute/uRLMap:URLMap",
            "gcp:compute/targetHttpsProxy:TargetHttpsProxy",
            "gcp:compute/globalForwardingRule:GlobalForwardingRule",
            "gcp:compute/healthCheck:HealthCheck",
            "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig",
            # The scaler: its archive, its right to read metrics, its alerts.
            "gcp:storage/bucketObject:BucketObject",
            "gcp:projects/iAMMember:IAMMember",
            "gcp:monitoring/alertPolicy:AlertPolicy",
        }
    )


def test_prod_is_a_platform_of_at_least_200_resources(build: Build, recorder: Recorder) -> None:
    made(build, recorder, "prod")
    assert len(recorder.resources) >= 200


@pytest.mark.parametrize(("stack", "regions"), [("dev", 1), ("staging", 1), ("prod", 2)])
def test_the_api_runs_where_its_environment_says(
    build: Build, recorder: Recorder, stack: str, regions: int
) -> None:
    made(build, recorder, stack)
    services = set(recorder.names("cloudrunv2/service:Service")) - BUILT_HERE - {"scaler"}
    assert len(services) == regions


@pytest.mark.parametrize("stack", STACKS)
def test_no_two_resources_share_an_identity(build: Build, recorder: Recorder, stack: str) -> None:
    made(build, recorder, stack)
    urns = [resource.urn for resource in recorder.resources]
    identities = [(resource.parent, resource.type, resource.name) for resource in recorder.resources]
    assert len(urns) == len(recorder.resources)
    assert len(set(identities)) == len(identities)


@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_has_an_explicit_provider(build: Build, recorder: Recorder, stack: str) -> None:
    made(build, recorder, stack)
    loose = [
        r.name for r in recorder.resources if r.custom and ":providers:" not in r.type and not r.provider
    ]
    assert not loose


def test_outputs_name_what_an_operator_needs_next(build: Build, recorder: Recorder) -> None:
    assert set(made(build, recorder, "prod")) == {
        "host",
        "ipv4",
        "ipv6",
        "name_servers",
        "certificate_validation",
        "customer_validation",
        "egress_addresses",
        "image_repository",
        "database",
        "migration",
        "buckets",
        "topics",
    }

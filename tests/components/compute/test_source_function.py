"""A function built from source: archive, build, service, who may call."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from components.compute.source_function import DirectVpc, FunctionBuild, SourceFunction, SourceFunctionArgs
from facts.refusal import RefusedError
from tests.recording import Build, Recorder

ROOT = Path(__file__).parents[3]
SERVICE = "gcp:cloudrunv2/service:Service"


def example_build() -> FunctionBuild:
    return FunctionBuild(
        bucket="sources",
        repository="europe-docker.pkg.dev/p/functions",
        account="projects/p/serviceAccounts/builder@p.iam.gserviceaccount.com",
    )


def example_args() -> SourceFunctionArgs:
    return SourceFunctionArgs(
        project="p",
        location="europe-west1",
        service_name="watch",
        source=ROOT / "operations" / "age_watch",
        module="watch",
        target="watch",
        build=example_build(),
        service_account="watch@p.iam.gserviceaccount.com",
        kms_key="projects/p/locations/europe-west1/keyRings/k/cryptoKeys/run",
        vpc=DirectVpc(network="n", subnetwork="s"),
        labels={"component": "watch"},
        environment={"B": "2", "A": "1"},
        invokers={"clock": "serviceAccount:clock@p.iam.gserviceaccount.com"},
    )


def test_is_built_from_the_newest_archive_by_its_own_account(build: Build, recorder: Recorder) -> None:
    build(lambda: SourceFunction("watch", example_args()))
    service = recorder.one(SERVICE)
    archive = recorder.one("gcp:storage/bucketObject:BucketObject").inputs["name"]
    assert re.fullmatch(r"watch-[0-9a-f]{16}\.zip", archive)
    assert service.inputs["buildConfig"] == {
        "sourceLocation": f"gs://sources/{archive}",
        "functionTarget": "watch",
        "imageUri": "europe-docker.pkg.dev/p/functions/watch",
        "baseImage": "europe-west1-docker.pkg.dev/serverless-runtimes/google-22-full/runtimes/python313",
        "enableAutomaticUpdates": True,
        "serviceAccount": "projects/p/serviceAccounts/builder@p.iam.gserviceaccount.com",
    }
    assert service.ignore_changes == ("template.containers[0].image",)


def test_another_content_is_another_archive(build: Build, recorder: Recorder, tmp_path: Path) -> None:
    names: list[str] = []
    for text in ("a = 1\n", "a = 2\n", "a = 1\n"):
        (tmp_path / "watch.py").write_text(text)
        (tmp_path / "requirements.txt").write_text("")
        build(lambda: SourceFunction("watch", replace(example_args(), source=tmp_path)))
        names.append(recorder.of_type("gcp:storage/bucketObject:BucketObject")[-1].inputs["name"])
    assert names[0] == names[2] != names[1]


def test_only_the_network_and_named_callers_reach_it(build: Build, recorder: Recorder) -> None:
    build(lambda: SourceFunction("watch", example_args()))
    assert recorder.one(SERVICE).inputs["ingress"] == "INGRESS_TRAFFIC_INTERNAL_ONLY"
    grant = recorder.one("gcp:cloudrunv2/serviceIamMember:ServiceIamMember")
    assert grant.inputs["role"] == "roles/run.servicesInvoker"
    assert grant.inputs["member"] == "serviceAccount:clock@p.iam.gserviceaccount.com"


def test_two_runs_never_meet(build: Build, recorder: Recorder) -> None:
    build(lambda: SourceFunction("watch", example_args()))
    template = recorder.one(SERVICE).inputs["template"]
    assert template["maxInstanceRequestConcurrency"] == 1
    assert template["scaling"]["maxInstanceCount"] == 1


@pytest.mark.parametrize("sockets", [(), ("p:europe-west1:main",)])
def test_a_socket_is_mounted_only_for_a_named_database(
    build: Build, recorder: Recorder, sockets: tuple[str, ...]
) -> None:
    build(lambda: SourceFunction("watch", replace(example_args(), cloud_sql_instances=sockets)))
    template = recorder.one(SERVICE).inputs["template"]
    mounts = template["containers"][0].get("volumeMounts", [])
    assert [mount["mountPath"] for mount in mounts] == ["/cloudsql"] * len(sockets)
    assert [v["cloudSqlInstance"]["instances"] for v in template.get("volumes", [])] == [
        [one] for one in sockets
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": ROOT / "docs"}, "source must be a folder with a requirements.txt, got 'docs'"),
        ({"module": "absent"}, "source must be a folder with a absent.py, got 'age_watch'"),
        ({"timeout_seconds": 0}, "timeout_seconds must be between 1 and 3600 seconds, got 0"),
        ({"environment": {"PORT": "1"}}, "environment variables must not be"),
        ({"service_name": "Watch"}, "run service"),
    ],
)
def test_fails_on_what_google_would_refuse(change: dict[str, object], message: str) -> None:
    with pytest.raises((RefusedError, ValueError), match=message):
        replace(example_args(), **change)

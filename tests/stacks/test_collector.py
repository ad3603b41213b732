"""The metrics collector beside the API: off until a release names it, then with what it reads, by region."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from config import parse
from stacks.platform import platform
from tests.recording import Build, Recorder
from tests.stack_files import STACKS, lookups, values
from tests.test_config_collector import MONITORING

SERVICE = "cloudrunv2/service:Service"
OBJECT = "storage/bucketObject:BucketObject"


def made(build: Build, recorder: Recorder, stack: str, **release: Any) -> Recorder:
    found = values(stack)
    if release:
        image = found["release"]["images"]["api"].replace("/api@", "/collector@")
        found["release"] |= {"images": found["release"]["images"] | {"collector": image}} | release
    recorder.invokes = lookups()
    settings = parse(found)
    build(lambda: platform(settings))
    return recorder


def configs(recorder: Recorder) -> Mapping[str, Mapping[str, Any]]:
    return {r.name: r.inputs for r in recorder.of_type(OBJECT) if r.name.startswith("collector-")}


@pytest.mark.parametrize("stack", STACKS)
def test_no_environment_names_a_collector_yet(build: Build, recorder: Recorder, stack: str) -> None:
    made(build, recorder, stack)
    for service in recorder.of_type(SERVICE):
        assert [one.get("name") for one in service.inputs["template"]["containers"]][1:] == []
    assert configs(recorder) == {}


def test_a_collector_alone_reads_as_google_says_beside_an_empty_bucket(
    build: Build, recorder: Recorder
) -> None:
    made(build, recorder, "prod", collector=None)
    for region in ("europe-west1", "europe-west4"):
        app, sidecar = recorder.one(SERVICE, f"api-{region}").inputs["template"]["containers"]
        assert sidecar["image"].startswith("europe-docker.pkg.dev/aiprod-484120/aiprod/collector@sha256:")
        assert sidecar["dependsOns"] == [app["name"]]
        assert "volumeMounts" not in sidecar
        # What a revision of before reads stands while a release takes its config back.
        assert (
            recorder.one("storage/bucket:Bucket", f"bucket-collector-{region}").inputs["location"] == region
        )
    assert configs(recorder) == {}


def test_a_collector_reads_its_file_from_a_bucket_of_its_own_region(build: Build, recorder: Recorder) -> None:
    made(build, recorder, "prod", collector={"config": MONITORING})
    files = configs(recorder)
    for region in ("europe-west1", "europe-west4"):
        file = files[f"collector-config-{region}"]
        assert json.loads(file["content"]) == MONITORING
        bucket = recorder.one("storage/bucket:Bucket", f"bucket-collector-{region}").inputs
        assert bucket["location"] == region
        template = recorder.one(SERVICE, f"api-{region}").inputs["template"]
        (volume,) = [one["gcs"] for one in template["volumes"] if "gcs" in one]
        assert volume["bucket"] == bucket["name"]
        # A revision keeps what it started with: another text is another folder.
        folder = file["name"].removesuffix("/config.yaml")
        assert volume["mountOptions"] == [f"only-dir={folder}"]
        readers = {
            grant.name: grant.inputs["role"]
            for grant in recorder.of_type("bucketIAMMember:BucketIAMMember")
            if grant.name.startswith(f"bucket-collector-{region}-")
        }
        assert readers == dict.fromkeys(
            (f"bucket-collector-{region}-reader-{who}" for who in ("api", "drift")),
            "roles/storage.objectViewer",
        )

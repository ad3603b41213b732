"""A release in the sandbox that names the metrics collector, changes what it reads, and is taken back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sandbox.cloud.data import plain
from sandbox.model import Op, Outcome
from tests.end_to_end.test_release import REGIONS, SERVICE, Prod, changed
from tests.stack_files import values
from tests.test_config_collector import MONITORING

BUCKET = "gcp:storage/bucket:Bucket"
FILE = "gcp:storage/bucketObject:BucketObject"
IMAGE = f"europe-docker.pkg.dev/aiprod-484120/collector/cloud-run-gmp-sidecar@sha256:{'e' * 64}"
FIRST = {"config": MONITORING}
SECOND = {"config": MONITORING | {"spec": {"endpoints": [{"port": 8080, "interval": "60s"}]}}}


def with_image() -> dict[str, str]:
    return values("prod")["release"]["images"] | {"collector": IMAGE}


def read(prod: Prod) -> dict[str, Any]:
    """What each region's collector of the newest revision reads of its bucket, by what it mounts."""
    found: dict[str, Any] = {}
    for service in prod.ground.world.find(SERVICE):
        inputs = plain(service.inputs)
        for volume in inputs["template"]["volumes"]:
            if "gcs" in volume:
                folder = volume["gcs"]["mountOptions"][0].removeprefix("only-dir=")
                name = f"{volume['gcs']['bucket']}-{folder}/config.yaml"
                file = prod.ground.world.get(FILE, name)
                assert file is not None, name
                found[inputs["location"]] = json.loads(plain(file.inputs)["content"])
    return found


def kinds(outcome: Outcome) -> set[tuple[Op, str]]:
    return {(op, type) for op, type, _ in changed(outcome)}


def reads(config: Mapping[str, Any]) -> dict[str, Any]:
    return dict.fromkeys(REGIONS, config["config"])


def test_a_collector_comes_with_what_it_reads() -> None:
    prod = Prod()
    come = prod.up(images=with_image(), collector=FIRST)
    assert {step.name for step in come.steps if (step.op, step.type) == (Op.CREATE, FILE)} == {
        f"collector-config-{r}" for r in REGIONS
    }
    assert read(prod) == reads(FIRST)
    assert changed(prod.up()) == set()


def test_a_config_is_changed_and_taken_back_and_changed_again() -> None:
    prod = Prod()
    prod.up(images=with_image(), collector=FIRST)
    for config in (SECOND, FIRST, SECOND):
        assert kinds(prod.up(collector=config)) == {(Op.REPLACE, FILE), (Op.UPDATE, SERVICE)}
        assert read(prod) == reads(config)
        assert changed(prod.up()) == set()


def test_a_release_that_added_a_config_is_taken_back_and_comes_again() -> None:
    prod = Prod()
    bare = prod.up(images=with_image())
    # The bucket comes with the image, so that it does not go with the config.
    assert (Op.CREATE, BUCKET) in kinds(bare)
    for _ in range(2):
        assert kinds(prod.up(collector=FIRST)) == {(Op.CREATE, FILE), (Op.UPDATE, SERVICE)}
        assert read(prod) == reads(FIRST)
        assert kinds(prod.up(collector=None)) == {(Op.DELETE, FILE), (Op.UPDATE, SERVICE)}
        assert read(prod) == {}
        # What a revision of before reads is still there.
        kept = [file.id for file in prod.ground.world.find(FILE) if "-collector-" in file.id]
        assert len(kept) == len(REGIONS)
        assert changed(prod.up()) == set()

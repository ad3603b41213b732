"""`make attest`: it signs what was reviewed and what runs, and nothing else."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.review.promoting import IMAGE, REGION, REGISTRY, Ground, job, pool, serving

OTHER = IMAGE.replace("c" * 64, "e" * 64)
WORKER = f"{REGISTRY}/worker@sha256:{'f' * 64}"
OLD, NEW = "aiprod-v33-api-00001-old", "aiprod-v33-api-00002-new"


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Ground]:
    found = Ground(tmp_path, monkeypatch)
    with found.google.server:
        yield found


def test_what_is_attested_may_be_promoted(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    assert ground.promote() == 1
    assert ground.attest("dev") == 0
    assert ground.attested() == [f"projects/dev-1/attestors/verified-dev {IMAGE}"]
    assert ground.attest("dev") == 0
    assert len(ground.attested()) == 1
    assert ground.promote() == 0
    assert "verified-dev says so already" in capsys.readouterr().out


def test_the_sandbox_attests_nothing(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    assert ground.attest("dev", target="sandbox") == 0
    assert capsys.readouterr().out.startswith(
        "attest (sandbox): nothing is asked or signed. TARGET=gcp would ask"
    )
    assert ground.calls() == []


@pytest.mark.parametrize(
    ("stack", "options", "sentence"),
    [
        ("prod", (), "STACK must be one that something is promoted from, dev or staging, got 'prod'"),
        ("qa", (), "stack 'qa' is unknown"),
        ("staging", (), "release.images.api must be an image by digest, got REPLACE_ME"),
        ("dev", ("--image", "nope"), "IMAGE must be one that the release of dev names, got 'nope'"),
    ],
)
def test_fails_when_there_is_nothing_to_attest(
    ground: Ground,
    stack: str,
    options: tuple[str, ...],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ground.attest(stack, *options) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert ground.calls() == []


def shares(**percent: int) -> list[dict[str, Any]]:
    kind = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
    return [
        {"type": kind, "revision": {"old": OLD, "new": NEW}[key], "percent": n} for key, n in percent.items()
    ]


@pytest.mark.parametrize(
    ("services", "got"),
    [
        ([], "a service of dev-1 in europe-west1 or europe-west4 must run"),
        ([serving(WORKER)], "got none: deploy the release there first"),
        ([serving(OTHER)], f"alone, got {OTHER}"),
        ([serving(IMAGE, trafficStatuses=shares(old=90, new=10))], f"got 90 % {OLD}, 10 % {NEW}"),
        ([serving(IMAGE, trafficStatuses=shares(old=100, new=0))], f"got 100 % {OLD}"),
        ([serving(IMAGE, latestReadyRevision=OLD)], f"got 100 % {OLD}"),
        ([serving(IMAGE, trafficStatuses=[])], "got no revision"),
        ([serving(IMAGE), serving(OTHER, name="second")], "service second in europe-west1 must run"),
    ],
)
def test_fails_when_the_digest_does_not_serve_alone(
    ground: Ground, services: list[dict[str, Any]], got: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ground.google.runs[REGION, "services"] = services
    assert ground.attest("dev") == 2
    said = capsys.readouterr().err
    assert got in said
    assert said.count("\n") == 1
    assert ground.attested() == []


def test_fails_when_the_second_region_serves_another(
    ground: Ground, capsys: pytest.CaptureFixture[str]
) -> None:
    ground.google.runs["europe-west4", "services"] = [serving(OTHER)]
    assert ground.attest("dev") == 2
    assert f"service aiprod-v33-api in europe-west4 must run {IMAGE} alone" in capsys.readouterr().err


def test_a_pinned_newest_revision_serves_alone(ground: Ground) -> None:
    ground.google.runs[REGION, "services"] = [serving(IMAGE, trafficStatuses=shares(new=100, old=0))]
    assert ground.attest("dev") == 0


@pytest.mark.parametrize(
    ("key", "kind", "runs", "code"),
    [
        ("worker", "workerPools", pool(WORKER), 0),
        ("worker", "workerPools", pool(WORKER, latestReadyRevision="aiprod-worker-00001-old"), 2),
        ("worker", "workerPools", pool(WORKER.replace("f" * 64, "e" * 64)), 2),
        ("worker", "services", serving(WORKER), 2),
        ("migration", "jobs", job(WORKER), 0),
        ("migration", "jobs", job(WORKER.replace("f" * 64, "e" * 64)), 2),
    ],
)
def test_a_worker_is_asked_of_its_pool_and_a_migration_of_its_job(
    ground: Ground, key: str, kind: str, runs: dict[str, Any], code: int
) -> None:
    new = f"worker: {WORKER}" if key == "worker" else f"worker: REPLACE_ME\n      migration: {WORKER}"
    ground.change("dev", "worker: REPLACE_ME", new)
    ground.google.runs[REGION, kind] = [runs]
    assert ground.attest("dev", "--image", key) == code
    assert len(ground.attested()) == (1 if code == 0 else 0)


@pytest.mark.parametrize(
    ("old", "new"),
    [(IMAGE, OTHER), ("10.32.0.0/14", "10.44.0.0/14"), ("config:", "# Seen?\nconfig:")],
)
def test_fails_when_its_file_is_not_committed(
    ground: Ground, old: str, new: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ground.commit()
    assert ground.attest("dev") == 0
    ground.change("dev", old, new)
    ground.google.runs[REGION, "services"] = [serving(OTHER if new == OTHER else IMAGE)]
    assert ground.attest("dev") == 2
    assert "Pulumi.dev.yaml must have no change that is not committed" in capsys.readouterr().err
    assert len(ground.attested()) == 1


def test_fails_when_its_file_was_never_committed(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    text = ground.file("dev").read_text()
    ground.file("dev").unlink()
    ground.commit()
    ground.file("dev").write_text(text)
    assert ground.attest("dev") == 2
    assert "Pulumi.dev.yaml must have no change that is not committed" in capsys.readouterr().err


def test_fails_when_the_registry_would_delete_it(ground: Ground, capsys: pytest.CaptureFixture[str]) -> None:
    ground.google.untagged.add(IMAGE.rpartition("@")[2])
    assert ground.attest("dev") == 2
    assert f"{IMAGE} must have a tag, got none" in capsys.readouterr().err
    assert ground.attested() == []
    (asked,) = [path for path in ground.google.asked if "dockerImages" in path]
    where = "/registry/projects/aiprod-484120/locations/europe/repositories/aiprod/dockerImages"
    assert asked == f"{where}/{IMAGE.removeprefix(REGISTRY + '/')}"


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_fails_in_one_sentence_when_google_refuses(
    ground: Ground, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    ground.google.status = status
    assert ground.attest("dev") == 2
    said = capsys.readouterr().err
    assert f"answered {status} to GET /run/projects/dev-1/locations/europe-west1/services" in said
    assert said.count("\n") == 1
    assert "TOKEN" not in said


def test_fails_in_one_sentence_when_nobody_is_logged_in(
    ground: Ground, capsys: pytest.CaptureFixture[str]
) -> None:
    (ground.tools / "broken").touch()
    assert ground.attest("dev") == 2
    assert "gcloud has no login (ERROR: you are not logged in)" in capsys.readouterr().err

"""The release section: which revisions answer, and who decides it."""

from __future__ import annotations

from typing import Any

import pytest

from config import ConfigError, parse
from tests.stack_files import STACKS, changed, settings, values

NAME = "aiprod-v33-api"
REGION = "europe-west1"


def canary(percent: int, **stable: str) -> dict[str, Any]:
    return {"kind": "canary", "percent": percent, "stable_revisions": stable or {REGION: f"{NAME}-00001-abc"}}


def refused(path: str, value: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(changed(path, value))
    return str(caught.value)


def test_all_traffic_goes_to_the_newest_revision_and_this_file_decides_it() -> None:
    release = parse(changed("release.owner", "program")).release
    assert release is not None
    assert (release.owner, release.traffic.kind) == ("program", "latest")


@pytest.mark.parametrize("percent", [1, 10, 50, 100])
def test_each_step_of_a_canary_is_taken(percent: int) -> None:
    release = parse(changed("release.traffic", canary(percent))).release
    assert release is not None
    assert release.traffic.model_dump() == canary(percent)


@pytest.mark.parametrize(
    ("traffic", "sentence"),
    [
        (
            {"kind": "canary", "percent": 1},
            "aiprod:release.traffic.stable_revisions must be given, got nothing",
        ),
        (
            {"kind": "canary", "percent": 1, "stable_revisions": {}},
            "aiprod:release.traffic.stable_revisions must name a revision in europe-west1, got none",
        ),
        (
            {"kind": "canary", "percent": 1, "stable_revisions": {REGION: "other-00001-abc"}},
            f"aiprod:release.traffic.stable_revisions.{REGION} must name a revision of {NAME}",
        ),
        (canary(25), "aiprod:release.traffic.percent must be 1, 10, 50 or 100, got 25"),
        (
            {"kind": "pinned", "revisions": {"europe-west4": f"{NAME}-00001-abc"}},
            "aiprod:release.traffic.revisions must name a revision in europe-west1, got europe-west4",
        ),
        (
            {"kind": "split"},
            "aiprod:release.traffic.kind must be one of 'latest', 'pinned', 'canary', 'walked', got 'split'",
        ),
    ],
)
def test_fails_when_the_traffic_names_no_revision_to_keep(traffic: dict[str, Any], sentence: str) -> None:
    assert sentence in refused("release.traffic", traffic)


def test_fails_when_the_file_sets_what_a_workflow_owns() -> None:
    made = changed("release.owner", "workflow")
    made["release"]["traffic"] = canary(1)
    with pytest.raises(ConfigError, match=r"traffic\.kind must be latest while the owner is a workflow"):
        parse(made)


BETA = {"revisions": {REGION: f"{NAME}-00001-abc"}, "header": {"name": "X-Variant", "value": "beta"}}


@pytest.mark.parametrize(
    ("release", "sentence"),
    [
        (
            {"traffic": {"kind": "walked"}},
            (
                "edge.variants must be empty while a walk owns the traffic, got beta; their tags are part "
                "of it: set release.traffic.kind to latest, pinned or canary"
            ),
        ),
        (
            {"owner": "workflow"},
            (
                "edge.variants must be empty while a workflow owns the traffic, got beta; their tags are "
                "part of it: set release.owner to program"
            ),
        ),
    ],
)
def test_fails_when_a_variant_needs_a_tag_that_somebody_else_owns(
    release: dict[str, Any], sentence: str
) -> None:
    made = changed("edge.variants", {"beta": BETA})
    made["release"] |= release
    with pytest.raises(ConfigError) as caught:
        parse(made)
    assert str(caught.value) == f"aiprod:{sentence}"


@pytest.mark.parametrize(
    "traffic",
    [{"kind": "latest"}, {"kind": "pinned", "revisions": {REGION: f"{NAME}-00001-abc"}}, canary(10)],
)
def test_a_variant_stands_beside_traffic_that_this_file_owns(traffic: dict[str, Any]) -> None:
    made = changed("edge.variants", {"beta": BETA})
    made["release"]["traffic"] = traffic
    assert set(parse(made).edge.variants) == {"beta"}


POOL = "aiprod-worker-00001-abc"


@pytest.mark.parametrize(
    "split",
    [
        {"kind": "latest"},
        {"kind": "pinned", "revisions": {REGION: POOL}},
        *(canary(percent, **{REGION: POOL}) for percent in (1, 10, 50, 100)),
    ],
)
def test_a_pool_is_split_in_the_words_of_the_traffic(split: dict[str, Any]) -> None:
    release = parse(changed("release.splits", {"worker": split})).release
    assert release is not None
    assert {role: one.model_dump() for role, one in release.splits.items()} == {"worker": split}


@pytest.mark.parametrize(
    ("splits", "sentence"),
    [
        (
            {"worker": {"kind": "canary", "percent": 10}},
            "aiprod:release.splits.worker.stable_revisions must be given, got nothing",
        ),
        (
            {"worker": {"kind": "canary", "percent": 10, "stable_revisions": {}}},
            f"aiprod:release.splits.worker.stable_revisions must name a revision in {REGION}, got none",
        ),
        (
            {"worker": canary(10, **{"europe-west4": POOL})},
            (
                f"aiprod:release.splits.worker.stable_revisions must name a revision in {REGION}, got "
                "europe-west4"
            ),
        ),
        (
            {"worker": {"kind": "pinned", "revisions": {REGION: "aiprod-v33-api-00001-abc"}}},
            (
                f"aiprod:release.splits.worker.revisions.{REGION} must name a revision of aiprod-worker, got "
                "'aiprod-v33-api-00001-abc'; correct it"
            ),
        ),
        # 25 and what is left would be 100 as well, but is no step.
        (
            {"worker": canary(25, **{REGION: POOL})},
            "aiprod:release.splits.worker.percent must be 1, 10, 50 or 100, got 25",
        ),
        (
            {"worker": canary(10, **{REGION: POOL}) | {"rest": 80}},
            "aiprod:release.splits.worker.rest is not a known key",
        ),
        (
            {"worker": {"kind": "walked"}},
            "aiprod:release.splits.worker.kind must be one of 'latest', 'pinned', 'canary', got 'walked'",
        ),
        (
            {"batch": {"kind": "latest"}},
            (
                "aiprod:release.splits must name one of worker, got 'batch'; its pool stands where "
                "workers.batch_scaling is given"
            ),
        ),
        ({"api": {"kind": "latest"}}, "aiprod:release.splits.api must be"),
    ],
)
def test_fails_when_a_split_names_no_pool_or_no_revision_of_it(splits: Any, sentence: str) -> None:
    assert sentence in refused("release.splits", splits)


def test_fails_when_the_file_splits_what_a_workflow_owns() -> None:
    made = changed("release.owner", "workflow")
    made["release"]["splits"] = {"worker": {"kind": "latest"}}
    with pytest.raises(ConfigError, match=r"release\.splits must be empty while the owner is a workflow"):
        parse(made)


READER = {"project_id": "other-1", "project_number": "123456789012"}


@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        (
            {"project_id": "other-1", "readers": {"prod": READER}},
            "aiprod:images.readers must be empty while images.project_id is another project, got prod",
        ),
        (
            {"readers": {"dev": READER}},
            "aiprod:images.readers must name other environments in projects of their own, got dev in other-1",
        ),
        (
            {"readers": {"prod": READER | {"project_id": "aiprod-example"}}},
            "aiprod:images.readers must name other environments in projects of their own, got prod in",
        ),
        (
            {"readers": {"prod": READER | {"project_number": "42"}}},
            "aiprod:images.readers.prod.project_number must be the number of a project, as text",
        ),
        ({"readers": {"qa": READER}}, "aiprod:images.readers.qa must be"),
        (
            {"project_id": "other-1", "mirrors": {"collector": "https://ghcr.io"}},
            "aiprod:images.mirrors must be empty while images.project_id is another project, got collector",
        ),
        (
            {"mirrors": {"aiprod": "https://ghcr.io"}},
            "aiprod:images.mirrors must not be named as the repository of our own images, got 'aiprod'",
        ),
        *(
            (
                {"mirrors": {"collector": upstream}},
                (
                    "aiprod:images.mirrors.collector must be projects/P/locations/L/repositories/R or "
                    f"https://HOST, got {upstream!r}; correct it"
                ),
            )
            for upstream in ("docker.io", "http://ghcr.io", "https://ghcr.io/", "projects/p/repositories/r")
        ),
        (
            {"project_id": "elsewhere-1"},
            "aiprod:release.images.api must be europe-docker.pkg.dev/elsewhere-1/aiprod/NAME@sha256:DIGEST",
        ),
    ],
)
def test_fails_when_the_images_have_no_one_place(images: dict[str, Any], sentence: str) -> None:
    assert sentence in refused("images", images)


def test_images_are_in_the_project_that_is_named_or_in_the_own_one() -> None:
    assert parse(changed("images", {"project_id": "aiprod-484120"})).registry == (
        "europe-docker.pkg.dev/aiprod-484120/aiprod"
    )
    assert (
        parse({**changed("images", {}), "release": None}).registry
        == "europe-docker.pkg.dev/aiprod-example/aiprod"
    )


@pytest.mark.parametrize("stack", STACKS)
def test_every_environment_declares_a_dry_run_of_admission(stack: str) -> None:
    admission = settings(stack).admission
    assert admission is not None
    assert admission.mode == "dryrun"


@pytest.mark.parametrize("mode", ["dryrun", "enforced"])
def test_admission_is_off_where_no_mode_is_named(mode: str) -> None:
    made = changed("admission", {"mode": mode})
    assert parse(made).admission is not None
    del made["admission"]
    assert parse(made).admission is None


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"mode": "off"}, "aiprod:admission.mode must be 'dryrun' or 'enforced', got 'off'"),
        ({"mode": "enforced", "paths": []}, "aiprod:admission.paths is not a known key"),
        (
            {"mode": "dryrun", "promoters": ["release"]},
            "aiprod:admission.promoters[0] must be a mail address, got 'release'",
        ),
        (
            {"mode": "dryrun", "readers": ["release"]},
            "aiprod:admission.readers[0] must be a mail address, got 'release'",
        ),
    ],
)
def test_fails_when_admission_is_no_mode_or_names_no_group(value: Any, sentence: str) -> None:
    assert sentence in refused("admission", value)


@pytest.mark.parametrize("stack", STACKS)
def test_every_environment_names_who_promotes_and_each_below_prod_who_reads(stack: str) -> None:
    admission = settings(stack).admission
    assert admission is not None
    assert len(admission.promoters) == 1
    assert len(admission.readers) == (0 if stack == "prod" else 1)


def test_fails_when_somebody_would_promote_out_of_prod() -> None:
    made = {**values("prod"), "admission": {"mode": "dryrun", "readers": ["above@example.com"]}}
    with pytest.raises(
        ConfigError, match=r"admission\.readers must be empty in prod, got above@example\.com"
    ):
        parse(made)

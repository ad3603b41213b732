"""Shares of revisions: they add up to 100, name what belongs to the service, and have one owner."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.compute._traffic import (
    CANARY_STEPS,
    Canary,
    Latest,
    Pinned,
    Share,
    Split,
    Walked,
    WorkflowOwned,
    instance_splits,
    traffics,
)
from components.compute.http_service import HttpService
from components.compute.worker_pool import WorkerPool
from tests.components.compute import test_http_service, test_worker_pool
from tests.recording import Build, Recorder

LATEST = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
REVISION = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
SERVICE = "cloudrunv2/service:Service"
POOL = "cloudrunv2/workerPool:WorkerPool"


@pytest.mark.parametrize(
    ("traffic", "expected"),
    [
        (Latest(), [{"type": LATEST, "percent": 100}]),
        (Walked(), [{"type": LATEST, "percent": 100}]),
        (WorkflowOwned(), [{"type": LATEST, "percent": 100}]),
        (Pinned(revision="api-1"), [{"type": REVISION, "revision": "api-1", "percent": 100}]),
        (
            Canary(stable_revision="api-1", percent=10),
            [
                {"type": LATEST, "percent": 10},
                {"type": REVISION, "revision": "api-1", "percent": 90},
            ],
        ),
        (Canary(stable_revision="api-1", percent=100), [{"type": LATEST, "percent": 100}]),
        (
            Split(
                shares={"b": Share(revision="api-2", percent=30), "a": Share(revision="api-1", percent=70)}
            ),
            [
                {"type": REVISION, "revision": "api-1", "percent": 70, "tag": "a"},
                {"type": REVISION, "revision": "api-2", "percent": 30, "tag": "b"},
            ],
        ),
    ],
)
def test_each_kind_of_traffic_says_its_shares(
    build: Build, recorder: Recorder, traffic: Any, expected: Any
) -> None:
    build(lambda: HttpService("api", test_http_service.example_args(traffic=traffic)))
    assert recorder.one(SERVICE).inputs["traffics"] == expected


@given(
    percent=st.sampled_from(CANARY_STEPS),
    tags=st.dictionaries(st.sampled_from(["beta", "gamma"]), st.just("api-7")),
)
def test_shares_always_add_up_to_100(percent: int, tags: dict[str, str]) -> None:
    canary = Canary(stable_revision="api-1", percent=percent)
    for shares in (traffics(canary, tags), instance_splits(canary)):
        assert sum(cast("int", share.get("percent")) for share in shares) == 100


def test_tagged_revision_answers_only_where_it_is_asked_for() -> None:
    assert traffics(Latest(), {"beta": "api-00007-abc"}) == [
        {"type": LATEST, "percent": 100},
        {"type": REVISION, "revision": "api-00007-abc", "percent": 0, "tag": "beta"},
    ]


def test_pool_moves_instances_by_shares(build: Build, recorder: Recorder) -> None:
    splits = Canary(stable_revision="worker-00002-abc", percent=50)
    build(lambda: WorkerPool("worker", test_worker_pool.example_args(splits=splits)))
    assert recorder.one(POOL).inputs["instanceSplits"] == [
        {"type": "INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST", "percent": 50},
        {
            "type": "INSTANCE_SPLIT_ALLOCATION_TYPE_REVISION",
            "revision": "worker-00002-abc",
            "percent": 50,
        },
    ]


@pytest.mark.parametrize("owned", [True, False])
def test_image_and_shares_are_left_to_a_workflow_that_owns_them(
    build: Build, recorder: Recorder, owned: bool
) -> None:
    kind = WorkflowOwned() if owned else Latest()
    build(lambda: HttpService("api", test_http_service.example_args(traffic=kind)))
    build(lambda: WorkerPool("worker", test_worker_pool.example_args(splits=kind)))
    image = "template.containers[0].image"
    assert set(recorder.one(SERVICE).ignore_changes) == ({image, "traffics"} if owned else set())
    assert set(recorder.one(POOL).ignore_changes) == ({image, "instanceSplits"} if owned else set())


def test_only_the_shares_are_left_to_the_walk(build: Build, recorder: Recorder) -> None:
    build(lambda: HttpService("api", test_http_service.example_args(traffic=Walked())))
    assert recorder.one(SERVICE).ignore_changes == ("traffics",)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Canary(stable_revision="", percent=1), "stable_revision must name the revision that keeps"),
        (lambda: Canary(stable_revision="R", percent=1), "stable_revision must be the name of a revision"),
        (
            lambda: Canary(stable_revision="api-1", percent=25),
            "percent must be one of the steps 1, 10, 50, 100",
        ),
        (lambda: Canary(stable_revision="api-1", percent=5, steps=()), "steps must rise .*, got none"),
        (
            lambda: Canary(stable_revision="api-1", percent=5, steps=(5, 50)),
            "steps must rise from 1 to 100 %",
        ),
        (lambda: Canary(stable_revision="api-1", percent=5, steps=(50, 5, 100)), "steps must rise"),
        (lambda: Canary(stable_revision="api-1", percent=0, steps=(0, 100)), "steps must rise"),
        (lambda: Pinned(revision="api_1"), "revision must be the name of a revision"),
        (lambda: Share(revision="api-1", percent=101), "percent must be between 0 and 100 %, got 101"),
        (
            lambda: Split(shares={"a": Share(revision="api-1", percent=99)}),
            "shares must add up to 100 %, got 99 %",
        ),
    ],
)
def test_fails_when_shares_cannot_be(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


ALL = Split(shares={"a": Share(revision="api-1", percent=100)})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"traffic": Pinned(revision="other-1")},
            r"traffic\.revision must name a revision of api, got 'other-1'",
        ),
        (
            {"traffic": Canary(stable_revision="other-1", percent=1)},
            r"traffic\.stable_revision must name a revision of api",
        ),
        (
            {"traffic": Split(shares={"a": Share(revision="other-1", percent=100)})},
            r"traffic\.shares\.a must name a revision of api",
        ),
        (
            {"traffic": ALL, "tags": {"a": "api-2"}},
            "tags must differ from those of the split, got 'a' in both",
        ),
        ({"traffic": WorkflowOwned(), "tags": {"a": "api-2"}}, "tags must be empty while a release owns"),
        ({"tags": {"Beta": "api-1"}}, "tags must be at most .* a letter first, got 'Beta'"),
        ({"tags": {"b" * 60: "api-1"}}, "tags must be at most"),
        ({"tags": {"beta": "other-1"}}, r"tags\.beta must name a revision of api, got 'other-1'"),
    ],
)
def test_fails_when_a_revision_or_a_tag_is_none_of_the_service(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        test_http_service.example_args(**changes)


def test_fails_when_a_pool_names_a_revision_of_another() -> None:
    with pytest.raises(ValueError, match="must name a revision of worker, got 'batch-1'"):
        test_worker_pool.example_args(splits=Pinned(revision="batch-1"))


def test_fails_when_a_split_names_a_revision_twice() -> None:
    shares = {tag: Share(revision="api-00001-abc", percent=50) for tag in ("a", "b")}
    with pytest.raises(ValueError, match="once, got 'api-00001-abc' for a and b; give it one share"):
        Split(shares=shares)

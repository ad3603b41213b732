"""The release section: which revisions answer, and who decides it."""

from __future__ import annotations

from typing import Any

import pytest

from config import ConfigError, parse
from tests.stack_files import changed

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
    made["release"]["owner"] = "program"
    made["release"]["traffic"] = {"kind": "walked"}
    made["edge"]["variants"] = {
        "beta": {
            "revisions": {REGION: f"{NAME}-00001-abc"},
            "header": {"name": "X-Variant", "value": "beta"},
        }
    }
    with pytest.raises(ConfigError, match=r"edge\.variants must be empty while a release owns the traffic"):
        parse(made)


@pytest.mark.parametrize(
    ("webhooks", "sentence"),
    [
        ({}, "aiprod:messaging.webhooks.host must be given, got nothing"),
        ({"host": "https://x"}, "aiprod:messaging.webhooks.host must be a host name in lower case"),
        ({"host": "x.example", "per_second": 501}, "per_second must be less than or equal to 500, got 501"),
        (
            {"host": "x.example", "queue": "a_b"},
            "queue must be 1 to 100 letters, digits and hyphens, got 'a_b'",
        ),
        ({"host": "x.example", "attempts": 0}, "attempts must be greater than or equal to 1, got 0"),
    ],
)
def test_fails_when_a_queue_of_webhooks_cannot_be(webhooks: dict[str, Any], sentence: str) -> None:
    assert sentence in refused("messaging", {"webhooks": webhooks})


def test_no_queue_of_webhooks_is_declared_by_default() -> None:
    assert parse(changed("messaging", {})).messaging.webhooks is None
    given = parse(changed("messaging", {"webhooks": {"host": "send.example.com"}})).messaging.webhooks
    assert given is not None
    assert (given.queue, given.per_second, given.attempts) == ("aiprod-webhooks", 10.0, 5)

"""What the images must offer is what the requirements say, and the file refuses what it does not know."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from operations.replay.letters import REPLAY_OF, REPLAYS
from review.contract.demands import DEMANDS_FILE, Demands, load_demands
from tests.stack_files import ROOT

DEMANDS = load_demands()
CORPUS = ROOT / "review" / "waf" / "corpus" / "contract.jsonl"
# CRIT-1.1: method, path, statuses, milliseconds.
CRITICAL = {
    ("GET", "/health"): ((200,), 1000),
    ("GET", "/docs"): ((200,), 1000),
    ("GET", "/metrics"): ((200,), 100),
    ("GET", "/pipeline/{id}"): ((200,), 1000),
    ("GET", "/pipeline/{id}/result"): ((200, 202), 1000),
    ("GET", "/presets"): ((200,), 1000),
    ("POST", "/pipeline/run"): ((200, 202), 1000),
    ("POST", "/auth/login"): ((200,), 1000),
}


def test_eight_endpoints_are_those_of_the_requirement() -> None:
    found = {(one.method, one.path): one for one in DEMANDS.endpoints if "CRIT-1.1" in one.source}
    assert {key: (one.statuses, one.maximum_ms) for key, one in found.items()} == CRITICAL
    assert DEMANDS.endpoint("health").body == {"status": "ok"}
    assert [one.path for one in DEMANDS.endpoints if one.reach == "inside"] == ["/metrics"]


def test_corpus_of_the_waf_has_a_request_of_every_public_endpoint() -> None:
    lines = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    asked = [(line["method"], line["path"].split("?")[0].split("/")) for line in lines]
    for one in DEMANDS.endpoints:
        if one.reach == "inside":
            continue
        parts = one.path.split("/")
        assert any(
            method == one.method
            and len(path) == len(parts)
            and all(part in {have, "{id}"} for part, have in zip(parts, path, strict=True))
            for method, path in asked
        ), f"{one.method} {one.path}"


def test_metrics_and_tiers_are_those_of_the_requirements() -> None:
    assert (DEMANDS.metrics.minimum, DEMANDS.metrics.custom_minimum) == (51, 6)
    custom = [
        one.name
        for one in DEMANDS.metrics.required
        if not one.name.startswith(tuple(DEMANDS.metrics.standard_prefixes))
    ]
    assert len(custom) >= DEMANDS.metrics.custom_minimum
    per_minute = {name: tier.requests_per_minute for name, tier in DEMANDS.limits.tiers.items()}
    assert per_minute == {"free": 10, "pro": 100, "enterprise": 1000}
    assert DEMANDS.limits.without_tier == {
        "batch_per_minute": 5,
        "metrics_per_minute": 100,
        "requests_per_hour": 1000,
    }
    # SLOs exist by tier because these carry it.
    tier = DEMANDS.limits.tier_label
    labelled = {one.name for one in DEMANDS.metrics.required if tier in one.labels}
    assert {"http_requests_total", "http_request_duration_seconds", "jobs_completed_total"} <= labelled
    assert max(one.max_batch_items for one in DEMANDS.limits.tiers.values()) == DEMANDS.batch.maximum_items
    assert (DEMANDS.cache.ttl_seconds.minimum, DEMANDS.cache.ttl_seconds.maximum) == (300, 900)


def test_replayed_messages_carry_what_the_replay_sets() -> None:
    workers = DEMANDS.workers
    assert (workers.replay_of_attribute, workers.replays_attribute) == (REPLAY_OF, REPLAYS)


REFUSED: dict[str, tuple[str, Any, str]] = {
    "an unknown part": ("more", 1, "Extra inputs are not permitted"),
    "a stop longer than Cloud Run waits": ("workers.stop_seconds", 30, "less than or equal to 10"),
    "a job that is no UUID": ("verification.job_id", "job_1", "should match pattern"),
    "an unknown tier": (
        "verification.tier",
        "gold",
        "verification.tier must be one of free, pro, enterprise",
    ),
    "a range upside down": (
        "cache.ttl_seconds",
        {"minimum": 9, "maximum": 1},
        "minimum must be at most maximum 1",
    ),
    "a path with a query": ("endpoints.0.path", "/health?x=1", "should match pattern"),
    "an endpoint twice": ("endpoints.1.path", "/health", "endpoints must hold each method and path once"),
    "a marker that the edge denies": (
        "edge.denied_headers",
        ["x-aiprod-dry-run"],
        "edge.denied_headers must not hold X-AIPROD-Dry-Run",
    ),
    "a marker nobody described": (
        "verification.marker.name",
        "X-Dry-Run",
        "request_headers must describe X-Dry-Run, which the contract uses",
    ),
    "a header of answers nobody described": (
        "endpoints.0.headers",
        {"ETag": "x"},
        "response_headers must describe ETag",
    ),
    "a status of the edge": ("uploads.over_limit_status", 403, "Input should be 413"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_file_refuses(case: str) -> None:
    path, value, said = REFUSED[case]
    found = yaml.safe_load(DEMANDS_FILE.read_text(encoding="utf-8"))
    *parents, last = (int(part) if part.isdigit() else part for part in path.split("."))
    place = found
    for part in parents:
        place = place[part]
    place[last] = value
    with pytest.raises(ValidationError, match=said):
        Demands.model_validate(found)

"""The repository's own WAF corpora: how much they hold, in which forms, and that nothing stands twice."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import pytest

from review.waf.corpus import Request, built_in, load

# The last words of an attack's id: where the payload stands, and how it is written.
PLACES = ("query", "path", "header", "cookie", "form", "json", "multipart")
ENCODINGS = ("plain", "url", "double-url", "percent-u", "unicode", "hex", "mixed-case", "overlong")
INJECTIONS = ("sqli", "xss", "lfi", "rfi", "rce", "php", "nodejs", "java", "protocol")
OTHER_ATTACKS = ("scanner", "session", "method", "oversize", "geo", "internal")
ENDPOINTS = (
    ("GET", r"/health"),
    ("GET", r"/docs"),
    ("GET", r"/openapi\.json"),
    ("POST", r"/auth/login"),
    ("POST", r"/auth/token"),
    ("POST", r"/pipeline/run"),
    ("GET", r"/pipeline/[\w-]+"),
    ("GET", r"/pipeline/[\w-]+/result"),
    ("POST", r"/pipeline/batch"),
    ("GET", r"/pipeline/batch/[\w-]+"),
    ("GET", r"/pipeline/batch/[\w-]+/results"),
    ("POST", r"/pipeline/estimate"),
    ("GET", r"/presets"),
    ("GET", r"/jobs"),
    ("GET", r"/jobs/[\w-]+"),
    ("POST", r"/jobs"),
    ("POST", r"/jobs/[\w-]+/cancel"),
    ("POST", r"/webhooks/register"),
    ("GET", r"/webhooks/list"),
    ("DELETE", r"/webhooks/[\w-]+"),
    ("POST", r"/uploads"),
)


@cache
def requests() -> tuple[Request, ...]:
    """Every request of the repository's files; loading refuses an id that stands twice."""
    return tuple(load(built_in()))


def of_kind(*kinds: str) -> list[Request]:
    return [request for request in requests() if request.kind in kinds and request.sequence is None]


def words(text: str, known: tuple[str, ...]) -> set[str]:
    return {word for word in known if re.search(rf"-{word}(?:-|$)", text)}


@pytest.mark.parametrize("path", built_in(), ids=[path.stem for path in built_in()])
def test_every_line_is_written_in_full(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
        assert {"id", "class", "kind", "expect", "method", "host", "path", "headers"} <= set(json.loads(line))


def test_there_are_four_hundred_attacks_in_ten_classes() -> None:
    by_class = Counter(request.group for request in of_kind("attack"))
    assert by_class.total() >= 400
    assert set(by_class) == {*INJECTIONS, *OTHER_ATTACKS}
    assert min(by_class.values()) >= 12


def test_attacks_are_denied_and_all_else_passes() -> None:
    assert {request.expect for request in requests() if request.kind == "attack"} == {"deny"}
    assert {request.expect for request in requests() if request.kind != "attack"} == {"allow"}


@pytest.mark.parametrize("group", INJECTIONS)
def test_injections_come_in_several_places_and_encodings(group: str) -> None:
    ids = [request.id for request in of_kind("attack") if request.group == group]
    places = {place for each in ids for place in words(each, PLACES)}
    encodings = {encoding for each in ids for encoding in words(each, ENCODINGS)}
    assert len(places) >= 3, places
    assert len(encodings) >= 4, encodings


def test_every_place_and_encoding_is_used() -> None:
    used = {word for request in of_kind("attack") for word in words(request.id, PLACES + ENCODINGS)}
    assert used == {*PLACES, *ENCODINGS}


def test_file_and_class_agree() -> None:
    named: defaultdict[str, set[str]] = defaultdict(set)
    for request in of_kind("attack"):
        named[request.place.partition(".")[0]].add(request.group)
    assert named == {f"attacks-{group}": {group} for group in (*INJECTIONS, *OTHER_ATTACKS)}


def test_four_hundred_requests_must_pass_and_none_stands_twice() -> None:
    passing = of_kind("contract", "benign")
    assert len(passing) >= 400
    seen = Counter(
        (request.method, request.target, request.headers, request.body, request.address)
        for request in (*passing, *of_kind("attack"))
    )
    assert [key for key, count in seen.items() if count > 1] == []


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_contract_holds_every_endpoint(method: str, path: str) -> None:
    assert any(
        request.method == method and re.fullmatch(path, request.path) for request in of_kind("contract")
    )


def test_what_must_pass_is_varied() -> None:
    passing = of_kind("contract", "benign")
    text = "\n".join(request.body.decode("utf-8", "replace") + request.target for request in passing)
    assert all(
        word in text
        for word in ("SELECT ", "<html>", "console.log", "apt-get", "l'été", "こんにちは", "欢迎")
    )
    agents = {request.header("user-agent") for request in passing}
    assert len(agents) >= 50
    assert any("UptimeChecks" in str(agent) for agent in agents)
    types = {(request.header("content-type") or "").partition(";")[0] for request in passing}
    assert {"application/json", "application/x-www-form-urlencoded", "multipart/form-data"} <= types
    names = {name for request in passing for name, _ in request.headers}
    assert {
        "stripe-signature",
        "x-hub-signature-256",
        "authorization",
        "cookie",
        "range",
        "traceparent",
    } <= names


def test_sequences_hold_bursts_bans_and_neighbours() -> None:
    steps = [request for request in requests() if request.sequence is not None]
    by_sequence: defaultdict[str, list[Request]] = defaultdict(list)
    for step in steps:
        by_sequence[step.sequence or ""].append(step)
    assert len(by_sequence) >= 10
    for name, each in by_sequence.items():
        assert [step.time for step in each] == sorted(step.time for step in each), name
    denied = [name for name, each in by_sequence.items() if any(step.status == 429 for step in each)]
    freed = [
        name
        for name, each in by_sequence.items()
        if any(a.status == 429 and b.expect == "allow" and b.time > a.time for a in each for b in each)
    ]
    apart = [name for name, each in by_sequence.items() if len({step.address for step in each}) > 1]
    assert len(denied) >= 4
    assert freed
    assert len(apart) >= 2

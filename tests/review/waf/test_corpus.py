"""The corpus format: what a line says, what is added, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from review.waf.corpus import built_in, load, make_request
from sandbox.errors import UsageError
from tests.review.waf.examples import request_of

LINE: dict[str, Any] = {"id": "a", "kind": "attack", "class": "sqli", "expect": "deny", "path": "/x?y=1"}


def test_line_without_more_gets_the_documented_defaults() -> None:
    found = make_request(LINE, "f.jsonl:1")
    assert (found.method, found.host, found.address, found.region) == (
        "GET",
        "api.example.com",
        "198.51.100.7",
        "FR",
    )
    assert (found.path, found.query, found.body, found.repeat) == ("/x", "y=1", b"", 1)
    assert found.headers == (("host", "api.example.com"),)


def test_headers_that_every_client_sends_are_added_unless_the_line_has_them() -> None:
    assert ("content-length", "6") in request_of(body="h\u00e9llo").headers
    chunked = request_of(body="x", headers={"Transfer-Encoding": "chunked", "Host": "other"})
    assert chunked.headers == (("transfer-encoding", "chunked"), ("host", "other"))
    assert request_of(body="x", headers={"Content-Length": "99"}).header("content-length") == "99"


def test_header_given_several_times_is_joined_as_cloud_armor_joins_it() -> None:
    assert request_of(headers={"X-A": ["one", "two"]}).header("x-a") == "one,two"
    assert request_of().header("x-a") is None


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"path": None}, "path: input should be a valid string, got None"),
        ({"colour": "red"}, "colour is no field of a request"),
        ({"kind": "other"}, "kind: input should be 'attack', 'contract' or 'benign', got 'other'"),
        ({"expect": "maybe"}, "expect: input should be 'deny' or 'allow', got 'maybe'"),
        ({"headers": {"a": 3}}, "headers.a: input should be a valid string, got 3"),
        ({"address": "10.0.0"}, "address: '10.0.0' does not appear to be an IPv4 or IPv6 address"),
        ({"region": "fr"}, "region: string should match pattern"),
        ({"body": "a", "body_base64": "YQ=="}, "body and body_base64 must not both be given"),
        ({"body_base64": "*"}, "body_base64: must be base64"),
        ({"status": 200}, "status 200 does not go with expect 'deny'"),
        ({"time": -1}, "time: input should be greater than or equal to 0, got -1"),
        ({"repeat": 5}, "repeat needs a sequence"),
        ({"class": "SQL"}, "class: string should match pattern"),
        ({"path": "x"}, "path: string should match pattern"),
        ({"path": "/\ud800"}, "holds half a surrogate pair"),
    ],
)
def test_fails_when_a_line_is_no_request(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError) as raised:
        make_request({**LINE, **changed}, "f.jsonl:3")
    text = str(raised.value)
    assert text.startswith(f"f.jsonl:3: {sentence}")
    assert text.endswith("correct the line as docs/waf-corpus.md says")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "c.jsonl:2: no JSON (Expecting property name enclosed in double quotes at character 2)"),
        ("[1]", "c.jsonl:2: a line must be one JSON object, got '[1]'"),
        ("[" * 100_000, "c.jsonl:2: nested too deeply"),
        ('{"id": "a"}', "c.jsonl:2: kind must be given"),
        (json.dumps(LINE), "c.jsonl:2: id 'a' stands in c.jsonl:1 already"),
        (json.dumps({**LINE, "time": float("inf")}), "c.jsonl:2: time: input should be a finite number"),
    ],
)
def test_fails_with_file_and_line(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(json.dumps(LINE) + "\n" + text + "\n", encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        load([path])
    assert str(raised.value).startswith(sentence)


def test_fails_when_a_file_is_missing_empty_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.jsonl cannot be read"):
        load([tmp_path / "absent.jsonl"])
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(UsageError, match="holds no request"):
        load([tmp_path / "empty.jsonl"])
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="is not UTF-8 text"):
        load([tmp_path / "bytes.jsonl"])


def test_sequence_keeps_the_order_of_its_clock(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    late = {**LINE, "sequence": "s", "time": 9.0}
    early = {**late, "id": "b", "time": 3.0}
    path.write_text(json.dumps(late) + "\n" + json.dumps(early) + "\n", encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        load([path])
    assert str(raised.value).startswith("c.jsonl:2: time 3.0 of sequence s comes after 9.0")


def test_separators_inside_a_text_do_not_end_a_line(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(json.dumps({**LINE, "body": "a\u2028b"}, ensure_ascii=False) + "\n", encoding="utf-8")
    assert load([path])[0].body == "a\u2028b".encode()


def test_the_corpora_of_the_repository_are_as_large_as_promised() -> None:
    requests = load(built_in())
    attacks = [request for request in requests if request.kind == "attack" and request.sequence is None]
    others = [request for request in requests if request.kind != "attack"]
    assert len(attacks) >= 400
    assert len({request.group for request in attacks}) >= 10
    assert len(others) >= 400
    assert any(request.sequence for request in requests)

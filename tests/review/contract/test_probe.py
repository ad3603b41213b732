"""`contract-check` on a real HTTP server: one that keeps the contract, and many that do not."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from review.cli import main
from review.contract.demands import load_demands
from tests.review.contract.image import TOKEN, Change, Reply, exposition, serving
from tests.stack_files import ROOT

DEMANDS = load_demands()


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("CONTRACT_TOKEN", raising=False)


def _check(url: str, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str, str]:
    code = main(["contract-check", "--url", url, *more])
    said = capsys.readouterr()
    return code, said.out, said.err


def _missed(out: str) -> list[str]:
    return [re.split(r"  +", line)[0] for line in out.splitlines() if re.search(r"\bMISS\b", line)]


def test_an_image_that_keeps_the_contract_passes_without_a_token(capsys: pytest.CaptureFixture[str]) -> None:
    with serving() as image:
        code, out, _ = _check(image.url, capsys)
    assert (code, _missed(out)) == (0, [])
    assert re.search(r"([0-9]+) of \1 figures hold, 4 not asked", out)
    assert out.count("CONTRACT_TOKEN is not set") == 4
    assert re.split(r" +", out.splitlines()[0].strip()) == ["figure", "found", "target", "verdict"]


def test_an_image_that_keeps_the_contract_passes_with_the_token(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTRACT_TOKEN", TOKEN)
    with serving() as image:
        code, out, err = _check(image.url, capsys)
    assert (code, _missed(out)) == (0, [])
    assert re.search(r"([0-9]+) of \1 figures hold, 0 not asked", out)
    assert TOKEN not in out + err
    # Every request for a job is marked, whoever sends it.
    marker = DEMANDS.verification.marker
    runs = [headers for _, path, headers, _ in image.seen if path == "/pipeline/run"]
    assert len(runs) == 3
    assert {headers[marker.name.lower()] for headers in runs} == {marker.value}
    # A DELETE reaches nothing, and goes without a token.
    deleted = [(path, headers) for method, path, headers, _ in image.seen if method == "DELETE"]
    assert [path for path, _ in deleted] == [f"/webhooks/{DEMANDS.verification.job_id}"]
    assert "authorization" not in deleted[0][1]


def _metrics(change: Mapping[str, str]) -> Change:
    text = exposition()
    for old, new in change.items():
        assert old in text
        text = text.replace(old, new)
    return lambda reply: replace(reply, body=text.encode())


HEALTH = "GET /health"
# What is broken -> what is missed, and what the table says of it.
BROKEN: dict[str, tuple[dict[str, Change], list[str], str]] = {
    "a wrong health body": (
        {"health": lambda reply: reply.saying({"status": "healthy"})},
        [f"{HEALTH}: status"],
        '"healthy"',
    ),
    "health as text": (
        {"health": lambda reply: replace(reply, body=b"ok")},
        [f"{HEALTH}: status"],
        "no JSON object",
    ),
    "health as a list": (
        {"health": lambda reply: reply.saying(["ok"])},
        [f"{HEALTH}: status"],
        "no JSON object",
    ),
    "health too deep": (
        {"health": lambda reply: replace(reply, body=b"[" * 100_000)},
        [f"{HEALTH}: status"],
        "no JSON object",
    ),
    "a slow answer": (
        {"presets": lambda reply: replace(reply, seconds=1.05)},
        ["GET /presets"],
        "200, application/json",
    ),
    "slow metrics": (
        {"metrics": lambda reply: replace(reply, seconds=0.15)},
        ["GET /metrics"],
        "under 100 ms",
    ),
    "a header that is missing": (
        {"health": lambda reply: reply.without("Cache-Control")},
        [f"{HEALTH}: Cache-Control"],
        "none",
    ),
    "a header with another value": (
        {
            "health": lambda reply: replace(
                reply, headers={**reply.headers, "Cache-Control": "public, max-age=60"}
            )
        },
        [f"{HEALTH}: Cache-Control"],
        "public, max-age=60",
    ),
    "no id of a request": (
        {"presets": lambda reply: reply.without("X-Request-ID")},
        ["X-Request-ID"],
        "GET /presets",
    ),
    "nothing there": (
        {"presets": lambda reply: replace(reply, status=404)},
        ["GET /presets"],
        "404, application/json",
    ),
    "an error": ({"docs": lambda reply: replace(reply, status=500)}, ["GET /docs"], "500, text/html"),
    "another type": (
        {"docs": lambda reply: replace(reply, type="application/json")},
        ["GET /docs"],
        "200, application/json",
    ),
    "no type": ({"docs": lambda reply: replace(reply, type=None)}, ["GET /docs"], "no content type"),
    "a redirect": (
        {"docs": lambda reply: replace(reply, status=307, headers={**reply.headers, "Location": "/docs/"})},
        ["GET /docs"],
        "307 to /docs/",
    ),
    "open to everyone": (
        {"status": lambda reply: replace(reply, status=200)},
        ["GET /pipeline/{id} without a token"],
        "401, application/json",
    ),
    "401 without its header": (
        {"run": lambda reply: reply.without("WWW-Authenticate")},
        ["POST /pipeline/run without a token: WWW-Authenticate"],
        "none",
    ),
    "401 of another scheme": (
        {"run": lambda reply: replace(reply, headers={**reply.headers, "WWW-Authenticate": "Basic"})},
        ["POST /pipeline/run without a token: WWW-Authenticate"],
        "Basic",
    ),
    "any size": (
        {"oversize": lambda reply: replace(reply, status=200)},
        [f"POST /pipeline/run of {DEMANDS.uploads.max_body_bytes + 1} bytes"],
        "401 or 413",
    ),
    "too few metrics": (
        {"metrics": _metrics({"# TYPE python_0 gauge\n": ""})},
        ["metrics: number"],
        "at least 51",
    ),
    "too few custom metrics": (
        {"metrics": _metrics({"webhook_deliveries_total": "http_deliveries_total"})},
        ["metrics: custom ones", "metrics: required ones"],
        "no webhook_deliveries_total",
    ),
    "a metric of another type": (
        {"metrics": _metrics({"# TYPE jobs_completed_total counter": "# TYPE jobs_completed_total gauge"})},
        ["metrics: required ones"],
        "jobs_completed_total is a gauge",
    ),
    "a metric without its label": (
        {
            "metrics": _metrics(
                {'jobs_completed_total{status="x",tier="x"}': 'jobs_completed_total{status="x"}'}
            )
        },
        ["metrics: required ones"],
        "jobs_completed_total lacks tier",
    ),
    "a line that cannot be parsed": (
        {"metrics": _metrics({"python_0 0.5": "python_0 zero"})},
        ["metrics: lines that cannot be parsed"],
        "no sample",
    ),
    "metrics as JSON": (
        {"metrics": lambda reply: replace(reply, type="application/json")},
        ["GET /metrics"],
        "200, application/json",
    ),
    "no metrics": (
        {"metrics": lambda reply: replace(reply, status=404)},
        ["GET /metrics"],
        "404, text/plain",
    ),
    "OpenAPI 2": (
        {
            "openapi": lambda reply: reply.saying(
                {**json.loads(reply.body), "openapi": None, "swagger": "2.0"}
            )
        },
        ["openapi: version"],
        "None",
    ),
    "another version of the API": (
        {"openapi": lambda reply: reply.saying({**json.loads(reply.body), "info": {"version": "0.9.0"}})},
        ["openapi: info.version"],
        "0.9.0",
    ),
    "an endpoint that is not described": (
        {"openapi": lambda reply: reply.saying({**json.loads(reply.body), "paths": {}})},
        ["openapi: endpoints"],
        "lacks GET /health",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_one_thing_broken_is_one_thing_missed(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    changes, missed, said = BROKEN[case]
    with serving(changes) as image:
        code, out, _ = _check(image.url, capsys)
    assert (code, _missed(out)) == (1, missed), out
    line = next(line for line in out.splitlines() if line.startswith(missed[-1] + "  "))
    assert said in line


SIGNED_IN: dict[str, tuple[dict[str, Change], list[str], str]] = {
    "a dry run that is none": (
        {"run+token": lambda reply: reply.saying({"job_id": "3f2b8c1e-90d4-4a7e-8f0e-2d5c7b6a1e90"})},
        ["POST /pipeline/run with the token: job_id", "POST /pipeline/run with the token: dry_run"],
        "null",
    ),
    "a login that fails": (
        {"login+token": lambda reply: replace(reply, status=401)},
        ["POST /auth/login with the token"],
        "401",
    ),
    "a result that may be kept": (
        {
            "result+token": lambda reply: replace(
                reply, headers={"X-Request-ID": "r1", "Cache-Control": "private"}
            )
        },
        ["GET /pipeline/{id}/result with the token: Cache-Control"],
        "private",
    ),
    "a result that is not ready": ({"result+token": lambda reply: replace(reply, status=202)}, [], ""),
}


@pytest.mark.parametrize("case", SIGNED_IN)
def test_what_needs_the_token_is_judged_with_it(
    case: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTRACT_TOKEN", TOKEN)
    changes, missed, said = SIGNED_IN[case]
    with serving(changes) as image:
        code, out, _ = _check(image.url, capsys)
    assert (code, _missed(out)) == (int(bool(missed)), missed), out
    assert said in out


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_no_answer_is_one_miss_and_nothing_else_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _check(f"http://127.0.0.1:{_free_port()}", capsys)
    assert (code, _missed(out)) == (1, ["an answer"])
    assert "connection refused" in out
    assert "0 of 1 figures hold" in out


def test_tls_to_a_plain_server_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with serving() as image:
        code, out, _ = _check(image.url.replace("http:", "https:"), capsys)
    assert (code, _missed(out)) == (1, ["an answer"])
    assert "no TLS there" in out


def test_an_answer_that_never_comes_is_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("review.contract.asking.PATIENCE_SECONDS", 0.4)
    with serving({"presets": lambda reply: replace(reply, seconds=0.8)}) as image:
        code, out, _ = _check(image.url, capsys)
    assert (code, _missed(out)) == (1, ["GET /presets"])
    assert "nothing within 0.4 s" in out


def _local(tmp_path: Path, **changes: Any) -> Path:
    """The contract with this machine as the host of dev."""
    document = json.loads((ROOT / "docs" / "contract.json").read_text(encoding="utf-8"))
    document["environments"]["dev"]["edge"]["hosts"] = ["127.0.0.1"]
    document.update(changes)
    path = tmp_path / "contract.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def _closed(_: Reply) -> Reply:
    return Reply(status=404, type="text/html", headers={})


def test_through_the_load_balancer_metrics_are_closed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract = str(_local(tmp_path))
    edge: dict[str, Change] = {"metrics": _closed, "oversize": lambda reply: replace(reply, status=403)}
    with serving(edge) as image:
        code, out, _ = _check(image.url, capsys, "--contract", contract)
    assert (code, _missed(out)) == (0, []), out
    with serving() as image:
        code, out, _ = _check(image.url, capsys, "--contract", contract)
    assert code == 1
    assert _missed(out)[0] == "GET /metrics through the load balancer"


WRONG: dict[str, tuple[list[str], str]] = {
    "no scheme": (["--url", "127.0.0.1:8080"], "URL must be http://HOST[:PORT] or https://HOST[:PORT]"),
    "another scheme": (["--url", "ftp://127.0.0.1"], "got 'ftp://127.0.0.1': correct it"),
    "no host": (["--url", "http://"], "correct it"),
    "a port that is none": (["--url", "http://127.0.0.1:99999"], "whose port or host cannot be read"),
    "a login": (
        ["--url", "http://user:hidden@127.0.0.1"],
        "got one with a login: leave it out, and set CONTRACT_TOKEN",
    ),
    "a query": (["--url", "http://127.0.0.1/?a=1"], "got one with a query or a fragment"),
    "an empty URL": (["--url", ""], "got ''"),
    "an unknown stack": (
        ["--url", "http://127.0.0.1", "--stack", "qa"],
        "STACK must be one of dev, staging, prod, got 'qa'",
    ),
    "another stack's host": (
        ["--url", "https://api.aiprod.ai"],
        "URL is the host of prod, and STACK is dev: use STACK=prod",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_use_is_one_sentence(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, said = WRONG[case]
    assert main(["contract-check", *arguments]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "hidden" not in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("token", "url", "said"),
    [
        ("", "http://127.0.0.1", "CONTRACT_TOKEN must be one token without blanks"),
        ("two words", "http://127.0.0.1", "CONTRACT_TOKEN must be one token without blanks"),
        ("a\r\nX-Evil: 1", "http://127.0.0.1", "CONTRACT_TOKEN must be one token without blanks"),
        ("jeton-é", "http://127.0.0.1", "CONTRACT_TOKEN must be one token without blanks"),
        ("good", "http://image.example.com", "must go over https or stay on this machine"),
    ],
)
def test_a_token_that_may_not_be_sent_is_refused(
    token: str, url: str, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTRACT_TOKEN", token)
    assert main(["contract-check", "--url", url]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert not token or token not in err


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"demands": {}, "environments": {}}', "\x00"])
def test_fails_when_the_contract_is_none(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "contract.json"
    path.write_text(text, encoding="utf-8")
    assert main(["contract-check", "--url", "http://127.0.0.1", "--contract", str(path)]) == 2
    assert "is no contract of this version: run make contract" in capsys.readouterr().err

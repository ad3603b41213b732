"""What a running image can be asked for from outside: figures beside the targets of the contract."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final, Literal, cast

from review.contract.asking import Answer, NoAnswerError, Target, ask
from review.contract.demands import Demands, Endpoint
from review.contract.exposition import Exposition, Family, read_exposition

__all__ = ["Row", "Verdict", "probe"]

Verdict = Literal["ok", "MISS", "not asked"]
_TIMES: Final = 5
"""A GET is asked so often, and its time is the median."""
_EXAMPLE: Final = {
    "video_url": "https://example.com/clip.mp4",
    "voice_text": "A text for verification.",
    "voice_language": "en",
}
_ID: Final = re.compile(r"\{[^}]*\}")
_WITH_TOKEN: Final = ("run", "status", "result", "login")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure."""

    what: str
    found: str
    target: str
    verdict: Verdict


@dataclass(slots=True, kw_only=True)
class _Probe:
    target: Target
    demands: Demands
    token: str | None
    through_edge: bool
    rows: list[Row] = field(default_factory=list[Row])
    unnamed: list[str] = field(default_factory=list[str])
    """Requests whose answer had no X-Request-ID."""

    def add(self, what: str, found: object, target: str, good: bool) -> None:
        self.rows.append(Row(what=what, found=str(found), target=target, verdict="ok" if good else "MISS"))

    def skip(self, what: str, target: str, why: str) -> None:
        self.rows.append(Row(what=what, found=why, target=target, verdict="not asked"))


def probe(target: Target, demands: Demands, *, token: str | None, through_edge: bool) -> list[Row]:
    """All figures, in the order of the contract. Nothing is published, stored or paid by what is asked."""
    made = _Probe(target=target, demands=demands, token=token, through_edge=through_edge)
    health = demands.endpoint("health")
    try:
        ask(target, health.method, health.path)
    except NoAnswerError as error:
        made.add("an answer", error, "one", False)
        for one in demands.endpoints:
            made.skip(f"{one.method} {one.path}", _target(one), "no answer before")
        return made.rows
    for one in demands.endpoints:
        if one.reach == "inside" and through_edge:
            _closed(made, one)
        elif not one.token:
            _open(made, one)
        else:
            _without_token(made, one)
    for id in _WITH_TOKEN:
        _with_token(made, demands.endpoint(id))
    _oversize(made)
    made.add("X-Request-ID", _few(made.unnamed) or "on every answer", "on every answer", not made.unnamed)
    return made.rows


def _target(one: Endpoint) -> str:
    return f"{' or '.join(map(str, one.statuses))}, {one.content_type}, under {one.maximum_ms} ms"


def _request(
    made: _Probe, one: Endpoint, *, token: bool, path: str | None = None, body: Any = None
) -> list[Answer] | str:
    """The answers, or why there is none."""
    verification = made.demands.verification
    headers = {"Accept": "*/*"}
    if one.id == "run":
        headers[verification.marker.name] = verification.marker.value
    if token and made.token is not None:
        headers[made.demands.login.header] = f"Bearer {made.token}"
    content = None
    if one.method in {"POST", "PUT"}:
        headers["Content-Type"] = "application/json"
        content = json.dumps({} if body is None else body).encode()
    asked = path or _ID.sub(verification.job_id, one.path)
    try:
        answers = [
            ask(made.target, one.method, asked, headers=headers, body=content)
            for _ in range(_TIMES if one.method == "GET" else 1)
        ]
    except NoAnswerError as error:
        return str(error)
    # What the edge answers itself has no id of the image's.
    if not made.through_edge or one.reach == "public":
        made.unnamed += [
            f"{one.method} {one.path}" for answer in answers if "x-request-id" not in answer.headers
        ][:1]
    return answers


def _answered(made: _Probe, what: str, one: Endpoint, answers: list[Answer] | str) -> Answer | None:
    """The row of an endpoint; the answer where status and type are right, so that its body can be read."""
    if isinstance(answers, str):
        made.add(what, answers, _target(one), False)
        return None
    wrong = next((answer for answer in answers if answer.status not in one.statuses), None)
    answer = wrong or answers[-1]
    spent = median(answer.milliseconds for answer in answers)
    types = _types(one)
    good = wrong is None and answer.content_type in types
    found = f"{_status(answer)}, {answer.content_type or 'no content type'}, {spent:.0f} ms"
    made.add(what, found, _target(one), good and spent < one.maximum_ms)
    return answer if good else None


def _types(one: Endpoint) -> set[str]:
    """OpenMetrics is the newer form of the same text."""
    return {one.content_type, *(("application/openmetrics-text",) if one.id == "metrics" else ())}


def _status(answer: Answer) -> str:
    place = answer.headers.get("location")
    return f"{answer.status} to {place[:80]}" if place and 300 <= answer.status < 400 else str(answer.status)


def _closed(made: _Probe, one: Endpoint) -> None:
    answers = _request(made, one, token=False)
    found = answers if isinstance(answers, str) else str(answers[0].status)
    made.add(f"{one.method} {one.path} through the load balancer", found, "404", found == "404")


def _open(made: _Probe, one: Endpoint) -> None:
    what = f"{one.method} {one.path}"
    answer = _answered(made, what, one, _request(made, one, token=False))
    readers: Mapping[str, Callable[[_Probe, Answer], None]] = {"metrics": _metrics, "openapi": _openapi}
    if answer is None:
        return
    for name, value in one.headers.items():
        _header(made, what, answer, name, value)
    if one.body:
        _body(made, what, answer, one.body)
    if one.id in readers:
        readers[one.id](made, answer)


def _without_token(made: _Probe, one: Endpoint) -> None:
    what = f"{one.method} {one.path} without a token"
    answers = _request(made, one, token=False, body={"id_token": "none"} if one.id == "login" else None)
    refused = one.model_copy(update={"statuses": (401,), "content_type": "application/json"})
    answer = _answered(made, what, refused, answers)
    if answer is not None:
        _header(made, what, answer, "WWW-Authenticate", "Bearer")


def _with_token(made: _Probe, one: Endpoint) -> None:
    what = f"{one.method} {one.path} with the token"
    if made.token is None:
        made.skip(what, _target(one), "CONTRACT_TOKEN is not set")
        return
    bodies = {"run": _EXAMPLE, "login": {"id_token": made.token}}
    answer = _answered(made, what, one, _request(made, one, token=True, body=bodies.get(one.id)))
    if answer is None:
        return
    for name, value in one.headers.items():
        _header(made, what, answer, name, value)
    job = made.demands.verification.job_id
    expected: Mapping[str, Mapping[str, object]] = {
        "run": {"job_id": job, "dry_run": True},
        "status": {"job_id": job},
    }
    if one.id in expected:
        _body(made, what, answer, expected[one.id])


def _oversize(made: _Probe) -> None:
    run, uploads = made.demands.endpoint("run"), made.demands.uploads
    statuses = {403} if made.through_edge else {uploads.over_limit_status}
    if made.token is None and not made.through_edge:
        # Who it is may be asked before how much it is.
        statuses.add(401)
    verification = made.demands.verification
    headers = {"Content-Type": "application/json", verification.marker.name: verification.marker.value}
    if made.token is not None:
        headers[made.demands.login.header] = f"Bearer {made.token}"
    what = f"{run.method} {run.path} of {uploads.max_body_bytes + 1} bytes"
    target = " or ".join(map(str, sorted(statuses)))
    try:
        answer = ask(
            made.target, run.method, run.path, headers=headers, body=b" " * (uploads.max_body_bytes + 1)
        )
    except NoAnswerError as error:
        made.add(what, error, target, False)
        return
    made.add(what, _status(answer), target, answer.status in statuses)


def _header(made: _Probe, what: str, answer: Answer, name: str, value: str) -> None:
    found = answer.headers.get(name.lower())
    words = {word.strip().split(" ")[0].lower() for word in (found or "").split(",")}
    made.add(f"{what}: {name}", found or "none", value, value.lower() in words)


def _json(answer: Answer) -> Any:
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def _body(made: _Probe, what: str, answer: Answer, wanted: Mapping[str, object]) -> None:
    found = _json(answer)
    fields = cast("Mapping[str, object]", found) if isinstance(found, Mapping) else None
    for name, value in wanted.items():
        said = "no JSON object" if fields is None else json.dumps(fields.get(name))[:80]
        made.add(f"{what}: {name}", said, json.dumps(value), fields is not None and fields.get(name) == value)


def _metrics(made: _Probe, answer: Answer) -> None:
    wanted = made.demands.metrics
    found = read_exposition(answer.body.decode("utf-8", errors="replace"))
    prefixes = tuple(wanted.standard_prefixes)
    custom = [name for name in found.families if not name.startswith(prefixes)]
    errors, most = len(found.errors), wanted.maximum_parse_errors
    said = f"{errors}, {found.errors[0]}" if errors else "0"
    made.add("metrics: lines that cannot be parsed", said, f"at most {most}", errors <= most)
    count = len(found.families)
    made.add("metrics: number", count, f"at least {wanted.minimum}", count >= wanted.minimum)
    least = wanted.custom_minimum
    made.add("metrics: custom ones", len(custom), f"at least {least}", len(custom) >= least)
    wrong = list(_wrong(made.demands, found))
    made.add(
        "metrics: required ones", _few(wrong) or "all", f"{len(wanted.required)} of their type", not wrong
    )


def _wrong(demands: Demands, found: Exposition) -> Iterator[str]:
    for one in demands.metrics.required:
        family = _family(found, one.name)
        if family is None:
            yield f"no {one.name}"
        elif family.type != one.type:
            yield f"{one.name} is a {family.type}"
        # A metric without a sample shows no labels.
        elif family.samples and not set(one.labels) <= family.labels:
            yield f"{one.name} lacks {', '.join(sorted(set(one.labels) - family.labels))}"


def _family(found: Exposition, name: str) -> Family | None:
    """OpenMetrics leaves `_total` out of a family's name."""
    return found.families.get(name) or found.families.get(name.removesuffix("_total"))


def _openapi(made: _Probe, answer: Answer) -> None:
    page = _mapping(_json(answer))
    version = page.get("openapi")
    made.add(
        "openapi: version", str(version)[:20], "3", isinstance(version, str) and version.startswith("3.")
    )
    said = _mapping(page.get("info")).get("version")
    wanted = made.demands.api_version
    made.add("openapi: info.version", str(said)[:20], wanted, said == wanted)
    described = set(_described(_mapping(page.get("paths"))))
    missing = [
        f"{one.method} {one.path}"
        for one in made.demands.endpoints
        if one.reach == "public"
        and one.id not in {"docs", "openapi"}
        and f"{one.method} {_ID.sub('{}', one.path)}" not in described
    ]
    made.add("openapi: endpoints", _few(missing, "lacks ") or "all", "all", not missing)


def _described(paths: Mapping[str, Any]) -> Iterator[str]:
    for path, methods in paths.items():
        yield from (f"{method.upper()} {_ID.sub('{}', path)}" for method in _mapping(methods))


def _mapping(value: Any) -> Mapping[str, Any]:
    """A JSON object; an empty one in place of anything else."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _few(names: Sequence[str], before: str = "") -> str:
    """The first three, and how many more."""
    if not names:
        return ""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{before}{', '.join(names[:3])}{more}"

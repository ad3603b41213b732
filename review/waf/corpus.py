"""Requests with what should become of them, from JSON Lines files in the format of docs/waf-corpus.md.

A line is one request, or with ``repeat`` the same request several times. What a real client would send by
itself, the headers ``host`` and ``content-length``, is added where a line leaves it out.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from sandbox.errors import UsageError

__all__ = ["BUILT_IN", "Expectation", "Kind", "Request", "built_in", "load", "make_request"]

BUILT_IN: Final = Path(__file__).parent / "corpus"
"""The corpora of this repository."""

MAX_REPEAT: Final = 100_000

Kind = Literal["attack", "contract", "benign"]
Expectation = Literal["deny", "allow"]

_Text = Annotated[str, Field(min_length=1)]


class _Line(BaseModel):
    """One line of a corpus; the published format."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: _Text
    kind: Kind
    group: Annotated[str, Field(alias="class", pattern=r"^[a-z0-9][a-z0-9-]*$")]
    expect: Expectation
    status: Annotated[int, Field(ge=200, le=599)] | None = None
    reason: str = ""
    method: Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")] = "GET"
    host: _Text = "api.example.com"
    path: Annotated[str, Field(pattern=r"^(?:/|\*$)")]
    headers: Mapping[str, str | list[str]] = {}
    body: str | None = None
    body_base64: str | None = None
    address: str = "198.51.100.7"
    region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "FR"
    time: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    sequence: _Text | None = None
    repeat: Annotated[int, Field(ge=1, le=MAX_REPEAT)] = 1
    every: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0

    @field_validator("address")
    @classmethod
    def _is_address(cls, value: str) -> str:
        ipaddress.ip_address(value)
        return value

    @field_validator("body_base64")
    @classmethod
    def _is_base64(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                base64.b64decode(value, validate=True)
            except binascii.Error as error:
                raise ValueError(f"must be base64 ({error})") from error
        return value

    @model_validator(mode="after")
    def _goes_together(self) -> _Line:
        if self.body is not None and self.body_base64 is not None:
            raise ValueError("body and body_base64 must not both be given")
        if self.repeat > 1 and self.sequence is None:
            raise ValueError("repeat needs a sequence, for only there does a clock run")
        if self.status is not None and (self.status < 400) != (self.expect == "allow"):
            raise ValueError(f"status {self.status} does not go with expect {self.expect!r}")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as the load balancer sees it, and what should become of it."""

    id: str
    kind: Kind
    group: str
    """What the line calls ``class``: the row of the confusion table."""
    expect: Expectation
    status: int | None
    reason: str
    method: str
    host: str
    target: str
    """Path with query, as in the request line."""
    headers: tuple[tuple[str, str], ...]
    """Lower-case names in the order of the line; a name may stand several times."""
    body: bytes
    address: str
    region: str
    time: float
    """Seconds since the sequence began."""
    sequence: str | None
    repeat: int
    every: float
    """Seconds between two repetitions."""
    place: str
    """File and line."""

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The query without its question mark."""
        return self.target.partition("?")[2]

    def header(self, name: str) -> str | None:
        """The values of a header in one text, as Cloud Armor joins them; None without it."""
        found = [value for key, value in self.headers if key == name]
        return ",".join(found) if found else None


def built_in() -> list[Path]:
    """The files of this repository's own corpus."""
    return sorted(BUILT_IN.glob("*.jsonl"))


def load(paths: Iterable[Path]) -> list[Request]:
    """The requests of all files. Raises UsageError with file and line for what is no request."""
    requests: list[Request] = []
    seen: dict[str, str] = {}
    clocks: dict[str, float] = {}
    for path in paths:
        for request in _read(path):
            if request.id in seen:
                raise UsageError(
                    f"{request.place}: id {request.id!r} stands in {seen[request.id]} already: "
                    "give each request its own"
                )
            seen[request.id] = request.place
            _check_clock(request, clocks)
            requests.append(request)
    if not requests:
        raise UsageError("the corpus holds no request: name a file with one JSON object a line")
    return requests


def _check_clock(request: Request, clocks: dict[str, float]) -> None:
    if request.sequence is None:
        return
    before = clocks.get(request.sequence, 0.0)
    if request.time < before:
        raise UsageError(
            f"{request.place}: time {request.time} of sequence {request.sequence} comes after {before}: "
            "put the lines of a sequence in the order of their time"
        )
    clocks[request.sequence] = request.time + (request.repeat - 1) * request.every


def make_request(fields: Mapping[str, Any], place: str = "request") -> Request:
    """One request from the fields of a line. Raises UsageError naming ``place``."""
    try:
        json.dumps(fields, ensure_ascii=False).encode()
        line = _Line.model_validate(dict(fields))
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{place}: holds half a surrogate pair: correct the line as docs/waf-corpus.md says"
        ) from error
    except ValidationError as error:
        raise UsageError(
            f"{place}: {_sentence(error)}: correct the line as docs/waf-corpus.md says"
        ) from error
    body = line.body.encode() if line.body is not None else base64.b64decode(line.body_base64 or "")
    return Request(
        id=line.id,
        kind=line.kind,
        group=line.group,
        expect=line.expect,
        status=line.status,
        reason=line.reason,
        method=line.method,
        host=line.host,
        target=line.path,
        headers=tuple(_headers(line, len(body))),
        body=body,
        address=line.address,
        region=line.region,
        time=line.time,
        sequence=line.sequence,
        repeat=line.repeat,
        every=line.every,
        place=place,
    )


def _read(path: Path) -> Iterator[Request]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): name a corpus file") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text: a corpus is JSON Lines") from error
    # Only line feeds end a line: other separators may stand inside a JSON text.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{path.name}:{number}"
        try:
            found: Any = json.loads(line)
        except json.JSONDecodeError as error:
            raise UsageError(
                f"{place}: no JSON ({error.msg} at character {error.pos + 1}): correct the line"
            ) from (error)
        except RecursionError as error:
            raise UsageError(f"{place}: nested too deeply: correct the line") from error
        if not isinstance(found, dict):
            raise UsageError(
                f"{place}: a line must be one JSON object, got {line.strip()!r:.60}: correct the line"
            )
        yield make_request(cast("dict[str, Any]", found), place)


def _headers(line: _Line, length: int) -> Iterator[tuple[str, str]]:
    given = [
        (name.lower(), value)
        for name, values in line.headers.items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    names = {name for name, _ in given}
    if "host" not in names:
        yield "host", line.host
    yield from given
    if length and names.isdisjoint({"content-length", "transfer-encoding"}):
        yield "content-length", str(length)


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(
        str(part) for part in first["loc"] if part != "str" and not str(part).startswith("list[")
    )
    message = first["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    if not where:
        return message
    if first["type"] == "missing":
        return f"{where} must be given"
    if first["type"] == "extra_forbidden":
        return f"{where} is no field of a request"
    return f"{where}: {message}, got {first['input']!r:.80}"

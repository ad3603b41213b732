"""One request over HTTP, to a running image or to Google: its answer, how long it took, or why none came."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from sandbox.errors import UsageError

__all__ = ["Answer", "NoAnswerError", "Target", "ask", "target_of"]

PATIENCE_SECONDS: Final = 10.0
"""An answer that is not there by then is none."""
_LONGEST: Final = 64 * 1024 * 1024


class NoAnswerError(Exception):
    """The image gave none; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where the image is asked."""

    secure: bool
    host: str
    port: int
    prefix: str

    @property
    def local(self) -> bool:
        """Whether requests stay on this machine."""
        return self.host in {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    milliseconds: float

    @property
    def content_type(self) -> str:
        """Without its parameters."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()


def target_of(url: str) -> Target:
    """Raises UsageError on anything but http(s)://HOST[:PORT][/PREFIX]."""
    wanted = "URL must be http://HOST[:PORT] or https://HOST[:PORT]"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{wanted}, got one whose port or host cannot be read: correct it") from error
    if parts.username is not None or parts.password is not None:
        raise UsageError(f"{wanted}, got one with a login: leave it out, and set CONTRACT_TOKEN")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(f"{wanted}, got {url!r}: correct it")
    if parts.query or parts.fragment:
        raise UsageError(f"{wanted}, got one with a query or a fragment: leave it out")
    if any(sign.isspace() or ord(sign) < 32 for sign in url):
        raise UsageError(f"{wanted}, got one with a blank: correct it")
    secure = parts.scheme == "https"
    return Target(
        secure=secure,
        host=parts.hostname,
        port=port or (443 if secure else 80),
        prefix=parts.path.rstrip("/"),
    )


def ask(
    target: Target,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Answer:
    """Follows no redirect. Raises NoAnswerError where none comes in time."""
    connection: http.client.HTTPConnection
    if target.secure:
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(
            target.host, target.port, timeout=PATIENCE_SECONDS, context=context
        )
    else:
        connection = http.client.HTTPConnection(target.host, target.port, timeout=PATIENCE_SECONDS)
    began = time.monotonic()
    try:
        _send(connection, method, target.prefix + path, headers or {}, body)
        response = connection.getresponse()
        content = _read(response, began)
    except ssl.SSLCertVerificationError as error:
        raise NoAnswerError(f"certificate not trusted ({error.verify_message})") from error
    except ssl.SSLError as error:
        raise NoAnswerError("no TLS there") from error
    except TimeoutError as error:
        raise NoAnswerError(f"nothing within {PATIENCE_SECONDS:g} s") from error
    except ConnectionRefusedError as error:
        raise NoAnswerError("connection refused") from error
    except socket.gaierror as error:
        raise NoAnswerError(f"{target.host} has no address") from error
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswerError(f"no HTTP ({type(error).__name__})") from error
    finally:
        connection.close()
    return Answer(
        status=response.status,
        headers={name.lower(): value for name, value in response.getheaders()},
        body=content,
        milliseconds=(time.monotonic() - began) * 1000,
    )


def _send(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes | None,
) -> None:
    try:
        connection.request(method, path, body=body, headers={"User-Agent": "contract-check", **headers})
    except (BrokenPipeError, ConnectionResetError):
        # Who refuses a large body may stop reading it; the answer then waits in the socket.
        if body is None:
            raise


def _read(response: http.client.HTTPResponse, began: float) -> bytes:
    """The body; one that drips longer than patience lasts is none."""
    content = bytearray()
    while chunk := response.read1(65_536):
        content += chunk
        if time.monotonic() - began > PATIENCE_SECONDS:
            raise TimeoutError
        if len(content) > _LONGEST:
            raise NoAnswerError(f"more than {_LONGEST} bytes")
    if response.length:
        raise http.client.IncompleteRead(bytes(content), response.length)
    return bytes(content)

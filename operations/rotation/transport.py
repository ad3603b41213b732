"""One authenticated call of a Google API, as JSON in and JSON out."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from typing import Any, Protocol, cast

import httpx

__all__ = ["ApiError", "ConflictError", "HttpTransport", "Json", "MetadataToken", "Token", "Transport"]

Json = dict[str, Any]
# Google's documented address of the metadata server, which knows the service's own account.
_METADATA = "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token"
_TIMEOUT_SECONDS = 30


class ApiError(Exception):
    """Google refused; the text carries status, reason and method, never a body that was sent."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"Google answered {status} {reason}: {message}")
        self.status = status
        self.reason = reason


class ConflictError(ApiError):
    """Somebody else changed the resource since it was read."""


class Transport(Protocol):
    """Sends one request."""

    def __call__(self, method: str, url: str, body: Json | None = None) -> Json: ...


class Token(Protocol):
    """Gives a bearer token that is good for the next call."""

    def __call__(self) -> str: ...


class MetadataToken:
    """The token of the account that the service runs as; asked for anew a minute before it ends."""

    def __init__(self, url: str = _METADATA) -> None:
        self._url = url
        self._token = ""
        self._until = 0.0

    def __call__(self) -> str:
        if time.monotonic() >= self._until:
            answer = httpx.get(self._url, headers={"Metadata-Flavor": "Google"}, timeout=_TIMEOUT_SECONDS)
            value = cast("Mapping[str, Any]", answer.raise_for_status().json())
            self._token = str(value["access_token"])
            self._until = time.monotonic() + float(value["expires_in"]) - 60
        return self._token


class HttpTransport:
    """HTTP with the account's token; TLS is checked against the usual authorities."""

    def __init__(self, token: Token) -> None:
        self._token = token
        self._client = httpx.Client(timeout=_TIMEOUT_SECONDS)

    def __call__(self, method: str, url: str, body: Json | None = None) -> Json:
        """Errors: ApiError as Google answered; httpx.TransportError when nothing answered."""
        headers = {"Authorization": f"Bearer {self._token()}"}
        answer = self._client.request(method, url, json=body, headers=headers)
        if answer.is_error:
            raise _refusal(answer)
        return cast("Json", answer.json())


def _refusal(answer: httpx.Response) -> ApiError:
    detail: Mapping[str, Any] = {}
    # A front end that answers instead of the API does so in another form.
    with contextlib.suppress(ValueError, KeyError, TypeError):
        detail = cast("Mapping[str, Any]", answer.json()["error"])
    reason, message = str(detail.get("status", "")), str(detail.get("message", answer.reason_phrase))
    code = answer.status_code
    stale = code in (409, 412) or (code == 400 and reason == "FAILED_PRECONDITION")
    return (ConflictError if stale else ApiError)(code, reason, message)

"""Pub/Sub by REST (v1), no wider than a replay needs: pull, lease, acknowledge, publish.

Calls go to a regional endpoint: the topics admit nobody from other regions, and only within one region is the
order of an ordering key kept. A call that may succeed later is repeated; a repeated publication can double a
message.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, cast

import httpx

from operations.login import gcloud_token

from .letters import Letter, read

__all__ = ["ApiError", "Json", "PubSub", "Send", "UnreachableError", "http", "renewed_token"]

Json = dict[str, Any]
Pause = Callable[[float], None]
_TIMEOUT_SECONDS = 60
_TOKEN_SECONDS = 1_800
_TRIES = 5
_LATER = frozenset({429, 500, 502, 503, 504})
# Ids are long, and a request may have at most 512 KiB.
_IDS_A_CALL = 500


class ApiError(Exception):
    """Google refused; the text has status, reason and message, never what was sent."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"Google answered {status} {reason}: {message}")
        self.status = status


class UnreachableError(Exception):
    """Nothing answered."""


class Send(Protocol):
    """One call, `path` from the version on. Errors: ApiError, UnreachableError, LoginError."""

    def __call__(self, path: str, body: Json) -> Json: ...


class PubSub:
    """One dead-letter subscription and the topic that its messages failed on, by full names."""

    def __init__(self, send: Send, *, subscription: str, topic: str, pause: Pause) -> None:
        self._send = send
        self._subscription = subscription
        self._topic = topic
        self._pause = pause

    def pull(self, most: int) -> list[Letter]:
        """What Pub/Sub hands out at once; nothing does not mean that nothing is there."""
        body: Json = {"maxMessages": most, "returnImmediately": True}
        answer = self._patiently(f"{self._subscription}:pull", body)
        return [read(one) for one in cast("Sequence[Json]", answer.get("receivedMessages", []))]

    def lease(self, letters: Iterable[Letter], seconds: int) -> None:
        """Hold these for so long from now, 0 to 600 s; 0 gives them back at once."""
        for ids in _chunks(letters):
            self._patiently(
                f"{self._subscription}:modifyAckDeadline", {"ackIds": ids, "ackDeadlineSeconds": seconds}
            )

    def acknowledge(self, letters: Iterable[Letter]) -> None:
        """They are gone."""
        for ids in _chunks(letters):
            self._patiently(f"{self._subscription}:acknowledge", {"ackIds": ids})

    def publish(self, message: Json) -> str:
        """The new id, once Pub/Sub has stored the message."""
        answer = self._patiently(f"{self._topic}:publish", {"messages": [message]})
        (found,) = cast("Sequence[str]", answer["messageIds"])
        return found

    def _patiently(self, path: str, body: Json) -> Json:
        for tried in range(1, _TRIES + 1):
            try:
                return self._send(path, body)
            except ApiError as error:
                if error.status not in _LATER or tried == _TRIES:
                    raise
            except UnreachableError:
                if tried == _TRIES:
                    raise
            self._pause(2.0 ** (tried - 1))
        raise AssertionError("the last try returns or raises")


def http(root: str, token: Callable[[], str]) -> Send:
    """Calls below an address such as https://europe-west1-pubsub.googleapis.com/v1."""

    client = httpx.Client(timeout=_TIMEOUT_SECONDS)

    def send(path: str, body: Json) -> Json:
        headers = {"Authorization": f"Bearer {token()}"}
        try:
            answer = client.post(f"{root}/{path}", json=body, headers=headers)
        except httpx.TransportError as error:
            raise UnreachableError(f"{root} does not answer: {type(error).__name__}") from None
        if answer.is_error:
            raise _refusal(answer)
        try:
            return cast("Json", answer.json())
        except ValueError:
            raise UnreachableError(f"{root} does not answer as Pub/Sub does: no JSON") from None

    return send


def renewed_token() -> Callable[[], str]:
    """The token of whoever is logged in to the Google Cloud CLI, asked for anew every half hour.

    Errors of a call: LoginError.
    """
    token, until = "", 0.0

    def current() -> str:
        nonlocal token, until
        if time.monotonic() >= until:
            token, until = gcloud_token(), time.monotonic() + _TOKEN_SECONDS
        return token

    return current


def _refusal(answer: httpx.Response) -> ApiError:
    detail: Mapping[str, Any] = {}
    # A front end that answers instead of the API does so in another form.
    with contextlib.suppress(ValueError, KeyError, TypeError):
        detail = cast("Mapping[str, Any]", answer.json()["error"])
    reason, message = str(detail.get("status", "")), str(detail.get("message", answer.reason_phrase))
    return ApiError(answer.status_code, reason, message)


def _chunks(letters: Iterable[Letter]) -> Iterable[list[str]]:
    ids = [letter.ack_id for letter in letters]
    for start in range(0, len(ids), _IDS_A_CALL):
        yield ids[start : start + _IDS_A_CALL]

"""HTTP servers of this machine, for tests."""

from __future__ import annotations

import json
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Self


class Handler(BaseHTTPRequestHandler, ABC):
    """Calls `answer` for every verb that it knows (`command` says which), and prints no log."""

    verbs: ClassVar[tuple[str, ...]] = ("GET",)
    """Any other is answered with 501."""

    @abstractmethod
    def answer(self) -> None:
        """Answer the request; a subclass says how."""

    def __getattr__(self, name: str) -> Callable[[], None]:
        # The library looks for `do_GET`, and refuses the verb when there is none.
        if name.removeprefix("do_") in self.verbs:
            return self.answer
        raise AttributeError(name)

    def log_message(self, format: str, *args: Any) -> None:
        """Tests print no log."""

    def content(self) -> bytes:
        """The request's body."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def send_json(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        self.send_data(status, json.dumps(body).encode(), headers)

    def send_data(self, status: int, data: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        sent = {"Content-Type": "application/json; charset=UTF-8", **(headers or {})}
        for name, value in {**sent, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


class LoopbackServer(ThreadingHTTPServer):
    """Serves on a free port from the beginning; a caller that hangs up is none of its faults.

    Programs under test hang up (a limit of time, a body they do not want), and a server that printed so
    would print into whichever test runs by then.
    """

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def stop(self) -> None:
        """End serving; the port is free."""
        self.shutdown()
        self.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

"""A caller that hangs up is not heard of; a fault of the stand-in is."""

from __future__ import annotations

import socket
import struct
import time

import httpx
import pytest

from tests.loopback import Handler, LoopbackServer


class _Slow(Handler):
    def answer(self) -> None:
        time.sleep(0.05)
        if self.path == "/broken":
            raise ValueError(self.path)
        self.send_data(200, b"x" * 10_000_000)


def test_a_caller_that_hangs_up_is_not_heard_of(capfd: pytest.CaptureFixture[str]) -> None:
    with LoopbackServer(_Slow) as server:
        for sent in (b"GET / HT", b"GET / HTTP/1.1\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", server.server_port)) as caller:
                # Closed with a reset.
                caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                caller.sendall(sent)
        assert len(httpx.get(server.url).content) == 10_000_000
        time.sleep(0.2)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("verb", ["POST", "PUT", "DELETE", "BOGUS"])
def test_another_verb_is_refused(verb: str) -> None:
    with LoopbackServer(_Slow) as server:
        assert httpx.request(verb, server.url).status_code == 501


def test_it_ends_where_nobody_asked_it_anything() -> None:
    LoopbackServer(_Slow).stop()


def test_a_fault_of_the_stand_in_is_heard_of(capfd: pytest.CaptureFixture[str]) -> None:
    with LoopbackServer(_Slow) as server, pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"{server.url}/broken")
    assert "ValueError: /broken" in capfd.readouterr().err

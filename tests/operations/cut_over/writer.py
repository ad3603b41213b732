"""A service that writes all the time, wherever it is let in; it remembers what it was told is stored."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from itertools import cycle, pairwise

import psycopg
from psycopg.types.json import Jsonb

from tests.operations.cut_over.world import World


class Writer:
    """One thread. It tries both servers in turn until one takes its transaction."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self.stored: list[tuple[float, uuid.UUID, str]] = []

    def longest_gap(self, since: float = 0) -> float:
        """Seconds between two stored transactions, the longest."""
        times = [at for at, _, _ in self.stored if at >= since]
        return max((later - earlier for earlier, later in pairwise(times)), default=0)

    def wait(self, name: str, transactions: int = 20, seconds: float = 20) -> None:
        """Until it has stored so many more on that server."""
        before, until = len(self.stored), time.monotonic() + seconds
        while sum(place == name for _, _, place in self.stored[before:]) < transactions:
            assert time.monotonic() < until, f"the writer stores nothing on {name}"
            time.sleep(0.01)

    def _work(self) -> None:
        for name, server in cycle((("old", self._world.old), ("new", self._world.new))):
            if self._end.is_set():
                return
            with contextlib.suppress(psycopg.Error), self._world.application(server) as connection:
                while not self._end.is_set():
                    token = self._write(connection)
                    self.stored.append((time.monotonic(), token, name))
            time.sleep(0.002)

    def _write(self, connection: psycopg.Connection) -> uuid.UUID:
        token = uuid.uuid4()
        with connection.transaction():
            row = connection.execute(
                "INSERT INTO jobs (token, state, payload, seconds) VALUES (%s, 'queued', %s, random()) "
                "RETURNING id",
                (token, Jsonb({"token": str(token), "text": "ünïcode"})),
            ).fetchone()
            assert row is not None
            connection.execute(
                "INSERT INTO results (job_id, body, score, tags) VALUES (%s, %s, 1.5, '{a}')",
                (row[0], token.bytes),
            )
            connection.execute("UPDATE jobs SET state = 'running' WHERE id = %s", (row[0] - 3,))
            connection.execute("DELETE FROM results WHERE job_id = %s", (row[0] - 40,))
            connection.execute(
                "INSERT INTO pipeline_jobs (stage, at, waited) VALUES ('cut', now(), '1 day 2 hours')"
            )
            connection.execute("INSERT INTO events (day, note) VALUES (current_date, %s)", (str(token),))
        return token

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the transaction at hand."""
        self._end.set()
        self._thread.join(30)


@contextmanager
def writing(world: World) -> Generator[Writer]:
    """A writer for the length of a block."""
    writer = Writer(world)
    writer.start()
    try:
        yield writer
    finally:
        writer.stop()

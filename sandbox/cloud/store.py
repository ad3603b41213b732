"""A world in a file that several processes share.

A preview and its update, and each provider of the real CLI, are processes of their own: every call takes the
file under a lock, reads it anew and replaces it whole.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from sandbox.cloud.world import World
from sandbox.errors import UsageError
from sandbox.state import write_atomically

__all__ = ["FileWorld"]


class FileWorld:
    """The world kept in one file. What was read is kept as long as nobody else has replaced the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = FileLock(path.with_suffix(".lock"))
        self._known: tuple[tuple[int, int, int], World] | None = None

    @contextmanager
    def open(self, *, keep: bool) -> Generator[World]:
        """The world as it stands, alone; with ``keep`` what was done to it stays unless an error ends it."""
        with self._lock:
            world = self._read()
            if not keep:
                yield world
                return
            self._known = None
            yield world
            write_atomically(self._path, json.dumps(world.to_json()))
            self._known = (self._stamp(), world)

    def _stamp(self) -> tuple[int, int, int]:
        found = self._path.stat()
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _read(self) -> World:
        try:
            stamp = self._stamp()
        except FileNotFoundError:
            return World()
        if self._known is not None and self._known[0] == stamp:
            return self._known[1]
        try:
            world = World.from_json(json.loads(self._path.read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(
                f"{self._path.name} is no world of the stand-in cloud; delete it to start from an empty one."
            ) from error
        self._known = (stamp, world)
        return world

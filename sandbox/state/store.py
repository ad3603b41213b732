"""State of the sandbox's own stacks: ``.sandbox/<stack>.json``."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from sandbox.cloud import World
from sandbox.errors import UsageError
from sandbox.model import Snapshot
from sandbox.state.codec import read_export, snapshot_to_json
from sandbox.state.journal import Journal, fingerprint, journaled_cloud, journaled_state
from sandbox.state.secrets import PassphraseCrypter

__all__ = ["StateStore", "write_atomically"]


def write_atomically(path: Path, text: str) -> None:
    """Replace ``path`` by ``text`` in one step: a reader or a crash sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


class StateStore:
    """The sandbox folder of one project: state, stand-in cloud and lock per stack.

    ``<stack>.json`` is the state, ``<stack>.json.bak`` the last good one before it, ``<stack>.cloud.json``
    what the stand-in cloud holds, ``<stack>.lock`` the lock.
    """

    def __init__(self, folder: Path, project: str) -> None:
        self.folder = folder
        self.project = project

    def path(self, stack: str) -> Path:
        """Where the state of ``stack`` is."""
        return self.folder / f"{stack}.json"

    def cloud_path(self, stack: str) -> Path:
        """Where the stand-in cloud of ``stack`` is."""
        return self.folder / f"{stack}.cloud.json"

    def knows(self, stack: str) -> bool:
        """Whether anything is kept of ``stack``."""
        return any(self.stamps(stack))

    def stamps(self, stack: str) -> tuple[tuple[int, int, int] | None, ...]:
        """Which files are kept of ``stack``: another answer after any of them was written."""
        return tuple(map(_stamp, (self.path(stack), self.cloud_path(stack), self.journal_path(stack))))

    @cached_property
    def crypter(self) -> PassphraseCrypter:
        """Encrypts this folder's state secrets."""
        return PassphraseCrypter.in_folder(self.folder)

    def load(self, stack: str) -> Snapshot:
        """The state of ``stack``; empty when there is none. Raises UsageError when the file is no good."""
        path = self.path(stack)
        if not path.exists():
            return journaled_state(self.journal_path(stack), "", Snapshot(), self.crypter)
        try:
            loaded = read_export(path, project=self.project, stack=stack, crypter=self.crypter)
        except UsageError as error:
            backup = path.with_suffix(".json.bak")
            hint = f"; the last good state is {backup}" if backup.exists() else ""
            raise UsageError(f"{error}{hint}") from error
        return journaled_state(self.journal_path(stack), fingerprint(path), loaded, self.crypter)

    def load_cloud(self, stack: str) -> dict[str, Any] | None:
        """What the stand-in cloud of ``stack`` held after the last run, or None."""
        path, journal, base = self.cloud_path(stack), self.journal_path(stack), fingerprint(self.path(stack))
        if not path.exists():
            return journaled_cloud(journal, base, None)
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise UsageError(
                f"{path} is not readable JSON: delete it, and the stand-in cloud is rebuilt from the state"
            ) from error
        return journaled_cloud(journal, base, held)

    def journal_path(self, stack: str) -> Path:
        """Where a run of ``stack`` that has not ended keeps what it did."""
        return self.folder / f"{stack}.journal"

    def journal(self, stack: str, world: World) -> Journal:
        """What keeps a run's changes as they happen; ``save`` ends it."""
        return Journal(self.journal_path(stack), fingerprint(self.path(stack)), self.crypter, world)

    def save(
        self,
        stack: str,
        snapshot: Snapshot,
        cloud: dict[str, Any],
        *,
        between: Callable[[], None] | None = None,
    ) -> None:
        """Replace the state and the stand-in cloud of ``stack``; the state before stays as ``.bak``.

        Both together or neither: what is to be written is in the journal first. ``between`` is called
        between the two files.
        """
        path = self.path(stack)
        text = json.dumps(snapshot_to_json(snapshot, self.crypter), indent=2, sort_keys=False) + "\n"
        if path.exists():
            shutil.copy2(path, path.with_suffix(".json.bak"))
        whole = {"base": fingerprint(path), "secrets": self.crypter.state, "cloud": cloud}
        entry = json.dumps({**whole, "state": json.loads(text)}, separators=(",", ":"))
        write_atomically(self.journal_path(stack), entry + "\n")
        write_atomically(self.cloud_path(stack), json.dumps(cloud, indent=1, sort_keys=True) + "\n")
        if between is not None:
            between()
        write_atomically(path, text)
        self.journal_path(stack).unlink(missing_ok=True)

    @contextmanager
    def lock(self, stack: str) -> Generator[None]:
        """Hold the lock of ``stack``. Raises UsageError when another process holds it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / f"{stack}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise UsageError(
                f"stack {stack} is locked by another process that is changing it: wait until it has ended"
            ) from error
        try:
            yield
        finally:
            lock.release()

"""A run's own record, beside the files that it will replace: every change of cloud and state as it happens.

One JSON text a line, appended. A process that is cut off leaves a whole prefix: what the cloud was told, and
what of it the state knew. The next ``load`` reads the files and then the journal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from sandbox.cloud import World
from sandbox.errors import UsageError
from sandbox.graph import in_dependency_order, rename
from sandbox.model import PendingOperation, ResourceState, Snapshot
from sandbox.state.codec import resources_from_json, snapshot_from_json, snapshot_to_json
from sandbox.state.secrets import PassphraseCrypter

__all__ = ["Journal", "fingerprint", "journaled_cloud", "journaled_state"]


def fingerprint(path: Path) -> str:
    """Which state file a journal continues; empty when there is none yet."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


class Journal:
    """Writes the journal of one run. An engine's ``Keeper``."""

    def __init__(self, path: Path, base: str, crypter: PassphraseCrypter, world: World) -> None:
        self._path = path
        self._base = base
        self._crypter = crypter
        self._world = world
        self._mark = world.mark()
        self._stream: TextIO | None = None

    def start(self, base: Snapshot, *, settled: bool) -> None:
        """Begin the file."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._stream = self._path.open("w", encoding="utf-8")
        header: dict[str, Any] = {"base": self._base, "secrets": self._crypter.state}
        header["cloud"] = self._world.to_json()
        if settled:
            header["state"] = snapshot_to_json(base, self._crypter)
        self._write(header)

    def put(self, slot: int, state: ResourceState) -> None:
        """``state`` stands in ``slot``."""
        self._write({"put": slot, "resource": self._json(state)})

    def drop(self, slot: int) -> None:
        """What stood in ``slot`` is gone."""
        self._write({"drop": slot})

    def began(self, number: int, operation: PendingOperation) -> None:
        """The cloud is about to be called."""
        self._write({"began": number, "type": operation.type, "resource": self._json(operation.resource)})

    def ended(self, number: int) -> None:
        """The cloud has answered, and the state says what came of it."""
        self._write({"ended": number})

    def cloud_called(self) -> None:
        """Keep what the cloud holds since it was last called."""
        change = self._world.since(self._mark)
        if change:
            self._mark = self._world.mark()
            self._write({"world": change})

    def close(self) -> None:
        """Nothing more comes."""
        if self._stream is not None:
            self._stream.close()

    def _json(self, state: ResourceState) -> dict[str, Any]:
        document = snapshot_to_json(Snapshot(resources=[state]), self._crypter)
        return document["deployment"]["resources"][0]

    def _write(self, entry: dict[str, Any]) -> None:
        assert self._stream is not None
        self._stream.write(json.dumps(entry, separators=(",", ":")) + "\n")
        self._stream.flush()


def _entries(path: Path, base: str) -> list[dict[str, Any]]:
    """What the journal says; empty when there is none, or when the files have gone on since."""
    if not path.exists():
        return []
    found: list[dict[str, Any]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return found if found and found[0].get("base") == base else []


@contextmanager
def _readable(path: Path) -> Generator[None]:
    try:
        yield
    except (AttributeError, KeyError, OSError, TypeError, UsageError, ValueError) as error:
        why = f" ({error})" if isinstance(error, UsageError) else ""
        raise UsageError(
            f"{path} is not a readable journal of an interrupted run{why}: delete it, and the stack is as it "
            "was before that run"
        ) from error


def journaled_state(path: Path, base: str, loaded: Snapshot, crypter: PassphraseCrypter) -> Snapshot:
    """``loaded`` as the journal continues it. Raises UsageError when the journal is no good."""
    with _readable(path):
        return _continued(path, base, loaded, crypter)


def _continued(path: Path, base: str, loaded: Snapshot, crypter: PassphraseCrypter) -> Snapshot:
    entries = _entries(path, base)
    if not entries:
        return loaded
    header, where = entries[0], path.name
    if "state" in header:
        loaded = snapshot_from_json(header["state"], where, crypter)
    provider = {"type": "passphrase", "state": header["secrets"]}
    slots: dict[int, ResourceState] = dict(enumerate(loaded.resources))
    pending: dict[int, PendingOperation] = {}
    records = [entry["resource"] for entry in entries[1:] if "resource" in entry]
    decoded = iter(resources_from_json(records, where, provider, crypter))
    for entry in entries[1:]:
        state = next(decoded) if "resource" in entry else None
        if "put" in entry and state is not None:
            slots[int(entry["put"])] = state
        elif "drop" in entry:
            slots.pop(int(entry["drop"]), None)
        elif "began" in entry and state is not None:
            pending[int(entry["began"])] = PendingOperation(state, str(entry["type"]))
        elif "ended" in entry:
            pending.pop(int(entry["ended"]), None)
    known = len(loaded.resources)
    placed = [slots[slot] for slot in sorted(slots) if slot >= known]
    left = [slots[slot] for slot in sorted(slots) if slot < known]
    renamed = {alias: state.urn for state in placed for alias in state.aliases}
    for state in left:
        rename(state, renamed)
    return Snapshot(
        resources=in_dependency_order([*placed, *left]),
        pending_operations=[*loaded.pending_operations, *pending.values()],
        metadata=loaded.metadata,
    )


def journaled_cloud(path: Path, base: str, loaded: dict[str, Any] | None) -> dict[str, Any] | None:
    """``loaded``, what the stand-in cloud held, as the journal continues it; raises as above."""
    with _readable(path):
        entries = _entries(path, base)
        if not entries:
            return loaded
        world = World.from_json(entries[0]["cloud"])
        for entry in entries[1:]:
            if "world" in entry:
                world.apply(entry["world"])
        return world.to_json()

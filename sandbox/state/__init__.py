"""State files: the format of ``pulumi stack export``, secrets encrypted, written atomically under a lock."""

from __future__ import annotations

from sandbox.state.codec import read_export, snapshot_from_json, snapshot_to_json
from sandbox.state.secrets import PassphraseCrypter
from sandbox.state.store import StateStore, write_atomically

__all__ = [
    "PassphraseCrypter",
    "StateStore",
    "read_export",
    "snapshot_from_json",
    "snapshot_to_json",
    "write_atomically",
]

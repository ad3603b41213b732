"""Which kinds of resources hold what cannot be made again: data, a cache's warmth, the value of a secret."""

from __future__ import annotations

from typing import Final

__all__ = ["STATEFUL"]

STATEFUL: Final = frozenset(
    {
        "gcp:memorystore/instance:Instance",
        "gcp:redis/instance:Instance",
        "gcp:secretmanager/secret:Secret",
        "gcp:sql/databaseInstance:DatabaseInstance",
        "gcp:storage/bucket:Bucket",
    }
)

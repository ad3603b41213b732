"""Where Google has regions in the European Union (London and Zurich are not in it)."""

from __future__ import annotations

from typing import Final, Literal, get_args

__all__ = ["EU_REGIONS", "EuRegion"]

EuRegion = Literal[
    "europe-central2",
    "europe-north1",
    "europe-north2",
    "europe-southwest1",
    "europe-west1",
    "europe-west10",
    "europe-west12",
    "europe-west3",
    "europe-west4",
    "europe-west8",
    "europe-west9",
]
EU_REGIONS: Final[frozenset[str]] = frozenset(get_args(EuRegion))

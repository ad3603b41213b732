"""Planning figures of a restore: what is promised of it, and what it takes. Times in seconds.

The monthly restore drill measures what the policies' arithmetic computes, so both read the figures here.
"""

from __future__ import annotations

from typing import Final

__all__ = ["DECIDE_RESTORE", "RESTORE_RTO", "VERIFY", "clone_seconds", "planned_restore_seconds"]

# From the first alert to the incident commander's word, as the contact tree of the runbook has it.
DECIDE_RESTORE: Final = 300
# Until what was restored is believed.
VERIFY: Final = 300
# DOC-3.13: service is back within this time after its data was corrupted.
RESTORE_RTO: Final = 1_800
# Clones and restores take 10 to 30 minutes at the sizes of this platform: a base and a share by size.
_CLONE_BASE, _CLONE_PER_GB = 600, 2.4


def clone_seconds(disk_gb: float) -> float:
    """How long a clone or a restore of a disk takes."""
    return _CLONE_BASE + _CLONE_PER_GB * disk_gb


def planned_restore_seconds(disk_gb: float) -> float:
    """From the alert to a restored database that is believed."""
    return DECIDE_RESTORE + clone_seconds(disk_gb) + VERIFY

"""What became of a message, as one structured log line; alert policies mail and post it.

Cloud Run turns a JSON line with `severity` and `message` into a log entry, its fields into `jsonPayload`. No
value of a secret is ever a field.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Literal

__all__ = ["Kind", "Outcome", "report"]

Kind = Literal[
    "rotated", "rolled-back", "retired", "ticket", "reminder", "alarm", "waiting", "unchanged", "failed"
]
_SEVERITY: dict[Kind, str] = {
    "rotated": "NOTICE",
    "rolled-back": "WARNING",
    "retired": "NOTICE",
    "ticket": "NOTICE",
    "reminder": "WARNING",
    "alarm": "ERROR",
    "waiting": "INFO",
    "unchanged": "INFO",
    "failed": "ERROR",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What happened to one secret."""

    secret: str
    kind: Kind
    message: str
    version: int | None = None
    # Already written, inside the lease.
    told: bool = False


def report(outcome: Outcome) -> None:
    """Write the line that the alert policies match by `jsonPayload.rotation.kind`."""
    line = {
        "severity": _SEVERITY[outcome.kind],
        "message": f"{outcome.secret}: {outcome.message}",
        "rotation": {"secret": outcome.secret, "kind": outcome.kind, "version": outcome.version},
    }
    print(json.dumps(line), file=sys.stdout, flush=True)

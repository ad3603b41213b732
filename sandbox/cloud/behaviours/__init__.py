"""What the stand-in cloud refuses, grouped by service. Importing this registers everything."""

from __future__ import annotations

from sandbox.cloud.behaviours import common
from sandbox.cloud.behaviours.table import BEHAVIOURS, Behaviour, Call, Phase, check_phase, run_phase

__all__ = ["BEHAVIOURS", "Behaviour", "Call", "Phase", "check_phase", "run_phase"]

for _module in (common,):
    assert _module.__name__

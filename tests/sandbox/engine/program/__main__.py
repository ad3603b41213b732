"""Runs one phase of one scenario."""

from __future__ import annotations

import pulumi
from scenarios import SCENARIOS

config = pulumi.Config()
phase = SCENARIOS[config.require("scenario")][config.require_int("phase")]
if callable(phase):
    phase()

"""Runs programs of the Pulumi SDK on the engine: the protocol, calls back, one call for one run."""

from __future__ import annotations

from sandbox.host.run import run

__all__ = ["run"]

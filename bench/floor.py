"""The floor that a preview is measured against: the SDK alone.

One process that imports the provider modules named on standard input and registers as many plain resources,
against a monitor that only echoes. No check, no diff, no state, no policies, no report.
"""

from __future__ import annotations

import asyncio
import contextvars
import importlib
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pulumi
from pulumi.runtime import Mocks, Settings, set_all_config
from pulumi.runtime.mocks import MockEngine, MockMonitor
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import configure
from pulumi.runtime.stack import run_in_stack
from typing_extensions import override

__all__ = ["main", "run_program"]


class Plain(Mocks):
    """What the monitor below does not answer by itself is answered with what was asked."""

    @override
    def new_resource(self, args: Any) -> Any:
        return args.name, args.inputs

    @override
    def call(self, args: Any) -> Any:
        return args.args


class Echo(MockMonitor):
    """Answers every registration with what it was asked."""

    @override
    def RegisterResource(self, request: Any) -> Any:
        urn = f"urn:pulumi:floor::floor::{request.type}::{request.name}"
        return resource_pb2.RegisterResourceResponse(urn=urn, id=request.name, object=request.object)


def program(types: Mapping[str, int]) -> None:
    """Register the resources."""
    for token, count in types.items():
        for index in range(count):
            name = f"plain-{token.rsplit(':', 1)[-1]}-{index}"
            pulumi.CustomResource(token, name, {"name": name})


def run_program(function: Callable[[], None]) -> None:
    """One evaluation, as the sandbox evaluates a program."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        configure(
            Settings(
                project="floor", stack="floor", dry_run=True, monitor=Echo(Plain()), engine=MockEngine(None)
            )
        )
        set_all_config({})
        loop.run_until_complete(run_in_stack(function))
    finally:
        loop.close()


def main() -> None:
    """Read ``{"modules": [...], "types": {...}}`` and do it."""
    work = json.load(sys.stdin)
    for name in work["modules"]:
        importlib.import_module(name)
    contextvars.copy_context().run(run_program, lambda: program(work["types"]))


if __name__ == "__main__":
    main()

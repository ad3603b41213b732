"""Bootstrap on the real CLI: born on a local backend under a passphrase, later in the bucket that it made.

Its own stack file tells which: after `make bootstrap-migrate` it names the key of the state.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final, cast

import yaml

from review.real_cli import RealStack, installed, project_id, refuse_placeholders
from sandbox.errors import UsageError
from sandbox.project import Program, load_stack

__all__ = ["LOCAL", "open_bootstrap"]

LOCAL: Final = "file://~"


def open_bootstrap(program: Program, stack: str, say: Callable[[str], None]) -> RealStack:
    """Check everything that can be checked before anything starts."""
    settings = load_stack(program, stack, examples=False)
    refuse_placeholders(program, stack, settings)
    document = cast("dict[str, Any]", yaml.safe_load(program.stack_file(stack).read_text("utf-8")) or {})
    provider = str(document.get("secretsprovider") or "")
    moved = provider.startswith("gcpkms://")
    if not moved and not {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"} & set(os.environ):
        raise UsageError(
            "PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE must be set: bootstrap's state is "
            "local and encrypted with that passphrase until `make bootstrap-migrate TARGET=gcp`"
        )
    return RealStack(
        program=program,
        stack=stack,
        command=installed(),
        backend=f"gs://{project_id(settings.values, program.name)}-pulumi-state" if moved else LOCAL,
        secrets_provider=provider if moved else "passphrase",
        say=say,
    )

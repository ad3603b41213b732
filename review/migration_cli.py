"""The command `migrate`; loads nothing heavy before it runs."""

from __future__ import annotations

from pathlib import Path

import click

from review.options import stack_option, target_option, workspace

__all__ = ["migrate"]


@click.command()
@stack_option
@target_option
def migrate(stack: str, target: str) -> int:
    """Run the job that migrates the schema and wait for its end; the sandbox says what it would run.

    It runs the image that the last `up` gave the job; 1 when it fails, runs already, or does not stand yet.
    """
    from review.migrate import on_google, rehearse

    if target == "gcp":
        return on_google(Path.cwd(), stack, click.echo)
    return rehearse(workspace(), stack, click.echo)

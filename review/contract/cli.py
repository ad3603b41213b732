"""The command `contract`; loads nothing heavy before it runs."""

from __future__ import annotations

from pathlib import Path

import click

from review.options import console, program_option, workspace

__all__ = ["contract"]


@click.command()
@program_option
@click.option(
    "--check", is_flag=True, help="Write nothing; 1 when what is written is not what the program says."
)
def contract(program: Path, check: bool) -> int:
    """Write the contract with the service's images: docs/service-contract.md and docs/contract.json."""
    from review.contract.command import contract as write_contract

    work = workspace(program)
    return write_contract(work.program, console(), work.progress, check=check)

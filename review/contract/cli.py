"""The commands `contract` and `contract-check`; load nothing heavy before they run."""

from __future__ import annotations

import os
from pathlib import Path

import click

from review.options import FILE, console, program_option, stack_option, workspace

__all__ = ["contract", "contract_check"]


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


@click.command("contract-check")
@click.option("--url", required=True, help="Where the image answers: http(s)://HOST[:PORT].")
@stack_option
@click.option(
    "--contract",
    "contract_file",
    type=FILE,
    default=Path("docs/contract.json"),
    show_default=True,
    help="The contract.",
)
def contract_check(url: str, stack: str, contract_file: Path) -> int:
    """Ask a running image for what the contract says; 1 when a figure misses its target.

    The synthetic user's token is read from CONTRACT_TOKEN; without it what needs a token is not asked.
    """
    from review.contract.checking import TOKEN_VARIABLE, check

    return check(url, stack, contract_file, os.environ.get(TOKEN_VARIABLE), console())

"""The commands `promote` and `attest`; they load nothing heavy before they run."""

from __future__ import annotations

from pathlib import Path

import click

from review.options import stack_option, target_option

__all__ = ["attest", "promote"]

WRONG_USE = 2
image_option = click.option(
    "--image", default="api", show_default=True, help="The image, as release.images names it."
)


@click.command()
@click.option("--from", "source", required=True, help="The environment that has verified it.")
@click.option("--to", required=True, help="The environment after it.")
@image_option
@target_option
def promote(source: str, to: str, image: str, target: str) -> int:
    """Vouch for a verified digest in the next environment and write it there; the sandbox rehearses it.

    1 where the digest was not verified.
    """
    from review.promote import promote as run
    from sandbox.errors import UsageError
    from sandbox.project import load_project

    try:
        return run(load_project(Path.cwd()), source, to, image, click.echo, real=target == "gcp")
    except UsageError as error:
        click.echo(f"promote: {' '.join(str(error).split())}", err=True)
        return WRONG_USE


@click.command()
@stack_option
@image_option
@target_option
def attest(stack: str, image: str, target: str) -> int:
    """Say that a stack has verified the digest that its release names; the sandbox rehearses it."""
    from review.promote import attest as run
    from sandbox.errors import UsageError
    from sandbox.project import load_project

    try:
        return run(load_project(Path.cwd()), stack, image, click.echo, real=target == "gcp")
    except UsageError as error:
        click.echo(f"attest: {' '.join(str(error).split())}", err=True)
        return WRONG_USE

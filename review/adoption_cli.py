"""The command `adopt`; loads nothing heavy before it runs."""

from __future__ import annotations

from pathlib import Path

import click

from review.options import FILE, console, json_option, sandbox_only, stack_option, target_option, workspace

__all__ = ["adopt"]


@click.command()
@stack_option
@target_option
@json_option
@click.option("--fixture", type=FILE, help="The live project; default: adoption/<stack>.live.yaml.")
@click.option(
    "--clone",
    "cloned",
    nargs=2,
    metavar="SOURCE NAME",
    help="Instead: take over database NAME, made of SOURCE beside the stack that runs.",
)
@click.option(
    "--disk-size-gb",
    type=click.IntRange(10, 65_536),
    help="GB of the clone's disk, where it has grown beyond what is declared.",
)
def adopt(
    stack: str,
    target: str,
    json_file: Path | None,
    fixture: Path | None,
    cloned: tuple[str, str] | None,
    disk_size_gb: int | None,
) -> int:
    """Take over a project that runs already, after adoption/<stack>.yaml; in the sandbox it is rehearsed.

    With --clone the stack runs already, and a database joins it that `gcloud sql instances clone` or a
    restore of a backup made.
    """
    from review import adopt as adopting
    from review.clone import Clone
    from review.real_cli import RealStack
    from sandbox.project import load_project

    clone = Clone(source=cloned[0], name=cloned[1], disk_size_gb=disk_size_gb) if cloned else None
    if clone is None and disk_size_gb is not None:
        raise click.UsageError("--disk-size-gb is a clone's: leave it out, or name the clone with --clone")
    if clone is not None and fixture is not None:
        raise click.UsageError("a clone is adopted without --fixture: leave it out")
    if target == "gcp":
        sandbox_only(json_file, fixture)
        real = RealStack.open(load_project(Path.cwd()), stack, click.echo)
        return adopting.on_google(workspace(), real, console(), clone=clone)
    if target == "sandbox-cli":
        sandbox_only(json_file)
        return adopting.on_the_cli(workspace(), stack, console(), fixture=fixture, clone=clone)
    return adopting.rehearse(workspace(), stack, console(), fixture=fixture, json_file=json_file, clone=clone)

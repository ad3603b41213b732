"""What the commands share: their options, a console, the workspace; loads nothing heavy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from review.workspace import Workspace

__all__ = [
    "FILE",
    "FOLDER",
    "TARGET_FILE",
    "allow_option",
    "console",
    "fault_option",
    "fixture_option",
    "json_option",
    "lost_option",
    "markdown_option",
    "program_option",
    "sandbox_only",
    "stack_option",
    "target_option",
    "workspace",
]

WIDE = 400

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
TARGET_FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)

stack_option = click.option("--stack", default="dev", show_default=True, help="The stack (environment).")
target_option = click.option(
    "--target",
    type=click.Choice(["sandbox", "sandbox-cli", "gcp"]),
    default="sandbox",
    show_default=True,
    help="sandbox: the built-in engine, no cloud. sandbox-cli: the real Pulumi CLI, no cloud. "
    "gcp: the real Pulumi CLI on Google Cloud.",
)
program_option = click.option(
    "--program",
    type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
    default=Path(),
    help="The folder of the program, where its Pulumi.yaml is; default: the current one.",
)
json_option = click.option("--json", "json_file", type=TARGET_FILE, help="Write the report as JSON.")
markdown_option = click.option(
    "--markdown", "markdown_file", type=TARGET_FILE, help="Write the report as Markdown."
)
fixture_option = click.option(
    "--fixture",
    type=FILE,
    help="Facts of the stand-in cloud: images, secret versions, services, live resources, answers of "
    "look-ups, outputs of other stacks, drift.",
)

fault_option = click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="KIND@WHERE[*TIMES]",
    help="What goes wrong at the stand-in cloud, as in quota@5, timeout@DatabaseInstance, kill@40, "
    "grant*2; sandbox/faults.py says all. May be given more than once.",
)

allow_option = click.option(
    "--allow-replace",
    "allowed",
    multiple=True,
    metavar="NAME",
    help="The name or URN of something stateful (database, cache, bucket, secret) that may be replaced or "
    "deleted. Protection stays in force. May be given more than once.",
)
lost_option = click.option(
    "--lost-region",
    "lost",
    multiple=True,
    metavar="REGION",
    help="A region of the stand-in cloud that is out of reach: every call for what lies there is refused "
    "with 503. May be given more than once.",
)


def console(*, stderr: bool = False) -> Console:
    """The terminal; where nobody looks at a screen, nothing is cut at its edge."""
    from rich.console import Console

    found = Console(stderr=stderr)
    return found if found.is_terminal else Console(stderr=stderr, width=WIDE)


def sandbox_only(*options: Path | str | None) -> None:
    """Raises UsageError when one is given that the chosen target does not know."""
    given = [str(option) for option in options if option is not None]
    if given:
        raise click.UsageError(
            f"{given[0]} belongs to another --target: leave it out, or use --target sandbox"
        )


def workspace(program: Path | None = None) -> Workspace:
    """The workspace in a folder, the current one by default."""
    from review.workspace import Workspace

    return Workspace.open(program or Path.cwd(), console(stderr=True))

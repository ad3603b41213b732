"""What the scripts of `operations/` ask of a stack before they ask Google; each answer is plain lines."""

from __future__ import annotations

import click

from review.options import stack_option, target_option, workspace

__all__ = ["primaries", "project", "queue", "schedules", "walked"]

WRONG_USE = 2


@click.command()
@stack_option
@target_option
@click.option("--secret", help="Refuse it where the program declares no such secret; runs the program.")
@click.option("--command", default="project", help="How the sentence of a refusal begins.")
def project(stack: str, target: str, secret: str | None, command: str) -> int:
    """Print the Google project of a stack; for the scripts of operations/."""
    from review.stack_project import project_of
    from sandbox.errors import UsageError

    try:
        click.echo(project_of(workspace(), stack, real=target == "gcp", secret=secret))
    except UsageError as error:
        click.echo(f"{command}: {' '.join(str(error).split())}", err=True)
        return WRONG_USE
    return 0


@click.command()
@stack_option
@target_option
@click.option("--command", default="primaries", help="How the sentence of a refusal begins.")
def primaries(stack: str, target: str, command: str) -> int:
    """Print the project of a stack, then each database instance of it that takes writes."""
    from review.stack_project import primaries_of, project_of
    from sandbox.errors import UsageError

    try:
        found = (
            project_of(workspace(), stack, real=target == "gcp"),
            *primaries_of(workspace(), stack, real=target == "gcp"),
        )
    except UsageError as error:
        click.echo(f"{command}: {' '.join(str(error).split())}", err=True)
        return WRONG_USE
    click.echo("\n".join(found))
    return 0


@click.command()
@stack_option
@target_option
@click.option("--moment", type=click.Choice(["start", "stop"]), required=True, help="Which jobs.")
@click.option("--command", default="schedules", help="How the sentence of a refusal begins.")
def schedules(stack: str, target: str, moment: str, command: str) -> int:
    """Print the project of a stack, then region and name of each job that starts or stops something."""
    from review.schedules import schedules_of
    from sandbox.errors import UsageError

    try:
        found = schedules_of(workspace(), stack, moment, real=target == "gcp")
    except UsageError as error:
        click.echo(f"{command}: {' '.join(str(error).split())}", err=True)
        return WRONG_USE
    click.echo("\n".join(found.lines()))
    return 0


@click.command()
@stack_option
@target_option
@click.option("--queue", "name", required=True, help="The queue, as the output `topics` names it.")
@click.option("--command", default="queue", help="How the sentence of a refusal begins.")
def queue(stack: str, target: str, name: str, command: str) -> int:
    """Print project, region, topic and dead-letter subscription of a queue, on one line."""
    from review.stack_queue import queue_of
    from sandbox.errors import UsageError

    try:
        found = queue_of(workspace(), stack, name, real=target == "gcp")
    except UsageError as error:
        click.echo(f"{command}: {' '.join(str(error).split())}", err=True)
        return WRONG_USE
    click.echo(found.line())
    return 0


@click.command()
@stack_option
@target_option
@click.option("--command", default="walked", help="How the sentence of a refusal begins.")
def walked(stack: str, target: str, command: str) -> int:
    """Print the project, then each service that a release walks, its objectives and the latency threshold."""
    from review.releases import walked_of
    from sandbox.errors import UsageError

    try:
        found = walked_of(workspace(), stack, real=target == "gcp")
    except UsageError as error:
        click.echo(f"{command}: {' '.join(str(error).split())}", err=True)
        return WRONG_USE
    click.echo("\n".join(found.lines()))
    return 0

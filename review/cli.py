"""The command line. Exit codes: 0 fine, 1 refused by the cloud or a mandatory policy, 2 wrong use."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from review.adoption_cli import adopt
from review.contract.cli import contract, contract_check
from review.interrupted import AS_BEFORE, RunInterruptedError
from review.migration_cli import migrate
from review.options import (
    FILE,
    TARGET_FILE,
    allow_option,
    console,
    fault_option,
    fixture_option,
    json_option,
    lost_option,
    markdown_option,
    program_option,
    sandbox_only,
    stack_option,
    target_option,
    workspace,
)
from review.promotion_cli import attest, promote
from review.region_loss_cli import region_loss
from review.script_cli import primaries, project, queue, schedules, walked
from review.waf.cli import waf

if TYPE_CHECKING:
    from review.commands import Files
    from review.real_cli import RealStack
    from sandbox.faults import Fault

__all__ = ["main"]

WRONG_USE = 2
INTERRUPTED = 130
KILLED = 137


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """What a change would do to a stack, in the sandbox: no Pulumi CLI, no account, no credentials.

    Exit codes: 0 fine; 1 refused by the cloud or a mandatory policy, or the program failed; 2 wrong use.
    """


@cli.command()
@program_option
@stack_option
@target_option
@click.option("--state", type=FILE, help="Start from this `pulumi stack export` instead of .sandbox.")
@click.option("--save-state", type=TARGET_FILE, help="Write the state that an `up` would leave.")
@click.option(
    "--steps-only",
    is_flag=True,
    help="Do not play the update on a copy of the cloud: faster, and sees less.",
)
@json_option
@markdown_option
@fixture_option
@lost_option
@allow_option
def preview(
    program: Path,
    stack: str,
    target: str,
    state: Path | None,
    save_state: Path | None,
    steps_only: bool,
    json_file: Path | None,
    markdown_file: Path | None,
    fixture: Path | None,
    lost: tuple[str, ...],
    allowed: tuple[str, ...],
) -> int:
    """Show what `up` would do; nothing is changed."""
    if target == "gcp":
        sandbox_only(state, save_state, json_file, markdown_file, fixture, *lost)
        return _real(stack, program).preview(allowed)
    if target == "sandbox-cli":
        from review import sandbox_cli

        sandbox_only(state, save_state)
        files = _files(json_file, markdown_file, fixture, lost, allowed)
        return sandbox_cli.preview(workspace(program), stack, files, console())
    from review import commands

    files = _files(json_file, markdown_file, fixture, lost, allowed)
    return commands.preview(
        workspace(program),
        stack,
        files,
        console(),
        state=state,
        save_state=save_state,
        play=False if steps_only else None,
    )


@cli.command()
@program_option
@stack_option
@target_option
@json_option
@markdown_option
@fixture_option
@lost_option
@allow_option
@fault_option
def up(
    program: Path,
    stack: str,
    target: str,
    json_file: Path | None,
    markdown_file: Path | None,
    fixture: Path | None,
    lost: tuple[str, ...],
    allowed: tuple[str, ...],
    faults: tuple[str, ...],
) -> int:
    """Bring the stack up: preview, then update."""
    planned = _faults(faults, target)
    if target == "gcp":
        sandbox_only(json_file, markdown_file, fixture, *lost)
        return _real(stack, program).up(allowed)
    if target == "sandbox-cli":
        from review import sandbox_cli

        files = _files(json_file, markdown_file, fixture, lost, allowed)
        return sandbox_cli.up(workspace(program), stack, files, console())
    from review import commands

    files = _files(json_file, markdown_file, fixture, lost, allowed)
    with _killed("up"):
        return commands.up(workspace(program), stack, files, console(), faults=planned)
    return KILLED


@cli.command()
@program_option
@stack_option
@target_option
@json_option
@markdown_option
@fixture_option
@lost_option
@fault_option
def down(
    program: Path,
    stack: str,
    target: str,
    json_file: Path | None,
    markdown_file: Path | None,
    fixture: Path | None,
    lost: tuple[str, ...],
    faults: tuple[str, ...],
) -> int:
    """Delete everything of the stack; refused before the first delete where something is protected."""
    planned = _faults(faults, target)
    if target == "gcp":
        sandbox_only(json_file, markdown_file, fixture, *lost)
        return _real(stack, program).down()
    if target == "sandbox-cli":
        from review import sandbox_cli

        files = _files(json_file, markdown_file, fixture, lost)
        return sandbox_cli.down(workspace(program), stack, files, console())
    from review import commands

    files = _files(json_file, markdown_file, fixture, lost)
    with _killed("down"):
        return commands.down(workspace(program), stack, files, console(), faults=planned)
    return KILLED


@cli.command()
@program_option
@stack_option
@target_option
@json_option
@markdown_option
@fixture_option
@lost_option
def refresh(
    program: Path,
    stack: str,
    target: str,
    json_file: Path | None,
    markdown_file: Path | None,
    fixture: Path | None,
    lost: tuple[str, ...],
) -> int:
    """Show what was changed behind the stack's back, and take it over into the state.

    The program does not run; the next `up` shows what brings the cloud back to it.
    """
    if target == "gcp":
        sandbox_only(json_file, markdown_file, fixture, *lost)
        return _real(stack, program).refresh()
    files = _files(json_file, markdown_file, fixture, lost)
    if target == "sandbox-cli":
        from review import sandbox_cli

        return sandbox_cli.refresh(workspace(program), stack, files, console())
    from review import commands

    return commands.refresh(workspace(program), stack, files, console())


@cli.command()
@program_option
@stack_option
@target_option
@fixture_option
def drift(program: Path, stack: str, target: str, fixture: Path | None) -> int:
    """Say whether the cloud is as declared: 1 when it is not. Changes nothing, the state neither."""
    if target == "gcp":
        sandbox_only(fixture)
        return _real(stack, program).drift()
    if target == "sandbox-cli":
        return _wrong("drift is looked for with TARGET=sandbox or TARGET=gcp: name one of the two")
    from review import commands

    return commands.drift(workspace(program), stack, _files(None, None, fixture), console())


@cli.command()
@click.option("--base", required=True, help="The revision to compare with: a branch, a tag, a commit.")
@json_option
@markdown_option
@fixture_option
def diff(base: str, json_file: Path | None, markdown_file: Path | None, fixture: Path | None) -> int:
    """Show what the working tree does to every stack, on the state that BASE would have left."""
    from review import difference

    return difference.diff(workspace(), base, _files(json_file, markdown_file, fixture), console())


for command in (adopt, region_loss, waf, contract, contract_check, migrate, promote, attest):
    cli.add_command(command)
for command in (primaries, project, queue, schedules, walked):
    cli.add_command(command)


@cli.command("bootstrap-config")
@stack_option
@target_option
def bootstrap_config(stack: str, target: str) -> int:
    """Write bootstrap's output secrets_provider into the stack file; the sandbox shows the line."""
    from review import bootstrap_config as command
    from review.bootstrap_rehearsal import show_config
    from sandbox.project import load_project

    say: Callable[[str], None] = click.echo
    if target == "sandbox-cli":
        return _wrong("bootstrap-config is for TARGET=sandbox or TARGET=gcp: name one of the two")
    if target == "sandbox":
        return show_config(workspace(), workspace(Path.cwd() / command.FOLDER), stack, say)
    return command.bootstrap_config(load_project(Path.cwd()), stack, say)


@cli.command("bootstrap-migrate")
@stack_option
@target_option
@click.option("--from", "source", default="file://~", show_default=True, help="Backend to leave.")
@click.option("--to", help="Backend to move into; bootstrap's output `backend` when left out.")
@click.option("--secrets-provider", "provider", help="Bootstrap's output `secrets_provider` when left out.")
@click.option(
    "--folder", type=click.Path(path_type=Path), help="Folder of the program; bootstrap/ when left out."
)
def bootstrap_migrate(
    stack: str, target: str, source: str, to: str | None, provider: str | None, folder: Path | None
) -> int:
    """Move bootstrap's own state from a local backend into its bucket; may be repeated and interrupted.

    The sandbox rehearses it on a copy of its own state; --from, --to and --secrets-provider are for gcp.
    """
    from review.bootstrap_config import FOLDER
    from review.bootstrap_migrate import Move
    from review.bootstrap_rehearsal import rehearse_move

    say: Callable[[str], None] = click.echo
    program = folder or Path.cwd() / FOLDER
    if target == "sandbox-cli":
        return _wrong("bootstrap-migrate is for TARGET=sandbox or TARGET=gcp: name one of the two")
    if target == "sandbox":
        return rehearse_move(workspace(program), stack, say)
    return Move.open(program, stack, source, to, provider, say).run()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; what a person caused is one sentence."""
    from sandbox.errors import UsageError

    try:
        code: Any = cli.main(
            args=None if arguments is None else list(arguments),
            prog_name="python -m review",
            standalone_mode=False,
        )
    except click.ClickException as error:
        return _wrong(error.format_message())
    except UsageError as error:
        return _wrong(str(error))
    except RunInterruptedError as error:
        click.echo(f"sandbox: {error}", err=True)
        return INTERRUPTED
    except (KeyboardInterrupt, click.Abort):
        click.echo(f"sandbox: {AS_BEFORE}", err=True)
        return INTERRUPTED
    return int(code or 0)


def _wrong(sentence: str) -> int:
    click.echo(f"sandbox: {' '.join(sentence.split())}", err=True)
    return WRONG_USE


def _faults(texts: Sequence[str], target: str) -> list[Fault]:
    from sandbox.faults import parse_fault

    planned = [parse_fault(text) for text in texts]
    if planned and target != "sandbox":
        raise click.UsageError("--fault belongs to --target sandbox: leave it out, or use that target")
    return planned


@contextmanager
def _killed(command: str) -> Generator[None]:
    """Ends the block where a fault killed the process."""
    from sandbox.faults import KilledError

    try:
        yield
    except KilledError as error:
        click.echo(f"sandbox: killed by --fault {error}; run {command} again", err=True)


def _files(
    json_file: Path | None,
    markdown_file: Path | None,
    fixture: Path | None,
    lost: Sequence[str] = (),
    allowed: tuple[str, ...] = (),
) -> Files:
    from review.commands import Files
    from sandbox.cloud.lost import check_region

    regions = tuple(map(check_region, lost))
    return Files(json=json_file, markdown=markdown_file, fixture=fixture, lost=regions, allowed=allowed)


def _real(stack: str, program: Path) -> RealStack:
    from review.bootstrap_config import FOLDER
    from review.bootstrap_up import open_bootstrap
    from review.real_cli import RealStack
    from sandbox.project import load_project

    say: Callable[[str], None] = click.echo
    loaded = load_project(program)
    if loaded.directory.name == FOLDER:
        return open_bootstrap(loaded, stack, say)
    return RealStack.open(loaded, stack, say)

"""The command `waf`; loads nothing heavy before it runs."""

from __future__ import annotations

from pathlib import Path

import click

from review.options import FILE, FOLDER, console, program_option, workspace

__all__ = ["waf"]


@click.command()
@program_option
@click.option("--stack", default="prod", show_default=True, help="The stack (environment).")
@click.option(
    "--corpus",
    "corpora",
    type=FILE,
    multiple=True,
    help="Requests to play, in the format of docs/waf-corpus.md; default: the repository's own.",
)
@click.option("--base", help="A revision to compare the policy with: a branch, a tag, a commit.")
@click.option("--output", type=FOLDER, help="Write waf.json, waf.md and waf.html there.")
@click.option("--policy", help="Name of the policy, where the program declares several.")
@click.option(
    "--rules", type=FOLDER, help="Folder of the OWASP Core Rule Set; default: where Debian puts it."
)
def waf(
    program: Path,
    stack: str,
    corpora: tuple[Path, ...],
    base: str | None,
    output: Path | None,
    policy: str | None,
    rules: Path | None,
) -> int:
    """Prove the Cloud Armor policy that the program declares on a corpus; 1 when it falls short."""
    from review.waf.command import Options
    from review.waf.command import waf as prove
    from review.waf.rulesets import RULES_FOLDER

    options = Options(corpora=corpora, base=base, output=output, policy=policy, rules=rules or RULES_FOLDER)
    return prove(workspace(program), stack, options, console())

"""`python -m review waf`: the proof of one stack's policy, written and shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from review.commands import FINE, REFUSED, write
from review.waf.corpus import Request, built_in, load
from review.waf.difference import Difference, compare
from review.waf.document import document
from review.waf.exceptions import Reason, load_reasons
from review.waf.html import render_html
from review.waf.page import render
from review.waf.policy import Policy, declared_policy
from review.waf.proof import Proof, prove
from review.waf.rulesets import RULES_FOLDER, CoreRules, NotEvaluatedError
from review.waf.screen import print_proof
from review.workspace import Ground, Workspace, evaluate, settings_of
from review.worktree import checkout, resolve
from sandbox.cloud import World
from sandbox.errors import UsageError
from sandbox.model import Mode, Snapshot
from sandbox.project import Program, load_project

__all__ = ["Options", "declared", "installed", "waf"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a run may be told beside the stack."""

    corpora: Sequence[Path] = ()
    """Files; none means the repository's own corpus."""
    base: str | None = None
    """A revision to compare the policy with."""
    output: Path | None = None
    """Folder for waf.json, waf.md and waf.html."""
    policy: str | None = None
    """Name of the policy, where the program declares several."""
    rules: Path = RULES_FOLDER
    """Folder of the Core Rule Set."""


def waf(work: Workspace, stack: str, options: Options, out: Console) -> int:
    """Prove, compare, write, show; 1 when the proof does not hold."""
    requests = load(options.corpora or built_in())
    policy = declared(work.program, stack, options.policy, work.progress)
    core, reasons = installed(options.rules), load_reasons()
    proof = prove(policy, core, requests, reasons, complete=not options.corpora)
    difference = None
    if options.base is not None:
        difference = _compare(work, stack, options, proof, requests, reasons)
    if options.output is not None:
        _write(options.output, proof, stack, difference)
    print_proof(proof, stack, difference, out)
    return REFUSED if proof.shortfalls else FINE


def installed(folder: Path = RULES_FOLDER) -> CoreRules | NotEvaluatedError:
    """The Core Rule Set, or why there is none."""
    try:
        return CoreRules.find(folder)
    except NotEvaluatedError as error:
        return error


def declared(program: Program, stack: str, name: str | None, progress: Console) -> Policy:
    """The policy that the program declares for a stack, from a preview on an empty cloud."""
    settings = settings_of(program, stack)
    ground = Ground(snapshot=Snapshot(), world=World())
    outcome = evaluate(
        program, stack, settings, ground, Mode.PREVIEW, progress=progress, analyze=False, label="waf"
    )
    # A program that breaks off declares nothing; what a cloud would refuse elsewhere is another command's.
    broken = [item.message for item in outcome.refusals if item.kind in {"program", "usage"}]
    if broken:
        raise UsageError(f"the program of {stack} fails ({broken[0]}): see it with `review preview`")
    return declared_policy(outcome.resources, name)


def _compare(
    work: Workspace,
    stack: str,
    options: Options,
    proof: Proof,
    requests: Sequence[Request],
    reasons: Sequence[Reason],
) -> Difference:
    assert options.base is not None
    directory = work.program.directory
    with checkout(directory, resolve(directory, options.base)) as tree:
        try:
            policy = declared(load_project(tree), stack, options.policy, work.progress)
        except UsageError as error:
            return Difference(base=options.base, note=str(error))
    before = prove(policy, proof.core, requests, reasons, complete=not options.corpora)
    return compare(options.base, before, proof)


def _write(folder: Path, proof: Proof, stack: str, difference: Difference | None) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made ({error.strerror}): name another folder") from error
    found = document(proof, stack, difference)
    write(folder / "waf.json", json.dumps(found, indent=2, ensure_ascii=False) + "\n")
    write(folder / "waf.md", render(proof, stack, difference))
    write(folder / "waf.html", render_html(proof, stack, difference))

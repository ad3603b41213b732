"""`python -m review contract-check`: a running image beside the contract, as one table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from review.commands import FINE, REFUSED
from review.contract.asking import Target, target_of
from review.contract.demands import Demands
from review.contract.probe import Row, probe
from sandbox.errors import UsageError

__all__ = ["TOKEN_VARIABLE", "check"]

TOKEN_VARIABLE: Final = "CONTRACT_TOKEN"
"""The synthetic user's token; never an option, so that it stands in no list of processes."""
_STYLES: Final = {"ok": "green", "MISS": "bold red", "not asked": "dim"}


def check(url: str, stack: str, contract: Path, token: str | None, out: Console) -> int:
    """FINE where every figure that was asked meets its target, else REFUSED; UsageError on wrong use."""
    demands, hosts = _read(contract, stack)
    target = target_of(url)
    through_edge = _through_edge(target, stack, hosts)
    if token is not None:
        _check_token(token, target)
    rows = probe(target, demands, token=token, through_edge=through_edge)
    _print(rows, out)
    missed = [row for row in rows if row.verdict == "MISS"]
    asked = [row for row in rows if row.verdict != "not asked"]
    out.print(
        f"{len(asked) - len(missed)} of {len(asked)} figures hold, {len(rows) - len(asked)} not asked",
        style="bold red" if missed else "bold green",
        highlight=False,
    )
    return REFUSED if missed else FINE


def _read(path: Path, stack: str) -> tuple[Demands, dict[str, set[str]]]:
    """What the image must offer, and the public hosts by stack."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        demands = Demands.model_validate(found["demands"])
        hosts = {
            name: set[str](given["edge"]["hosts"] if given["edge"] else ())
            for name, given in found["environments"].items()
        }
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): run make contract") from error
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise UsageError(f"{path} is no contract of this version: run make contract") from error
    if stack not in hosts:
        raise UsageError(f"STACK must be one of {', '.join(hosts)}, got {stack!r}: name one of them")
    return demands, hosts


def _through_edge(target: Target, stack: str, hosts: dict[str, set[str]]) -> bool:
    for name, names in hosts.items():
        if target.host in names and name != stack:
            raise UsageError(f"URL is the host of {name}, and STACK is {stack}: use STACK={name}")
    return target.host in hosts[stack]


def _check_token(token: str, target: Target) -> None:
    if not token or not token.isascii() or any(sign.isspace() or ord(sign) < 33 for sign in token):
        raise UsageError(
            f"{TOKEN_VARIABLE} must be one token without blanks, got something else: set it again"
        )
    if not target.secure and not target.local:
        raise UsageError(
            f"{TOKEN_VARIABLE} must go over https or stay on this machine, got http to another one: use https"
        )


def _print(rows: Sequence[Row], out: Console) -> None:
    table = Table("figure", "found", "target", "verdict", box=None, pad_edge=False, header_style="dim")
    for row in rows:
        table.add_row(row.what, Text(row.found), row.target, Text(row.verdict, style=_STYLES[row.verdict]))
    out.print(table, soft_wrap=True, highlight=False, markup=False)

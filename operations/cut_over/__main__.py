"""The command: `python -m operations.cut_over STEP --settings FILE`.

Exit codes: 1 is refused, 2 misused, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import psycopg

from . import steps
from .servers import Pair, opened
from .settings import RefusedError, load

__all__ = ["main"]

_HELP = {
    "preflight": "say what speaks against the copy; changes nothing",
    "copy": "copy the schema and follow the rows; with --mode dump stop writes and copy all at once",
    "wait": "until every table is copied and new is close behind",
    "switch": "stop writes on old, compare, prepare the way back, open new",
    "verify": "say where the run stands; fails when something is not as it should be",
    "back": "after the switch: bring new's rows to old and open old again",
    "abort": "before the switch: take everything down again",
    "finish": "give up the way back and drop what is left",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do one step."""
    given = _parser().parse_args(arguments)
    do = _step(given)
    try:
        with opened(load(given.settings, os.environ)) as pair:
            do(pair)
    except RefusedError as error:
        return _refused(given.step, str(error))
    except psycopg.Error as error:
        return _refused(given.step, f"a server refused a statement: {' '.join(str(error).split())}")
    except OSError as error:
        return _refused(given.step, f"this machine refused: {error}; correct it and run the step again")
    except KeyboardInterrupt:
        return _refused(given.step, "interrupted: run the step again, or verify", 130)
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _refused(step: str, text: str, code: int = 1) -> int:
    sys.stderr.write(f"cut-over {step}: {text}\n")
    return code


def _step(given: argparse.Namespace) -> Callable[[Pair], None]:
    match given.step:
        case "preflight":
            return partial(steps.preflight, say=_say, mode=given.mode)
        case "copy":
            return partial(steps.copy, say=_say, mode=given.mode)
        case "wait":
            return partial(steps.wait, say=_say, seconds=given.seconds or 86_400)
        case "switch":
            return partial(steps.switch, say=_say, seconds=given.seconds or 120, margin=given.margin)
        case "back":
            return partial(steps.back, say=_say, seconds=given.seconds or 120, margin=given.margin)
        case "verify":
            return partial(steps.verify, say=_say)
        case "abort":
            return partial(steps.abort, say=_say)
        case _:
            return partial(steps.finish, say=_say)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m operations.cut_over")
    names = parser.add_subparsers(dest="step", required=True, metavar="STEP")
    for name, text in _HELP.items():
        step = names.add_parser(name, help=text, description=text)
        step.add_argument("--settings", type=Path, required=True, help="file in TOML, without a password")
        if name in {"preflight", "copy"}:
            step.add_argument("--mode", choices=["replication", "dump"], default="replication")
        if name in {"wait", "switch", "back"}:
            step.add_argument("--seconds", type=_positive, help="what the step may take; 120 for an outage")
        if name in {"switch", "back"}:
            step.add_argument(
                "--margin", type=_positive, default=steps.MARGIN, help="numbers that sequences skip"
            )
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 10**7:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, got {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())

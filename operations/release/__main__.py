"""The command: `python -m operations.release [walk|hold|back|status] --stack S --target T`.

Exit codes: 0 done; 1 refused, given back or halfway; 2 misused, or not logged in at the start; 3 traffic is
not where it must be; 130 interrupted. Only TARGET gcp touches Google; the others say what would be done.
REVIEW is the command that knows the stacks, the Google Cloud CLI gives the caller's token.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from operations.login import LoginError, gcloud_token

from .decide import Rules
from .google import GoogleError, google
from .standing import StuckError
from .walk import STEPS, Place, Walk

__all__ = ["main"]

_HELP = {
    "walk": "give the new revision 1, 10, 50, 100 %, each step watched; back when it is worse (default)",
    "hold": "name the revision that serves, so that the next one gets nothing yet",
    "back": "everything to the stable revision: of the walk in its middle, of the last one after it",
    "status": "say where traffic is; 1 while it is between two revisions",
}


class MisuseError(Exception):
    """Wrong use; one sentence."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do one of the four."""
    given = _parser().parse_args(arguments)
    try:
        revisions = _revisions(given)
        place, latency_ms = _declared(given)
        _refuse_foreign(place, revisions)
        rules = Rules(
            latency_ms=latency_ms,
            soak_seconds=given.soak_minutes * 60,
            patience_seconds=given.patience_minutes * 60,
            minimum_requests=given.minimum_requests,
            burn_limit=given.burn_limit,
            when_quiet=given.when_quiet,
        )
        if given.target != "gcp":
            return _told(given, place, rules)
        # Stopping by the machine is stopping by a person: it says where traffic is left.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        walk = Walk(google(gcloud_token, time.sleep), place, rules, _say, time.sleep)
        if given.do == "back":
            return walk.back(only_halfway=given.only_halfway, revisions=revisions)
        return getattr(walk, given.do)()
    except KeyboardInterrupt:
        return _refused(given.do, "interrupted: give the same command again", 130)
    except (MisuseError, LoginError, ValueError) as error:
        return _refused(given.do, str(error), 2)
    except StuckError as error:
        return _refused(given.do, str(error), 3)
    except GoogleError as error:
        return _refused(given.do, str(error), 1)


def _revisions(given: argparse.Namespace) -> dict[str, str]:
    """Region to revision; an empty region means every one."""
    if given.do != "back" and (given.only_halfway or given.revision):
        raise MisuseError(f"only-halfway and revision go with back, got {given.do}: leave them out")
    if given.only_halfway and given.revision:
        raise MisuseError("only-halfway goes back by the record, got a revision as well: leave one out")
    pairs = [text.rpartition("=")[::2] for text in given.revision]
    if len({region for region, _ in pairs}) < len(pairs) or not all(name for _, name in pairs):
        raise MisuseError(
            "revision must be NAME once, or REGION=NAME once a region, got "
            f"{' '.join(given.revision)}: correct it"
        )
    return dict(pairs)


def _refuse_foreign(place: Place, revisions: Mapping[str, str]) -> None:
    regions = [name.split("/")[3] for name in place.services]
    for region in revisions:
        if region and region not in regions:
            raise MisuseError(
                f"revision must name a region of the service ({', '.join(regions)}), got {region}: correct it"
            )


def _declared(given: argparse.Namespace) -> tuple[Place, float]:
    """What the program says is walked: the project, then a fact a line with its kind before it."""
    review = shlex.split(os.environ.get("REVIEW", f"{shlex.quote(sys.executable)} -m review"))
    command = [*review, "walked", "--stack", given.stack, "--target", given.target, "--command", "release"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MisuseError(done.stderr.strip().removeprefix("release: ") or "the stack cannot be read")
    project, *facts = done.stdout.split("\n")
    kinds = [fact.partition(" ")[::2] for fact in facts if fact]
    place = Place(
        project=project,
        services=[value for kind, value in kinds if kind == "service"],
        objectives=[value for kind, value in kinds if kind == "objective"],
    )
    return place, next(float(value) for kind, value in kinds if kind == "latency")


def _told(given: argparse.Namespace, place: Place, rules: Rules) -> int:
    """What TARGET=gcp would do, and by which rules."""
    regions = ", ".join(name.split("/")[3] for name in place.services)
    _say(
        f"release {given.do} (sandbox): nothing is changed. TARGET=gcp acts on {place.service} in {regions}:"
    )
    if given.do != "walk":
        _say(f"  {_HELP[given.do]}")
        return 0
    least, most = rules.soak_seconds / 60, rules.patience_seconds / 60
    for step in STEPS:
        rest = (
            f", {100 - step} % to the stable one" if step < 100 else "; the stable one stays, without traffic"
        )
        _say(f"  {step} % to the newest revision{rest}; {least:g} to {most:g} min")
    objectives = ", ".join(name.rsplit("/", 1)[-1] for name in place.objectives)
    _say(
        f"  back at once: significantly more errors than allowed, an objective ({objectives}) that burns "
        f"{rules.burn_limit:g} times too fast, or after the soak 95 % slower than"
        f" {rules.latency_ms:g} ms and half as slow again as the stable one"
    )
    _say(f"  fewer than {rules.minimum_requests} requests in a step: {rules.when_quiet}")
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _refused(do: str, text: str, code: int) -> int:
    sys.stderr.write(f"release {do}: {text}\n")
    return code


def _parser() -> argparse.ArgumentParser:
    defaults: Any = Rules(latency_ms=1.0)
    parser = argparse.ArgumentParser(prog="release", description="Walk a release through its shares.")
    parser.add_argument(
        "do",
        nargs="?",
        default="walk",
        choices=sorted(_HELP),
        help="; ".join(f"{name}: {text}" for name, text in _HELP.items()),
    )
    parser.add_argument("--stack", required=True)
    parser.add_argument("--target", required=True, choices=("sandbox", "sandbox-cli", "gcp"))
    parser.add_argument("--only-halfway", action="store_true", help="back: only in the middle of a walk")
    parser.add_argument(
        "--revision",
        action="append",
        default=[],
        metavar="[REGION=]NAME",
        help="back: to this one instead of the recorded one; once, or once a region",
    )
    parser.add_argument("--soak-minutes", type=float, default=defaults.soak_seconds / 60)
    parser.add_argument("--patience-minutes", type=float, default=defaults.patience_seconds / 60)
    parser.add_argument("--minimum-requests", type=int, default=defaults.minimum_requests)
    parser.add_argument("--burn-limit", type=float, default=defaults.burn_limit)
    parser.add_argument("--when-quiet", choices=("back", "promote"), default=defaults.when_quiet)
    return parser


if __name__ == "__main__":
    sys.exit(main())

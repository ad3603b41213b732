"""`python -m operations.replay`, which `make replay` calls: looks, or moves with --run and --expect.

Exit codes: 0 when everything was done, 1 when something stays that was to move, 2 on wrong use, 130 when
interrupted. Bodies and attributes are never shown.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import NoReturn

from operations.login import LoginError

from .letters import Letter
from .plan import MOST_REPLAYS, Wanted
from .pubsub import ApiError, PubSub, UnreachableError, http, renewed_token
from .replay import ChangedError, Clock, LeaseError, Limits, Replay, Report

__all__ = ["main"]

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_SHOWN = 10


class _Parser(argparse.ArgumentParser):
    """One sentence instead of a page."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"replay: {message}: correct it\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code."""
    asked = _parser().parse_args(arguments)
    if asked.run and asked.expect is None:
        return _refuse(
            "EXPECT must be the number that the look printed, got nothing: look first, without RUN", 2
        )
    if asked.expect is not None and not asked.run:
        return _refuse(
            f"RUN must be 'true' where EXPECT is given, got EXPECT={asked.expect} alone: add it", 2
        )
    if asked.only_read:
        return 0
    wanted = Wanted(
        ids=frozenset(asked.id),
        attributes=dict(asked.attribute),
        older_than=asked.older_than,
        younger_than=asked.younger_than,
    )
    where = f"projects/{asked.project}"
    pubsub = PubSub(
        http(asked.endpoint, renewed_token()),
        subscription=f"{where}/subscriptions/{asked.subscription}",
        topic=f"{where}/topics/{asked.topic}",
        pause=time.sleep,
    )
    limits = Limits(letters=asked.limit, rate=asked.rate, most_replays=asked.most_replays)
    replay = Replay(pubsub, Clock(now=time.time, pause=time.sleep), limits)
    try:
        report = replay.look(wanted) if asked.expect is None else replay.run(wanted, asked.expect)
    except ChangedError as error:
        return _refuse(f"{error}: look again, nothing was moved")
    except (LeaseError, ApiError, UnreachableError) as error:
        return _refuse(f"{error}; what was not moved stays a dead letter: {_remedy(error)} and run it again")
    except LoginError as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        return _refuse("interrupted: what was not moved stays a dead letter, run it again", 130)
    print("\n".join(_done(report, asked) if asked.run else _seen(report, asked)))
    return 1 if report.refused or report.behind or report.doubled else 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="replay", allow_abbrev=False)
    for name in ("endpoint", "project", "subscription", "topic", "again"):
        parser.add_argument(f"--{name}", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--only-read", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--run", action="store_true", help="move; otherwise only look")
    parser.add_argument("--expect", type=_Number(1, 10_000), help="the number that the look printed")
    parser.add_argument("--id", action="append", default=[], help="only this dead letter; may be repeated")
    parser.add_argument("--attribute", action="append", default=[], type=_pair, metavar="KEY=VALUE")
    parser.add_argument("--older-than", type=_span, metavar="2h", help="dead for at least so long")
    parser.add_argument("--younger-than", type=_span, metavar="1d", help="dead for less than that")
    parser.add_argument("--rate", type=_Number(1, 100), default=10, help="messages a second")
    parser.add_argument("--limit", type=_Number(1, 10_000), default=1_000, help="dead letters looked at")
    parser.add_argument("--most-replays", type=_Number(1, 10), default=MOST_REPLAYS)
    return parser


def _seen(report: Report, asked: argparse.Namespace) -> Iterable[str]:
    moves = report.plan.moves
    more = ", and there are more" if report.more else ""
    yield f"{asked.subscription}: {report.seen} dead letters seen{more}"
    yield f"  {len(moves)} would be published to {asked.topic}"
    yield from _left(report, asked)
    if moves:
        yield "oldest first:"
        yield f"  {'id':<20} {'dead since':<20} {'deliveries':<11} replays"
    for move in moves[:_SHOWN]:
        yield f"  {_line(move.letter)}"
    if len(moves) > _SHOWN:
        yield f"  and {len(moves) - _SHOWN} more"
    yield "nothing was moved and nothing is held"
    if moves:
        yield f"to move them: {asked.again} RUN=true EXPECT={len(moves)}"


def _done(report: Report, asked: argparse.Namespace) -> Iterable[str]:
    yield f"{report.published} of {len(report.plan.moves)} published to {asked.topic} and acknowledged"
    yield from _left(report, asked)
    if report.doubled:
        yield f"  {report.doubled} published but not acknowledged: another run publishes them once more"
    if report.behind:
        yield f"  {report.behind} wait behind a refused message of their ordering key"
    for letter, words in report.refused:
        yield f"  refused: {_line(letter)} {words}"


def _left(report: Report, asked: argparse.Namespace) -> Iterable[str]:
    plan = report.plan
    for count, words in (
        (plan.twins, "are duplicates of those and go with them"),
        (plan.unwanted, "do not match and stay"),
        (len(plan.worn), f"were replayed {asked.most_replays} times already and stay"),
    ):
        if count:
            yield f"  {count} {words}"
    for letter in plan.unfit:
        yield f"  stays: {_line(letter)} {letter.unfit}"


def _line(letter: Letter) -> str:
    return f"{letter.id:<20} {letter.died:%Y-%m-%d %H:%M:%S} {letter.deliveries:>11} {letter.replays:>7}"


def _remedy(error: Exception) -> str:
    denied = isinstance(error, ApiError) and error.status in (401, 403)
    return "ask for a group of messaging.operators" if denied else "correct the cause"


def _refuse(sentence: str, code: int = 1) -> int:
    print(f"replay: {sentence}", file=sys.stderr)
    return code


class _Number:
    """A whole number of a range; the name is what argparse says of a wrong one."""

    def __init__(self, low: int, high: int) -> None:
        self._low, self._high = low, high

    def __call__(self, text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,6}", text) or not self._low <= int(text) <= self._high:
            raise argparse.ArgumentTypeError(
                f"must be a number from {self._low} to {self._high}, got {text!r}"
            )
        return int(text)


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"must be KEY=VALUE, got {text!r}")
    return key, value


def _span(text: str) -> timedelta:
    found = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"must be a number with s, m, h or d such as 2h, got {text!r}")
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])


if __name__ == "__main__":
    sys.exit(main())

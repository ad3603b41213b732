"""The command: `python -m operations.database.check`. 0 fine, 1 something must be done, 2 it could not look.

Prints one JSON object a line: a finding for each wanted index and for each that is invalid or needless,
then a summary. PostgreSQL's own variables say where the database is and who asks (PGHOST, PGPORT, PGDATABASE,
PGUSER, PGPASSWORD, PGSSLMODE, PGSSLROOTCERT). It reads catalogs, so any login may ask; it changes nothing.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

import psycopg

from .catalog import read_indexes, read_statistics, read_tables
from .indexes import EXPECTED, Finding, Thresholds, judge

__all__ = ["main"]

_PRESENT = frozenset({"used", "no-data", "unused"})
_TIMEOUT = "SET statement_timeout = '30s'"


def main(arguments: Sequence[str] | None = None) -> int:
    """Look once and print what was found."""
    given = _parser().parse_args(arguments)
    limits = Thresholds(days=given.days, rows=given.rows)
    try:
        with psycopg.connect("", connect_timeout=10) as connection:
            connection.read_only = True
            connection.execute(_TIMEOUT)
            statistics = read_statistics(connection)
            found = judge(
                read_indexes(connection, given.schema),
                read_tables(connection, given.schema),
                statistics,
                thresholds=limits,
            )
    except psycopg.Error as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        print(
            f"database-check: the database must answer, got {reason}; correct PGHOST and what follows",
            file=sys.stderr,
        )
        return 2
    for finding in found:
        print(json.dumps({"check": "index", "schema": given.schema, **asdict(finding)}))
    wrong = [finding for finding in found if not finding.ok]
    print(
        json.dumps(
            {
                "check": "summary",
                "ok": not wrong,
                **_summary(found),
                "counted_days": round(statistics.days, 2),
            }
        )
    )
    return 1 if wrong else 0


def _summary(found: Sequence[Finding]) -> dict[str, object]:
    wanted = found[: len(EXPECTED)]
    return {
        "wanted": len(wanted),
        "present": sum(finding.state in _PRESENT for finding in wanted),
        "states": dict(sorted(Counter(finding.state for finding in found).items())),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m operations.database.check", description=__doc__)
    parser.add_argument("--schema", default="public", help="schema of the tables; default: public")
    parser.add_argument(
        "--days", type=_at_least_zero, default=7.0, help="days that scans must have been counted; default: 7"
    )
    parser.add_argument(
        "--rows",
        type=_at_least_zero,
        default=1_000,
        help="rows from which an index must be used; default: 1000",
    )
    return parser


def _at_least_zero(text: str) -> float:
    number = float(text) if re.fullmatch(r"[0-9]{1,12}(\.[0-9]+)?", text) else -1.0
    if number < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more, got {text!r}; correct it")
    return number


if __name__ == "__main__":
    sys.exit(main())

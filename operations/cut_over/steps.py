"""The steps of a cut-over, each of which may be killed anywhere and run again.

preflight, copy, wait, switch, finish; abort until the switch, back from then to the end. Up to the mark
`switched` nothing that the live service uses has changed but that its database was read-only for a moment;
after it the old database follows the new one, so that going back loses no row.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from psycopg.errors import QueryCanceled

from .content import carry_sequences, compare, refuse_other_schema
from .dump import carry
from .gate import closed, shut, unshut
from .preflight import notes, refusals
from .replication import Stream, leftovers
from .servers import PREFIX, Journal, Pair
from .settings import RefusedError

__all__ = ["MARGIN", "Say", "abort", "back", "copy", "finish", "preflight", "switch", "verify", "wait"]

Say = Callable[[str], None]
# Numbers that a sequence skips at each switch.
MARGIN = 1_000


def preflight(pair: Pair, say: Say, *, mode: str = "replication") -> None:
    """Refuse whatever speaks against the copy. Changes nothing."""
    if found := refusals(pair, mode):
        for sentence in found:
            say(f"refused: {sentence}")
        raise RefusedError(f"nothing may speak against the copy, got {len(found)} refusals; mend them first")
    for sentence in notes(pair):
        say(f"note: {sentence}")
    say("preflight: nothing speaks against the copy")


def copy(pair: Pair, say: Say, *, mode: str = "replication") -> None:
    """Begin: schema, then rows by a subscription that goes on, or all at once by dump with writes stopped."""
    journal = Journal(server=pair.new)
    entries = journal.entries()
    if "run" not in entries:
        preflight(pair, say, mode=mode)
        entries = journal.begin(mode)
    if entries["mode"] != mode:
        raise RefusedError(
            f"this run copies by {entries['mode']}, got {mode}; abort it, or go on as it began"
        )
    _refuse_after(entries, "compared", "the copy is complete")
    shut(pair.new)
    if mode == "dump":
        journal.write("stopped", "")
        shut(pair.old)
    if "copied" not in entries:
        try:
            carry(pair, rows=mode == "dump")
        except BaseException:
            if mode == "dump":
                unshut(pair.old)
            raise
        say(f"copy: new holds the schema{' and the rows' if mode == 'dump' else ''}")
    if mode == "replication":
        refuse_other_schema(pair)
        forward = _forward(pair, entries["run"])
        forward.publish()
        forward.subscribe(copy=True)
        say(f"copy: {forward.name} copies the rows and follows; old takes writes, change no table now")


def wait(pair: Pair, say: Say, *, seconds: float, within: int = 1 << 20) -> None:
    """Until every table is copied and new is at most `within` bytes behind."""
    entries = _entries(pair)
    _refuse_after(entries, "compared", "nothing follows old any more")
    if entries["mode"] == "dump":
        say("wait: a dump has nothing to wait for")
        return
    refuse_other_schema(pair)
    lag = _forward(pair, entries["run"]).wait(seconds, within=within)
    say(f"wait: every table is copied, new is {lag} bytes behind; the switch may begin")


def switch(pair: Pair, say: Say, *, seconds: float, margin: int = MARGIN) -> None:
    """Stop writes on old, bring the rest over, compare everything, prepare the way back, open new.

    Whatever fails before the comparison is through opens old again; not after a dump, which would then be out
    of date. Errors: RefusedError.
    """
    journal = Journal(server=pair.new)
    entries = _entries(pair)
    _refuse_after(entries, "returned", "this run went back")
    forward, reverse = _forward(pair, entries["run"]), _reverse(pair, entries["run"])
    began = time.monotonic()
    # Old that took writes after the comparison, since the step was interrupted or a person opened it.
    if "compared" in entries and "switched" not in entries and not closed(pair.old):
        journal.forget("compared")
        del entries["compared"]
    if "compared" not in entries:
        if "copied" not in entries:
            raise RefusedError("the copy must be complete before the switch, got none; run the step copy")
        if entries["mode"] == "replication":
            # A table that still copies, or a long way behind, is not a matter of the outage.
            refuse_other_schema(pair)
            forward.wait(min(seconds, 10), within=16 << 20)
        began = time.monotonic()
        try:
            _bring_over(pair, say, entries["mode"], forward, seconds, margin)
        except BaseException:
            if entries["mode"] == "replication":
                unshut(pair.old)
                say("switch: not done, old takes writes again")
            raise
    if "switched" not in entries:
        forward.remove()
        reverse.publish()
        reverse.subscribe(copy=False)
        journal.write("switched", pair.new.one("SELECT clock_timestamp()::text"))
    unshut(pair.new)
    say(f"switch: new takes writes, old follows it; writes were stopped for {time.monotonic() - began:.2f} s")


def _bring_over(pair: Pair, say: Say, mode: str, forward: Stream, seconds: float, margin: int) -> None:
    journal = Journal(server=pair.new)
    until = time.monotonic() + seconds
    journal.write("stopped", "")
    shut(pair.old)
    say("switch: old takes no writes")
    if mode == "replication":
        forward.wait(max(until - time.monotonic(), 0))
    carried = carry_sequences(pair.old, pair.new, margin)
    tables, rows = _compared_until(pair, until)
    journal.write("compared", f"{tables} tables, {rows} rows, {carried} sequences")
    say(f"switch: {tables} tables with {rows} rows are equal on both, {carried} sequences carried")


def _compared_until(pair: Pair, until: float) -> tuple[int, int]:
    """Compare, and give up when the outage would be longer than was allowed."""
    left = max(int((until - time.monotonic()) * 1_000), 1)
    try:
        for server in (pair.old, pair.new):
            server.run("SELECT set_config('statement_timeout', %s, false)", (str(left),))
        found = compare(pair)
        if time.monotonic() > until:
            raise QueryCanceled
    except QueryCanceled:
        raise RefusedError(
            "counts and checksums must be through within the time allowed, got more; raise --seconds"
        ) from None
    else:
        return found
    finally:
        for server in (pair.old, pair.new):
            server.run("SELECT set_config('statement_timeout', '0', false)")


def verify(pair: Pair, say: Say, *, lag: int = 16 << 20) -> None:
    """Say where the run stands, and refuse when something is not as it should be there."""
    entries = _entries(pair)
    run = entries["run"]
    is_switched = "switched" in entries and "returned" not in entries
    for server, takes in ((pair.old, not is_switched), (pair.new, is_switched)):
        if closed(server) == takes:
            state = "no writes" if takes else "writes"
            raise RefusedError(
                f"{server.name} must {'' if takes else 'not '}take writes, got {state}; repeat the last step"
            )
    if "compared" in entries:
        say(f"verify: compared at the switch: {entries['compared']}")
    refuse_other_schema(pair)
    stream = _reverse(pair, run) if is_switched else _forward(pair, run)
    if "returned" in entries or (entries["mode"] == "dump" and not is_switched):
        say("verify: no server follows the other")
        return
    stream.refuse_idle()
    behind = stream.wait(10, within=lag)
    say(f"verify: {stream.target.name} follows {stream.source.name}, {behind} bytes behind")


def back(pair: Pair, say: Say, *, seconds: float, margin: int = MARGIN) -> None:
    """After the switch: stop writes on new, bring its rows to old, compare, open old again. Once.

    Whatever fails before the comparison is through opens new again. Errors: RefusedError.
    """
    journal = Journal(server=pair.new)
    entries = _entries(pair)
    if "switched" not in entries:
        raise RefusedError("there must have been a switch to go back from, got none; run the step abort")
    reverse = _reverse(pair, entries["run"])
    began = time.monotonic()
    if "returned" not in entries:
        if not reverse.subscribed():
            raise RefusedError(
                "old must follow new for a way back, got no subscription; the run was finished"
            )
        try:
            shut(pair.new)
            reverse.wait(seconds)
            carried = carry_sequences(pair.new, pair.old, margin)
            tables, rows = compare(pair)
        except BaseException:
            unshut(pair.new)
            say("back: not done, new takes writes again")
            raise
        journal.write("returned", f"{tables} tables, {rows} rows, {carried} sequences")
        say(f"back: {tables} tables with {rows} rows are equal on both, {carried} sequences carried")
    reverse.remove()
    unshut(pair.old)
    say(f"back: old takes writes, new is read-only; writes were stopped for {time.monotonic() - began:.2f} s")


def abort(pair: Pair, say: Say) -> None:
    """Before the switch: take everything down again and let old take writes. The copy on new stays there."""
    journal = Journal(server=pair.new)
    entries = journal.entries()
    if "run" not in entries:
        say("abort: there is nothing to abort")
        return
    if "switched" in entries:
        raise RefusedError(
            "a run may be aborted until its switch, got one that has switched; run the step back"
        )
    _forward(pair, entries["run"]).remove()
    _reverse(pair, entries["run"]).remove()
    if "stopped" in entries:
        unshut(pair.old)
    _end(pair, entries["run"])
    if "copied" not in entries:
        unshut(pair.new)
    say("abort: old takes writes as before; drop and create the database on new before the next copy")


def finish(pair: Pair, say: Say) -> None:
    """Give up the way back: drop what is left. The database that is not used any more stays read-only."""
    journal = Journal(server=pair.new)
    entries = journal.entries()
    if "run" not in entries:
        say("finish: there is nothing to finish")
        return
    if "switched" not in entries:
        raise RefusedError("a run may be finished after its switch, got none; run the step switch, or abort")
    used, step = (pair.old, "back") if "returned" in entries else (pair.new, "switch")
    if closed(used):
        raise RefusedError(
            f"{used.name} must take writes before a run ends, got none; run the step {step} again"
        )
    for stream in (_reverse(pair, entries["run"]), _forward(pair, entries["run"])):
        stream.remove()
    _end(pair, entries["run"])
    say("finish: no slot, subscription or publication is left; there is no way back but a restore")


def _end(pair: Pair, run: str) -> None:
    """Refuse to forget a run that has left something: a slot that nobody reads fills the disk."""
    for server in (pair.old, pair.new):
        if found := [item for item in leftovers(server) if run in item]:
            raise RefusedError(
                f"{server.name} must hold nothing of this run, got {found[0]}; run the step again"
            )
    Journal(server=pair.new).remove()


def _entries(pair: Pair) -> dict[str, str]:
    journal = Journal(server=pair.new)
    journal.run()
    return journal.entries()


def _refuse_after(entries: dict[str, str], key: str, what: str) -> None:
    if key in entries:
        raise RefusedError(
            f"this step must come earlier, got a run that is further: {what}; run the step verify"
        )


def _forward(pair: Pair, run: str) -> Stream:
    return Stream(name=f"{PREFIX}_{run}_forward", source=pair.old, target=pair.new)


def _reverse(pair: Pair, run: str) -> Stream:
    return Stream(name=f"{PREFIX}_{run}_back", source=pair.new, target=pair.old)

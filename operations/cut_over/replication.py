"""Publications, slots and subscriptions from one server to the other.

The slot is made and dropped by this program's own connection and not by the subscription: then a subscription
can be made inside a block, which keeps its password out of the server's log. `CREATE SUBSCRIPTION` is DDL and
`log_statement=ddl` writes it down; a block is not, the connection string comes to it as a parameter, and an
error inside is raised again without its context, which would quote the statement.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import psycopg
from psycopg import sql

from .content import tables
from .servers import PREFIX, Server
from .settings import RefusedError

__all__ = ["Stream", "leftovers"]

_SUBSCRIBE = """
DO $block$
BEGIN
  EXECUTE format('CREATE SUBSCRIPTION %1$I CONNECTION %2$L PUBLICATION %1$I '
    'WITH (create_slot = false, slot_name = %1$L, copy_data = %3$s, enabled = %4$s)',
    current_setting('cut_over.name'), current_setting('cut_over.conninfo'),
    current_setting('cut_over.copy'), current_setting('cut_over.enabled'));
EXCEPTION WHEN OTHERS THEN
  RAISE EXCEPTION USING MESSAGE = SQLERRM, ERRCODE = SQLSTATE;
END $block$
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stream:
    """One direction; publication, slot and subscription share a name."""

    name: str
    source: Server
    target: Server

    def publish(self) -> None:
        """Publication, then slot: a slot decodes with the publications that it finds."""
        name = sql.Identifier(self.name)
        if not self.source.one("SELECT EXISTS (SELECT FROM pg_publication WHERE pubname = %s)", (self.name,)):
            found = tables(self.source)
            listed = sql.SQL(", ").join(sql.SQL("ONLY {}").format(table.identifier) for table in found)
            statement = "CREATE PUBLICATION {} FOR TABLE {}" if found else "CREATE PUBLICATION {}"
            self.source.run(sql.SQL(statement).format(name, listed))
        if not self.slot():
            self.source.run("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (self.name,))

    def subscribe(self, *, copy: bool) -> None:
        """Subscription, with the rows that are there already or without. Needs the slot."""
        if not self.subscribed():
            self._subscribe(copy=copy, enabled=True)

    def try_connection(self) -> None:
        """Let the target come into the source once, leaving nothing. Errors: RefusedError when it cannot."""
        name = sql.Identifier(self.name)
        # A killed one left its publication. Without one there is a warning, which quotes the statement.
        self.source.run(sql.SQL("DROP PUBLICATION IF EXISTS {}").format(name))
        self.source.run(sql.SQL("CREATE PUBLICATION {}").format(name))
        try:
            with self.target.connection.transaction(force_rollback=True):
                self._subscribe(copy=False, enabled=False)
        except psycopg.Error as error:
            text = " ".join(str(error.diag.message_primary or error).split())
            raise RefusedError(
                f"{self.target.name} must reach {self.source.name} at {self.source.name}.reached_at, "
                f"got: {text}; correct address, password or network"
            ) from None
        finally:
            self.source.run(sql.SQL("DROP PUBLICATION {}").format(name))

    def _subscribe(self, *, copy: bool, enabled: bool) -> None:
        values = {
            "name": self.name,
            "conninfo": self.source.side.peer_conninfo(),
            "copy": str(copy).lower(),
            "enabled": str(enabled).lower(),
        }
        try:
            for key, value in values.items():
                self.target.run("SELECT set_config(%s, %s, false)", (f"cut_over.{key}", value))
            self.target.run(_SUBSCRIBE)
        finally:
            if self.target.connection.info.transaction_status != psycopg.pq.TransactionStatus.INERROR:
                self.target.run("SELECT set_config('cut_over.conninfo', '', false)")

    def subscribed(self) -> bool:
        """Whether the subscription is there."""
        query = "SELECT EXISTS (SELECT FROM pg_subscription WHERE subname = %s)"
        return bool(self.target.one(query, (self.name,)))

    def slot(self) -> bool:
        """Whether the slot is there."""
        query = "SELECT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = %s)"
        return bool(self.source.one(query, (self.name,)))

    def waiting(self) -> list[str]:
        """Tables whose first copy is not complete."""
        query = (
            "SELECT srrelid::regclass::text FROM pg_subscription_rel JOIN pg_subscription ON oid = srsubid "
            "WHERE subname = %s AND srsubstate <> 'r' ORDER BY 1"
        )
        return self.target.column(query, (self.name,))

    def lag(self, position: str | None = None) -> int:
        """Bytes of log that the target has not confirmed, up to now or up to a position. Needs the slot."""
        if not self.slot():
            raise RefusedError(
                f"{self.source.name} must hold slot {self.name}, got none; abort and begin again"
            )
        query = (
            "SELECT greatest(pg_wal_lsn_diff(coalesce(%s::pg_lsn, pg_current_wal_flush_lsn()), "
            "confirmed_flush_lsn), 0)::bigint, wal_status FROM pg_replication_slots WHERE slot_name = %s"
        )
        [(lag, status)] = self.source.rows(query, (position, self.name))
        if status == "lost":
            raise RefusedError(
                f"slot {self.name} on {self.source.name} must keep its log, got status lost; raise "
                "max_slot_wal_keep_size, abort and begin again"
            )
        return lag

    def refuse_idle(self, seconds: float = 10) -> None:
        """Refuse a slot that nobody reads: the target does not follow, and the log piles up."""
        query = "SELECT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = %s AND active)"
        until = time.monotonic() + seconds
        while not self.source.one(query, (self.name,)):
            if time.monotonic() > until:
                raise RefusedError(
                    f"{self.target.name} must follow {self.source.name}, got no reader of slot {self.name}; "
                    f"read the log of {self.target.name}"
                )
            time.sleep(0.1)

    def wait(self, seconds: float, *, within: int = 0) -> int:
        """Until every table is copied and the lag is at most `within` bytes; answers the lag.

        Errors: RefusedError when it takes longer.
        """
        until = time.monotonic() + seconds
        position = self.source.one("SELECT pg_current_wal_flush_lsn()::text") if within == 0 else None
        while True:
            waiting, lag = self.waiting(), self.lag(position)
            if not waiting and lag <= within:
                return lag
            if time.monotonic() > until:
                copying = f" and {len(waiting)} tables still copying such as {waiting[0]}" if waiting else ""
                raise RefusedError(
                    f"{self.target.name} must have caught up within {seconds:.0f} s, got {lag} bytes behind"
                    f"{copying}; wait longer, or read the log of {self.target.name}"
                )
            time.sleep(0.02)

    def remove(self) -> None:
        """Subscription, slot, publication; whatever is left of them."""
        name = sql.Identifier(self.name)
        if self.subscribed():
            self.target.run(sql.SQL("ALTER SUBSCRIPTION {} DISABLE").format(name))
            self.target.run(sql.SQL("ALTER SUBSCRIPTION {} SET (slot_name = NONE)").format(name))
            self.target.run(sql.SQL("DROP SUBSCRIPTION {}").format(name))
        until = time.monotonic() + 30
        while self.slot():
            try:
                self.source.run("SELECT pg_drop_replication_slot(%s)", (self.name,))
            except psycopg.errors.ObjectInUse:
                if time.monotonic() > until:
                    raise RefusedError(
                        f"slot {self.name} on {self.source.name} must be idle, got a reader after 30 s; "
                        "end its session and run again"
                    ) from None
                time.sleep(0.05)
        self.source.run(sql.SQL("DROP PUBLICATION IF EXISTS {}").format(name))


def leftovers(server: Server, run: str | None = None) -> list[str]:
    """What runs of this program have left on a server, but for the run named. A slot left fills the disk."""
    own = f"{PREFIX}_{run}%" if run else ""
    query = (
        "SELECT 'publication ' || pubname FROM pg_publication WHERE pubname LIKE %s AND pubname NOT LIKE %s "
        "UNION ALL SELECT 'subscription ' || subname FROM pg_subscription WHERE subname LIKE %s "
        "AND subname NOT LIKE %s UNION ALL SELECT 'slot ' || slot_name FROM pg_replication_slots "
        "WHERE slot_name LIKE %s AND slot_name NOT LIKE %s ORDER BY 1"
    )
    return server.column(query, (f"{PREFIX}\\_%", own) * 3)

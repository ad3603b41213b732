"""What must hold before anything changes. Every refusal is one sentence, and all of them are said at once."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import LiteralString

from psycopg import sql

from .content import USER_RELATIONS
from .replication import Stream, leftovers
from .servers import PREFIX, Pair, Server
from .settings import RefusedError

__all__ = ["notes", "refusals"]

# One subscription with two workers that copy tables (max_sync_workers_per_subscription) takes these.
_SLOTS = 3
_WORKERS = 3
_KINDS = {
    "f": ("foreign table", "drop it, or move its data by hand"),
    "m": ("materialised view", "drop it, and create and refresh it on new after the switch"),
}
_PLAIN_KEYS = """
SELECT format('%I.%I', nspname, relname) FROM ({}) AS found WHERE relkind IN ('r', 'p') AND (
relreplident = 'n' OR relreplident = 'd' AND NOT EXISTS (
  SELECT FROM pg_index WHERE indrelid = found.oid AND indisprimary)) ORDER BY 1
"""
_OWNERS = """
SELECT DISTINCT pg_get_userbyid(relowner) FROM ({}) AS found
WHERE relkind IN ('r', 'p', 'S') AND NOT pg_has_role(current_user, relowner, 'MEMBER') ORDER BY 1
"""
_TRIGGERS = """
SELECT format('%I.%I: %I', nspname, relname, tgname) FROM pg_trigger JOIN ({}) AS found ON found.oid = tgrelid
WHERE tgenabled IN ('A', 'R') AND NOT tgisinternal ORDER BY 1
"""
_GRANTEES = """
SELECT DISTINCT pg_get_userbyid(acl.grantee) FROM ({}) AS found,
aclexplode(relacl) AS acl WHERE acl.grantee <> 0 ORDER BY 1
"""


def refusals(pair: Pair, mode: str) -> list[str]:
    """Everything that speaks against a copy by `replication` or by `dump`; nothing stays on the servers."""
    old, new = pair.old, pair.new
    rights = [*_rights(old, publishes=mode == "replication"), *_rights(new, publishes=True)]
    found = [
        *_versions(pair),
        *_logical(new, why="the way back reads its log"),
        *(_logical(old, why="the copy reads its log") if mode == "replication" else ()),
        *rights,
        *_roles(pair),
        *_contents(old),
        *_extensions(pair),
        *_target(new),
        *_capacity(old, publishes=mode == "replication", subscribes=True),
        *_capacity(new, publishes=True, subscribes=mode == "replication"),
    ]
    # Both directions at once: the way back is not the place to find out that a network is closed.
    for source, target in () if rights else ((old, new), (new, old)):
        if source is old and mode == "dump":
            continue
        try:
            Stream(name=f"{PREFIX}_probe", source=source, target=target).try_connection()
        except RefusedError as error:
            found.append(str(error))
    for server in (old, new):
        found += [
            f"{server.name} must hold nothing of another cut-over, got {item}; abort that run or drop it"
            for item in leftovers(server)
        ]
    return found


def notes(pair: Pair) -> list[str]:
    """What a person should know and no program can judge."""
    size = pair.old.one("SELECT pg_database_size(current_database())")
    there = pair.new.column("SELECT rolname FROM pg_roles")
    missing = [role for role in pair.old.column(_about(_GRANTEES)) if role not in there]
    said = [
        f"the database is {size / 2**20:.0f} MiB: new needs that free, old needs room for the log meanwhile"
    ]
    if missing:
        said.append(
            f"grants are not copied; roles that hold some on old and are not on new: {', '.join(missing)}"
        )
    said += [
        f"{server.name} keeps log for a slot without limit: watch its disk until the step finish"
        for server in (pair.old, pair.new)
        if server.one("SELECT current_setting('max_slot_wal_keep_size')") == "-1"
    ]
    return said


def _about(query: LiteralString) -> sql.Composed:
    return sql.SQL(query).format(sql.SQL(USER_RELATIONS))


def _versions(pair: Pair) -> Iterator[str]:
    old, new = pair.old, pair.new
    if new.version < old.version:
        yield (f"new must not be older than old, got {new.version} after {old.version}; choose another")
    encodings = [server.one("SHOW server_encoding") for server in (old, new)]
    if encodings[0] != encodings[1]:
        yield f"both must have one encoding, got {encodings[0]} and {encodings[1]}; create new anew"
    program = shutil.which("pg_dump")
    if program is None or shutil.which("psql") is None:
        yield "pg_dump and psql must be on PATH, got none; install postgresql-client"
        return
    try:
        asked = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    except OSError as error:
        yield f"{program} must start, got {error.strerror}; install postgresql-client anew"
        return
    said = asked.stdout or asked.stderr
    major = re.search(r"(\d+)", said)
    if asked.returncode or major is None or int(major[1]) < old.version:
        yield f"pg_dump must be at least of version {old.version}, got {said.strip()!r}; install a newer one"


def _logical(server: Server, *, why: str) -> Iterator[str]:
    level = server.one("SHOW wal_level")
    if level != "logical":
        yield (
            f"{server.name}: wal_level must be logical, since {why}, got {level!r}; set the flag "
            "cloudsql.logical_decoding=on, which restarts the instance"
        )


def _rights(server: Server, *, publishes: bool) -> Iterator[str]:
    name = server.name
    [(user, superuser, replication)] = server.rows(
        "SELECT rolname, rolsuper, rolreplication FROM pg_roles WHERE rolname = current_user"
    )
    if superuser:
        return
    if publishes and not replication:
        yield (f"{name}: {user} must have REPLICATION, got none; run ALTER USER {user} WITH REPLICATION")
    granting = server.column(
        "SELECT rolname FROM pg_roles WHERE rolname IN ('pg_create_subscription', 'cloudsqlsuperuser') "
        "AND pg_has_role(current_user, oid, 'MEMBER')"
    )
    if not granting:
        yield (
            f"{name}: {user} must be in cloudsqlsuperuser or pg_create_subscription, got neither; grant one"
        )
    # Without the second, the start of other sessions is hidden, and they would be left to write on.
    for role in ("pg_signal_backend", "pg_read_all_stats"):
        if not server.one("SELECT pg_has_role(current_user, %s::name, 'MEMBER')", (role,)):
            yield f"{name}: {user} must be a member of {role} to end sessions, got none; grant it"
    if not server.one(
        "SELECT pg_has_role(current_user, datdba, 'MEMBER') FROM pg_database "
        "WHERE datname = current_database()"
    ):
        yield f"{name}: {user} must be in the role that owns the database, got another; grant it"


def _roles(pair: Pair) -> Iterator[str]:
    for role in pair.old.column(_about(_OWNERS)):
        yield f"old: {pair.old.side.connect['user']} must be a member of {role}, which owns tables; grant it"
    wanted = [
        *([pair.settings.owner] if pair.settings.owner else []),
        *pair.settings.grant_to,
        *pair.settings.read_by,
    ]
    there = pair.new.column("SELECT rolname FROM pg_roles")
    for role in wanted:
        if role not in there:
            yield f"new: role {role} of the settings must exist, got none; create it"
    owner = pair.settings.owner
    if owner in there and not pair.new.one("SELECT pg_has_role(current_user, %s::name, 'MEMBER')", (owner,)):
        yield f"new: {pair.new.side.connect['user']} must be a member of {owner}, the owner to be; grant it"
    for server in (pair.old, pair.new):
        for role in server.column(
            "SELECT rolname FROM pg_db_role_setting JOIN pg_roles AS role ON role.oid = setrole "
            "WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())) "
            "AND EXISTS (SELECT FROM unnest(setconfig) AS one "
            "WHERE one LIKE 'default_transaction_read_only=%')",
        ):
            yield (
                f"{server.name}: role {role} must have no default_transaction_read_only of its own, "
                "which would let it write past the switch; reset it"
            )


def _contents(old: Server) -> Iterator[str]:
    for table in old.column(_about(_PLAIN_KEYS)):
        yield (
            f"old: table {table} must have a primary key or a replica identity, got none: "
            "its updates cannot be replicated; add a key"
        )
    relations = old.rows(
        _about("SELECT format('%I.%I', nspname, relname), relkind, relpersistence FROM ({}) AS f")
    )
    for relation, kind, persistence in sorted(relations):
        if persistence == "u" and kind == "r":
            yield f"old: table {relation} must be logged, got unlogged; SET LOGGED or drop it"
        if kind in _KINDS:
            word, remedy = _KINDS[kind]
            yield f"old: {word} {relation} is not replicated; {remedy}"
    if count := old.one("SELECT count(*) FROM pg_largeobject_metadata"):
        yield f"old: there must be no large objects, got {count}: none is replicated; store them as bytea"
    for trigger in old.column(_about(_TRIGGERS)):
        yield f"old: trigger {trigger} must not fire on replicated rows, got ALWAYS or REPLICA; ENABLE it"
    if count := old.one("SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()"):
        yield f"old: no transaction may be prepared, got {count}: each would outlive the switch; end it"


def _extensions(pair: Pair) -> Iterator[str]:
    rows = pair.new.rows(
        "SELECT name, coalesce(installed_version, default_version) FROM pg_available_extensions"
    )
    there: dict[str, str] = dict(rows)
    for name, version in pair.old.rows("SELECT extname, extversion FROM pg_extension ORDER BY 1"):
        if name not in there:
            yield f"new: extension {name} must be available, got none; drop it on old, or choose another new"
        elif _ordered(there[name]) < _ordered(version):
            yield (
                f"new: extension {name} must be at least of version {version} as on old, got {there[name]}; "
                f"ALTER EXTENSION {name} UPDATE"
            )


def _ordered(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _target(new: Server) -> Iterator[str]:
    found = new.column(_about("SELECT format('%I.%I', nspname, relname) FROM ({}) AS f ORDER BY 1"))
    if found:
        yield (
            f"new: the database must be empty, got {len(found)} relations such as {found[0]}; "
            "drop and create it"
        )


def _capacity(server: Server, *, publishes: bool, subscribes: bool) -> Iterator[str]:
    name = server.name
    walsenders = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walsender'"
    workers = "SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'logical replication%'"
    wanted: list[tuple[LiteralString, LiteralString, int]] = []
    if publishes:
        wanted.append(("max_replication_slots", "SELECT count(*) FROM pg_replication_slots", _SLOTS))
        wanted.append(("max_wal_senders", walsenders, _SLOTS))
    if subscribes:
        wanted.append(("max_logical_replication_workers", workers, _WORKERS))
        wanted.append(("max_worker_processes", workers, _WORKERS))
    for key, query, needed in wanted:
        limit, used = int(server.one("SELECT current_setting(%s)", (key,))), int(server.one(query))
        if limit - used < needed:
            yield (
                f"{name}: {key} must leave {needed} free, got {limit} with {used} in use; raise the flag, "
                "which restarts the instance"
            )
    if publishes:
        yield from _log_kept(server)


def _log_kept(server: Server) -> Iterator[str]:
    """A slot that loses its log ends the copy, so the limit must outlast it: as much as the database."""
    [(limit, size)] = server.rows(
        "SELECT setting::bigint, pg_database_size(current_database()) / 1048576 FROM pg_settings "
        "WHERE name = 'max_slot_wal_keep_size'"
    )
    if 0 <= limit < size:
        yield (
            f"{server.name}: max_slot_wal_keep_size must be -1 or at least the {size} MB of the database, "
            f"got {limit} MB; raise it"
        )
